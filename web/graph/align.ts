import type { Positionable } from '@comfyorg/litegraph';

/** How things can be put in line. */
export const alignments = ['left', 'right', 'top', 'bottom', 'centre', 'middle'] as const;
export type Alignment = (typeof alignments)[number];

type Placed = Pick<Positionable, 'move' | 'boundingRect'>;

/** Puts things in line by one of their edges, or by their middles; pinned ones stay. */
export function align(items: readonly Placed[], how: Alignment): void {
  if (items.length < 2) return;
  const [left, top, right, bottom] = boundsOf(items);
  for (const item of items) {
    const [x, y, w, h] = item.boundingRect;
    if (how === 'left') item.move(left - x, 0);
    else if (how === 'right') item.move(right - x - w, 0);
    else if (how === 'top') item.move(0, top - y);
    else if (how === 'bottom') item.move(0, bottom - y - h);
    else if (how === 'centre') item.move((left + right - w) / 2 - x, 0);
    else item.move(0, (top + bottom - h) / 2 - y);
  }
}

/** Makes the gaps between three or more things equal; the outer two stay where they are. */
export function distribute(items: readonly Placed[], axis: 'across' | 'down'): void {
  if (items.length < 3) return;
  const at = axis === 'across' ? 0 : 1;
  const sorted = [...items].sort((a, b) => a.boundingRect[at] - b.boundingRect[at]);
  const [first, last] = [sorted[0].boundingRect, sorted[sorted.length - 1].boundingRect];
  const room = last[at] - first[at] - first[at + 2];
  const inner = sorted.slice(1, -1);
  const taken = inner.reduce((sum, { boundingRect }) => sum + boundingRect[at + 2], 0);
  const gap = (room - taken) / (inner.length + 1);
  let next = first[at] + first[at + 2] + gap;
  for (const item of inner) {
    const delta = next - item.boundingRect[at];
    item.move(at === 0 ? delta : 0, at === 1 ? delta : 0);
    next += item.boundingRect[at + 2] + gap;
  }
}

/** Left, top, right and bottom of all of them; (0, 0, 0, 0) of none. */
export function boundsOf(
  items: Iterable<Pick<Positionable, 'boundingRect'>>,
): [number, number, number, number] {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const {
    boundingRect: [x, y, w, h],
  } of items) {
    [left, top] = [Math.min(left, x), Math.min(top, y)];
    [right, bottom] = [Math.max(right, x + w), Math.max(bottom, y + h)];
  }
  return left === Infinity ? [0, 0, 0, 0] : [left, top, right, bottom];
}
