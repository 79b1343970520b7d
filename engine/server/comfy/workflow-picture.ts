/** A small picture of a workflow: its nodes as boxes, its links as curves. */

type Pair = readonly [number, number];

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

const MARGIN = 80;
const TITLE_HEIGHT = 30;

/**
 * An SVG of the nodes and links of a workflow file (`nodes[].pos`, `nodes[].size`, `links[]` as
 * `[id, from, slot, to, slot, type]`). What has no position is left out; no text is drawn.
 */
export function drawWorkflow(workflow: unknown): string {
  const { nodes, links } = workflow as { nodes?: unknown; links?: unknown };
  const boxes = new Map<unknown, Box>();
  for (const node of list(nodes)) {
    const { id, pos, size } = node as { id?: unknown; pos?: unknown; size?: unknown };
    const at = pair(pos);
    const [width, height] = pair(size) ?? [200, 100];
    if (at === undefined) continue;
    const [left, top] = at;
    boxes.set(id, { left, top: top - TITLE_HEIGHT, width, height: height + TITLE_HEIGHT });
  }
  const curves = list(links).flatMap((link) => {
    const [, fromId, , toId] = list(link);
    const [from, to] = [boxes.get(fromId), boxes.get(toId)];
    return from === undefined || to === undefined ? [] : [curve(from, to)];
  });
  const rectangles = [...boxes.values()].map(
    ({ left, top, width, height }) =>
      `<rect x="${left}" y="${top}" width="${width}" height="${height}" rx="16"/>`,
  );
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${viewBox([...boxes.values()])}">` +
    `<g fill="none" stroke="#8a8a94" stroke-width="8">${curves.join('')}</g>` +
    `<g fill="#3a3a42" stroke="#6b6b76" stroke-width="4">${rectangles.join('')}</g></svg>`
  );
}

function curve(from: Box, to: Box): string {
  const [x1, y1] = [from.left + from.width, from.top + from.height / 2];
  const [x2, y2] = [to.left, to.top + to.height / 2];
  const bend = Math.max(60, Math.abs(x2 - x1) / 2);
  return `<path d="M${x1} ${y1} C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}"/>`;
}

function viewBox(boxes: readonly Box[]): string {
  if (boxes.length === 0) return '0 0 100 100';
  const left = Math.min(...boxes.map((box) => box.left)) - MARGIN;
  const top = Math.min(...boxes.map((box) => box.top)) - MARGIN;
  const right = Math.max(...boxes.map((box) => box.left + box.width)) + MARGIN;
  const bottom = Math.max(...boxes.map((box) => box.top + box.height)) + MARGIN;
  return `${left} ${top} ${right - left} ${bottom - top}`;
}

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** Two finite numbers, in a list or, as older files have them, under the keys 0 and 1. */
function pair(value: unknown): Pair | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const [x, y] = [0, 1].map((i) => (value as Record<number, unknown>)[i]);
  return Number.isFinite(x) && Number.isFinite(y) ? [x as number, y as number] : undefined;
}
