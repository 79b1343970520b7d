/** Merging models: each weight a sum of two models' weights, with the patches of both in them. */
import { randomUUID } from 'node:crypto';
import { sizeOf } from '../array/nd.ts';
import { follow, recipeOf } from '../weights/recipe.ts';
import type { Factors, Recipe, WeightEntry } from '../weights/source.ts';
import { floatTensor } from '../weights/write.ts';
import { type Clip, requireClip } from './clip.ts';
import type { Weighted } from './network.ts';
import { isFloat, patchesOf, savedDtype, wholeWeight } from './whole-weight.ts';

export type { Factors } from '../weights/source.ts';

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
    tensors.set(key, mixedEntry(key, first, fits ? second : undefined, factors));
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

/** A weight as the sum of two, or with its patches in it where there are no factors. */
function mixedEntry(
  key: string,
  first: Weighted,
  second: Weighted | undefined,
  factors: Factors = { first: 1, second: 0 },
): WeightEntry {
  const entry = first.source.tensors.get(key)!;
  const other = second?.source.tensors.get(key);
  const patched = [first, second].some((network) => network && patchesOf(network, key).length > 0);
  const recipe = patched ? undefined : sumRecipe(entry, other, factors);
  const { shape } = entry;
  const bytes = {
    kind: 'computed',
    recipe,
    compute: async () => follow(recipe ?? (await patchedSum(key, first, second, factors))),
    savedAs: savedDtype(entry),
  } as const;
  return { name: key, dtype: 'F32', shape, byteLength: 4 * sizeOf(shape), bytes };
}

/** The sum of what is stored; undefined where a part is computed by a function. */
function sumRecipe(
  entry: WeightEntry,
  other: WeightEntry | undefined,
  factors: Factors,
): Recipe | undefined {
  const [first, second] = [recipeOf(entry), other && recipeOf(other)];
  if (!first || (other && !second)) return undefined;
  return { kind: 'sum', first, second, factors };
}

/** The sum of numbers in memory: both weights with their patches in them. */
async function patchedSum(
  key: string,
  first: Weighted,
  second: Weighted | undefined,
  factors: Factors,
): Promise<Recipe> {
  const numbers = async (network: Weighted): Promise<Recipe> => {
    const { shape } = network.source.tensors.get(key)!;
    const stored = floatTensor(await wholeWeight(network, key), shape);
    const { byteLength } = stored.bytes;
    const bytes = { kind: 'memory', bytes: stored.bytes } as const;
    return { kind: 'stored', entry: { name: key, dtype: stored.dtype, shape, byteLength, bytes } };
  };
  const other = second && factors.second !== 0 ? await numbers(second) : undefined;
  return { kind: 'sum', first: await numbers(first), second: other, factors };
}
