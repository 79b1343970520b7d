/**
 * Resize with antialiasing: torch's `interpolate(antialias=True)`. When a picture shrinks, the filter (a cubic, Keys
 * 1981, with a = -0.5; or a triangle) is widened by the factor, so that every pixel counts.
 */
import { type NDArray, nd } from './nd.ts';
import { resampleAxis } from './resample-axis.ts';
import type { Taps } from './resample-taps.ts';

/** Pictures [b, h, w, c] -> [b, height, width, c], columns first as torch does. */
export function resizeAntialiased(
  x: NDArray,
  height: number,
  width: number,
  filter: keyof typeof filters = 'bicubic',
): NDArray {
  const [b, h, w, c] = x.shape;
  const taps = (from: number, to: number): Taps => tapsOf(filters[filter], from, to);
  const across =
    w === width
      ? x.data
      : resampleAxis(x.data, { outer: b * h, length: w, inner: c }, taps(w, width));
  const down =
    h === height
      ? across
      : resampleAxis(across, { outer: b, length: h, inner: width * c }, taps(h, height));
  return nd(down, [b, height, width, c]);
}

const f = Math.fround;

interface Filter {
  /** Source cells to either side that count where nothing shrinks. */
  readonly support: number;
  readonly weight: (distance: number) => number;
}

function tapsOf(filter: Filter, from: number, to: number): Taps {
  const scale = f(from / to);
  const stretch = Math.max(scale, 1);
  const support = filter.support * stretch;
  const inverse = f(1 / stretch);
  const offset = new Int32Array(to + 1);
  const index: number[] = [];
  const weight: number[] = [];
  for (let o = 0; o < to; o++) {
    const centre = f(scale * (o + 0.5));
    const first = Math.max(Math.trunc(centre - support + 0.5), 0);
    const last = Math.min(Math.trunc(centre + support + 0.5), from);
    const weights: number[] = [];
    for (let i = first; i < last; i++) {
      weights.push(filter.weight(f(f(f(f(i - centre) + 0.5) * inverse))));
    }
    const sum = weights.reduce((total, w) => f(total + w), 0);
    weights.forEach((w, k) => {
      index.push(first + k);
      weight.push(sum === 0 ? w : f(w / sum));
    });
    offset[o + 1] = index.length;
  }
  return { offset, index: Int32Array.from(index), weight: Float64Array.from(weight) };
}

const a = -0.5;

/** In fp32 steps, as torch computes it: pixels are rounded to 8 bits soon after. */
function cubic(distance: number): number {
  const x = Math.abs(distance);
  if (x < 1) return f(f(f(f(f((a + 2) * x) - (a + 3)) * x) * x) + 1);
  return x < 2 ? f(f(f(f(f(f(a * x) - 5 * a) * x) + 8 * a) * x) - 4 * a) : 0;
}

const filters = {
  bicubic: { support: 2, weight: cubic },
  bilinear: { support: 1, weight: (distance) => Math.max(0, f(1 - Math.abs(distance))) },
} satisfies Readonly<Record<string, Filter>>;
