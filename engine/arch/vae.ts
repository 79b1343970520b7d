/**
 * AutoencoderKL: the picture autoencoder of Stable Diffusion 1, 2, XL, 3 and Flux.
 *
 * Paper: Rombach et al. 2022, section 3.1 and appendix G. Reference: `Encoder` and `Decoder` of
 * CompVis/latent-diffusion's `model.py`, whose key names lie under `first_stage_model.` (or `vae.`).
 * Pictures are [b, 3, 8*h, 8*w] in -1..1, latents [b, z, h, w] without a scale factor.
 * Sites: every block and attention under its own name {x}, `decoder.conv_in` and `quant_conv` {h}.
 */
import type { Weights } from '../tensor/cursor.ts';
import { conv2d, groupNorm } from '../tensor/layers.ts';
import {
  add,
  attention,
  chunk,
  padZero,
  rearrange,
  settle,
  silu,
  upsampleNearest,
} from '../tensor/nn.ts';
import type { Tensor } from '../tensor/tensor.ts';

export interface VaeConfig {
  readonly latentChannels: number;
  /** Pixels per latent cell and side. */
  readonly factor: number;
  /** Channels at full resolution, where the memory goes. */
  readonly encoderWidth: number;
  readonly decoderWidth: number;
}

/** The autoencoder's sizes when `w` stands on a KL picture autoencoder of plain latents, else undefined. */
export function detectVae(w: Weights): VaeConfig | undefined {
  const config = detectKl(w);
  // HunyuanImage uses other blocks under these names
  return config && config.latentChannels <= 16 ? config : undefined;
}

/** The sizes of an encoder and decoder under the names of this file. */
export function detectKl(w: Weights): VaeConfig | undefined {
  if (!w.has('decoder.conv_in.weight') || !w.has('decoder.mid.attn_1.q.weight')) return undefined;
  if (w.has('decoder.mid.block_1.mix_factor')) return undefined; // SVD's decoder mixes over time
  return {
    latentChannels: w.shape('decoder.conv_in.weight')[1],
    factor: 2 ** (w.count('decoder.up') - 1),
    encoderWidth: w.has('encoder') ? w.shape('encoder.conv_in.weight')[0] : 0,
    decoderWidth: w.shape('decoder.up.0.block.0.norm1.weight')[0],
  };
}

/** The mean of the latent distribution of a picture [b, 3, 8*h, 8*w] in -1..1: [b, z, h, w]. */
export function encode(w: Weights, picture: Tensor): Tensor {
  const h = encoder(w.at('encoder'), picture); // [b, 2*z, h, w]
  const quant = quantConv(w, 'quant_conv', 'encoder');
  const moments = quant.site({ h }, ({ h }) => (quant.has('weight') ? conv2d(quant, h) : h));
  return chunk(moments, 2, 1)[0]; // [b, z, h, w]
}

/** The picture of a latent [b, z, h, w]: [b, 3, 8*h, 8*w], about -1..1, not clamped. */
export function decode(w: Weights, latent: Tensor): Tensor {
  const quant = quantConv(w, 'post_quant_conv', 'decoder');
  return decoder(w.at('decoder'), quant.has('weight') ? conv2d(quant, latent) : latent);
}

/** A convolution between latent and network, beside the half that it belongs to or in it (FLUX.2). */
const quantConv = (w: Weights, name: string, half: string): Weights =>
  w.has(`${half}.${name}`) ? w.at(`${half}.${name}`) : w.at(name);

function encoder(w: Weights, x: Tensor): Tensor {
  let h = conv2d(w.at('conv_in'), x, { pad: 1 }); // [b, c, H, W]
  for (let level = 0; level < w.count('down'); level++) {
    const down = w.at(`down.${level}`);
    for (let i = 0; i < down.count('block'); i++) h = resBlock(down.at(`block.${i}`), h);
    if (down.has('downsample')) h = downsample(down.at('downsample'), h); // [b, c, H/2, W/2]
  }
  h = middle(w.at('mid'), h);
  h = silu(groupNorm(w.at('norm_out'), h, { eps: 1e-6 }));
  return conv2d(w.at('conv_out'), h, { pad: 1 }); // [b, 2*z, h, w]
}

/** Levels are numbered from the outermost, so the decoder runs them backwards. */
function decoder(w: Weights, z: Tensor): Tensor {
  const first = w.at('conv_in');
  let h = first.site({ h: z }, ({ h }) => conv2d(first, h, { pad: 1 })); // [b, c, h, w]
  h = middle(w.at('mid'), h);
  for (let level = w.count('up') - 1; level >= 0; level--) {
    const up = w.at(`up.${level}`);
    for (let i = 0; i < up.count('block'); i++) h = resBlock(up.at(`block.${i}`), h);
    if (up.has('upsample')) h = upsample(up.at('upsample'), h); // [b, c, 2*h, 2*w]
  }
  h = silu(groupNorm(w.at('norm_out'), h, { eps: 1e-6 }));
  return conv2d(w.at('conv_out'), h, { pad: 1 }); // [b, 3, H, W]
}

function middle(w: Weights, x: Tensor): Tensor {
  const h = attentionBlock(w.at('attn_1'), resBlock(w.at('block_1'), x));
  return resBlock(w.at('block_2'), h);
}

const resBlock = (w: Weights, x: Tensor): Tensor =>
  w.site({ x }, ({ x }) => {
    let h = conv2d(w.at('conv1'), silu(groupNorm(w.at('norm1'), x, { eps: 1e-6 })), { pad: 1 });
    h = settle(h);
    h = conv2d(w.at('conv2'), silu(groupNorm(w.at('norm2'), h, { eps: 1e-6 })), { pad: 1 });
    return settle(add(w.has('nin_shortcut') ? conv2d(w.at('nin_shortcut'), x) : x, h)); // [b, c, h, w]
  });

/** One head over all positions. */
const attentionBlock = (w: Weights, x: Tensor): Tensor =>
  w.site({ x }, ({ x }) => {
    const [, , height, width] = x.shape;
    const n = groupNorm(w.at('norm'), x, { eps: 1e-6 });
    const tokens = (name: string) => rearrange(conv2d(w.at(name), n), 'b c h w -> b (h w) c');
    const h = attention(tokens('q'), tokens('k'), tokens('v'), { heads: 1 }); // [b, h*w, c]
    const square = rearrange(h, 'b (h w) c -> b c h w', { h: height, w: width });
    return add(x, conv2d(w.at('proj_out'), square));
  });

const upsample = (w: Weights, x: Tensor): Tensor =>
  w.site({ x }, ({ x }) =>
    settle(conv2d(w.at('conv'), upsampleNearest(x, { scale: 2 }), { pad: 1 })),
  );

/** A row below and a column on the right make up for the missing padding of the other sides. */
function downsample(w: Weights, x: Tensor): Tensor {
  const sides = [
    [0, 1],
    [0, 1],
  ] as const;
  return conv2d(w.at('conv'), padZero(x, sides), { stride: 2 });
}
