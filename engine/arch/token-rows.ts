/** Where text encoders begin: a row of numbers for each token, or vectors in its place. */
import type { Weights } from '../tensor/cursor.ts';
import { embedding } from '../tensor/layers.ts';
import { add, mul } from '../tensor/nn.ts';
import type { Tensor } from '../tensor/tensor.ts';

export interface TokenInputs {
  /** Token ids [b, t], i64. */
  readonly tokens: Tensor;
  /** Vectors that stand in for token embeddings: `keep` [b, t, 1] is 0 where `rows` [b, t, c] holds one. */
  readonly inserted?: { readonly keep: Tensor; readonly rows: Tensor } | undefined;
}

/** The rows of `weight` [vocabulary, c] at the tokens, or what is inserted: [b, t, c]. */
export function tokenRows(w: Weights, { tokens, inserted }: TokenInputs): Tensor {
  const h = embedding(w, tokens); // [b, t, c]
  return inserted ? add(mul(h, inserted.keep), inserted.rows) : h;
}
