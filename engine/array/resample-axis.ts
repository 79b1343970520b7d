/** One axis of an array resampled by a table of taps. */
import type { Taps } from './resample-taps.ts';

/** An array seen as [outer, length, inner]; `length` is the axis that changes. */
export interface AxisView {
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
}

/**
 * [outer, length, inner] -> [outer, taps' outputs, inner]. Two loop orders: neighbours in memory
 * together where the axis is outside (inner is long), outputs in sequence where it is innermost.
 */
export function resampleAxis(src: Float32Array, view: AxisView, taps: Taps): Float32Array {
  const out = new Float32Array(view.outer * (taps.offset.length - 1) * view.inner);
  if (view.inner >= 16) wide(src, out, view, taps);
  else narrow(src, out, view, taps);
  return out;
}

function wide(src: Float32Array, out: Float32Array, view: AxisView, taps: Taps): void {
  const { offset, index, weight } = taps;
  const { outer, length, inner } = view;
  const count = offset.length - 1;
  const sum = new Float64Array(inner);
  for (let b = 0; b < outer; b++) {
    const base = b * length * inner;
    for (let o = 0; o < count; o++) {
      const to = (b * count + o) * inner;
      const first = offset[o];
      const n = offset[o + 1] - first;
      const a = base + index[first] * inner;
      if (n === 1) {
        out.set(src.subarray(a, a + inner), to);
      } else if (n === 2) {
        const c = base + index[first + 1] * inner;
        const [wa, wc] = [weight[first], weight[first + 1]];
        for (let i = 0; i < inner; i++) out[to + i] = wa * src[a + i] + wc * src[c + i];
      } else if (n === 4) {
        const [c, d, e] = [1, 2, 3].map((k) => base + index[first + k] * inner);
        const [wa, wc, wd, we] = weight.subarray(first, first + 4);
        for (let i = 0; i < inner; i++) {
          out[to + i] = wa * src[a + i] + wc * src[c + i] + wd * src[d + i] + we * src[e + i];
        }
      } else {
        accumulate(src, sum, taps, { base, o });
        out.set(sum, to);
      }
    }
  }
}

/** Many taps (blur, area of a strong reduction): sums in fp64, so that only the end is rounded. */
function accumulate(
  src: Float32Array,
  sum: Float64Array,
  { offset, index, weight }: Taps,
  { base, o }: { base: number; o: number },
): void {
  sum.fill(0);
  for (let k = offset[o]; k < offset[o + 1]; k++) {
    const from = base + index[k] * sum.length;
    const w = weight[k];
    for (let i = 0; i < sum.length; i++) sum[i] += w * src[from + i];
  }
}

function narrow(src: Float32Array, out: Float32Array, view: AxisView, taps: Taps): void {
  const { offset, index, weight } = taps;
  const { outer, length, inner } = view;
  const count = offset.length - 1;
  let to = 0;
  for (let b = 0; b < outer; b++) {
    const base = b * length * inner;
    for (let o = 0; o < count; o++) {
      const first = offset[o];
      const last = offset[o + 1];
      for (let i = 0; i < inner; i++) {
        let sum = 0;
        for (let k = first; k < last; k++) sum += weight[k] * src[base + index[k] * inner + i];
        out[to++] = sum;
      }
    }
  }
}
