/** Moves the channel axis of pictures: IMAGE is [b, h, w, c], models and latents are [b, c, h, w]. */
import { type NDArray, nd, sizeOf } from './nd.ts';

/** [b, h, w, c] (or [b, t, h, w, c]) -> [b, c, h, w] (or [b, c, t, h, w]); copies. */
export function channelsFirst(x: NDArray): NDArray {
  const rank = x.shape.length;
  const [batch, channels] = [x.shape[0], x.shape[rank - 1]];
  const inner = x.shape.slice(1, rank - 1);
  return nd(transposeEach(x.data, batch, sizeOf(inner), channels), [batch, channels, ...inner]);
}

/** [b, c, h, w] (or [b, c, t, h, w]) -> [b, h, w, c] (or [b, t, h, w, c]); copies. */
export function channelsLast(x: NDArray): NDArray {
  const [batch, channels] = x.shape;
  const inner = x.shape.slice(2);
  return nd(transposeEach(x.data, batch, channels, sizeOf(inner)), [batch, ...inner, channels]);
}

/** Each of `batch` matrices [rows, columns] transposed. */
function transposeEach(
  data: Float32Array,
  batch: number,
  rowCount: number,
  columns: number,
): Float32Array {
  const out = new Float32Array(data.length);
  const size = rowCount * columns;
  for (let b = 0; b < batch; b++) {
    for (let r = 0; r < rowCount; r++) {
      let from = b * size + r * columns;
      let to = b * size + r;
      for (let c = 0; c < columns; c++) {
        out[to] = data[from++];
        to += rowCount;
      }
    }
  }
  return out;
}

/**
 * Swaps two axes (copies); used for batch/frame moves on video latents, e.g. axes 1 and 2 of
 * [b, c, t, h, w].
 */
export function swapAxes(x: NDArray, first: number, second: number): NDArray {
  const [a, b] = first < second ? [first, second] : [second, first];
  if (a === b) return x;
  const outer = sizeOf(x.shape.slice(0, a));
  const middle = sizeOf(x.shape.slice(a + 1, b));
  const inner = sizeOf(x.shape.slice(b + 1));
  const [na, nb] = [x.shape[a], x.shape[b]];
  const out = new Float32Array(x.data.length);
  let to = 0;
  for (let o = 0; o < outer; o++) {
    for (let j = 0; j < nb; j++) {
      for (let m = 0; m < middle; m++) {
        for (let i = 0; i < na; i++) {
          const from = (((o * na + i) * middle + m) * nb + j) * inner;
          out.set(x.data.subarray(from, from + inner), to);
          to += inner;
        }
      }
    }
  }
  const shape = [...x.shape];
  [shape[a], shape[b]] = [nb, na];
  return nd(out, shape);
}
