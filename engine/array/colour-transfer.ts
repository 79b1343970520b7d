/** The colours of one picture given to another: ComfyUI's ColorTransfer. */
import { rows } from './batch.ts';
import { symmetricEigen } from './eigen.ts';
import { labToRgb, rgbToLab } from './lab.ts';
import { type NDArray, nd } from './nd.ts';
import { clamp } from './round.ts';

export type TransferMethod = 'reinhard_lab' | 'mkl_lab' | 'histogram';

/**
 * What the source's colours are measured on: each frame for itself, all of them together, or one frame
 * whose change then goes for all.
 */
export type SourceStats = 'per_frame' | 'uniform' | { readonly frame: number };

export interface TransferOptions {
  readonly method: TransferMethod;
  readonly stats: SourceStats;
  /** 0 leaves the picture as it is, 1 takes the colours over. */
  readonly strength: number;
  /** Called after each frame. */
  readonly onFrame?: (done: number) => void;
}

/** What is done with the pixels of one frame (values 0..1, or Lab), by its number in the batch. */
type Transform = (pixels: ArrayLike<number>, frame: number) => Float64Array;

type Matrix = readonly (readonly number[])[];

/** Mean colour and covariance, of which Reinhard's method only uses the diagonal. */
interface Stats {
  readonly mean: readonly number[];
  readonly covariance: Matrix;
}

const EPSILON = 1e-6;
const BINS = 256;

/**
 * `target` [b, h, w, c] with the colours of `reference` [n, h, w, c]. Reinhard et al. 2001 (mean and spread
 * in Lab), the linear Monge-Kantorovitch map (Pitié and Kokaram 2007) in Lab, or matched histograms of each
 * channel. Throws RangeError for Lab methods on other than 3 channels, and for different channel counts.
 */
export function transferColours(
  target: NDArray,
  reference: NDArray,
  { method, stats, strength, onFrame }: TransferOptions,
): NDArray {
  const channels = target.shape[3];
  if (reference.shape[3] !== channels || (method !== 'histogram' && channels !== 3)) {
    const expected = method === 'histogram' ? 'as many channels in both pictures' : '3 channels';
    throw new RangeError(
      `${method}: expected ${expected}, got ${channels} and ${reference.shape[3]}`,
    );
  }
  const isLab = method !== 'histogram';
  const transform = isLab
    ? labTransform(target, reference, method, stats)
    : histogramTransform(target, reference, stats);
  const out = new Float32Array(target.data.length);
  const size = out.length / target.shape[0];
  for (let i = 0; i < target.shape[0]; i++) {
    const pixels = frame(target, i);
    const source = isLab ? rgbToLab(pixels) : pixels;
    const changed = transform(source, i);
    for (let k = 0; k < size && strength !== 1; k++) {
      changed[k] = source[k] + strength * (changed[k] - source[k]);
    }
    const result = isLab ? labToRgb(changed) : changed;
    for (let k = 0; k < size; k++) out[i * size + k] = clamp(result[k], 0, 1);
    onFrame?.(i + 1);
  }
  return nd(out, target.shape);
}

const frame = (x: NDArray, i: number): Float32Array => rows(x, i, i + 1).data;

/** The frames of the source that are measured together. */
function measured(x: NDArray, stats: SourceStats): NDArray {
  if (typeof stats !== 'object') return x;
  const i = Math.min(stats.frame, x.shape[0] - 1);
  return rows(x, i, i + 1);
}

function labTransform(
  target: NDArray,
  reference: NDArray,
  method: TransferMethod,
  stats: SourceStats,
): Transform {
  const map = method === 'reinhard_lab' ? spreadMap : mongeKantorovitch;
  const affine = (source: Stats, to: Stats) => {
    const matrix = map(source.covariance, to.covariance);
    return (lab: ArrayLike<number>) => move(lab, matrix, source.mean, to.mean);
  };
  if (stats !== 'per_frame') {
    return affine(labStats(measured(target, stats)), labStats(reference));
  }
  const last = reference.shape[0] - 1;
  const wanted = Array.from({ length: Math.min(last + 1, target.shape[0]) }, (_, i) =>
    labStats(rows(reference, i, i + 1)),
  );
  return (lab, i) => affine(statsOf([lab]), wanted[Math.min(i, last)])(lab);
}

function move(
  lab: ArrayLike<number>,
  matrix: Matrix,
  from: readonly number[],
  to: readonly number[],
): Float64Array {
  const out = new Float64Array(lab.length);
  for (let i = 0; i < out.length; i += 3) {
    const [l, a, b] = [lab[i] - from[0], lab[i + 1] - from[1], lab[i + 2] - from[2]];
    for (let k = 0; k < 3; k++) {
      out[i + k] = matrix[k][0] * l + matrix[k][1] * a + matrix[k][2] * b + to[k];
    }
  }
  return out;
}

const labStats = (x: NDArray): Stats =>
  statsOf(Array.from({ length: x.shape[0] }, (_, i) => rgbToLab(frame(x, i))));

/** Mean and covariance over the pixels of frames of one size. */
function statsOf(frames: readonly ArrayLike<number>[]): Stats {
  const count = (frames.length * frames[0].length) / 3;
  const mean = [0, 0, 0];
  for (const lab of frames) {
    for (let i = 0; i < lab.length; i++) mean[i % 3] += lab[i] / count;
  }
  const covariance = mean.map(() => [0, 0, 0]);
  for (const lab of frames) {
    for (let i = 0; i < lab.length; i += 3) {
      for (let j = 0; j < 3; j++) {
        const d = (lab[i + j] - mean[j]) / count;
        for (let k = 0; k < 3; k++) covariance[j][k] += d * (lab[i + k] - mean[k]);
      }
    }
  }
  return { mean, covariance };
}

/** Reinhard: each channel by the quotient of the standard deviations. */
function spreadMap(source: Matrix, to: Matrix): Matrix {
  const deviation = (m: Matrix, k: number): number => Math.max(EPSILON, Math.sqrt(m[k][k]));
  return source.map((row, j) =>
    row.map((_, k) => (j === k ? deviation(to, k) / deviation(source, k) : 0)),
  );
}

/** S^-1/2 (S^1/2 R S^1/2)^1/2 S^-1/2, from the eigenvectors of S. */
function mongeKantorovitch(source: Matrix, to: Matrix): Matrix {
  const { values, vectors } = symmetricEigen(source);
  const roots = values.map((v) => Math.max(EPSILON, Math.sqrt(Math.max(0, v))));
  const scaled = vectors.map((row) => row.map((v, k) => v * roots[k]));
  const inverse = vectors.map((row) => row.map((v, k) => v / roots[k]));
  const middle = symmetricEigen(product(transposed(scaled), product(to, scaled)));
  const half = middle.vectors.map((row) =>
    row.map((v, k) => v * Math.sqrt(Math.max(0, middle.values[k]))),
  );
  const root = product(half, transposed(middle.vectors));
  return product(inverse, product(root, transposed(inverse)));
}

const transposed = (m: Matrix): Matrix => m[0].map((_, k) => m.map((row) => row[k]));

const product = (a: Matrix, b: Matrix): Matrix =>
  a.map((row) => b[0].map((_, k) => row.reduce((sum, v, i) => sum + v * b[i][k], 0)));

function histogramTransform(target: NDArray, reference: NDArray, stats: SourceStats): Transform {
  const channels = target.shape[3];
  const apply = (pixels: ArrayLike<number>, tables: readonly Float64Array[]): Float64Array => {
    const out = new Float64Array(pixels.length);
    for (let i = 0; i < out.length; i++) out[i] = tables[i % channels][bin(pixels[i])];
    return out;
  };
  const tables = (source: NDArray, to: NDArray): Float64Array[] => {
    const wanted = distributions(to);
    return distributions(source).map((own, k) => matched(own, wanted[k]));
  };
  if (stats !== 'per_frame') {
    const shared = tables(measured(target, stats), reference);
    return (pixels) => apply(pixels, shared);
  }
  return (pixels, i) => {
    const to = Math.min(i, reference.shape[0] - 1);
    return apply(pixels, tables(rows(target, i, i + 1), rows(reference, to, to + 1)));
  };
}

const bin = (v: number): number => clamp(Math.trunc(Math.fround(v * (BINS - 1))), 0, BINS - 1) || 0;

/** For each channel the share of pixels up to each bin, as fp32. */
function distributions(x: NDArray): Float32Array[] {
  const channels = x.shape[3];
  const counts = Array.from({ length: channels }, () => new Float64Array(BINS));
  for (let i = 0; i < x.data.length; i++) counts[i % channels][bin(x.data[i])]++;
  return counts.map((count) => {
    for (let k = 1; k < BINS; k++) count[k] += count[k - 1];
    return Float32Array.from(count, (v) => v / count[BINS - 1]);
  });
}

/** For each bin of `own` the value of the first bin of `wanted` that holds as large a share. */
function matched(own: Float32Array, wanted: Float32Array): Float64Array {
  const table = new Float64Array(BINS);
  for (let k = 0, at = 0; k < BINS; k++) {
    while (at < BINS - 1 && wanted[at] < own[k]) at++;
    table[k] = Math.fround(at / (BINS - 1));
  }
  return table;
}
