/**
 * Style models: turn what a picture encoder saw into tokens beside the text.
 *
 * - T2I-Adapter's style adapter (Mou et al. 2023) for SD1: a few learned tokens look at the picture's
 *   (`style_embedding`, `transformer_layes.*` (sic), `proj`); its blocks come under CLIP's names.
 * - Flux Redux (Black Forest Labs 2024): every token of SigLIP projected (`redux_up`, `redux_down`).
 *
 * In: the encoder's last hidden states [b, t, c]; out: tokens [b, n, width of the text].
 */
import type { Weights } from '../tensor/cursor.ts';
import { layerNorm, linear } from '../tensor/layers.ts';
import { concat, expand, matmul, silu, slice } from '../tensor/nn.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { clipBlock } from './clip.ts';

export interface StyleModelKind {
  readonly name: string;
  /** A key that every file of this kind has. */
  readonly marker: string;
  /** Width of the hidden states it reads. */
  inputWidth(w: Weights): number;
  build(w: Weights, x: Tensor): Tensor;
}

/** Heads of the released adapter's blocks, which shapes do not tell. */
const adapterHeads = 8;

export const styleModelKinds: readonly StyleModelKind[] = [
  {
    name: 't2i-style-adapter',
    marker: 'style_embedding',
    inputWidth: (w) => w.shape('ln_pre.weight')[0],
    build: (w, x) => styleAdapter(w, x, { heads: adapterHeads }),
  },
  {
    name: 'redux',
    marker: 'redux_down.weight',
    inputWidth: (w) => w.shape('redux_up.weight')[1],
    build: (w, x) => linear(w.at('redux_down'), silu(linear(w.at('redux_up'), x))),
  },
];

/** The style adapter with its blocks' heads. */
export function styleAdapter(w: Weights, x: Tensor, { heads }: { heads: number }): Tensor {
  const [, tokens, width] = w.shape('style_embedding');
  const own = expand(w.param('style_embedding'), [x.shape[0], tokens, width]);
  let h = layerNorm(w.at('ln_pre'), concat([x, own], 1)); // [b, t + n, c]
  for (let i = 0; i < w.count('transformer_layes'); i++) {
    h = clipBlock(w.at(`transformer_layes.${i}`), h, { heads, activation: 'quickGelu' });
  }
  return matmul(layerNorm(w.at('ln_post'), slice(h, 1, -tokens)), w.param('proj')); // [b, n, width]
}
