/** Changes to a model's weights that travel with the value on the wire (LoRA and friends). */
import { type ParamHook, type Weights, openWeights } from '../tensor/cursor.ts';
import type { WeightSource } from '../weights/source.ts';

/** One change; patches apply in order, each to the result of the one before. */
export interface WeightPatch {
  /** Names the change and everything its program depends on: part of the session's key. */
  readonly identity: string;
  readonly hook: ParamHook;
}

/** The weights with the patches applied where a program reads them. */
export function patchedWeights(source: WeightSource, patches: readonly WeightPatch[]): Weights {
  return openWeights(source, { hooks: patches.map(({ hook }) => hook) });
}

/** What a session of these weights depends on besides its architecture. */
export function weightsIdentity(source: WeightSource, patches: readonly WeightPatch[]): string {
  return [source.identity, ...patches.map(({ identity }) => identity)].join('|');
}
