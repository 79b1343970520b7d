/** Gaussian blur and sharpening with reflected borders. */
import { type NDArray, nd } from './nd.ts';
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

/** The same of latents [b, c, h, w]. */
export const blurLatent = (x: NDArray, radius: number, sigma: number): NDArray =>
  nd(blur(x.data, latentPlanes(x.shape), radius, sigma), x.shape);

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
  const weights = gaussianRow(radius, sigma);
  const length = w * inner;
  const across = new Float32Array(data.length);
  const out = new Float32Array(data.length);
  const sum = new Float64Array(length);
  const padded = new Float32Array(length + 2 * radius * inner);
  const steps = Array.from(weights, (_, k) => k * inner);
  for (let row = 0; row < outer * h; row++) {
    padRow(data, row * length, padded, { w, inner, radius });
    weightedSum(padded, steps, weights, sum);
    across.set(sum, row * length);
  }
  for (let o = 0; o < outer; o++) {
    for (let y = 0; y < h; y++) {
      const lines = Array.from(weights, (_, k) => (o * h + reflected(y + k - radius, h)) * length);
      weightedSum(across, lines, weights, sum);
      out.set(sum, (o * h + y) * length);
    }
  }
  return out;
}

/** A row of `w` cells with `radius` more on both sides, mirrored without the edge. */
function padRow(
  data: Float32Array,
  start: number,
  padded: Float32Array,
  { w, inner, radius }: { w: number; inner: number; radius: number },
): void {
  padded.set(data.subarray(start, start + w * inner), radius * inner);
  for (let r = 1; r <= radius; r++) {
    for (let k = 0; k < inner; k++) {
      padded[(radius - r) * inner + k] = data[start + r * inner + k];
      padded[(radius + w - 1 + r) * inner + k] = data[start + (w - 1 - r) * inner + k];
    }
  }
}

const reflected = (i: number, size: number): number => {
  const at = Math.abs(i);
  return at < size ? at : 2 * (size - 1) - at;
};

/**
 * sum[i] = Σ weights[k]·src[starts[k] + i] for symmetric weights of odd count. Two pairs of cells a
 * pass, so that the sums are not fetched and stored once per weight.
 */
function weightedSum(
  src: Float32Array,
  starts: readonly number[],
  weights: Float64Array,
  sum: Float64Array,
): void {
  const middle = (weights.length - 1) / 2;
  const centre = starts[middle];
  const n = sum.length;
  for (let i = 0; i < n; i++) sum[i] = weights[middle] * src[centre + i];
  let k = 0;
  for (; k + 1 < middle; k += 2) {
    const [a, b] = [starts[k], starts[weights.length - 1 - k]];
    const [c, d] = [starts[k + 1], starts[weights.length - 2 - k]];
    const [p, q] = [weights[k], weights[k + 1]];
    for (let i = 0; i < n; i++) {
      sum[i] += p * (src[a + i] + src[b + i]) + q * (src[c + i] + src[d + i]);
    }
  }
  if (k < middle) {
    const [a, b] = [starts[k], starts[weights.length - 1 - k]];
    const p = weights[k];
    for (let i = 0; i < n; i++) sum[i] += p * (src[a + i] + src[b + i]);
  }
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
