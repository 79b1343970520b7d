import type { LGraphCanvas } from '@comfyorg/litegraph';

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
