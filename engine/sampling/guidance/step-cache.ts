/**
 * Steps that are not computed: while little changes, what the network added to its input is used again
 * (EasyCache, Zhou et al. 2025; LazyCache is ComfyUI's form of it around the whole guidance).
 */
import { rows } from '../../array/batch.ts';
import { add, sub } from '../../array/elementwise.ts';
import type { NDArray } from '../../array/nd.ts';
import type { ConditioningEntry } from '../conditioning.ts';
import type { ModelSampling } from '../model-sampling.ts';
import type { GuidanceHooks } from './hooks.ts';

export interface StepCacheOptions {
  /** How much the output may change, relative to itself, before it is computed again. */
  readonly threshold: number;
  /** Part of the schedule in which steps may be left out. */
  readonly start: number;
  readonly end: number;
  /** Hears of every step that is left out. */
  readonly report?: (message: string) => void;
}

/** Only every 8th cell of both axes is compared. */
const stride = 8;

/** EasyCache: what the network adds to its input, kept for every entry of conditioning. */
export function easyCache(options: StepCacheOptions): NonNullable<GuidanceHooks['network']> {
  const key = {};
  return (next, { memory, sampling }) => {
    const range = sigmaRange(options, sampling);
    let skipping = false;
    return async (input) => {
      const { x, sigma } = input;
      if (!(sigma > range.end)) return next(input);
      const entries = input.parts.map(({ entry }) => entry);
      let cache = memory.state.get(key) as EntryCache | undefined;
      const shape = x.shape.slice(1).join();
      if (!cache || (sigma <= range.start && cache.shape !== undefined && cache.shape !== shape)) {
        cache = { diffs: new Map(), changes: changeRate(options.threshold, cache ? 0 : undefined) };
        memory.state.set(key, cache);
      }
      const size = x.shape[0] / entries.length;
      const sample = (y: NDArray): NDArray => {
        const at = entries.indexOf(cache.first!);
        return sampled(rows(y, at * size, (at + 1) * size));
      };
      let change: number | undefined;
      if (sigma <= range.start) {
        cache.shape ??= shape;
        const known = entries.every((entry) => cache.diffs.has(entry));
        if (skipping && known) return reused(x, entries, cache.diffs);
        cache.first ??= entries[0];
        if (entries.includes(cache.first)) {
          change = cache.changes.since(sample(x));
          if (cache.changes.small(change, known)) {
            skipping = true;
            options.report?.(`EasyCache: the step at sigma ${sigma} is left out`);
            return reused(x, entries, cache.diffs);
          }
        }
      }
      const output = await next(input);
      const diff = sub(output, x);
      entries.forEach((entry, i) => cache.diffs.set(entry, rows(diff, i * size, (i + 1) * size)));
      if (cache.first && entries.includes(cache.first)) {
        cache.changes.learn(change, sample(x), sample(output), meanSize(output));
      }
      return output;
    };
  };
}

/** LazyCache: what guidance as a whole makes of x. */
export function lazyCache(
  options: StepCacheOptions,
): NonNullable<GuidanceHooks['predict']>[number] {
  const key = {};
  return (next, { memory, sampling }) => {
    const range = sigmaRange(options, sampling);
    return async (at) => {
      const { x, sigma } = at;
      if (!(sigma > range.end)) return next(at);
      let cache = memory.state.get(key) as WholeCache | undefined;
      if (!cache) memory.state.set(key, (cache = { changes: changeRate(options.threshold) }));
      let change: number | undefined;
      if (sigma <= range.start) {
        change = cache.changes.since(sampled(x));
        const { diff, uncond } = cache;
        if (cache.changes.small(change, diff !== undefined)) {
          options.report?.(`LazyCache: the step at sigma ${sigma} is left out`);
          return { denoised: add(x, diff!), uncond: uncond! };
        }
      }
      const prediction = await next(at);
      const { denoised, uncond } = prediction;
      cache.changes.learn(change, sampled(x), sampled(denoised), meanSize(denoised));
      Object.assign(cache, { diff: sub(denoised, x), uncond });
      return prediction;
    };
  };
}

interface EntryCache {
  readonly changes: ChangeRate;
  readonly diffs: Map<ConditioningEntry, NDArray>;
  /** The entry by which steps are judged. */
  first?: ConditioningEntry;
  shape?: string;
}

interface WholeCache {
  readonly changes: ChangeRate;
  diff?: NDArray;
  uncond?: NDArray;
}

/** Tells from the input how much the output will have changed. */
interface ChangeRate {
  /** How much x has changed since the latest computed step. */
  since(x: NDArray): number | undefined;
  /** Whether all changes since then are expected to be small; not `known` starts anew. */
  small(change: number | undefined, known: boolean): boolean;
  /** A computed step; `size` is that of its output. */
  learn(change: number | undefined, x: NDArray, output: NDArray, size: number): void;
}

function changeRate(threshold: number, rate?: number): ChangeRate {
  let before: { readonly x: NDArray; readonly output: NDArray; readonly size: number } | undefined;
  let total = 0;
  return {
    since: (x) => before && meanSize(sub(x, before.x)),
    small(change, known) {
      if (!before || rate === undefined || change === undefined) return false;
      total += (rate * change) / before.size;
      if (total < threshold && known) return true;
      total = 0;
      return false;
    },
    learn(change, x, output, size) {
      if (before && change !== undefined) rate = meanSize(sub(output, before.output)) / change;
      before = { x, output, size };
    },
  };
}

const sigmaRange = (
  { start, end }: StepCacheOptions,
  { percentToSigma }: ModelSampling,
): { start: number; end: number } => ({
  start: Math.fround(percentToSigma(start)),
  end: Math.fround(percentToSigma(end)),
});

function reused(
  x: NDArray,
  entries: readonly ConditioningEntry[],
  diffs: ReadonlyMap<ConditioningEntry, NDArray>,
): NDArray {
  const data = x.data.slice();
  const size = data.length / entries.length;
  entries.forEach((entry, part) => {
    const diff = diffs.get(entry)!.data;
    for (let i = 0; i < size; i++) data[part * size + i] += diff[i];
  });
  return { data, shape: x.shape };
}

/** Every 8th row and column. */
function sampled({ data, shape }: NDArray): NDArray {
  const [height, width] = shape.slice(-2);
  const [rowCount, columns] = [Math.ceil(height / stride), Math.ceil(width / stride)];
  const planes = data.length / (height * width);
  const kept = new Float32Array(planes * rowCount * columns);
  let i = 0;
  for (let plane = 0; plane < planes; plane++) {
    for (let y = 0; y < height; y += stride) {
      for (let x = 0; x < width; x += stride) kept[i++] = data[(plane * height + y) * width + x];
    }
  }
  return { data: kept, shape: [...shape.slice(0, -2), rowCount, columns] };
}

const meanSize = ({ data }: NDArray): number =>
  data.reduce((sum, value) => sum + Math.abs(value), 0) / data.length;
