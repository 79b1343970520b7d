/** Norms of queries and keys, head by head. */
import type { Weights } from '../tensor/cursor.ts';
import { rmsNorm } from '../tensor/layers.ts';
import { reshape } from '../tensor/nn.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** RMS norm of every head of x [b, t, heads*d] by the weight (or `scale`) [d] here. */
export function headNorm(w: Weights, x: Tensor, { eps = 1e-6 }: { eps?: number } = {}): Tensor {
  const [batch, tokens, channels] = x.shape;
  const [width] = w.shape(w.has('weight') ? 'weight' : 'scale');
  const normed = rmsNorm(w, reshape(x, [batch, tokens, -1, width]), { eps });
  return reshape(normed, [batch, tokens, channels]);
}
