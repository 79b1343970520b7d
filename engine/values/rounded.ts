/** Networks whose weights are kept in a narrower type than their file's. */
import { sizeInBytes } from '../weights/dtypes.ts';
import { follow, recipeOf } from '../weights/recipe.ts';
import type { Recipe, WeightEntry } from '../weights/source.ts';
import type { Weighted } from './network.ts';
import { isFloat } from './whole-weight.ts';

export type NarrowType = Extract<Recipe, { kind: 'rounded' }>['to'];

/**
 * The network with all its weights rounded to `to` (nearest, halves to even; 8-bit floats of Micikevicius
 * et al. 2022), as ComfyUI loads it into parameters of that type: biases and norms too. Nothing is computed
 * before it is asked for. Weights under `keep` stay, and those that are of the type already.
 */
export function roundedTo<N extends Weighted>(
  network: N,
  to: NarrowType,
  keep: readonly string[] = [],
): N {
  const { label, identity, metadata } = network.source;
  const stays = (key: string, entry: WeightEntry): boolean =>
    !isFloat(entry) || entry.dtype === to || keep.some((start) => key.startsWith(start));
  const tensors = [...network.source.tensors].map(([key, entry]) => {
    const of = recipeOf(entry);
    return [
      key,
      stays(key, entry) || !of ? entry : rounded(entry, { kind: 'rounded', of, to }),
    ] as const;
  });
  const named = [identity, to, ...keep].join('|');
  return { ...network, source: { label, identity: named, tensors: new Map(tensors), metadata } };
}

function rounded(
  { name, shape }: WeightEntry,
  recipe: Extract<Recipe, { kind: 'rounded' }>,
): WeightEntry {
  const { to } = recipe;
  const compute = async (): Promise<Float32Array> => follow(recipe);
  const bytes = { kind: 'computed', recipe, compute, savedAs: to } as const;
  return { name, dtype: to, shape, byteLength: sizeInBytes(to, shape), bytes };
}
