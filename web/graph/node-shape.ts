import {
  LGraphEventMode,
  LiteGraph,
  RenderShape,
  TitleMode,
  type LGraphCanvas,
  type LGraphNode,
} from '@comfyorg/litegraph';
import { drawnColors } from './node-colors.ts';
import { palette } from './palette.ts';
import { fitText, textWidth } from './text-fit.ts';
import { uiFont } from './theme.ts';
import { t } from '../locale/translate.ts';

const radius = 8;
const titleFont = `600 13px ${uiFont}`;
const badgeFont = `600 10px ${uiFont}`;

type Ctx = CanvasRenderingContext2D;

/** Where a node's frame is, from its own corner, title bar included. */
interface Frame {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

/**
 * Draws the frame of a node in its own coordinates: body, title bar and what stands on it, border,
 * marks of its state. Stands in for litegraph's `drawNodeShape`.
 */
export function drawNodeShape(canvas: LGraphCanvas, node: LGraphNode, ctx: Ctx): void {
  const [left, top, w, h] = node.boundingRect;
  const frame = { x: left - node.pos[0], y: top - node.pos[1], w, h };
  const { scale } = canvas.ds;
  const colors = drawnColors(node);
  const corner = node.renderingShape === RenderShape.BOX ? 0 : radius;
  ctx.shadowColor = 'transparent';
  framePath(ctx, frame, corner);
  ctx.fillStyle = colors.body;
  ctx.fill();
  node.onDrawBackground?.(ctx);

  const mode = node.title_mode;
  if (mode !== TitleMode.NO_TITLE && mode !== TitleMode.TRANSPARENT_TITLE) {
    drawTitle(node, ctx, { frame, corner, color: colors.title, scale });
  }
  // Kept visible at every zoom: a border thinner than a pixel of the screen would fade away.
  ctx.lineWidth = Math.max(1, 1 / scale);
  ctx.strokeStyle = palette.nodeBorder;
  framePath(ctx, frame, corner);
  ctx.stroke();
  drawMarks(node, ctx, frame, scale);
  node.drawProgressBar(ctx);
}

function framePath(ctx: Ctx, { x, y, w, h }: Frame, corner: number, out = 0): void {
  ctx.beginPath();
  ctx.roundRect(x - out, y - out, w + 2 * out, h + 2 * out, corner === 0 ? 0 : corner + out);
}

interface TitleParts {
  readonly frame: Frame;
  readonly corner: number;
  readonly color: string;
  readonly scale: number;
}

function drawTitle(node: LGraphNode, ctx: Ctx, { frame, corner, color, scale }: TitleParts): void {
  const height = LiteGraph.NODE_TITLE_HEIGHT;
  const { collapsed } = node.flags;
  ctx.fillStyle = color;
  ctx.beginPath();
  const below = collapsed ? corner : 0;
  ctx.roundRect(0, -height, frame.w, height, [corner, corner, below, below]);
  ctx.fill();
  if (node.onDrawTitleBox) node.onDrawTitleBox(ctx, height, node.renderingSize, scale);
  else drawFold(ctx, node.boxcolor ?? palette.nodeDot, collapsed === true);

  let room = frame.w - height - 10 - buttonsWidth(node, ctx);
  ctx.textBaseline = 'middle';
  if (node.pinned) {
    drawPin(ctx, frame.w - 18, -height / 2);
    room -= 18;
  }
  const badge = modeBadge(node);
  if (badge !== null && !collapsed) {
    const width = drawBadge(ctx, badge, height + room);
    room -= width + 6;
  }
  ctx.font = titleFont;
  ctx.textAlign = 'left';
  ctx.fillStyle = node.selected ? palette.strong : palette.text;
  ctx.fillText(
    fitText(ctx, titleFont, node.getTitle() ?? node.type, room),
    height - 4,
    -height / 2 + 0.5,
  );
  ctx.textBaseline = 'alphabetic';
  node.onDrawTitle?.(ctx);
}

function buttonsWidth(node: LGraphNode, ctx: Ctx): number {
  const shown = node.title_buttons.filter((button) => button.visible);
  return shown.reduce((sum, button) => sum + button.getWidth(ctx) + 2, shown.length > 0 ? 8 : 0);
}

/** The small angle that folds a node: litegraph takes clicks on the left end of the title bar. */
function drawFold(ctx: Ctx, color: string, collapsed: boolean): void {
  const y = -LiteGraph.NODE_TITLE_HEIGHT / 2;
  ctx.beginPath();
  if (collapsed) {
    ctx.moveTo(12, y - 4);
    ctx.lineTo(16, y);
    ctx.lineTo(12, y + 4);
  } else {
    ctx.moveTo(10, y - 2);
    ctx.lineTo(14, y + 2);
    ctx.lineTo(18, y - 2);
  }
  ctx.lineWidth = 1.8;
  ctx.lineCap = 'round';
  ctx.lineJoin = 'round';
  ctx.strokeStyle = color;
  ctx.stroke();
}

/** A pin, drawn: there need be no font with such a glyph. */
export function drawPin(ctx: Ctx, x: number, y: number): void {
  ctx.beginPath();
  ctx.arc(x, y - 3, 3.4, 0, Math.PI * 2);
  ctx.moveTo(x, y + 0.5);
  ctx.lineTo(x, y + 7);
  ctx.lineWidth = 1.6;
  ctx.lineCap = 'round';
  ctx.strokeStyle = palette.textSoft;
  ctx.fillStyle = palette.textSoft;
  ctx.fill();
  ctx.stroke();
}

interface Badge {
  readonly text: string;
  readonly color: string;
}

function modeBadge({ mode }: LGraphNode): Badge | null {
  if (mode === LGraphEventMode.BYPASS) return { text: t('Bypassed'), color: palette.bypass };
  if (mode === LGraphEventMode.NEVER) return { text: t('Muted'), color: palette.textSoft };
  return null;
}

/** Draws a mark that ends at `right` in the title bar; returns its width. */
function drawBadge(ctx: Ctx, { text, color }: Badge, right: number): number {
  ctx.font = badgeFont;
  const width = textWidth(ctx, badgeFont, text) + 12;
  const y = -LiteGraph.NODE_TITLE_HEIGHT / 2;
  ctx.beginPath();
  ctx.roundRect(right - width, y - 8, width, 16, 8);
  ctx.fillStyle = palette.node;
  ctx.fill();
  ctx.lineWidth = 1;
  ctx.strokeStyle = color;
  ctx.stroke();
  ctx.textAlign = 'center';
  ctx.fillStyle = color;
  ctx.fillText(text, right - width / 2, y + 0.5);
  return width;
}

/** Outlines of what a node is in: bypassed (dashed), selected, running, failed. */
export function drawMarks(node: LGraphNode, ctx: Ctx, frame: Frame, scale: number): void {
  const corner = node.renderingShape === RenderShape.BOX ? 0 : radius;
  if (node.mode === LGraphEventMode.BYPASS) {
    const unit = Math.max(1, 0.7 / scale);
    ctx.setLineDash([7 * unit, 5 * unit]);
    ctx.lineWidth = Math.max(2, 1.5 / scale);
    ctx.strokeStyle = palette.bypass;
    framePath(ctx, frame, corner);
    ctx.stroke();
    ctx.setLineDash([]);
  }
  for (const style of Object.values(node.strokeStyles)) {
    const mark = style.call(node);
    if (mark === undefined) continue;
    const width = Math.max(mark.lineWidth ?? 2, 2 / scale);
    ctx.lineWidth = width;
    ctx.strokeStyle = mark.color ?? palette.strong;
    framePath(ctx, frame, corner, width / 2 + (scale < 0.35 ? 0 : 1));
    ctx.stroke();
  }
}
