/**
 * PhotoMaker (Li et al. 2024, "PhotoMaker: Customizing Realistic Human Photos via Stacked ID
 * Embedding"), version 1: what CLIP-L sees of a person's picture, mixed into one token of the prompt.
 * Key names as released, below `id_encoder`.
 */
import type { Weights } from '../tensor/cursor.ts';
import { layerNorm, linear } from '../tensor/layers.ts';
import { add, concat, gelu } from '../tensor/nn.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type ClipVisionConfig, clipVisionTrunk } from './clip-vision.ts';

/** The token [1, c] of the prompt with the person of `pixels` [1, 3, size, size] in it: [1, c]. */
export function photoMaker(
  w: Weights,
  { pixels, token }: { readonly pixels: Tensor; readonly token: Tensor },
  config: ClipVisionConfig,
): Tensor {
  const { seen } = clipVisionTrunk(w, pixels, config);
  const person = concat(
    ['visual_projection', 'visual_projection_2'].map((name) => linear(w.at(name), seen)),
    1,
  ); // [1, c]
  const fuse = w.at('fuse_module');
  const mixed = add(mlp(fuse.at('mlp1'), concat([token, person], 1)), token);
  return layerNorm(fuse.at('layer_norm'), add(mlp(fuse.at('mlp2'), mixed), mixed));
}

const mlp = (w: Weights, x: Tensor): Tensor =>
  linear(w.at('fc2'), gelu(linear(w.at('fc1'), layerNorm(w.at('layernorm'), x))));
