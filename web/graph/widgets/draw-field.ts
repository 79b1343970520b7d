import { fitFileName, fitText, textWidth } from '../text-fit.ts';
import { palette } from '../theme.ts';

/** Height of one field inside a node, in graph units. */
export const fieldHeight = 20;
export const fieldMargin = 12;
const swatchWidth = 24;

export interface FieldDrawing {
  readonly width: number;
  readonly y: number;
  readonly label: string;
  readonly value: string;
  /** Small arrows at both ends; a dimmed one marks the end of the range. */
  readonly arrows?: { readonly left: boolean; readonly right: boolean };
  readonly disabled?: boolean;
  readonly error?: boolean;
  /** Low quality: only the box, no text. */
  readonly plain?: boolean;
  /** Colours that are shown after the value, as many as have room. */
  readonly swatches?: readonly string[];
  /** Part of the field's width filled from the left (sliders), 0..1. */
  readonly fill?: number;
}

/** The font that litegraph sets for all fields, as `text-fit.ts` wants it named. */
const font = 'field';

/** Draws the common look of a value field: dark box, soft label on the left, value on the right. */
export function drawField(ctx: CanvasRenderingContext2D, field: FieldDrawing): void {
  const { width, y, label, value, arrows, plain } = field;
  const left = fieldMargin;
  const inner = width - 2 * fieldMargin;
  if (plain && field.fill === undefined) {
    ctx.fillStyle = palette.field;
    ctx.fillRect(left, y, inner, fieldHeight);
    return;
  }
  ctx.save();
  ctx.beginPath();
  ctx.roundRect(left, y, inner, fieldHeight, plain ? 0 : 6);
  ctx.fillStyle = palette.field;
  ctx.fill();
  if (field.fill !== undefined) {
    ctx.save();
    ctx.clip();
    ctx.fillStyle = palette.fieldFill;
    ctx.fillRect(left, y, inner * Math.min(1, Math.max(0, field.fill)), fieldHeight);
    ctx.restore();
  }
  if (!plain) {
    ctx.lineWidth = 1;
    ctx.strokeStyle = field.error ? palette.error : palette.fieldBorder;
    ctx.stroke();
    const padding = arrows ? 20 : 9;
    const space = inner - 2 * padding;
    ctx.textBaseline = 'middle';
    const middle = y + fieldHeight / 2 + 0.5;
    const swatches = field.swatches ?? [];
    const each = swatches.length > 1 ? 14 : swatchWidth;
    const shown = swatches.slice(0, Math.floor((space * 0.6) / (each + 3)));
    const swatch = shown.length === 0 ? 0 : shown.length * (each + 3) + 3;
    const [shownLabel, shownValue] = fitBoth(ctx, label, value, space - swatch);
    ctx.textAlign = 'left';
    ctx.fillStyle = palette.textSoft;
    if (shownLabel !== '…') ctx.fillText(shownLabel, left + padding, middle);
    ctx.textAlign = 'right';
    ctx.fillStyle = field.disabled ? palette.textDim : palette.text;
    ctx.fillText(shownValue, left + inner - padding - swatch, middle);
    shown.forEach((color, i) => {
      const x = left + inner - padding - swatch + 6 + i * (each + 3);
      drawSwatch(ctx, color, { x, y: y + 4, width: each });
    });
    if (arrows && !field.disabled) {
      drawArrow(ctx, { x: left + 9, y: middle, direction: -1, active: arrows.left });
      drawArrow(ctx, { x: left + inner - 9, y: middle, direction: 1, active: arrows.right });
    }
  }
  ctx.restore();
}

/**
 * Label and value in one line. Where both are too long, the label keeps two fifths of the line: a
 * value without its name says little.
 */
function fitBoth(
  ctx: CanvasRenderingContext2D,
  label: string,
  value: string,
  space: number,
): [label: string, value: string] {
  const gap = 8;
  const forLabel = Math.min(textWidth(ctx, font, label), space * 0.4);
  const isFile = /[/\\]|\.\w{2,11}( \[\w+\])?$/.test(value);
  const fit = isFile ? fitFileName : fitText;
  const shown = fit(ctx, font, value, value === '' ? 0 : space - forLabel - gap);
  return [fitText(ctx, font, label, space - textWidth(ctx, font, shown) - gap), shown];
}

function drawSwatch(
  ctx: CanvasRenderingContext2D,
  color: string,
  { x, y, width }: { readonly x: number; readonly y: number; readonly width: number },
): void {
  ctx.beginPath();
  ctx.roundRect(x, y, width, fieldHeight - 8, 3);
  ctx.fillStyle = color;
  ctx.fill();
  ctx.strokeStyle = palette.fieldBorder;
  ctx.stroke();
}

interface Arrow {
  readonly x: number;
  readonly y: number;
  readonly direction: 1 | -1;
  readonly active: boolean;
}

function drawArrow(ctx: CanvasRenderingContext2D, { x, y, direction, active }: Arrow): void {
  ctx.beginPath();
  ctx.moveTo(x - 2 * direction, y - 4);
  ctx.lineTo(x + 2 * direction, y);
  ctx.lineTo(x - 2 * direction, y + 4);
  ctx.lineWidth = 1.6;
  ctx.lineCap = 'round';
  ctx.lineJoin = 'round';
  ctx.strokeStyle = active ? palette.textSoft : palette.fieldBorder;
  ctx.stroke();
}
