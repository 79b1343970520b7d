/**
 * HOOKS and HOOK_KEYFRAMES: LoRA files and models that change a network for some conditioning only, with
 * strengths that follow the run. Plain data; rules: ComfyUI's comfy/hooks.py.
 */
import { linspace } from '../array/linspace.ts';
import type { AdapterEntry } from '../patch/lora/read.ts';
import type { NetworkChange } from '../sampling/conditioning.ts';
import type { WeightSource } from '../weights/source.ts';

/** A strength from some part of the run on. */
export interface Keyframe {
  readonly strength: number;
  /** 0 start .. 1 end. */
  readonly startPercent: number;
  /** Steps that it holds at least, before later ones are looked at. */
  readonly guaranteeSteps: number;
}

/** Sorted by start; hooks that share the object go through it together. */
export type Keyframes = readonly Keyframe[];

/** What a hook changes weights by. */
export type HookWeights =
  | { readonly kind: 'lora'; readonly entries: readonly AdapterEntry[] }
  /** Towards the weights of another checkpoint; networks by the name of their part. */
  | { readonly kind: 'checkpoint'; readonly networks: ReadonlyMap<string, WeightSource> };

export interface Hook {
  /** Copies with other keyframes are the same hook: a group holds one of them. */
  readonly id: object;
  readonly weights: HookWeights;
  readonly strengthModel: number;
  readonly strengthClip: number;
  readonly keyframes: Keyframes;
}

/** A value on HOOKS wires, and the change `hooks` of a conditioning entry. */
export interface HookGroup extends NetworkChange {
  readonly hooks: readonly Hook[];
}

/** One hook, in a group of its own behind those of `previous`. */
export const createHook = (
  given: Omit<Hook, 'id' | 'keyframes'>,
  previous?: HookGroup | null,
): HookGroup =>
  combine(previous ?? { hooks: [] }, { hooks: [{ ...given, id: {}, keyframes: [] }] });

/** Both groups as a new one, each hook once. */
function combine(a: HookGroup, b: HookGroup): HookGroup {
  const known = new Set(a.hooks.map(({ id }) => id));
  return { hooks: [...a.hooks, ...b.hooks.filter(({ id }) => !known.has(id))] };
}

/** All groups that are there as one; undefined without any. */
export function combineHooks(
  groups: readonly (HookGroup | null | undefined)[],
): HookGroup | undefined {
  const there = groups.filter((group) => group !== null && group !== undefined);
  return there.length === 0 ? undefined : there.reduce(combine);
}

/** The group with these keyframes on every hook. */
export function withKeyframes({ hooks }: HookGroup, keyframes: Keyframes): HookGroup {
  const own = [...keyframes];
  return { hooks: hooks.map((hook) => ({ ...hook, keyframes: own })) };
}

/** One more keyframe; of equal starts the later added comes later. */
export const addKeyframe = (keyframes: Keyframes | null | undefined, more: Keyframe): Keyframes =>
  [...(keyframes ?? []), more].sort((a, b) => a.startPercent - b.startPercent);

export const interpolations = ['linear', 'ease_in', 'ease_out', 'ease_in_out'] as const;
export type Interpolation = (typeof interpolations)[number];

const f = Math.fround;

/** `count` values between two, in fp32 steps. */
export function interpolate(
  from: number,
  to: number,
  count: number,
  method: Interpolation,
): number[] {
  if (method === 'linear') return linspace(from, to, count);
  const ease: Record<Exclude<Interpolation, 'linear'>, (x: number) => number> = {
    ease_in: (x) => f(x * x),
    ease_out: (x) => f(1 - f(f(1 - x) ** 2)),
    ease_in_out: (x) => f(f(1 - f(Math.cos(f(x * f(Math.PI))))) / 2),
  };
  return linspace(0, 1, count).map((x) => f(f(f(to - from) * ease[method](x)) + f(from)));
}

/** Strengths spread evenly over a part of the run, behind those that are there. */
export function keyframesOf(
  strengths: readonly number[],
  range: { readonly start: number; readonly end: number },
  previous?: Keyframes | null,
): Keyframes {
  const starts = linspace(range.start, range.end, strengths.length);
  return strengths.reduce<Keyframes>(
    (keyframes, strength, i) =>
      addKeyframe(keyframes, {
        strength,
        startPercent: starts[i],
        guaranteeSteps: i === 0 ? 1 : 0,
      }),
    previous ?? [],
  );
}

/** Goes through keyframes as a run goes on. */
export interface KeyframeCursor {
  /** The strength at a noise level; to be asked once for each, as they come. */
  at(sigma: number, maxSigma: number): number;
}

/** A cursor at the first keyframe; without keyframes the strength is 1. */
export function keyframeCursor(
  keyframes: Keyframes,
  percentToSigma: (percent: number) => number,
): KeyframeCursor {
  const starts = keyframes.map(({ startPercent }) => percentToSigma(startPercent));
  let [index, used, last] = [0, 0, -1];
  // one that starts before the run holds nothing
  const guaranteed = (i: number, maxSigma: number): number =>
    starts[i] > maxSigma ? 0 : keyframes[i].guaranteeSteps;
  return {
    at(sigma, maxSigma) {
      if (keyframes.length === 0) return 1;
      if (sigma === last) return keyframes[index].strength;
      if (used >= guaranteed(index, maxSigma)) {
        for (let i = index + 1; i < keyframes.length && f(starts[i]) >= sigma; i++) {
          [index, used] = [i, 0];
          if (guaranteed(i, maxSigma) > 0) break;
        }
      }
      used++;
      last = sigma;
      return keyframes[index].strength;
    },
  };
}

/** Part of a run with the strength of every hook in it. */
export interface HookRange {
  readonly start: number;
  readonly end: number;
  readonly strengths: ReadonlyMap<Hook, number>;
}

const isClose = (a: number, b: number): boolean =>
  Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b));

/** The parts of a run in which the strengths of all hooks stay as they are. */
export function hookRanges({ hooks }: HookGroup): HookRange[] {
  const schedules = hooks.map((hook) => [hook, scheduleOf(hook.keyframes)] as const);
  const bounds = new Set([
    0,
    ...schedules.flatMap(([, parts]) => parts.flatMap((p) => [p.start, p.end])),
  ]);
  const sorted = [...bounds].sort((a, b) => a - b);
  return sorted.slice(1).map((end, i) => {
    const start = sorted[i];
    const strengths = schedules.map(([hook, parts]) => {
      const part = parts.find((p) => p.start < end && p.end > start);
      return [hook, part?.strength ?? 1] as const;
    });
    return { start, end, strengths: new Map(strengths) };
  });
}

interface SchedulePart {
  readonly start: number;
  readonly end: number;
  readonly strength: number;
}

function scheduleOf(keyframes: Keyframes): SchedulePart[] {
  if (keyframes.length === 0) return [{ start: 0, end: 1, strength: 1 }];
  const parts: SchedulePart[] = [];
  let previous = keyframes[0];
  for (const keyframe of keyframes) {
    const { startPercent: start, strength } = previous;
    if (keyframe.startPercent > start && !isClose(keyframe.strength, strength)) {
      parts.push({ start, end: keyframe.startPercent, strength });
      previous = keyframe;
    } else if (keyframe.startPercent === start) previous = keyframe;
  }
  const { startPercent: start, strength } = previous;
  if (!isClose(start, 1)) parts.push({ start, end: 1, strength });
  return parts;
}
