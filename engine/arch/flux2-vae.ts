/**
 * The autoencoder of FLUX.2: Stable Diffusion's, whose latent cells are packed two by two into channels and
 * normed by the statistics of its training.
 *
 * Source: black-forest-labs/flux2, `autoencoder.py`. Pictures are [b, 3, 16*h, 16*w] in -1..1, latents
 * [b, 4*z, h, w]; a channel's cells lie row by row.
 */
import type { Weights } from '../tensor/cursor.ts';
import { add, div, mul, rearrange, reshape, sqrt, sub } from '../tensor/nn.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { wholePatches } from './patchify.ts';
import { decode, detectKl, encode, type VaeConfig } from './vae.ts';

const side = 2;
const epsilon = 1e-4;

/** The autoencoder's sizes when `w` stands on one of FLUX.2, else undefined; latents as they are packed. */
export function detectFlux2Vae(w: Weights): VaeConfig | undefined {
  const config = w.has('bn.running_mean') ? detectKl(w) : undefined;
  return (
    config && {
      ...config,
      latentChannels: config.latentChannels * side ** 2,
      factor: config.factor * side,
    }
  );
}

/** The latent of a picture [b, 3, 16*h, 16*w] in -1..1: [b, 4*z, h, w]. */
export function encodeFlux2(w: Weights, picture: Tensor): Tensor {
  const latent = wholePatches(encode(w, picture), side);
  const packed = rearrange(latent, 'b c (h p) (w q) -> b (c p q) h w', { p: side, q: side });
  const { mean, deviation } = statistics(w);
  return div(sub(packed, mean), deviation);
}

/** The picture of a latent [b, 4*z, h, w]: [b, 3, 16*h, 16*w], about -1..1, not clamped. */
export function decodeFlux2(w: Weights, latent: Tensor): Tensor {
  const { mean, deviation } = statistics(w);
  const packed = add(mul(latent, deviation), mean);
  return decode(w, rearrange(packed, 'b (c p q) h w -> b c (h p) (w q)', { p: side, q: side }));
}

/** Of every channel, [1, c, 1, 1]. */
function statistics(w: Weights): { readonly mean: Tensor; readonly deviation: Tensor } {
  const of = (name: string): Tensor => reshape(w.param(`bn.${name}`), [1, -1, 1, 1]);
  return { mean: of('running_mean'), deviation: sqrt(add(of('running_var'), epsilon)) };
}
