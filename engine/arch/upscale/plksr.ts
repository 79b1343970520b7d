/**
 * PLKSR and RealPLKSR: a large kernel on some of the channels of each block.
 *
 * Paper: Lee et al. 2024, "Partial Large Kernel CNNs for Efficient Super-Resolution". RealPLKSR
 * (neosr) adds a norm, and in some models samples its pixels where it likes (`to_img`, DySample). Its
 * files say `channel_mixer` where those of PLKSR say `channe_mixer`.
 */
import type { Weights } from '../../tensor/cursor.ts';
import { conv2d, groupNorm } from '../../tensor/layers.ts';
import { add, concat, gelu, mul, sigmoid, expand, reshape, unsqueeze } from '../../tensor/nn.ts';
import { mulDim } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { dySample } from './dysample.ts';
import type { UpscaleKind } from './kind.ts';
import { channelNorm, mish, numbersUnder, pixelShuffle, splitChannels } from './pixels.ts';

interface PlksrConfig {
  readonly scale: number;
  readonly blocks: readonly number[];
  readonly last: number;
}

const kernels = ['lk.conv.weight', 'lk.convs.0.weight', 'lk.mn_conv.weight'];
const mixers = ['channe_mixer', 'channel_mixer'];

export const plksr: UpscaleKind<PlksrConfig> = {
  name: 'PLKSR',
  detect(w) {
    const inBlock = (key: string): boolean => w.has(`feats.1.${key}`);
    if (!w.has('feats.0.weight') || !inBlock('refine.weight')) return undefined;
    if (!kernels.some(inBlock) || !mixers.some((mixer) => inBlock(`${mixer}.0.weight`))) {
      return undefined;
    }
    const numbers = numbersUnder(w, 'feats');
    const last = numbers.at(-1)!; // there is a 0
    const scale = Math.floor(Math.sqrt(w.shape(`feats.${last}.weight`)[0] / 3));
    const config = { scale, blocks: numbers.slice(1, -1), last };
    const fullPrecision = w.has('to_img.init_pos');
    return { scale, inputChannels: 3, outputChannels: 3, fullPrecision, config };
  },
  build(w, picture, { scale, blocks, last }) {
    let h = conv2d(w.at('feats.0'), picture, { pad: 1 });
    for (const n of blocks) h = block(w.at(`feats.${n}`), h);
    const pixels = add(conv2d(w.at(`feats.${last}`), h, { pad: 1 }), repeated(picture, scale ** 2));
    return w.has('to_img.init_pos')
      ? dySample(w.at('to_img'), pixels, scale)
      : pixelShuffle(pixels, scale);
  },
};

/** Every channel of x [1, c, h, w] `n` times in a row: [1, c*n, h, w]. */
function repeated(x: Tensor, n: number): Tensor {
  const [batch, channels, height, width] = x.shape;
  const each = expand(unsqueeze(x, 2), [batch, channels, n, height, width]);
  return reshape(each, [batch, mulDim(channels, n), height, width]);
}

function block(w: Weights, x: Tensor): Tensor {
  let h = w.has('layer_norm') ? channelNorm(w.at('layer_norm'), x) : x;
  const real = w.has('channel_mixer');
  const mixer = w.at(real ? 'channel_mixer' : 'channe_mixer');
  const inner = sameConv(mixer.at('0'), h);
  h = sameConv(mixer.at('2'), real ? mish(inner) : gelu(inner));
  h = largeKernel(w.at('lk'), h);
  if (w.has('attn')) h = mul(h, sigmoid(sameConv(w.at('attn.f.0'), h)));
  h = conv2d(w.at('refine'), h);
  if (w.has('norm')) h = groupNorm(w.at('norm'), h, { groups: 4 });
  return add(h, x);
}

/** One kernel, or the sum of several, on the first channels; the others stay. */
function largeKernel(w: Weights, x: Tensor): Tensor {
  const convs = [
    ...['conv', 'mn_conv', 'nm_conv', 'nn_conv']
      .filter((name) => w.has(name))
      .map((name) => ({ name, dilation: 1 })),
    // of the sparse kind; nothing in the file says the dilations
    ...numbersUnder(w, 'convs').map((n) => ({ name: `convs.${n}`, dilation: n + 1 })),
  ];
  const [channels] = w.shape(`${convs[0].name}.weight`);
  const [some, others] = splitChannels(x, channels);
  const results = convs.map(({ name, dilation }) => sameConv(w.at(name), some, dilation));
  return concat([results.reduce(add), others], 1);
}

/** A convolution that keeps the picture's size. */
function sameConv(w: Weights, x: Tensor, dilation = 1): Tensor {
  const [, , height, width] = w.shape('weight');
  const [down, across] = [height, width].map((size) => Math.floor(size / 2) * dilation);
  return conv2d(w, x, { pad: [down, across, down, across], dilation });
}
