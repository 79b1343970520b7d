/**
 * Which source cells an output cell of a one-dimensional resize reads, and with which weights:
 * torch's `interpolate` rules with align_corners=False and no antialiasing.
 */
import { clamp } from './round.ts';

/** Output cell o reads cells index[offset[o] .. offset[o+1]) with the weights beside them. */
export interface Taps {
  readonly offset: Int32Array;
  readonly index: Int32Array;
  readonly weight: Float64Array;
}

export type SeparableMethod = 'nearest' | 'nearest-exact' | 'bilinear' | 'area' | 'bicubic';

/**
 * Taps from `from` cells to `to` cells. `fused` chooses between the two roundings torch has for
 * nearest-exact (see `interpolate`); the other methods have one.
 */
export function resampleTaps(
  method: SeparableMethod,
  from: number,
  to: number,
  fused = true,
): Taps {
  switch (method) {
    case 'nearest': {
      const cells = nearestCells(from, to);
      return fixedTaps(to, 1, (o, index, weight) => {
        index[o] = cells[o];
        weight[o] = 1;
      });
    }
    case 'nearest-exact':
      return fixedTaps(to, 1, (o, index, weight) => {
        index[o] = nearestExact(o, from, to, fused);
        weight[o] = 1;
      });
    case 'bilinear':
      return bilinearTaps(from, to);
    case 'bicubic':
      return bicubicTaps(from, to);
    case 'area':
      return areaTaps(from, to);
  }
}

/** Which of `from` cells each of `to` shows with torch's `nearest`: floor(o·scale). */
export function nearestCells(from: number, to: number): number[] {
  const scale = Math.fround(from / to);
  return Array.from({ length: to }, (_, o) =>
    Math.min(Math.floor(Math.fround(o * scale)), from - 1),
  );
}

/** (o + 0.5)·scale − 0.5 with fp32 operands and one rounding, as torch's compiled kernels compute it. */
function sourcePosition(o: number, scale: number): number {
  return Math.fround((o + 0.5) * scale - 0.5);
}

function nearestExact(o: number, from: number, to: number, fused: boolean): number {
  const scale = Math.fround(from / to);
  const position = fused
    ? Math.fround(Math.max(sourcePosition(o, scale), 0) + 0.5)
    : Math.fround((o + 0.5) * scale);
  return Math.min(Math.floor(position), from - 1);
}

function bilinearTaps(from: number, to: number): Taps {
  const scale = Math.fround(from / to);
  return fixedTaps(to, 2, (o, index, weight) => {
    const x = Math.max(sourcePosition(o, scale), 0);
    const left = Math.min(Math.floor(x), from - 1);
    const right = Math.min(Math.fround(x - left), 1);
    index[2 * o] = left;
    index[2 * o + 1] = Math.min(left + 1, from - 1);
    weight[2 * o] = Math.fround(1 - right);
    weight[2 * o + 1] = right;
  });
}

/** Keys' cubic convolution with a = −0.75; taps beyond the border repeat the border cell. */
function bicubicTaps(from: number, to: number): Taps {
  const a = -0.75;
  const scale = Math.fround(from / to);
  const near = (x: number): number => ((a + 2) * x - (a + 3)) * x * x + 1;
  const far = (x: number): number => ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return fixedTaps(to, 4, (o, index, weight) => {
    const x = sourcePosition(o, scale);
    const left = Math.floor(x);
    const t = Math.fround(x - left);
    const weights = [far(t + 1), near(t), near(1 - t), far(2 - t)];
    weights.forEach((w, k) => {
      index[4 * o + k] = clamp(left - 1 + k, 0, from - 1);
      weight[4 * o + k] = Math.fround(w);
    });
  });
}

/** Mean of the cells that overlap the output cell (torch's adaptive average pooling). */
function areaTaps(from: number, to: number): Taps {
  const offset = new Int32Array(to + 1);
  const start = (o: number): number => Math.floor((o * from) / to);
  const end = (o: number): number => Math.ceil(((o + 1) * from) / to);
  for (let o = 0; o < to; o++) offset[o + 1] = offset[o] + end(o) - start(o);
  const index = new Int32Array(offset[to]);
  const weight = new Float64Array(offset[to]);
  for (let o = 0; o < to; o++) {
    const count = offset[o + 1] - offset[o];
    for (let k = 0; k < count; k++) {
      index[offset[o] + k] = start(o) + k;
      weight[offset[o] + k] = 1 / count;
    }
  }
  return { offset, index, weight };
}

function fixedTaps(
  to: number,
  count: number,
  fill: (o: number, index: Int32Array, weight: Float64Array) => void,
): Taps {
  const offset = Int32Array.from({ length: to + 1 }, (_, o) => o * count);
  const index = new Int32Array(to * count);
  const weight = new Float64Array(to * count);
  for (let o = 0; o < to; o++) fill(o, index, weight);
  return { offset, index, weight };
}
