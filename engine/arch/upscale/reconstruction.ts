/** What the transformers for upscaling share around their bodies: shallow features in, pixels out. */
import type { Weights } from '../../tensor/cursor.ts';
import { conv2d, layerNorm } from '../../tensor/layers.ts';
import { add, leakyRelu, upsampleNearest } from '../../tensor/nn.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { channelsFirst, channelsLast, numbersUnder, pixelShuffle } from './pixels.ts';

/**
 * How features become pixels: steps of convolution and pixel shuffle; a single such step straight to
 * pixels; nearest-neighbour steps of two; or none, where the network keeps the picture's size.
 */
export type Upsampler = 'pixelshuffle' | 'pixelshuffledirect' | 'nearest+conv' | 'none';

/** The upsampler of a network with these names. */
export function upsamplerOf(w: Weights): Upsampler {
  if (w.has('conv_before_upsample.0.weight')) {
    return w.has('conv_up1.weight') ? 'nearest+conv' : 'pixelshuffle';
  }
  return w.has('upsample.0.weight') ? 'pixelshuffledirect' : 'none';
}

/** How many times larger its result is, with `outputChannels` for the direct step. */
export function upsamplerScale(w: Weights, upsampler: Upsampler, outputChannels: number): number {
  switch (upsampler) {
    case 'pixelshuffle':
      return shuffleScale(w.at('upsample'));
    case 'pixelshuffledirect':
      return Math.floor(Math.sqrt(w.shape('upsample.0.weight')[0] / outputChannels));
    case 'nearest+conv':
      return 2 ** ups(w).length;
    case 'none':
      return 1;
  }
}

/**
 * The pixels of features [1, c, h, w]; where nothing is enlarged, the features are a change of the picture
 * `x` that they were computed of.
 */
export function pixelsOf(
  w: Weights,
  features: Tensor,
  x: Tensor,
  { upsampler, upscale }: { readonly upsampler: Upsampler; readonly upscale: number },
): Tensor {
  if (upsampler !== 'none') return upsample(w, features, upsampler, upscale);
  return add(x, conv2d(w.at('conv_last'), features, { pad: 1 }));
}

/** The same for every upsampler but 'none'. */
export function upsample(w: Weights, x: Tensor, upsampler: Upsampler, scale: number): Tensor {
  const conv = (name: string, h: Tensor): Tensor => conv2d(w.at(name), h, { pad: 1 });
  if (upsampler === 'pixelshuffledirect') return pixelShuffle(conv('upsample.0', x), scale);
  let h = leakyRelu(conv('conv_before_upsample.0', x));
  if (upsampler === 'pixelshuffle') return conv('conv_last', shuffleUp(w.at('upsample'), h));
  for (const up of ups(w)) h = leakyRelu(conv(up, upsampleNearest(h, { scale: 2 })), 0.2);
  return conv('conv_last', leakyRelu(conv('conv_hr', h), 0.2));
}

/** Steps of convolution and pixel shuffle at 0, 2, 4, … under the cursor. */
export function shuffleUp(w: Weights, x: Tensor): Tensor {
  let h = x;
  for (const { step, factor } of shuffles(w)) h = pixelShuffle(conv2d(step, h, { pad: 1 }), factor);
  return h; // [1, c, h*scale, w*scale]
}

/** How many times larger `shuffleUp` makes features. */
export const shuffleScale = (w: Weights): number =>
  shuffles(w).reduce((scale, { factor }) => scale * factor, 1);

const shuffles = (w: Weights): { readonly step: Weights; readonly factor: number }[] =>
  numbersUnder(w)
    .map((n) => w.at(String(n)))
    .map((step) => {
      const [outputs, inputs] = step.shape('weight');
      return { step, factor: Math.floor(Math.sqrt(outputs / inputs)) };
    });

const ups = (w: Weights): string[] =>
  ['conv_up1', 'conv_up2', 'conv_up3'].filter((name) => w.has(`${name}.weight`));

/** The convolution at the end of a residual group: one, or three with fewer channels between. */
export function residualConv(w: Weights, x: Tensor): Tensor {
  if (w.has('weight')) return conv2d(w, x, { pad: 1 });
  const h = leakyRelu(conv2d(w.at('0'), x, { pad: 1 }), 0.2);
  return conv2d(w.at('4'), leakyRelu(conv2d(w.at('2'), h), 0.2), { pad: 1 });
}

/**
 * The body of SwinIR and its kin on features [1, c, h, w]: groups of blocks, each with a convolution and
 * itself added, between two norms. `block` is the i-th of its group, on features [1, h, w, c].
 */
export function residualGroups(
  w: Weights,
  features: Tensor,
  block: (w: Weights, x: Tensor, i: number) => Tensor,
): Tensor {
  let h = layerNorm(w.at('patch_embed.norm'), channelsLast(features));
  for (const n of numbersUnder(w, 'layers')) {
    const layer = w.at(`layers.${n}`);
    let inner = h;
    for (const i of numbersUnder(layer, 'residual_group.blocks')) {
      inner = block(layer.at(`residual_group.blocks.${i}`), inner, i);
    }
    h = add(channelsLast(residualConv(layer.at('conv'), channelsFirst(inner))), h);
  }
  return channelsFirst(layerNorm(w.at('norm'), h));
}
