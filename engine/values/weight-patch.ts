/** The patches of a network that travel with its value on the wire, where a program is made of it. */
import type { NetworkPatch } from '../patch/patch.ts';
import { type Weights, openWeights } from '../tensor/cursor.ts';
import type { WeightSource } from '../weights/source.ts';

export type WeightPatch = NetworkPatch;

/** The weights with the patches applied where a program reads them. */
export const patchedWeights = (source: WeightSource, patches: readonly NetworkPatch[]): Weights =>
  openWeights(source, patches);

/** What a session of these weights depends on besides its architecture. */
export function weightsIdentity(source: WeightSource, patches: readonly NetworkPatch[]): string {
  return [source.identity, ...patches.map(({ identity }) => identity)].join('|');
}
