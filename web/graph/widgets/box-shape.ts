/** A rectangle in pixels of a picture, as BOUNDING_BOX values are stored. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Which part of a box is held: the whole, or one of its corners. */
export type BoxHold = 'all' | { readonly right: boolean; readonly bottom: boolean };

/** Reads a stored box; what is no number is 0, and no box is smaller than a pixel. */
export function readBox(value: unknown): Box {
  const given = (typeof value === 'object' && value !== null ? value : {}) as Partial<Box>;
  const whole = (v: unknown, least: number): number =>
    Math.max(least, Math.round(Number.isFinite(Number(v)) ? Number(v) : 0));
  return {
    x: whole(given.x, 0),
    y: whole(given.y, 0),
    width: whole(given.width, 1),
    height: whole(given.height, 1),
  };
}

/** A box dragged by so much, inside a picture. */
export function draggedBox(
  box: Box,
  hold: BoxHold,
  [dx, dy]: readonly [number, number],
  size: { readonly width: number; readonly height: number },
): Box {
  const within = (v: number, least: number, most: number): number =>
    Math.min(Math.max(least, most), Math.max(least, Math.round(v)));
  if (hold === 'all') {
    return {
      ...box,
      x: within(box.x + dx, 0, size.width - box.width),
      y: within(box.y + dy, 0, size.height - box.height),
    };
  }
  const edges = (from: number, length: number, by: number, far: boolean, most: number) => {
    const end = from + length;
    const next = far ? within(end + by, from + 1, most) : within(from + by, 0, end - 1);
    return far ? [from, next - from] : [next, end - next];
  };
  const [x, width] = edges(box.x, box.width, dx, hold.right, size.width);
  const [y, height] = edges(box.y, box.height, dy, hold.bottom, size.height);
  return { x, y, width, height };
}
