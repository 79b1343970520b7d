/** Mirrored and turned arrays. */
import { swapAxes } from './layout.ts';
import { type NDArray, nd, sizeOf } from './nd.ts';

/** The order of `axis` reversed. */
export function flipAxis(x: NDArray, axis: number): NDArray {
  const outer = sizeOf(x.shape.slice(0, axis));
  const length = x.shape[axis];
  const inner = sizeOf(x.shape.slice(axis + 1));
  const data = new Float32Array(x.data.length);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < length; i++) {
      const from = (o * length + length - 1 - i) * inner;
      data.set(x.data.subarray(from, from + inner), (o * length + i) * inner);
    }
  }
  return nd(data, x.shape);
}

/** `turns` quarter turns clockwise in the plane of the row axis `y` and the column axis `x`. */
export function rotateClockwise(
  array: NDArray,
  turns: number,
  { y, x }: { y: number; x: number },
): NDArray {
  switch (((turns % 4) + 4) % 4) {
    case 1:
      return flipAxis(swapAxes(array, y, x), x);
    case 2:
      return flipAxis(flipAxis(array, y), x);
    case 3:
      return flipAxis(swapAxes(array, y, x), y);
    default:
      return array;
  }
}
