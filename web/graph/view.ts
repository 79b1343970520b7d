import type { LGraphCanvas, Positionable } from '@comfyorg/litegraph';
import { boundsOf } from './align.ts';
import { isRecord } from './input-spec.ts';

/** What part of which graph is in sight. */
export interface View {
  readonly scale: number;
  readonly offset: readonly [number, number];
  /** Id of the subgraph that is open; null: the workflow itself. */
  readonly inside: string | null;
}

/** The view a canvas has now. */
export const viewOf = ({ ds, subgraph }: LGraphCanvas): View => ({
  scale: ds.scale,
  offset: [ds.offset[0], ds.offset[1]],
  inside: subgraph?.id ?? null,
});

/** Reads a view from foreign JSON; null when it is none. */
export function readView(data: unknown): View | null {
  if (!isRecord(data)) return null;
  const { scale, offset, inside } = data;
  // Old files have `{"0": x, "1": y}`.
  const [x, y] =
    typeof offset === 'object' && offset !== null ? (Object.values(offset) as unknown[]) : [];
  const numbers = [scale, x, y];
  if (!numbers.every((n) => typeof n === 'number' && Number.isFinite(n))) return null;
  if ((scale as number) <= 0) return null;
  return {
    scale: scale as number,
    offset: [x as number, y as number],
    inside: typeof inside === 'string' ? inside : null,
  };
}

/** The view stored in a workflow file (`extra.ds`), if there is one. */
export function viewInFile(file: unknown): View | null {
  const extra = isRecord(file) && isRecord(file.extra) ? file.extra : {};
  return readView(extra.ds);
}

/** Whether any node of the canvas's graph can be seen. */
export function someNodeVisible({ ds, graph, canvas }: LGraphCanvas): boolean {
  return (graph?.nodes ?? []).some((node) => {
    const x = (node.pos[0] + ds.offset[0]) * ds.scale;
    const y = (node.pos[1] + ds.offset[1]) * ds.scale;
    return x > -50 && y > -20 && x < canvas.clientWidth - 80 && y < canvas.clientHeight - 60;
  });
}

/** The part of the canvas that no side panel covers, in pixels from its corner. */
function freeArea(element: HTMLCanvasElement): { x: number; y: number; w: number; h: number } {
  const stage = element.getBoundingClientRect();
  const panel = document.querySelector('.side-panel')?.getBoundingClientRect();
  const x =
    panel === undefined ? 0 : Math.max(0, Math.min(stage.width / 2, panel.right - stage.left));
  return { x, y: 0, w: stage.width - x, h: stage.height };
}

/** Moves and zooms so that these things are in sight beside the side panel, never larger than life. */
export function showItems(
  canvas: LGraphCanvas,
  items: Iterable<Pick<Positionable, 'boundingRect'>>,
  margin = 60,
): void {
  const [left, top, right, bottom] = boundsOf(items);
  const { ds } = canvas;
  const area = freeArea(canvas.canvas);
  const scale = Math.min(
    1,
    Math.max(40, area.w - 2 * margin) / Math.max(1, right - left),
    Math.max(40, area.h - 2 * margin) / Math.max(1, bottom - top),
  );
  ds.scale = Math.max(ds.min_scale, scale);
  ds.offset = [
    (area.x + area.w / 2) / ds.scale - (left + right) / 2,
    (area.y + area.h / 2) / ds.scale - (top + bottom) / 2,
  ];
  canvas.setDirty(true, true);
}

/** Zooms by a factor around the middle of the canvas. */
export function zoomBy(canvas: LGraphCanvas, factor: number): void {
  const { clientWidth, clientHeight } = canvas.canvas;
  const { left, top } = canvas.canvas.getBoundingClientRect();
  canvas.ds.changeScale(canvas.ds.scale * factor, [left + clientWidth / 2, top + clientHeight / 2]);
  canvas.setDirty(true, true);
}

/** Brings a point of the graph to the middle of the canvas. */
export function lookAt(canvas: LGraphCanvas, x: number, y: number): void {
  const { ds } = canvas;
  const area = freeArea(canvas.canvas);
  ds.offset = [(area.x + area.w / 2) / ds.scale - x, area.h / 2 / ds.scale - y];
  canvas.setDirty(true, true);
}
