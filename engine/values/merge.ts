/** Merging models: each weight a sum of two models' weights, with the patches of both in them. */
import { randomUUID } from 'node:crypto';
import { sizeOf } from '../array/nd.ts';
import type { WeightEntry } from '../weights/source.ts';
import { type Clip, requireClip } from './clip.ts';
import type { Weighted } from './network.ts';
import { isFloat, patchesOf, savedDtype, wholeWeight } from './whole-weight.ts';

/** W = first·W1 + second·W2. */
export interface Factors {
  readonly first: number;
  readonly second: number;
}

/**
 * The first network with the weights that both have as sums. Patches on weights, of either, are in
 * the sums; what reaches into the first at its sites stays. Nothing is computed before it is asked for.
 * Where shapes differ only the first counts, times its factor, as in ComfyUI; `warn` hears of it.
 */
export function mergeNetworks<N extends Weighted>(
  first: N,
  second: Weighted,
  factorsOf: (key: string) => Factors | undefined,
  warn: (message: string) => void,
): N {
  const tensors = new Map<string, WeightEntry>();
  const misfits: string[] = [];
  for (const [key, entry] of first.source.tensors) {
    const other = second.source.tensors.get(key);
    const factors = other && isFloat(entry) && isFloat(other) ? factorsOf(key) : undefined;
    if (!factors && patchesOf(first, key).length === 0) {
      tensors.set(key, entry);
      continue;
    }
    const fits = other?.shape.join() === entry.shape.join();
    if (factors && !fits) misfits.push(key);
    tensors.set(
      key,
      computed(key, entry, () => sum(key, first, fits ? second : undefined, factors)),
    );
  }
  if (misfits.length > 0) {
    const which = misfits.slice(0, 3).join(', ') + (misfits.length > 3 ? ', …' : '');
    warn(`${misfits.length} weights of the second model have other shapes: ${which}`);
  }
  const { label, metadata } = first.source;
  const identity = `merged:${randomUUID()}`;
  const sites = first.patches.filter((patch) => patch.at !== undefined);
  return {
    ...first,
    source: { label: `${label} + ${second.source.label}`, identity, tensors, metadata },
    patches: sites.map((patch) => ({ ...patch, keys: undefined })),
  };
}

/** The same for the text encoders that both have. Throws NO_CLIP. */
export function mergeClips(
  clip1: Clip | null,
  clip2: Clip | null,
  factors: Factors,
  warn: (message: string) => void,
): Clip {
  const [first, second] = [requireClip(clip1), requireClip(clip2)];
  const factorsOf = (key: string): Factors | undefined =>
    /(^|\.)(position_ids|logit_scale)$/.test(key) ? undefined : factors;
  const encoders = first.encoders.map((encoder) => {
    const other = second.encoders.find(({ spec }) => spec.name === encoder.spec.name);
    return other ? mergeNetworks(encoder, other, factorsOf, warn) : encoder;
  });
  return { ...first, encoders };
}

/** The ratio of the longest name that the key starts with; that of the first name for all others. */
export function ratioOf(key: string, ratios: ReadonlyMap<string, number>): number {
  const names = [...ratios.keys()].filter((name) => key.startsWith(name));
  const [first] = ratios.keys();
  return ratios.get(names.sort((a, b) => b.length - a.length)[0] ?? first) ?? 1;
}

async function sum(
  key: string,
  first: Weighted,
  second: Weighted | undefined,
  factors: Factors | undefined,
): Promise<Float32Array> {
  const stored = await wholeWeight(first, key);
  if (!factors || (factors.first === 1 && factors.second === 0)) return stored;
  const [a, b] = [Math.fround(factors.first), Math.fround(factors.second)];
  const out = stored.map((value) => value * a); // f32, as ComfyUI's steps are
  if (!second || b === 0) return out;
  const other = await wholeWeight(second, key);
  for (let i = 0; i < out.length; i++) out[i] += Math.fround(b * other[i]);
  return out;
}

function computed(
  key: string,
  entry: WeightEntry,
  compute: () => Promise<Float32Array>,
): WeightEntry {
  const { shape } = entry;
  const byteLength = 4 * sizeOf(shape);
  const bytes = { kind: 'computed', compute, savedAs: savedDtype(entry) } as const;
  return { name: key, dtype: 'F32', shape, byteLength, bytes };
}
