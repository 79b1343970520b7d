/** Prepared weights of a part that is opened again and again: made once, and there until the part is forgotten. */
import { NoodleError } from '../errors.ts';
import type { PreparedFiles, PreparedWeights } from './prepared-weights.ts';

export interface KeptWeights extends PreparedWeights {
  /** Lets go of what was kept. */
  readonly forget: () => Promise<void>;
}

/** Keeps the weights of one part in `store`; where that has no room, they are made in `otherwise` each time. */
export function keepWeights(store: PreparedWeights, otherwise: PreparedWeights): KeptWeights {
  let kept: PreparedFiles | undefined;
  return {
    expect: (entries) => {
      if (!kept) store.expect(entries);
    },
    acquire: async (weights) => {
      try {
        kept ??= await store.acquire(weights);
      } catch (error) {
        if (!(error instanceof NoodleError) || error.code !== 'FILE_WRITE') throw error;
        return otherwise.acquire(weights);
      }
      return { find: kept.find, release: async () => undefined };
    },
    forget: async () => {
      const files = kept;
      kept = undefined;
      await files?.release();
    },
  };
}
