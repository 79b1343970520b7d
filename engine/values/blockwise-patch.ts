/** Control of a transformer block by block (engine/arch/blockwise-control.ts) as a patch of the transformer. */
import {
  type BlockwiseConfig,
  blockwiseControl,
  blockwiseHint,
} from '../arch/blockwise-control.ts';
import type { NDArray } from '../array/nd.ts';
import { openWeights } from '../tensor/cursor.ts';
import { add, input, mul, padZero, slice } from '../tensor/nn.ts';
import { type Dim, addDim, mulDim, subDim, symbol } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { WeightSource } from '../weights/source.ts';
import type { NetworkPatch } from '../patch/patch.ts';

/**
 * Adds the control of `source` behind the blocks `blocks.i`, `strength` times, to the tokens of the picture itself;
 * `hint` [b, c, 1, h, w] is fed. `name` tells two of them apart.
 */
export function blockwisePatch(
  name: string,
  {
    source,
    config,
    blocks,
    hint,
    strength,
  }: {
    readonly source: WeightSource;
    readonly config: BlockwiseConfig;
    readonly blocks: string;
    readonly hint: NDArray;
    readonly strength: number;
  },
): NetworkPatch {
  const w = openWeights(source);
  const factor = input(`${name}/strength`, 'f32', []);
  let tokens: Tensor | undefined; // the same for all blocks
  const hintTokens = (batch: Dim): Tensor => {
    const channels = config.channels + config.masks;
    const sides = ['height', 'width'].map(symbol);
    return blockwiseHint(w, input(`${name}/hint`, 'f32', [batch, channels, 1, ...sides]));
  };
  return {
    identity: `blockwise ${name} ${source.identity}`,
    at({ name: site, inputs, run, facts: { text = 0, grid = [] } }) {
      const block = site.startsWith(`${blocks}.`) ? site.slice(blocks.length + 1) : '';
      if (!/^\d+$/.test(block) || Number(block) >= config.blocks) return undefined;
      const out = run(inputs);
      const own = grid.reduce((product: Dim, side) => mulDim(product, side), 1);
      const end = addDim(text, own);
      tokens ??= hintTokens(out.shape[0]);
      const more = blockwiseControl(w, Number(block), slice(out, 1, text, end), tokens);
      const none = [0, 0] as const;
      const around = [text, subDim(out.shape[1], end)] as const;
      return add(out, padZero(mul(more, factor), [none, around, none]));
    },
    feeds: () => ({
      [`${name}/hint`]: hint,
      [`${name}/strength`]: { data: Float32Array.of(strength), shape: [] },
    }),
  };
}
