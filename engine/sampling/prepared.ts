/** Conditioning as `evaluate` takes it: placed on the latent's grid and encoded for the model. */
import type { NDArray } from '../array/nd.ts';
import type { ConditioningEntry } from './conditioning.ts';
import type { CondTensor } from './model.ts';
import type { Box } from './region.ts';

/** One entry on the grid of the latent that is sampled. */
export interface PreparedEntry {
  readonly entry: ConditioningEntry;
  readonly encoded: Readonly<Record<string, CondTensor>>;
  readonly box?: Box;
  /** [rows, ...spatial sizes of the latent]. */
  readonly mask?: NDArray;
  /** Active while startSigma >= sigma >= endSigma. */
  readonly startSigma: number;
  readonly endSigma: number;
}

export type PreparedLists = Readonly<Record<string, readonly PreparedEntry[]>>;
