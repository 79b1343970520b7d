/**
 * Context windows: which items of a long row are looked at together, and how much each counts where
 * windows overlap. Uniform windows are AnimateDiff's (neggles/animatediff-cli), pyramid weights FreeNoise's
 * (Qiu et al. 2023); names and numbers are ComfyUI's.
 */
import { linspace } from '../../array/linspace.ts';
import { roundHalfEven } from '../../array/round.ts';
import { NoodleError } from '../../errors.ts';

/** Indices of the items in a window, in their order. */
export type Window = readonly number[];

export interface WindowOptions {
  /** Items in a window. */
  readonly length: number;
  /** Items that neighbouring windows share. */
  readonly overlap: number;
  /** Uniform windows also skip 2, 4 … items, this many kinds at most. */
  readonly stride: number;
  /** Looped windows go on from the last item to the first. */
  readonly closedLoop: boolean;
}

/** The windows of `count` items (more than fit one) at a step of sampling. */
export type WindowSchedule = (count: number, options: WindowOptions, step: number) => Window[];

const range = (start: number, end: number, step = 1): number[] =>
  Array.from({ length: Math.max(0, Math.ceil((end - start) / step)) }, (_, i) => start + i * step);

/** How far the next window is; throws BAD_INPUT where windows would stand still. */
function advance(length: number, overlap: number): number {
  if (overlap < length) return length - overlap;
  const expected = `less than the context length (${length})`;
  throw new NoodleError('BAD_INPUT', { subject: 'context_overlap', expected, got: overlap });
}

/** Always the same windows; the last one ends with the last item. */
const standardStatic: WindowSchedule = (count, { length, overlap }) => {
  const starts = range(0, count - length, advance(length, overlap));
  return [...starts, count - length].map((start) => range(start, start + length));
};

/** Windows side by side; the last one is what is left. */
const batched: WindowSchedule = (count, { length }) =>
  range(0, count, length).map((start) => range(start, Math.min(start + length, count)));

/** The binary digits of a number behind the point, in reverse order: van der Corput's sequence. */
function orderedHalving(value: number): number {
  let result = 0;
  for (let [rest, part] = [value, 0.5]; rest > 0; rest = Math.floor(rest / 2), part /= 2) {
    result += (rest % 2) * part;
  }
  return result;
}

/** Windows that begin elsewhere at every step, with 1, 2, 4 … items from one to the next, around the end. */
const loopedUniform: WindowSchedule = (count, { length, overlap, stride, closedLoop }, step) => {
  const kinds = Math.min(stride, Math.ceil(Math.log2(count / length)) + 1);
  const shift = orderedHalving(step);
  const pad = roundHalfEven(count * shift);
  return range(0, kinds).flatMap((kind) => {
    const skip = 2 ** kind;
    const first = Math.trunc(shift * skip) + pad;
    const end = count + pad - (closedLoop ? 0 : overlap);
    return range(first, end, advance(length * skip, overlap)).map((start) =>
      range(start, start + length * skip, skip).map((index) => index % count),
    );
  });
};

/**
 * The same without going around: a window that would do so ends with the last item, and what it leaves out
 * at the beginning gets one of its own. Each window comes once.
 */
const standardUniform: WindowSchedule = (count, options, step) => {
  const { length, stride } = options;
  const windows = loopedUniform(count, { ...options, closedLoop: false }, step) as number[][];
  for (let i = 0; i < windows.length; i++) {
    const window = windows[i];
    const turn = window.findIndex((index, k) => k > 0 && index < window[k - 1]);
    if (turn < 0) continue;
    const again = window[turn];
    const from = window.map((index) => (index - window[0] + count) % count);
    windows[i] = from.map((index) => index + count - 1 - from[from.length - 1]);
    if (!windows[(i + 1) % windows.length].includes(again)) {
      windows.splice(i + 1, 0, range(again, again + length));
    }
  }
  // some numbers lead outside, or leave an item to no window
  const looked = new Set(windows.flat());
  if (looked.size !== count || Math.max(...looked) >= count) {
    const expected = `windows that skip items within the ${count} there are, and no item altogether`;
    throw new NoodleError('BAD_INPUT', { subject: 'context_stride', expected, got: stride });
  }
  const texts = windows.map((window) => window.join());
  return windows.filter((_, i) => texts.indexOf(texts[i]) === i);
};

export const windowSchedules = {
  standard_static: standardStatic,
  standard_uniform: standardUniform,
  looped_uniform: loopedUniform,
  batched,
} satisfies Record<string, WindowSchedule>;

/** What each item of a window counts; `count` is the number of all items. */
export type WindowWeights = (window: Window, count: number, overlap: number) => readonly number[];

/** 1, 2, 3 … to the middle and back. */
const pyramid: WindowWeights = ({ length }) =>
  range(0, length).map((i) => Math.min(i + 1, length - i));

/** Ramps over what is shared with a neighbour. */
const overlapLinear: WindowWeights = (window, count, overlap) => {
  const weights = window.map(() => 1);
  const ramp = linspace(1e-37, 1, Math.min(overlap, window.length));
  if (Math.min(...window) > 0) ramp.forEach((weight, i) => (weights[i] = weight));
  if (Math.max(...window) < count - 1) {
    ramp.forEach((weight, i) => (weights[window.length - 1 - i] = weight));
  }
  return weights;
};

/** By how near an item is to the middle of the window, at least 0.01. */
const relative: WindowWeights = (window) => {
  const [first, last] = [window[0], window[window.length - 1]];
  const half = (last - first + 1e-2) / 2;
  return window.map((index) => Math.max(1e-2, 1 - Math.abs(index - (first + last) / 2) / half));
};

export const windowWeights = {
  pyramid,
  relative,
  flat: (window) => window.map(() => 1),
  'overlap-linear': overlapLinear,
} satisfies Record<string, WindowWeights>;
