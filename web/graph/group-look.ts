import { LGraphGroup, type LGraphCanvas } from '@comfyorg/litegraph';
import { mix, vivid } from './color.ts';
import { drawPin } from './node-shape.ts';
import { palette } from './palette.ts';
import { fitText, textWidth } from './text-fit.ts';
import { uiFont } from './theme.ts';

const radius = 10;
const tint = 0.09;
const titleFont = `600 13.5px ${uiFont}`;

/** Makes groups quiet: a tint, a thin border, and the title on a chip of its own. */
export function useGroupLook(): void {
  LGraphGroup.prototype.draw = function (this: LGraphGroup, canvas, ctx): void {
    drawGroup(this, canvas, ctx);
  };
}

function drawGroup(group: LGraphGroup, canvas: LGraphCanvas, ctx: CanvasRenderingContext2D): void {
  const [x, y] = group.pos;
  const [w, h] = group.size;
  const { scale } = canvas.ds;
  const hue = vivid(group.color ?? LGraphGroup.defaultColour);
  ctx.globalAlpha = canvas.editor_alpha;
  ctx.beginPath();
  ctx.roundRect(x, y, w, h, radius);
  ctx.fillStyle = mix(palette.canvas, hue, tint);
  ctx.fill();
  ctx.lineWidth = Math.max(group.selected ? 2 : 1, (group.selected ? 2 : 1) / scale);
  ctx.strokeStyle = group.selected ? palette.strong : mix(palette.canvas, hue, 0.5);
  ctx.stroke();
  if (scale < canvas.low_quality_zoom_threshold) return;

  const height = Math.min(26, group.titleHeight - 6);
  const room = w - 24 - (group.pinned ? 18 : 0);
  ctx.font = titleFont;
  const title = fitText(ctx, titleFont, group.title, room - 20);
  const width = textWidth(ctx, titleFont, title) + 20 + (group.pinned ? 16 : 0);
  const top = y + (group.titleHeight - height) / 2 + 1;
  ctx.beginPath();
  ctx.roundRect(x + 8, top, width, height, 7);
  ctx.fillStyle = mix(palette.canvas, hue, 0.22);
  ctx.fill();
  ctx.textAlign = 'left';
  ctx.textBaseline = 'middle';
  ctx.fillStyle = palette.text;
  ctx.fillText(title, x + 18, top + height / 2 + 0.5);
  if (group.pinned) drawPin(ctx, x + width - 4, top + height / 2);
  ctx.textBaseline = 'alphabetic';
  drawCorner(ctx, x + w, y + h, mix(palette.canvas, hue, 0.5));
}

/** The mark of the corner that resizes. */
function drawCorner(ctx: CanvasRenderingContext2D, x: number, y: number, color: string): void {
  ctx.beginPath();
  ctx.moveTo(x - 4, y - 11);
  ctx.lineTo(x - 11, y - 4);
  ctx.moveTo(x - 4, y - 6.5);
  ctx.lineTo(x - 6.5, y - 4);
  ctx.lineWidth = 1.4;
  ctx.strokeStyle = color;
  ctx.stroke();
}
