/** Padding pictures at their ends, for networks that take only some sizes. */
import { type NDArray, nd, sizeOf } from './nd.ts';

/**
 * x [b, c, h, w] grown to [b, c, height, width] at the bottom and on the right: mirrored about its last
 * row and column as far as it reaches, then the last of that repeated. Sizes that are no larger stay.
 */
export function mirrorPad(x: NDArray, height: number, width: number): NDArray {
  const [h, w] = x.shape.slice(-2);
  if (h >= height && w >= width) return x;
  const rows = mirrored(h, Math.max(h, height));
  const columns = mirrored(w, Math.max(w, width));
  const planes = sizeOf(x.shape.slice(0, -2));
  const out = new Float32Array(planes * rows.length * columns.length);
  let to = 0;
  for (let plane = 0; plane < planes; plane++) {
    for (const row of rows) {
      const from = (plane * h + row) * w;
      for (const column of columns) out[to++] = x.data[from + column];
    }
  }
  return nd(out, [...x.shape.slice(0, -2), rows.length, columns.length]);
}

/** Which of `size` places each of `count` places shows: 0 1 2 3 2 1 0 0 0 … */
const mirrored = (size: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => (i < size ? i : Math.max(0, 2 * (size - 1) - i)));
