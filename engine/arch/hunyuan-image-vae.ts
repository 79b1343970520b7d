/**
 * The autoencoders of HunyuanImage 2.1 (single pictures) and of its refiner (videos, here of one frame): residual
 * blocks as in Stable Diffusion's, between them layers that fold pixels into channels, each beside a shortcut without
 * weights (Chen et al. 2024, "Deep Compression Autoencoder").
 *
 * Reference: `autoencoder_kl_hunyuanimage` of Tencent-Hunyuan/HunyuanImage-2.1. The refiner's is causal in time: before
 * its first frame it sees that frame again, so that of one frame every filter over time counts with its sum.
 * Pictures are [b, 3, f*h, f*w] in -1..1, latents [b, z, h, w]; the refiner's hold two of them in their channels, of
 * which the second is the frame's.
 * Sites: every block under its own name {x}.
 */
import type { Weights } from '../tensor/cursor.ts';
import { conv2d, groupNorm } from '../tensor/layers.ts';
import {
  add,
  attention,
  chunk,
  concat,
  expand,
  mean,
  pad,
  rearrange,
  reshape,
  settle,
  silu,
  slice,
  sum,
  unsqueeze,
} from '../tensor/nn.ts';
import { convAttrs, windowOps } from '../tensor/ops/windows.ts';
import { mulDim } from '../tensor/shape.ts';
import { type Tensor, node } from '../tensor/tensor.ts';
import type { VaeConfig } from './vae.ts';
import { channelNorm } from './wan-vae.ts';

/** How layers lie in the file and what they do. */
interface Layers {
  /** Behind a convolution's name. */
  readonly inner: string;
  readonly conv: (w: Weights, x: Tensor) => Tensor;
  readonly norm: (w: Weights, x: Tensor) => Tensor;
}

const ofPictures: Layers = {
  inner: '',
  conv: (w, x) => conv2d(w, x, { pad: (w.shape('weight')[2] - 1) / 2 }),
  norm: (w, x) => groupNorm(w, x, { eps: 1e-6 }),
};

const ofFrames: Layers = { inner: '.conv', conv: convFrame, norm: channelNorm };

const side = 2;

/** The autoencoder's sizes when `w` stands on HunyuanImage's, else undefined. */
export const detectHunyuanImageVae = (w: Weights): VaeConfig | undefined =>
  w.has('decoder.norm_out.weight') ? sizes(w, ofPictures) : undefined;

/** The same for its refiner's. */
export function detectHunyuanRefinerVae(w: Weights): VaeConfig | undefined {
  const config = w.has('decoder.norm_out.gamma') ? sizes(w, ofFrames) : undefined;
  return config && { ...config, latentChannels: 2 * config.latentChannels };
}

/** Of a decoder whose levels are numbered from the innermost on. */
function sizes(w: Weights, { inner }: Layers): VaeConfig | undefined {
  const first = `decoder.conv_in${inner}.weight`;
  const enlarges = w.has(`decoder.up.0.upsample.conv${inner}.weight`);
  if (!enlarges || !w.has(first) || w.shape(first).length !== (inner ? 5 : 4)) return undefined;
  return {
    latentChannels: w.shape(first)[1],
    factor: side ** (w.count('decoder.up') - 1),
    encoderWidth: w.has('encoder') ? w.shape(`encoder.conv_in${inner}.weight`)[0] : 0,
    decoderWidth: w.shape(`decoder.conv_out${inner}.weight`)[1],
  };
}

/** The mean of the latent distribution of a picture [b, 3, f*h, f*w] in -1..1: [b, z, h, w]. */
export const encodeHunyuanImage = (w: Weights, picture: Tensor): Tensor =>
  encoder(w.at('encoder'), picture, ofPictures);

/** The picture of a latent [b, z, h, w]: [b, 3, f*h, f*w], about -1..1, not clamped. */
export const decodeHunyuanImage = (w: Weights, latent: Tensor): Tensor =>
  decoder(w.at('decoder'), latent, ofPictures);

/** The refiner's latent of one frame [b, 3, f*h, f*w] in -1..1: [b, z, h, w]. */
export function encodeHunyuanFrame(w: Weights, frame: Tensor): Tensor {
  const latent = encoder(w.at('encoder'), frame, ofFrames);
  return concat([latent, latent], 1);
}

/** The frame of a refiner's latent [b, z, h, w]: [b, 3, f*h, f*w], about -1..1, not clamped. */
export const decodeHunyuanFrame = (w: Weights, latent: Tensor): Tensor =>
  decoder(w.at('decoder'), chunk(latent, 2, 1)[1], ofFrames);

function encoder(w: Weights, picture: Tensor, layers: Layers): Tensor {
  let h = layers.conv(w.at('conv_in'), picture); // [b, c, H, W]
  for (let level = 0; level < w.count('down'); level++) {
    const down = w.at(`down.${level}`);
    for (let i = 0; i < down.count('block'); i++) h = resBlock(down.at(`block.${i}`), h, layers);
    const wanted = enters(w.at(`down.${level + 1}`), layers);
    if (down.has('downsample')) h = fold(down.at('downsample'), h, { wanted, layers });
  }
  h = middle(w.at('mid'), h, layers);
  const moments = layers.conv(w.at('conv_out'), silu(layers.norm(w.at('norm_out'), h)));
  return chunk(add(moments, grouped(h, channelsOf(moments))), 2, 1)[0]; // [b, z, h, w]
}

function decoder(w: Weights, latent: Tensor, layers: Layers): Tensor {
  const first = layers.conv(w.at('conv_in'), latent);
  let h = add(first, repeated(latent, channelsOf(first))); // [b, c, h, w]
  h = middle(w.at('mid'), h, layers);
  for (let level = 0; level < w.count('up'); level++) {
    const up = w.at(`up.${level}`);
    for (let i = 0; i < up.count('block'); i++) h = resBlock(up.at(`block.${i}`), h, layers);
    const wanted = enters(w.at(`up.${level + 1}`), layers);
    if (up.has('upsample')) h = unfold(up.at('upsample'), h, { wanted, layers });
  }
  return layers.conv(w.at('conv_out'), silu(layers.norm(w.at('norm_out'), h))); // [b, 3, H, W]
}

/** Channels that a level's first block takes. */
const enters = (level: Weights, { inner }: Layers): number =>
  level.has('block') ? level.shape(`block.0.conv1${inner}.weight`)[1] : 0;

/** Weights have fixed sizes, and so have channels. */
const channelsOf = ({ shape: [, channels] }: Tensor): number => channels as number;

interface Change {
  /** Channels that the next level takes. */
  readonly wanted: number;
  readonly layers: Layers;
}

/** Half the sides: pixels go into channels. A layer over time would bring a second frame, which is the first again. */
const fold = (w: Weights, x: Tensor, { wanted, layers }: Change): Tensor =>
  w.site({ x }, ({ x }) => {
    const into = (x: Tensor): Tensor =>
      rearrange(x, 'b c (h p) (w q) -> b (p q c) h w', { p: side, q: side });
    const folded = into(layers.conv(w.at('conv'), x));
    const whole = channelsOf(folded) < wanted ? concat([folded, folded], 1) : folded;
    return settle(add(whole, grouped(into(x), wanted)));
  });

/** Twice the sides: pixels come out of channels. A layer over time makes two frames, the first of which counts. */
const unfold = (w: Weights, x: Tensor, { wanted, layers }: Change): Tensor =>
  w.site({ x }, ({ x }) => {
    const outOf = (x: Tensor): Tensor =>
      rearrange(x, 'b (p q c) h w -> b c (h p) (w q)', { p: side, q: side });
    const all = outOf(layers.conv(w.at('conv'), x));
    const own = channelsOf(all) > wanted ? slice(all, 1, 0, wanted) : all;
    return settle(add(own, outOf(repeated(x, wanted * side ** 2))));
  });

/** Means of neighbouring channels, so many that `count` are left. */
function grouped(x: Tensor, count: number): Tensor {
  const g = channelsOf(x) / count;
  return g === 1 ? x : mean(rearrange(x, 'b (c g) h w -> b c g h w', { g }), 2);
}

/** Each channel several times in a row, up to `count`. */
function repeated(x: Tensor, count: number): Tensor {
  const [batch, channels, height, width] = x.shape;
  const times = count / channelsOf(x);
  const more = expand(unsqueeze(x, 2), [batch, channels, times, height, width]);
  return reshape(more, [batch, mulDim(channels, times), height, width]);
}

function middle(w: Weights, x: Tensor, layers: Layers): Tensor {
  const h = attentionBlock(w.at('attn_1'), resBlock(w.at('block_1'), x, layers), layers);
  return resBlock(w.at('block_2'), h, layers);
}

const resBlock = (w: Weights, x: Tensor, { conv, norm }: Layers): Tensor =>
  w.site({ x }, ({ x }) => {
    let h = settle(conv(w.at('conv1'), silu(norm(w.at('norm1'), x))));
    h = conv(w.at('conv2'), silu(norm(w.at('norm2'), h)));
    return settle(add(w.has('nin_shortcut') ? conv(w.at('nin_shortcut'), x) : x, h)); // [b, c, h, w]
  });

/** One head over all positions. */
const attentionBlock = (w: Weights, x: Tensor, { norm }: Layers): Tensor =>
  w.site({ x }, ({ x }) => {
    const [, , height, width] = x.shape;
    const n = norm(w.at('norm'), x);
    const tokens = (name: string) => rearrange(filtered(w.at(name), n), 'b c h w -> b (h w) c');
    const h = attention(tokens('q'), tokens('k'), tokens('v'), { heads: 1 }); // [b, h*w, c]
    const square = rearrange(h, 'b (h w) c -> b c h w', { h: height, w: width });
    return add(x, filtered(w.at('proj_out'), square));
  });

/** A convolution over time and space on a frame that was there before, with its edge around it. */
function convFrame(w: Weights, x: Tensor): Tensor {
  const inner = w.at('conv');
  const margin = (inner.shape('weight')[3] - 1) / 2;
  const sides = [
    [margin, margin],
    [margin, margin],
  ] as const;
  return filtered(inner, margin > 0 ? pad(x, sides, { mode: 'edge' }) : x);
}

/** A convolution without padding; a filter over time meets the same frame everywhere. */
const filtered = (w: Weights, x: Tensor): Tensor =>
  w.layer(x, (weight, bias) => {
    const filter = weight.shape.length === 5 ? sum(weight, 2) : weight; // [o, i, k, k]
    return node(
      windowOps.conv,
      bias ? [x, filter, bias] : [x, filter],
      convAttrs(filter, {}),
      w.scope,
    );
  });
