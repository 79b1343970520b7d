/** FreSca (Huang et al. 2025): the guidance scaled by frequency. */
import { add, sub } from '../../array/elementwise.ts';
import type { NDArray } from '../../array/nd.ts';
import type { GuidanceHooks } from './hooks.ts';

export interface FreScaOptions {
  readonly scaleLow: number;
  readonly scaleHigh: number;
  /** Frequencies from -cutoff up to cutoff - 1 on both axes are low. */
  readonly cutoff: number;
}

/** Scales low and high frequencies of cond - uncond before they are joined. */
export const freSca =
  (options: FreScaOptions): NonNullable<GuidanceHooks['before']>[number] =>
  ({ cond, uncond, hasUncond }) =>
    hasUncond
      ? { cond: add(uncond, scaleFrequencies(sub(cond, uncond), options)), uncond }
      : { cond, uncond };

/**
 * scaleHigh·x plus the low-pass part times what is missing to scaleLow; x is [..., h, w]. Of a video
 * [b, c, t, h, w] only the middle frames (cutoff to both sides) count as low.
 */
export function scaleFrequencies(x: NDArray, options: FreScaOptions): NDArray {
  const { scaleLow, scaleHigh, cutoff } = options;
  const [height, width] = x.shape.slice(-2);
  const rows = lowPass(height, cutoff);
  const columns = lowPass(width, cutoff);
  const frames = x.shape.length === 5 ? x.shape[2] : 1;
  const middle = Math.floor(frames / 2);
  const reach = Math.min(cutoff, middle);
  const size = height * width;
  const data = new Float32Array(x.data.length);
  for (let start = 0, plane = 0; start < data.length; start += size, plane++) {
    const part = x.data.subarray(start, start + size);
    const frame = plane % frames;
    const isLow =
      frames === 1 ? x.shape.length < 5 : frame >= middle - reach && frame < middle + reach;
    if (!isLow) {
      for (let i = 0; i < size; i++) data[start + i] = scaleHigh * part[i];
      continue;
    }
    // Re(R·X·C) of the complex projections R and C
    const real = product(rows.real, part, columns.real, height, width);
    const imaginary = product(rows.imaginary, part, columns.imaginary, height, width);
    for (let i = 0; i < size; i++) {
      const low = real[i] - imaginary[i];
      data[start + i] = scaleHigh * part[i] + (scaleLow - scaleHigh) * low;
    }
  }
  return { data, shape: x.shape };
}

/**
 * The circulant matrix that keeps the frequencies k of -c <= k < c of a length-n signal (c is at most
 * n / 2), as its first column; the band is lopsided, so it is complex.
 */
function lowPass(n: number, cutoff: number): { real: Float64Array; imaginary: Float64Array } {
  const c = Math.min(cutoff, Math.floor(n / 2));
  const real = new Float64Array(n);
  const imaginary = new Float64Array(n);
  for (let d = 0; d < n; d++) {
    for (let k = -c; k < c; k++) {
      const angle = (2 * Math.PI * k * d) / n;
      real[d] += Math.cos(angle) / n;
      imaginary[d] += Math.sin(angle) / n;
    }
  }
  return { real, imaginary };
}

/** rows ⊛ X ⊛ columns: cyclic convolution along both axes. */
function product(
  rows: Float64Array,
  x: Float32Array,
  columns: Float64Array,
  height: number,
  width: number,
): Float64Array {
  const across = new Float64Array(height * width);
  for (let y = 0; y < height; y++) {
    for (let to = 0; to < width; to++) {
      let sum = 0;
      for (let from = 0; from < width; from++) {
        sum += columns[(to - from + width) % width] * x[y * width + from];
      }
      across[y * width + to] = sum;
    }
  }
  const out = new Float64Array(height * width);
  for (let to = 0; to < height; to++) {
    for (let from = 0; from < height; from++) {
      const k = rows[(to - from + height) % height];
      for (let i = 0; i < width; i++) out[to * width + i] += k * across[from * width + i];
    }
  }
  return out;
}
