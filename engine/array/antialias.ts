/**
 * Bicubic resize with antialiasing: torch's `interpolate(mode='bicubic', antialias=True)`. When a
 * picture shrinks, the cubic (Keys 1981, with a = -0.5) is widened by the factor, so that every pixel
 * counts.
 */
import { type NDArray, nd } from './nd.ts';
import { resampleAxis } from './resample-axis.ts';
import type { Taps } from './resample-taps.ts';

/** Pictures [b, h, w, c] -> [b, height, width, c], columns first as torch does. */
export function resizeAntialiased(x: NDArray, height: number, width: number): NDArray {
  const [b, h, w, c] = x.shape;
  const across =
    w === width
      ? x.data
      : resampleAxis(x.data, { outer: b * h, length: w, inner: c }, bicubicTaps(w, width));
  const down =
    h === height
      ? across
      : resampleAxis(across, { outer: b, length: h, inner: width * c }, bicubicTaps(h, height));
  return nd(down, [b, height, width, c]);
}

function bicubicTaps(from: number, to: number): Taps {
  const scale = Math.fround(from / to);
  const stretch = Math.max(scale, 1);
  const support = 2 * stretch;
  const offset = new Int32Array(to + 1);
  const index: number[] = [];
  const weight: number[] = [];
  for (let o = 0; o < to; o++) {
    const centre = Math.fround(scale * (o + 0.5));
    const first = Math.max(Math.trunc(centre - support + 0.5), 0);
    const last = Math.min(Math.trunc(centre + support + 0.5), from);
    const weights: number[] = [];
    for (let i = first; i < last; i++) weights.push(cubic((i - centre + 0.5) / stretch));
    const sum = weights.reduce((total, w) => total + w, 0);
    weights.forEach((w, k) => {
      index.push(first + k);
      weight.push(sum === 0 ? w : Math.fround(w / sum));
    });
    offset[o + 1] = index.length;
  }
  return { offset, index: Int32Array.from(index), weight: Float64Array.from(weight) };
}

const a = -0.5;

function cubic(distance: number): number {
  const x = Math.abs(distance);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}
