/**
 * Stage A of Stable Cascade: an autoencoder that was trained on a table of 4-channel cells (Esser et al. 2021,
 * VQGAN). Latents are taken as they are, without the table.
 *
 * Paper: Pernias et al. 2023, "Würstchen". Source: Stability AI's StableCascade, whose key names released
 * files carry. Pictures are [b, 3, 4*h, 4*w] in 0..1, latents [b, 4, h, w].
 */
import type { Weights } from '../../tensor/cursor.ts';
import { conv2d, convTranspose, linear } from '../../tensor/layers.ts';
import { add, gelu, mul, pad, plainLayerNorm, slice } from '../../tensor/nn.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { VaeConfig } from '../vae.ts';
import {
  batchNorm,
  channelsFirst,
  channelsLast,
  pixelShuffle,
  pixelUnshuffle,
} from '../upscale/pixels.ts';

/** The sizes of a stage A under `w`, or undefined. */
export function detectStageA(w: Weights): VaeConfig | undefined {
  if (!w.has('vquantizer.codebook.weight')) return undefined;
  const [, latentChannels] = w.shape('vquantizer.codebook.weight');
  // blocks are four times as wide inside, at half the picture's size
  const [width] = w.shape('in_block.1.weight');
  return { latentChannels, factor: 4, encoderWidth: width, decoderWidth: width };
}

/** The latent of a picture [b, 3, 4*h, 4*w] in 0..1: [b, 4, h, w]. */
export function encodeStageA(w: Weights, picture: Tensor): Tensor {
  let h = conv2d(w.at('in_block.1'), pixelUnshuffle(picture, 2));
  for (let i = 0; i < w.count('down_blocks'); i++) {
    const layer = w.at(`down_blocks.${i}`);
    if (layer.has('gammas')) h = mixed(layer, h);
    else if (layer.has('weight')) h = conv2d(layer, h, { stride: 2, pad: 1 });
    else h = batchNorm(layer.at('1'), conv2d(layer.at('0'), h));
  }
  return h;
}

/** The picture of a latent [b, 4, h, w]: [b, 3, 4*h, 4*w], about 0..1, not clamped. */
export function decodeStageA(w: Weights, latent: Tensor): Tensor {
  let h = latent;
  for (let i = 0; i < w.count('up_blocks'); i++) {
    const layer = w.at(`up_blocks.${i}`);
    if (layer.has('gammas')) h = mixed(layer, h);
    else if (layer.has('weight')) h = convTranspose(layer, h, { stride: 2, pad: 1 });
    else h = conv2d(layer.at('0'), h);
  }
  return pixelShuffle(conv2d(w.at('out_block.0'), h), 2);
}

const side = [1, 1] as const;

/** Channel by channel over places, then place by place over channels, each in a learned measure. */
function mixed(w: Weights, x: Tensor): Tensor {
  const gammas = w.param('gammas'); // [6]
  const [scale1, shift1, gate1, scale2, shift2, gate2] = [0, 1, 2, 3, 4, 5].map((i) =>
    slice(gammas, 0, i, i + 1),
  );
  const own = channelsFirst(changed(x, scale1, shift1)); // [b, c, h, w]
  const around = pad(own, [side, side], { mode: 'edge' });
  const groups = w.shape('depthwise.1.weight')[0];
  const seen = add(x, mul(conv2d(w.at('depthwise.1'), around, { groups }), gate1));
  const mix = w.at('channelwise');
  const wide = gelu(linear(mix.at('0'), changed(seen, scale2, shift2))); // [b, h, w, 4*c]
  return add(seen, mul(channelsFirst(linear(mix.at('2'), wide)), gate2));
}

/** x [b, c, h, w] normed and moved, its channels last. */
const changed = (x: Tensor, scale: Tensor, shift: Tensor): Tensor =>
  add(mul(plainLayerNorm(channelsLast(x), { eps: 1e-6 }), add(scale, 1)), shift);
