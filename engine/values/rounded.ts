/** Networks whose weights are kept in a narrower type than their file's. */
import { type NarrowType, roundedEntry } from '../weights/recipe.ts';
import type { WeightEntry } from '../weights/source.ts';
import type { Weighted } from './network.ts';
import { isFloat, isQuantised } from './whole-weight.ts';

export type { NarrowType } from '../weights/recipe.ts';

/**
 * The network with all its weights rounded to `to` (nearest, halves to even; 8-bit floats of Micikevicius
 * et al. 2022), as ComfyUI loads it into parameters of that type: biases and norms too. Nothing is computed
 * before it is asked for. Weights under `keep` stay, those that are of the type already, and those that lie in
 * fewer bits or with scales.
 */
export function roundedTo<N extends Weighted>(
  network: N,
  to: NarrowType,
  keep: readonly string[] = [],
): N {
  const { label, identity, metadata } = network.source;
  const stays = (key: string, entry: WeightEntry): boolean =>
    !isFloat(entry) || isQuantised(entry) || keep.some((start) => key.startsWith(start));
  const tensors = [...network.source.tensors].map(
    ([key, entry]) => [key, stays(key, entry) ? entry : roundedEntry(entry, to)] as const,
  );
  const named = [identity, to, ...keep].join('|');
  return { ...network, source: { label, identity: named, tensors: new Map(tensors), metadata } };
}
