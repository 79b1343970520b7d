/** Where the middle of a UNet looks: what self-attention guidance (Hong et al. 2023) blurs. */
import { rows } from '../array/batch.ts';
import { attention, matmul, mean, mul, rearrange, softmax, sum } from '../tensor/nn.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { NetworkPatch } from './patch.ts';

/** The self-attention that is looked at. */
export const attentionMapSite = 'middle_block.1.transformer_blocks.0.attn1';

/**
 * Keeps in the state of the run, under itself, how much attention every token got at the latest call: the
 * rows of the unconditional side [rows, tokens], means over the heads, sums over the queries.
 */
export const attentionMap: NetworkPatch = {
  identity: 'attention map',
  at({ name, inputs: { q, k, v }, facts, output }) {
    if (name !== `${attentionMapSite}.attention`) return undefined;
    const heads = facts.heads!;
    output('attention map', received(q, k, heads));
    // as in ComfyUI the whole attention is its own: perturbed attention does not reach it
    return attention(q, k, v, { heads });
  },
  receive({ 'attention map': map }, { input }) {
    const part = input?.parts.findIndex(({ list }) => list === 1) ?? -1;
    if (!input || part < 0) return;
    const size = map.shape[0] / input.parts.length;
    input.run.state.set(attentionMap, rows(map, part * size, (part + 1) * size));
  },
};

function received(q: Tensor, k: Tensor, heads: number): Tensor {
  const split = (x: Tensor): Tensor => rearrange(x, 'b t (n d) -> b n t d', { n: heads });
  const scale = ((q.shape[2] as number) / heads) ** -0.5;
  const scores = mul(matmul(split(q), split(k), { transposeB: true }), scale);
  return sum(mean(softmax(scores, -1), 1), 1); // [b, t]
}
