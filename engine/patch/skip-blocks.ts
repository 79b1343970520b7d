/** Blocks of a transformer that a network goes without. */
import { slice } from '../tensor/nn.ts';
import { sameDim, subDim } from '../tensor/shape.ts';
import type { NetworkPatch } from './patch.ts';

/** The blocks at these sites leave the sequence `x` as it is. */
export function skippedBlocks(sites: readonly string[]): NetworkPatch {
  const skipped = new Set(sites);
  return {
    identity: `skipped ${sites.join(' ')}`,
    at({ name, inputs, run }) {
      if (!skipped.has(name)) return undefined;
      const [, before] = inputs.x.shape;
      const [, after] = run(inputs).shape;
      // a last block gives the picture's tokens alone, which stand behind the text
      return sameDim(before, after) ? inputs.x : slice(inputs.x, 1, subDim(before, after));
    },
  };
}
