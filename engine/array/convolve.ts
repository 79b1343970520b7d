/** Gaussian blur and sharpening with reflected borders. */
import { type NDArray, nd } from './nd.ts';
import { resampleAxis } from './resample-axis.ts';
import type { Taps } from './resample-taps.ts';
import { clamp } from './round.ts';

/** How a picture lies in memory: `outer` planes of [h, w, inner]. */
interface Planes {
  readonly outer: number;
  readonly h: number;
  readonly w: number;
  readonly inner: number;
}

const imagePlanes = ([outer, h, w, inner]: readonly number[]): Planes => ({ outer, h, w, inner });
const latentPlanes = ([b, c, h, w]: readonly number[]): Planes => {
  return { outer: b * c, h, w, inner: 1 };
};

/** Blur of pictures [b, h, w, c]; `sigma` is relative to the radius. Radius 0 changes nothing. */
export function blurImage(x: NDArray, radius: number, sigma: number): NDArray {
  if (radius === 0) return x;
  return nd(blur(x.data, imagePlanes(x.shape), radius, sigma), x.shape);
}

/** x + 10·alpha·(x − blur), the reference's sharpening kernel; values are limited to 0..1. */
export function sharpenImage(
  x: NDArray,
  options: { radius: number; sigma: number; alpha: number },
): NDArray {
  if (options.radius === 0) return x;
  const sharp = unsharp(x.data, imagePlanes(x.shape), options);
  for (let i = 0; i < sharp.length; i++) sharp[i] = clamp(sharp[i], 0, 1);
  return nd(sharp, x.shape);
}

/** The same on latents [b, c, h, w], not limited. */
export function sharpenLatent(
  x: NDArray,
  options: { radius: number; sigma: number; alpha: number },
): NDArray {
  return nd(unsharp(x.data, latentPlanes(x.shape), options), x.shape);
}

function unsharp(
  data: Float32Array,
  planes: Planes,
  { radius, sigma, alpha }: { radius: number; sigma: number; alpha: number },
): Float32Array {
  const out = blur(data, planes, radius, sigma);
  const k = 10 * alpha;
  for (let i = 0; i < out.length; i++) out[i] = (1 + k) * data[i] - k * out[i];
  return out;
}

/** The kernel exp(−(x² + y²)/2σ²) is a product of two rows, so two passes give the same sum. */
function blur(
  data: Float32Array,
  { outer, h, w, inner }: Planes,
  radius: number,
  sigma: number,
): Float32Array {
  if (radius >= h || radius >= w) {
    throw new RangeError(`blur: radius ${radius} needs a larger picture than ${w} x ${h}`);
  }
  const row = gaussianRow(radius, sigma);
  const across = resampleAxis(data, { outer: outer * h, length: w, inner }, reflectedTaps(w, row));
  return resampleAxis(across, { outer, length: h, inner: w * inner }, reflectedTaps(h, row));
}

/** exp(−x²/2σ²) at 2·radius + 1 points from −1 to 1, with sum 1. */
function gaussianRow(radius: number, sigma: number): Float64Array {
  const row = new Float64Array(2 * radius + 1);
  for (let i = 0; i < row.length; i++) {
    const x = (i - radius) / radius;
    row[i] = Math.exp(-(x * x) / (2 * sigma * sigma));
  }
  const sum = row.reduce((total, v) => total + v, 0);
  return row.map((v) => v / sum);
}

/** Weights centred on each cell; beyond the border the cells repeat mirrored, without the edge. */
function reflectedTaps(length: number, row: Float64Array): Taps {
  const radius = (row.length - 1) / 2;
  const offset = Int32Array.from({ length: length + 1 }, (_, i) => i * row.length);
  const index = new Int32Array(length * row.length);
  const weight = new Float64Array(length * row.length);
  for (let i = 0; i < length; i++) {
    for (let k = 0; k < row.length; k++) {
      const at = Math.abs(i + k - radius);
      index[i * row.length + k] = at < length ? at : 2 * (length - 1) - at;
      weight[i * row.length + k] = row[k];
    }
  }
  return { offset, index, weight };
}
