/**
 * The autoencoder of Wan 2.1 and Qwen-Image, on single frames. It is causal in time: what a frame's convolutions
 * see of the time before is nothing, so that of their filters only the last moment counts.
 *
 * Paper: Wan Team 2025, "Wan: Open and Advanced Large-Scale Video Generative Models". Reference: `vae.py` of
 * Wan-Video/Wan2.1, whose key names released files carry.
 * Frames are [b, 3, 8*h, 8*w] in -1..1 (4 channels where a layer's alpha is one), latents [b, z, h, w].
 * Sites: every block under its own name {x}.
 */
import type { Weights } from '../tensor/cursor.ts';
import { conv2d } from '../tensor/layers.ts';
import {
  add,
  attention,
  chunk,
  div,
  maximum,
  mul,
  padZero,
  rearrange,
  reshape,
  silu,
  slice,
  sqrt,
  squeeze,
  sum,
  upsampleNearest,
} from '../tensor/nn.ts';
import { convAttrs, windowOps } from '../tensor/ops/windows.ts';
import { type Tensor, node } from '../tensor/tensor.ts';

export interface WanVaeConfig {
  readonly latentChannels: number;
  readonly pictureChannels: number;
  /** Channels at full resolution, where the memory goes. */
  readonly encoderWidth: number;
  readonly decoderWidth: number;
}

/** The autoencoder's sizes when `w` stands on one of Wan 2.1, else undefined. */
export function detectWanVae(w: Weights): WanVaeConfig | undefined {
  if (!w.has('decoder.middle.0.residual.0.gamma') || !w.has('decoder.upsamples.0.residual')) {
    return undefined;
  }
  return {
    latentChannels: w.shape('conv2.weight')[1],
    pictureChannels: w.shape('decoder.head.2.weight')[0],
    encoderWidth: w.has('encoder') ? w.shape('encoder.conv1.weight')[0] : 0,
    decoderWidth: w.shape('decoder.head.0.gamma')[0],
  };
}

/** The mean of the latent distribution of a frame [b, c, 8*h, 8*w] in -1..1: [b, z, h, w]. */
export function encodeFrame(w: Weights, frame: Tensor): Tensor {
  const encoder = w.at('encoder');
  let h = convFrame(encoder.at('conv1'), frame);
  h = sequence(encoder, 'downsamples', h);
  h = head(encoder.at('head'), sequence(encoder, 'middle', h));
  return chunk(convFrame(w.at('conv1'), h), 2, 1)[0];
}

/** The frame of a latent [b, z, h, w]: [b, c, 8*h, 8*w], about -1..1, not clamped. */
export function decodeFrame(w: Weights, latent: Tensor): Tensor {
  const decoder = w.at('decoder');
  let h = convFrame(decoder.at('conv1'), convFrame(w.at('conv2'), latent));
  h = sequence(decoder, 'middle', h);
  return head(decoder.at('head'), sequence(decoder, 'upsamples', h));
}

const head = (w: Weights, x: Tensor): Tensor =>
  convFrame(w.at('2'), silu(channelNorm(w.at('0'), x)));

/** Blocks one after another, each known by the keys it has. */
function sequence(w: Weights, name: string, x: Tensor): Tensor {
  let h = x;
  for (let i = 0; i < w.count(name); i++) {
    const at = w.at(`${name}.${i}`);
    h = at.site({ x: h }, ({ x }) => {
      if (at.has('residual')) return residual(at, x);
      if (at.has('to_qkv')) return selfAttention(at, x);
      return name === 'upsamples' ? upsample(at, x) : downsample(at, x);
    });
  }
  return h;
}

function residual(w: Weights, x: Tensor): Tensor {
  const inner = w.at('residual');
  let h = convFrame(inner.at('2'), silu(channelNorm(inner.at('0'), x)));
  h = convFrame(inner.at('6'), silu(channelNorm(inner.at('3'), h)));
  return add(h, w.has('shortcut') ? convFrame(w.at('shortcut'), x) : x);
}

/** One head over all positions of the frame. */
function selfAttention(w: Weights, x: Tensor): Tensor {
  const [, , height, width] = x.shape;
  const qkv = rearrange(
    conv2d(w.at('to_qkv'), channelNorm(w.at('norm'), x)),
    'b c h w -> b (h w) c',
  );
  const [q, k, v] = chunk(qkv, 3, -1);
  const mixed = rearrange(attention(q, k, v, { heads: 1 }), 'b (h w) c -> b c h w', {
    h: height,
    w: width,
  });
  return add(x, conv2d(w.at('proj'), mixed));
}

const upsample = (w: Weights, x: Tensor): Tensor =>
  conv2d(w.at('resample.1'), upsampleNearest(x, { scale: 2 }), { pad: 1 });

/** A row below and a column on the right make up for the missing padding of the other sides. */
function downsample(w: Weights, x: Tensor): Tensor {
  const sides = [
    [0, 1],
    [0, 1],
  ] as const;
  return conv2d(w.at('resample.1'), padZero(x, sides), { stride: 2 });
}

/** x [b, c, h, w] over its length across channels, times sqrt(c) and a learned factor. */
export function channelNorm(w: Weights, x: Tensor): Tensor {
  const [channels] = w.shape('gamma');
  const length = maximum(sqrt(sum(mul(x, x), 1, { keep: true })), 1e-12);
  const factor = mul(reshape(w.param('gamma'), [1, channels, 1, 1]), Math.sqrt(channels));
  return mul(div(x, length), factor);
}

/** A convolution over time and space on a frame without a past: the last moment of its filter. */
const convFrame = (w: Weights, x: Tensor): Tensor =>
  w.layer(x, (weight, bias) => {
    const last = squeeze(slice(weight, 2, -1), 2); // [o, i, k, k]
    const attrs = convAttrs(last, { pad: last.shape[2] === 1 ? 0 : 1 });
    return node(windowOps.conv, bias ? [x, last, bias] : [x, last], attrs, w.scope);
  });
