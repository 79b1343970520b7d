/**
 * TAESD: a tiny autoencoder that stands in for AutoencoderKL (previews, weak machines).
 *
 * Reference: madebyollin/taesd. Encoder and decoder are plain numbered lists of layers; layers
 * without weights leave gaps in the numbers. Files: `taesd_encoder`, `taesd_decoder` in `vae_approx`.
 * Pictures are [b, 3, 8*h, 8*w] in 0..1, latents [b, z, h, w] in the diffusion model's units.
 */
import type { Weights } from '../tensor/cursor.ts';
import { conv2d } from '../tensor/layers.ts';
import { add, mul, relu, tanh, upsampleNearest } from '../tensor/nn.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** Latent channels when `w` stands on a TAESD decoder, else undefined. */
export function detectTaesdDecoder(w: Weights): { readonly latentChannels: number } | undefined {
  if (!w.has('1.weight') || !w.has('3.conv.0.weight') || w.has('0.weight')) return undefined;
  return { latentChannels: w.shape('1.weight')[1] };
}

/** The latent of a picture [b, 3, 8*h, 8*w] in 0..1: [b, z, h, w]. */
export function encodeTaesd(w: Weights, picture: Tensor): Tensor {
  let h = picture;
  for (const layer of layers(w)) {
    if (layer.has('conv')) h = block(layer, h);
    // the convolutions that halve the picture are the ones without a bias
    else h = conv2d(layer, h, { pad: 1, stride: layer.has('bias') ? 1 : 2 });
  }
  return h; // [b, z, h, w]
}

/** The picture of a latent [b, z, h, w]: [b, 3, 8*h, 8*w], about 0..1, not clamped. */
export function decodeTaesd(w: Weights, latent: Tensor): Tensor {
  let h = mul(tanh(mul(latent, 1 / 3)), 3); // soft clamp
  let last = 0;
  for (const layer of layers(w)) {
    const index = Number(layer.scope.split('.').at(-1));
    // a gap after the first block is an upsampling layer
    if (index > 3 && index !== last + 1) h = upsampleNearest(h, { scale: 2 }); // [b, c, 2*h, 2*w]
    last = index;
    if (layer.has('conv')) h = block(layer, h);
    else h = conv2d(layer, h, { pad: 1 });
    if (index === 1) h = relu(h);
  }
  return h; // [b, 3, 8*h, 8*w]
}

/** The numbered layers that have weights, in order. */
function layers(w: Weights): Weights[] {
  const numbers = [...w.ledger.source.tensors.keys()]
    .filter((key) => w.scope === '' || key.startsWith(`${w.scope}.`))
    .map((key) => Number(key.slice(w.scope === '' ? 0 : w.scope.length + 1).split('.')[0]));
  return [...new Set(numbers.filter(Number.isInteger))]
    .sort((a, b) => a - b)
    .map((n) => w.at(String(n)));
}

function block(w: Weights, x: Tensor): Tensor {
  let h = relu(conv2d(w.at('conv.0'), x, { pad: 1 }));
  h = relu(conv2d(w.at('conv.2'), h, { pad: 1 }));
  h = conv2d(w.at('conv.4'), h, { pad: 1 });
  return relu(add(h, w.has('skip') ? conv2d(w.at('skip'), x) : x)); // [b, c, h, w]
}
