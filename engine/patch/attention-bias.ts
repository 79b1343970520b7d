/** Biases of attention between words and picture in networks where both are one sequence. */
import {
  attention,
  gather,
  input,
  less,
  range,
  sizeTensor,
  unsqueeze,
  where,
} from '../tensor/nn.ts';
import { type Dim, addDim } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { NetworkPatch } from './patch.ts';

/** Name of the input, a condition of the call (engine/values/conditions.ts): [b, tokens + 1, tokens + 1]. */
export const biasInput = 'attention_bias';

/**
 * Adds to the score of every query and key what the input has for them; its last row and column are for all tokens
 * behind the text.
 */
export function attentionBias(): NetworkPatch {
  let mask: Tensor | undefined; // the same at all sites
  return {
    identity: 'attention bias',
    at({ name, inputs, facts: { text, heads } }) {
      if (!name.endsWith('.attention') || text === undefined) return undefined;
      const { q, k, v } = inputs;
      mask ??= wholeMask(q.shape, text);
      return attention(q, k, v, { heads: heads!, mask });
    },
  };
}

/** The input for every token: [b, 1, n, n]. */
function wholeMask([batch, length]: readonly Dim[], text: Dim): Tensor {
  const size = addDim(text, 1);
  const words = input(biasInput, 'f32', [batch, size, size]);
  const [place, behind] = [range(length), sizeTensor(text)];
  const of = where(less(place, behind), place, behind);
  return unsqueeze(gather(gather(words, of, 1), of, 2), 1);
}
