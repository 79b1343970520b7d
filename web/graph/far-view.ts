import {
  LGraphEventMode,
  LiteGraph,
  TitleMode,
  type LGraphCanvas,
  type LGraphNode,
} from '@comfyorg/litegraph';

import { categoryOf, colorOfCategory } from './category.ts';
import { mix } from './color.ts';
import { drawnColors } from './node-colors.ts';
import { statusOf } from './node-status.ts';
import { drawMarks } from './node-shape.ts';
import { palette } from './palette.ts';
import { fitText, textWidth } from './text-fit.ts';
import { uiFont } from './theme.ts';

/** Below this zoom nodes are places on a map: a box, a colour by category, a name. */
export const farBelow = 0.35;
/** Below this one there is no room for names. */
const namesFrom = 0.08;
const loudFont = `600 11px ${uiFont}`;
const nameFont = `500 11px ${uiFont}`;
const lineHeight = 15;

type Ctx = CanvasRenderingContext2D;

/** Draws a node as a place on a map: its fields, sockets and texts are too small to be seen. */
export function drawFarNode(canvas: LGraphCanvas, node: LGraphNode, ctx: Ctx): void {
  const [left, top, w, h] = node.boundingRect;
  const frame = { x: left - node.pos[0], y: top - node.pos[1], w, h };
  const { scale } = canvas.ds;
  const colors = drawnColors(node);
  ctx.globalAlpha = node.mode === LGraphEventMode.NEVER ? 0.5 : 1;
  ctx.fillStyle = colors.body;
  ctx.fillRect(frame.x, frame.y, w, h);
  if (node.title_mode !== TitleMode.NO_TITLE) {
    const chosen = node.color !== undefined;
    ctx.fillStyle = chosen ? mix(colors.title, palette.text, 0.25) : bandColor(node);
    ctx.fillRect(
      frame.x,
      frame.y,
      w,
      Math.min(h, Math.max(LiteGraph.NODE_TITLE_HEIGHT, 3 / scale)),
    );
  }
  ctx.lineWidth = 1 / scale;
  ctx.strokeStyle = palette.nodeBorder;
  ctx.strokeRect(frame.x, frame.y, w, h);
  const { running, error } = statusOf(node);
  if (error || running || node.selected || node.mode === LGraphEventMode.BYPASS) {
    drawMarks(node, ctx, frame, scale);
  }
  ctx.globalAlpha = 1;
}

const bands = new Map<string, string>();

function bandColor(node: LGraphNode): string {
  const category = categoryOf(node);
  if (category === '') return palette.nodeTitle;
  const color = colorOfCategory(category);
  const key = `${color}/${palette.nodeTitle}`;
  let band = bands.get(key);
  if (band === undefined) bands.set(key, (band = mix(palette.nodeTitle, color, 0.7)));
  return band;
}

interface Label {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly color: string;
}

/**
 * Writes the names of nodes and groups at one size on the screen, whatever the zoom: what failed or
 * runs first, then groups, then nodes; a name that would lie on another is left out.
 */
export function drawFarNames(canvas: LGraphCanvas, ctx: Ctx): void {
  const { scale } = canvas.ds;
  if (scale >= farBelow || scale < namesFrom || canvas.graph === null) return;
  const ratio = window.devicePixelRatio;
  ctx.save();
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.textAlign = 'left';
  ctx.textBaseline = 'middle';
  const taken = createPlaces();
  const { visible_nodes: nodes } = canvas;
  const loud = new Set(nodes.filter((n) => statusOf(n).error || statusOf(n).running || n.selected));
  ctx.font = loudFont;
  for (const node of loud) writeName(canvas, ctx, taken, node, loudFont);
  for (const group of canvas.graph.groups) {
    const [x, y] = toScreen(canvas, group.pos[0], group.pos[1]);
    const text = fitText(ctx, loudFont, group.title, Math.max(60, group.size[0] * scale - 8));
    const place = { x: x + 5, y: y - lineHeight / 2, width: textWidth(ctx, loudFont, text) };
    write(ctx, taken, { ...place, text, color: palette.textSoft });
  }
  ctx.font = nameFont;
  for (const node of nodes) {
    if (!loud.has(node)) writeName(canvas, ctx, taken, node, nameFont);
  }
  ctx.restore();
}

const toScreen = ({ ds }: LGraphCanvas, x: number, y: number): [number, number] => [
  (x + ds.offset[0]) * ds.scale,
  (y + ds.offset[1]) * ds.scale,
];

/** Writes a node's name, beyond its edge where there is room, else inside it. */
function writeName(
  canvas: LGraphCanvas,
  ctx: Ctx,
  places: Places,
  node: LGraphNode,
  font: string,
): void {
  if (node.title_mode === TitleMode.NO_TITLE) return;
  const { scale } = canvas.ds;
  const [left, top, w, h] = node.boundingRect;
  const [x, y] = toScreen(canvas, left, top);
  const band = Math.max(LiteGraph.NODE_TITLE_HEIGHT * scale, 3);
  // Below the band of its colour where the node is high enough, else in its middle.
  const room = h * scale - band;
  const at = room >= lineHeight ? y + band + lineHeight / 2 + 1 : y + (h * scale) / 2;
  const color = statusOf(node).error ? palette.errorText : palette.text;
  const title = node.getTitle() ?? node.type;
  const most = font === loudFont ? 180 : 110;
  const inside = w * scale - 6;
  for (const width of inside < most ? [most, inside] : [inside]) {
    const text = fitText(ctx, font, title, width);
    if (text.length < 3) continue;
    if (write(ctx, places, { text, x: x + 4, y: at, width: textWidth(ctx, font, text), color }))
      return;
  }
}

type Places = ReturnType<typeof createPlaces>;

/** Which parts of the screen are written on, by lines of one text's height. */
function createPlaces() {
  const rows = new Map<number, { readonly from: number; readonly to: number }[]>();
  return {
    /** Takes the place of a text unless another one lies there. */
    take({ x, y, width }: Label): boolean {
      const top = Math.floor((y - lineHeight / 2) / lineHeight);
      const [from, to] = [x - 3, x + width + 3];
      for (const row of [top, top + 1]) {
        if (rows.get(row)?.some((other) => other.from < to && from < other.to)) return false;
      }
      for (const row of [top, top + 1]) {
        const inRow = rows.get(row);
        if (inRow === undefined) rows.set(row, [{ from, to }]);
        else inRow.push({ from, to });
      }
      return true;
    },
  };
}

function write(ctx: Ctx, places: Places, label: Label): boolean {
  if (label.text === '' || !places.take(label)) return false;
  ctx.fillStyle = label.color;
  ctx.fillText(label.text, label.x, label.y);
  return true;
}
