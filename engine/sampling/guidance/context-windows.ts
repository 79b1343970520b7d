/**
 * Context windows: more items (frames, pictures of a batch, columns) than a model takes well are predicted
 * in overlapping windows, whose predictions are averaged.
 */
import { take } from '../../array/batch.ts';
import { type NDArray, zeros } from '../../array/nd.ts';
import { NoodleError } from '../../errors.ts';
import type { CondTensor, RunMemory } from '../model.ts';
import { toSeed } from '../noise/seed.ts';
import { TorchGenerator } from '../noise/torch-generator.ts';
import type { PreparedEntry } from '../prepared.ts';
import type { GuidanceHooks } from './hooks.ts';
import {
  type Window,
  type WindowOptions,
  windowSchedules,
  windowWeights,
} from './window-schedules.ts';

export interface ContextWindowOptions extends WindowOptions {
  readonly schedule: keyof typeof windowSchedules;
  readonly fuse: keyof typeof windowWeights;
  /** Axis of the latent [b, c, …] that windows lie along. */
  readonly axis: number;
  /** Later windows start from the noise of the first, in another order (FreeNoise). */
  readonly freeNoise: boolean;
  /** Places in every window that keep their own item: of the condition, of the latent. */
  readonly retainCond: readonly number[];
  readonly retainLatent: readonly number[];
  /** Of several conditions each window is told the one for its place. */
  readonly splitConds: boolean;
  /** The item before a window is predicted with it, and its prediction dropped. */
  readonly anchor: boolean;
}

/** What ContextWindows nodes put on a model. */
export function contextWindows(
  options: ContextWindowOptions,
): Required<Pick<GuidanceHooks, 'evaluate'>> & Pick<GuidanceHooks, 'noise'> {
  const key = {};
  return {
    evaluate: (next, { memory }) => {
      return async (lists, x, sigma, more) => {
        const count = sizeAlong(x, options.axis);
        if (count <= options.length) return next(lists, x, sigma, more);
        const step = stepAt(memory, sigma, key);
        const sums = lists.map(() => windowSum(x.shape, options.axis));
        for (const window of windowSchedules[options.schedule](count, options, step)) {
          const anchored = options.anchor && window[0] > 0;
          const asked = anchored ? [window[0] - 1, ...window] : window;
          const part = take(x, options.axis, retained(asked, count, options.retainLatent));
          const told = lists.map((list) => list && entriesFor(list, asked, window, count, options));
          const results = await next(told, part, sigma, more);
          const weights = windowWeights[options.fuse](window, count, options.overlap);
          results.forEach((result, i) => sums[i].add(result, window, weights, anchored ? 1 : 0));
        }
        return sums.map((sum) => sum.mean());
      };
    },
    noise: options.freeNoise
      ? (noise, seed) => freeNoise(noise, { ...options, seed: toSeed(seed) })
      : undefined,
  };
}

function sizeAlong({ shape }: NDArray, axis: number): number {
  if (axis < shape.length) return shape[axis];
  const expected = `an axis of the latent (0 to ${shape.length - 1})`;
  throw new NoodleError('BAD_INPUT', { subject: 'dim', expected, got: axis });
}

/** The step whose level this is; between levels, the step before. */
function stepAt({ sigmas, state }: RunMemory, sigma: number, key: object): number {
  const near = (level: number): boolean => Math.abs(level - sigma) <= 1e-8 + 1e-4 * sigma;
  const found = sigmas.findIndex(near);
  if (found >= 0) state.set(key, found);
  return (state.get(key) as number | undefined) ?? 0;
}

/** The window's items, with those that stay at their places; places below 0 count from the end. */
function retained(window: Window, count: number, places: readonly number[]): Window {
  const items = [...window];
  for (const place of places) {
    const [to, from] = place < 0 ? [items.length + place, count + place] : [place, place];
    if (to >= 0 && to < items.length && from < count) items[to] = from;
  }
  return items;
}

/** The entries of a list as one window is told them; `asked` is the window with its anchor. */
function entriesFor(
  list: readonly PreparedEntry[],
  asked: Window,
  window: Window,
  count: number,
  options: ContextWindowOptions,
): readonly PreparedEntry[] {
  const middle = (Math.min(...window) + Math.max(...window)) / (2 * count);
  const place = Math.min(list.length - 1, Math.trunc(middle * list.length));
  const told = options.splitConds && list.length > 1 ? [list[place]] : list;
  return told.map((entry) => cutEntry(entry, asked, count, options));
}

function cutEntry(
  entry: PreparedEntry,
  window: Window,
  count: number,
  { axis, retainCond }: ContextWindowOptions,
): PreparedEntry {
  const items = retained(window, count, retainCond);
  const cut = ({ value, along }: CondTensor): CondTensor => {
    const lies = (axis === 0 || along === 'grid') && value.shape[axis] === count;
    return lies ? { value: take(value, axis, items), along } : { value, along };
  };
  const encoded = Object.entries(entry.encoded).map(
    ([name, tensor]) => [name, cut(tensor)] as const,
  );
  // masks have no channels
  const along = axis === 0 ? 0 : axis - 1;
  const { mask } = entry;
  const cutMask = mask && axis !== 1 && mask.shape[along] === count;
  return {
    ...entry,
    encoded: Object.fromEntries(encoded),
    mask: cutMask ? take(mask, along, window) : mask,
  };
}

/** A weighted mean of windows along an axis of an array of this shape. */
function windowSum(shape: readonly number[], axis: number) {
  const sum = zeros(shape);
  const count = shape[axis];
  const total = new Float64Array(count);
  const inner = shape.slice(axis + 1).reduce((size, dim) => size * dim, 1);
  const outer = sum.data.length / (count * inner);
  return {
    /** Adds what was predicted for a window; the first `skip` items of it do not count. */
    add({ data }: NDArray, window: Window, weights: readonly number[], skip: number): void {
      const size = window.length + skip;
      window.forEach((index, k) => {
        total[index] += weights[k];
        for (let o = 0; o < outer; o++) {
          const [from, to] = [(o * size + k + skip) * inner, (o * count + index) * inner];
          for (let i = 0; i < inner; i++) sum.data[to + i] += weights[k] * data[from + i];
        }
      });
    },
    mean(): NDArray {
      const data = sum.data.map((value, i) => value / total[Math.floor(i / inner) % count]);
      return { data, shape };
    },
  };
}

/** FreeNoise (Qiu et al. 2023): behind the first window comes its noise again, shuffled. */
function freeNoise(
  noise: NDArray,
  { axis, length, overlap, seed }: ContextWindowOptions & { readonly seed: bigint },
): NDArray {
  const count = sizeAlong(noise, axis);
  const generator = new TorchGenerator(seed);
  const items = Array.from({ length: count }, (_, i) => i);
  const advance = length - overlap;
  for (let start = 0; advance > 0 && start < count - length; start += advance) {
    const place = start + length;
    const order = generator.randperm(Math.min(advance, count - place));
    const from = items.slice(start, start + order.length);
    order.forEach((k, i) => (items[place + i] = from[k]));
  }
  return take(noise, axis, items);
}
