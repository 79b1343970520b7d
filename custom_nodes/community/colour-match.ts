/**
 * Colours of one picture given to another, as the color-matcher library does it (Hahne and Aggoun 2021): channel
 * histograms; a linear map between Gaussians (Pitié and Kokaram 2007, Monge-Kantorovich); Reinhard et al. 2001.
 */
import { boolean, combo, float, image, nd, optional, rows } from 'noodle/node';
import type { Image, NodeDefinition } from 'noodle/node';
import { inCategory } from './define.ts';

/** Three channels of a picture's pixels. */
type Channels = readonly [Float64Array, Float64Array, Float64Array];
type Matrix = readonly (readonly number[])[];

const AXES = [0, 1, 2] as const;

const channelsOf = ({ data, shape }: Image): Channels => {
  const c = shape[3];
  if (c < 3) throw new RangeError(`image: expected 3 channels, got ${c}`);
  const count = data.length / c;
  return AXES.map((k) =>
    Float64Array.from({ length: count }, (_, i) => data[i * c + k]),
  ) as unknown as Channels;
};

const meanOf = (x: Float64Array): number => x.reduce((sum, v) => sum + v, 0) / x.length;

/** Every pixel (a column) multiplied by a matrix. */
const mapped = (matrix: Matrix, x: Channels): Channels =>
  matrix.map(([a, b, c]) =>
    x[0].map((_, i) => a * x[0][i] + b * x[1][i] + c * x[2][i]),
  ) as unknown as Channels;

/** Distinct values in order, and how many pixels have at most each of them, as a share. */
function distribution(x: Float64Array): { values: number[]; shares: number[] } {
  const sorted = x.toSorted();
  const [values, shares] = [[] as number[], [] as number[]];
  sorted.forEach((v, i) => {
    if (v === sorted[i + 1]) return;
    values.push(v);
    shares.push((i + 1) / sorted.length);
  });
  return { values, shares };
}

/** numpy's `interp` of rising `at` on rising `from`. */
function interpolated(
  at: readonly number[],
  from: readonly number[],
  to: readonly number[],
): number[] {
  let j = 0;
  return at.map((x) => {
    while (j < from.length && from[j] < x) j++;
    if (j === 0) return to[0];
    if (j === from.length) return to[j - 1];
    if (from[j] === x) return to[j];
    return to[j - 1] + ((to[j] - to[j - 1]) / (from[j] - from[j - 1])) * (x - from[j - 1]);
  });
}

/** Each channel with the distribution of the reference's. */
const byHistograms = (source: Channels, reference: Channels): Channels =>
  AXES.map((k) => {
    const own = distribution(source[k]);
    const wanted = distribution(reference[k]);
    const values = interpolated(own.shares, wanted.shares, wanted.values);
    const places = new Map(own.values.map((v, i) => [v, i]));
    return source[k].map((v) => values[places.get(v)!]);
  }) as unknown as Channels;

const product = (a: Matrix, b: Matrix): Matrix =>
  AXES.map((i) => AXES.map((j) => AXES.reduce<number>((sum, k) => sum + a[i][k] * b[k][j], 0)));

/** The covariance of the channels, over n − 1. */
function covariance(x: Channels): Matrix {
  const centred = x.map((channel) => {
    const mean = meanOf(channel);
    return channel.map((v) => v - mean);
  });
  const count = Math.max(1, x[0].length - 1);
  return AXES.map((i) =>
    AXES.map((j) => centred[i].reduce((sum, v, n) => sum + v * centred[j][n], 0) / count),
  );
}

/** Turns of Jacobi's method; three rows need far fewer. */
const TURNS = 30;

/** f of a symmetric matrix by its eigenvalues (Jacobi rotations); negative ones count as 0. */
function ofEigenvalues(matrix: Matrix, f: (value: number) => number): Matrix {
  const a = matrix.map((row) => [...row]);
  const v = AXES.map((i) => AXES.map((j) => Number(i === j)));
  for (let turn = 0; turn < TURNS; turn++) {
    for (const [p, q] of [
      [0, 1],
      [0, 2],
      [1, 2],
    ]) {
      if (a[p][q] === 0) continue;
      const angle = Math.atan2(2 * a[p][q], a[q][q] - a[p][p]) / 2;
      const [c, s] = [Math.cos(angle), Math.sin(angle)];
      for (const k of AXES)
        [a[k][p], a[k][q]] = [c * a[k][p] - s * a[k][q], s * a[k][p] + c * a[k][q]];
      for (const k of AXES)
        [a[p][k], a[q][k]] = [c * a[p][k] - s * a[q][k], s * a[p][k] + c * a[q][k]];
      for (const k of AXES)
        [v[k][p], v[k][q]] = [c * v[k][p] - s * v[k][q], s * v[k][p] + c * v[k][q]];
    }
  }
  const values = AXES.map((k) => f(Math.max(0, a[k][k])));
  return AXES.map((i) =>
    AXES.map((j) => AXES.reduce<number>((sum, k) => sum + v[i][k] * values[k] * v[j][k], 0)),
  );
}

/** The linear map that takes one Gaussian into the other with the least movement. */
function byGaussians(source: Channels, reference: Channels): Channels {
  const [own, wanted] = [covariance(source), covariance(reference)];
  const root = ofEigenvalues(own, Math.sqrt);
  const inverse = ofEigenvalues(own, (value) => 1 / (Math.sqrt(value) + Number.EPSILON));
  const middle = ofEigenvalues(product(product(root, wanted), root), Math.sqrt);
  const map = product(product(inverse, middle), inverse);
  const means = source.map(meanOf);
  const centred = source.map((x, k) => x.map((v) => v - means[k])) as unknown as Channels;
  return mapped(map, centred).map((x, k) => {
    const mean = meanOf(reference[k]);
    return x.map((v) => v + mean);
  }) as unknown as Channels;
}

const LMS: Matrix = [
  [0.3811, 0.5783, 0.0402],
  [0.1967, 0.7244, 0.0782],
  [0.0241, 0.1288, 0.8444],
];
const FROM_LMS: Matrix = [
  [4.4679, -3.5873, 0.1193],
  [-1.2186, 2.3809, -0.1624],
  [0.0497, -0.2439, 1.2045],
];
const [A, B, C] = [1 / Math.sqrt(3), 1 / Math.sqrt(6), 1 / Math.sqrt(2)];
const TO_LAB: Matrix = [
  [A, A, A],
  [B, B, -2 * B],
  [C, -C, 0],
];
const FROM_LAB: Matrix = AXES.map((i) => AXES.map((j) => TO_LAB[j][i]));

/** Nothing has the logarithm 0: black is a little brighter. */
const withoutZeros = (x: Channels): Channels =>
  x.map((channel) =>
    channel.map((v) => (v === 0 ? Math.fround(1 / 255) : v)),
  ) as unknown as Channels;

/** Means and spreads of the decorrelated logarithms of what cones see. */
function byReinhard(source: Channels, reference: Channels): Channels {
  const toLab = (x: Channels): Channels =>
    mapped(
      TO_LAB,
      mapped(LMS, withoutZeros(x)).map((channel) => channel.map(Math.log10)) as unknown as Channels,
    );
  const [own, wanted] = [toLab(source), toLab(reference)];
  const spread = (x: Float64Array): number => {
    const mean = meanOf(x);
    return Math.sqrt(meanOf(x.map((v) => (v - mean) ** 2)));
  };
  const moved = AXES.map((k) => {
    const [from, to] = [meanOf(own[k]), meanOf(wanted[k])];
    const ratio = spread(wanted[k]) / spread(own[k]);
    return own[k].map((v) => (v - from) * ratio + to);
  }) as unknown as Channels;
  const cones = mapped(FROM_LAB, moved).map((x) => x.map((v) => 10 ** v)) as unknown as Channels;
  return mapped(FROM_LMS, cones);
}

const rounded = (x: Channels): Channels =>
  x.map((channel) => channel.map(Math.fround)) as unknown as Channels;

function inThreeSteps(source: Channels, reference: Channels): Channels {
  const first = rounded(byHistograms(source, reference));
  return byHistograms(byGaussians(first, reference), reference);
}

/** KJNodes' choices; the library takes `mvgd` for `mkl` as KJNodes calls it. */
const METHODS = {
  mkl: byGaussians,
  hm: byHistograms,
  reinhard: byReinhard,
  mvgd: byGaussians,
  'hm-mvgd-hm': inThreeSteps,
  'hm-mkl-hm': inThreeSteps,
} as const;
const METHOD_NAMES = Object.keys(METHODS) as (keyof typeof METHODS)[];

const unit = (v: number): number => Math.min(1, Math.max(0, v));

/** One picture [1, h, w, c] in the colours of another; more channels than three are dropped. */
function matched(
  source: Image,
  reference: Image,
  method: keyof typeof METHODS,
  strength: number,
): Image {
  const own = channelsOf(source);
  const result = METHODS[method](own, channelsOf(reference));
  const base = method === 'reinhard' ? withoutZeros(own) : own;
  const count = own[0].length;
  const out = new Float32Array(count * 3);
  for (let i = 0; i < count; i++) {
    for (const k of AXES)
      out[i * 3 + k] = unit(base[k][i] + strength * (result[k][i] - base[k][i]));
  }
  return nd(out, [...source.shape.slice(0, 3), 3]);
}

export const colourMatchNodes: readonly NodeDefinition[] = [
  inCategory('KJNodes/image')({
    name: 'ColorMatch',
    displayName: 'Color Match',
    inputs: {
      image_ref: image(),
      image_target: image(),
      method: combo(METHOD_NAMES, { default: 'mkl' }),
      strength: optional(float({ default: 1, min: 0, max: 10, step: 0.01 })),
      multithread: optional(boolean({ default: true })),
    },
    deprecated: true,
    outputs: [{ type: 'IMAGE', name: 'image' }],
    run({ image_ref, image_target, method, strength = 1 }, context) {
      if (strength === 0) return [image_target];
      const count = image_target.shape[0];
      const references = image_ref.shape[0];
      if (references !== 1 && references < count) {
        throw new RangeError(`image_ref: expected 1 or ${count} pictures, got ${references}`);
      }
      const [, h, w] = image_target.shape;
      const out = new Float32Array(count * h * w * 3);
      for (let i = 0; i < count; i++) {
        const at = references === 1 ? 0 : i;
        const reference = rows(image_ref, at, at + 1);
        const { data } = matched(rows(image_target, i, i + 1), reference, method, strength);
        out.set(data, i * data.length);
        context.progress(i + 1, count);
      }
      return [nd(out, [count, h, w, 3])];
    },
  }),
];
