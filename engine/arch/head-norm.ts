/** Norms of queries and keys, head by head. */
import type { Weights } from '../tensor/cursor.ts';
import { layerNorm, rmsNorm } from '../tensor/layers.ts';
import { reshape } from '../tensor/nn.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** RMS norm of every head of x [b, t, heads*d] by the weight (or `scale`) [d] here. */
export const headNorm = (w: Weights, x: Tensor, { eps = 1e-6 }: { eps?: number } = {}): Tensor =>
  onHeads(w, x, (heads) => rmsNorm(w, heads, { eps }));

/** The same with a norm that takes the mean off, and with bias where the checkpoint has one. */
export const headLayerNorm = (
  w: Weights,
  x: Tensor,
  { eps = 1e-5 }: { eps?: number } = {},
): Tensor => onHeads(w, x, (heads) => layerNorm(w, heads, { eps }));

/** f on x [b, t, heads*d] as [b, t, heads, d]; d is that of the weight here. */
function onHeads(w: Weights, x: Tensor, f: (heads: Tensor) => Tensor): Tensor {
  const [batch, tokens, channels] = x.shape;
  const [width] = w.shape(w.has('weight') ? 'weight' : 'scale');
  return reshape(f(reshape(x, [batch, tokens, -1, width])), [batch, tokens, channels]);
}
