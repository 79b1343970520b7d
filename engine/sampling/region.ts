/**
 * Regions of a latent: boxes over its spatial axes, the weights inside them, and cutting and adding
 * up pictures there. Latents are [batch, channels, ...spatial] with one to three spatial axes.
 */
import { roundToInteger } from '../array/round.ts';
import { type NDArray, sizeOf } from '../array/nd.ts';
import { NoodleError } from '../errors.ts';
import type { Area } from './conditioning.ts';

/** Sizes and offsets per spatial axis; `whole` stands for all of an axis. */
export interface Box {
  readonly sizes: readonly number[];
  readonly offsets: readonly number[];
}

/** Larger than any axis: clipping makes it the whole axis. */
const whole = 2 ** 31;

/** Width of the ramps at the inner edges of a region. */
const rampCells = 8;

/**
 * An area as a box over `dims`; of a video it spans all frames unless it says which, of a sound only y
 * and height count.
 */
export function areaBox(area: Area, dims: readonly number[]): Box {
  const { height, width, y, x } = area;
  const axes = dims.length;
  const align = (values: readonly number[], fill: number): number[] =>
    axes >= 2 ? [...Array<number>(axes - 2).fill(fill), ...values] : values.slice(0, axes);
  if (area.kind === 'cells')
    return { sizes: align([height, width], whole), offsets: align([y, x], 0) };
  const part = (fractions: readonly number[], least: number): number[] =>
    fractions.map((f, d) => Math.max(least, roundToInteger(f * dims[d])));
  const { length, start } = area.time ?? { length: 1, start: 0 };
  const sizes = part(align([height, width], length), 1);
  return { sizes, offsets: part(align([y, x], start), 0) };
}

/** The part of a box inside `dims`; throws BAD_INPUT when the box begins outside. */
export function clipBox({ sizes, offsets }: Box, dims: readonly number[]): Box {
  if (offsets.some((offset, d) => offset >= dims[d])) {
    const got = `offset [${offsets.join(', ')}]`;
    const expected = `a region inside [${dims.join(', ')}] latent cells`;
    throw new NoodleError('BAD_INPUT', { subject: 'conditioning area', expected, got });
  }
  return { sizes: sizes.map((size, d) => Math.min(size, dims[d] - offsets[d])), offsets };
}

/** Whether `inner` lies within `outer`. */
export const boxInside = (inner: Box, outer: Box): boolean =>
  inner.offsets.every((offset, d) => offset >= outer.offsets[d]) &&
  inner.sizes.every((size, d) => inner.offsets[d] + size <= outer.offsets[d] + outer.sizes[d]);

export const sameBox = (a: Box, b: Box): boolean =>
  a.sizes.join() === b.sizes.join() && a.offsets.join() === b.offsets.join();

export const boxVolume = ({ sizes }: Box): number =>
  sizes.reduce((volume, size) => volume * size, 1);

/** Calls `visit` for every run along the last axis: where it starts in the whole and in the box. */
function forEachRun(
  dims: readonly number[],
  { sizes, offsets }: Box,
  visit: (wholeStart: number, boxStart: number, length: number) => void,
): void {
  const length = sizes[sizes.length - 1];
  const runs = boxVolume({ sizes, offsets }) / length;
  for (let run = 0; run < runs; run++) {
    let rest = run;
    let stride = dims[dims.length - 1];
    let start = offsets[offsets.length - 1];
    for (let d = dims.length - 2; d >= 0; d--) {
      start += ((rest % sizes[d]) + offsets[d]) * stride;
      rest = Math.floor(rest / sizes[d]);
      stride *= dims[d];
    }
    visit(start, run * length, length);
  }
}

/** The box of every plane of x [b, c, ...dims] as a new array. */
export function cutBox(x: NDArray, box: Box): NDArray {
  const [b, c, ...dims] = x.shape;
  const { sizes } = box;
  const planeSize = sizeOf(dims);
  const boxSize = sizeOf(sizes);
  const data = new Float32Array(b * c * boxSize);
  for (let plane = 0; plane < b * c; plane++) {
    forEachRun(dims, box, (from, to, length) => {
      const source = plane * planeSize + from;
      data.set(x.data.subarray(source, source + length), plane * boxSize + to);
    });
  }
  return { data, shape: [b, c, ...sizes] };
}

/** How strongly a prediction counts: per cell of its box, for all channels; one row or one per item. */
export interface Weights {
  readonly rows: number;
  readonly data: Float32Array;
}

/**
 * Weights of a prediction inside `box`: the strength, times a mask [rows, ...dims] if there is one;
 * an area without a mask fades in over a few cells from each side that is not the picture's border.
 */
export function boxWeights(
  dims: readonly number[],
  box: Box,
  options: { strength: number; mask?: NDArray; maskStrength: number; ramps: boolean },
): Weights {
  const { strength, mask, maskStrength, ramps } = options;
  const size = boxVolume(box);
  if (mask) {
    const rows = mask.shape[0];
    const cut = cutBox({ data: mask.data, shape: [rows, 1, ...dims] }, box).data;
    return { rows, data: cut.map((m) => Math.fround(m * maskStrength) * strength) };
  }
  const data = new Float32Array(size).fill(strength);
  if (ramps) for (let d = 0; d < dims.length; d++) ramp(data, box, dims, d);
  return { rows: 1, data };
}

function ramp(
  data: Float32Array,
  { sizes, offsets }: Box,
  dims: readonly number[],
  axis: number,
): void {
  const cells = Math.min(rampCells, Math.floor(sizes[axis] / 4));
  const inner = sizeOf(sizes.slice(axis + 1));
  const multiplySlice = (at: number, k: number): void => {
    for (let start = at * inner; start < data.length; start += sizes[axis] * inner) {
      for (let i = start; i < start + inner; i++) data[i] *= k;
    }
  };
  for (let t = 0; t < cells; t++) {
    const k = (1 / cells) * (t + 1);
    if (offsets[axis] !== 0) multiplySlice(t, k);
    if (offsets[axis] + sizes[axis] < dims[axis]) multiplySlice(sizes[axis] - 1 - t, k);
  }
}

/** The sum of weights over a grid [b, 1, ...dims]. */
export function weightSum(
  shape: readonly number[],
  parts: readonly { readonly box: Box; readonly weights: Weights }[],
): NDArray {
  const [b, , ...dims] = shape;
  const planeSize = sizeOf(dims);
  const data = new Float32Array(b * planeSize);
  for (const { box, weights } of parts) {
    for (let item = 0; item < b; item++) {
      const base = (item % weights.rows) * boxVolume(box);
      forEachRun(dims, box, (at, from, length) => {
        for (let i = 0; i < length; i++) {
          data[item * planeSize + at + i] += weights.data[base + from + i];
        }
      });
    }
  }
  return { data, shape };
}

/** Weighted predictions of a whole latent and the sum of their weights. */
export interface WeightedMean {
  add(prediction: NDArray, box: Box, weights: Weights): void;
  /** The mean; cells that nothing covers are 0. */
  result(): NDArray;
}

/** Collects weighted predictions for a latent [b, c, ...dims]. */
export function weightedMean(shape: readonly number[]): WeightedMean {
  const [b, c, ...dims] = shape;
  const planeSize = sizeOf(dims);
  const sums = new Float32Array(b * c * planeSize);
  // The tiny start keeps uncovered cells at 0 / 1e-37 = 0.
  const counts = new Float32Array(b * planeSize).fill(1e-37);
  return {
    add(prediction, box, { rows, data: weights }) {
      const boxSize = boxVolume(box);
      for (let item = 0; item < b; item++) {
        const weightBase = (item % rows) * boxSize;
        forEachRun(dims, box, (at, from, length) => {
          for (let i = 0; i < length; i++) {
            const weight = weights[weightBase + from + i];
            counts[item * planeSize + at + i] += weight;
            for (let channel = 0; channel < c; channel++) {
              const plane = item * c + channel;
              sums[plane * planeSize + at + i] +=
                prediction.data[plane * boxSize + from + i] * weight;
            }
          }
        });
      }
    },
    result() {
      const data = new Float32Array(sums.length);
      for (let item = 0; item < b; item++) {
        for (let channel = 0; channel < c; channel++) {
          const plane = (item * c + channel) * planeSize;
          for (let i = 0; i < planeSize; i++) {
            data[plane + i] = sums[plane + i] / counts[item * planeSize + i];
          }
        }
      }
      return { data, shape };
    },
  };
}
