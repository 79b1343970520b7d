/**
 * Adaptive layer norm: what a block is told (time, pooled text) moves its norms and gates its branches.
 *
 * Paper: Peebles & Xie 2023, "Scalable Diffusion Models with Transformers".
 */
import type { Weights } from '../tensor/cursor.ts';
import { linear } from '../tensor/layers.ts';
import { add, chunk, concat, expand, mul, plainLayerNorm, silu, unsqueeze } from '../tensor/nn.ts';
import type { Dim } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** How a norm's output is changed: [b, 1, c] each, or for each token [b, n, c]. */
export interface Change {
  readonly shift: Tensor;
  readonly scale: Tensor;
}

/** The same, and how much of the branch behind it is added. */
export interface Modulation extends Change {
  readonly gate: Tensor;
}

/** `count` modulations from the vector [b, c], by the layer here. */
export function modulations(w: Weights, vec: Tensor, count: number): Modulation[] {
  const all = chunk(unsqueeze(linear(w, silu(vec)), 1), 3 * count, -1);
  return Array.from({ length: count }, (_, i) => {
    const [shift, scale, gate] = all.slice(3 * i, 3 * i + 3);
    return { shift, scale, gate };
  });
}

/** Shift and scale before the last layer, from the vector [b, c]. */
export function lastChange(w: Weights, vec: Tensor): Change {
  const both = linear(w.at('final_layer.adaLN_modulation.1'), silu(vec));
  const [shift, scale] = chunk(unsqueeze(both, 1), 2, -1);
  return { shift, scale };
}

/** x [b, n, c], normed and changed. */
export const modulated = (x: Tensor, { shift, scale }: Change): Tensor =>
  add(mul(plainLayerNorm(x, { eps: 1e-6 }), add(scale, 1)), shift);

/** One modulation for the first tokens, another one for those behind: [b, n, c]. */
export function inTurn(first: Modulation, count: Dim, second: Modulation, others: Dim): Modulation {
  const joined = (name: keyof Modulation): Tensor => {
    const [batch, , width] = first[name].shape;
    const parts = [
      expand(first[name], [batch, count, width]),
      expand(second[name], [batch, others, width]),
    ];
    return concat(parts, 1);
  };
  return { shift: joined('shift'), scale: joined('scale'), gate: joined('gate') };
}
