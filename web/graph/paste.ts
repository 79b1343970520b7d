import type { LGraph, LGraphCanvas } from '@comfyorg/litegraph';
import { asArray, isRecord } from '../../engine/workflow/records.ts';
import { registerMissing } from './missing-node.ts';
import { addDefinitions } from './subgraphs.ts';

const step = 20;

let pointer: { readonly x: number; readonly y: number } | null = null;

/** Follows the pointer over the whole page: litegraph does not see it over text areas. */
export function trackPointer(): void {
  const note = (event: PointerEvent): void => {
    pointer = { x: event.clientX, y: event.clientY };
  };
  window.addEventListener('pointermove', note, { capture: true, passive: true });
  window.addEventListener('pointerdown', note, { capture: true, passive: true });
}

/** Where the pointer is in the graph; the middle of what is in sight when it is elsewhere. */
function pointedAt({ canvas, ds }: LGraphCanvas): [number, number] {
  const box = canvas.getBoundingClientRect();
  const isOver =
    pointer !== null &&
    pointer.x > box.left &&
    pointer.x < box.right &&
    pointer.y > box.top &&
    pointer.y < box.bottom;
  const x = isOver ? (pointer?.x ?? 0) - box.left : box.width / 2;
  const y = isOver ? (pointer?.y ?? 0) - box.top : box.height / 2;
  return [x / ds.scale - ds.offset[0], y / ds.scale - ds.offset[1]];
}

/**
 * Makes known what copied nodes refer to and litegraph does not bring along: subgraphs inside of
 * subgraphs, and stand-ins for classes that this window has never seen.
 */
export function makeReady(graph: LGraph, copied: string | null): void {
  const { nodes, subgraphs, inner } = (JSON.parse(copied ?? '{}') ?? {}) as Record<string, unknown>;
  const graphs = [{ nodes }, ...asArray(subgraphs), ...asArray(inner)].filter(isRecord);
  const defined = new Set(graphs.map(({ id }) => id));
  const types = graphs.flatMap((each) =>
    asArray(each.nodes).flatMap((node) =>
      isRecord(node) && typeof node.type === 'string' ? [node.type] : [],
    ),
  );
  registerMissing(types.filter((type) => !defined.has(type)));
  addDefinitions(graph.rootGraph, inner);
}

/** Where what is pasted goes: to the pointer, a little further while something lies just there. */
export function pastePlace(canvas: LGraphCanvas): [number, number] {
  let [x, y] = pointedAt(canvas);
  const near = (pos: ArrayLike<number>): boolean =>
    Math.abs(pos[0] - x) < step / 2 && Math.abs(pos[1] - y) < step / 2;
  const taken = (): boolean =>
    (canvas.graph?.nodes ?? []).some((node) => near(node.pos)) ||
    (canvas.graph?.groups ?? []).some((group) => near(group.pos));
  while (taken()) [x, y] = [x + step, y + step];
  return [x, y];
}
