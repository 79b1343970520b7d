/**
 * Real-CUGAN: two small U-Nets in a row, without padding: the picture gets a mirrored margin first.
 *
 * Reference: bilibili/ailab (Real-CUGAN), after Waifu2x's CUNet. Models of the kind `pro` take their
 * pictures in a narrower range.
 */
import type { Weights } from '../../tensor/cursor.ts';
import { conv2d, convTranspose } from '../../tensor/layers.ts';
import { add, div, leakyRelu, mul, pad, slice, sub, upsampleNearest } from '../../tensor/nn.ts';
import { addDim, ceilDivDim, mulDim, subDim } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { UpscaleKind } from './kind.ts';
import { channelAttention, pixelShuffle, pixelUnshuffle } from './pixels.ts';

/** What differs between the models of each size. */
interface Variant {
  readonly scale: number;
  /** Pixels around the picture that the networks use up. */
  readonly margin: number;
  /** Sides are filled up to multiples of this. */
  readonly multiple: number;
  /** Pixels a side that become channels first, and others that the last layer makes of channels. */
  readonly unshuffle: number;
  readonly shuffle: number;
}

const variants = {
  x2: { scale: 2, margin: 18, multiple: 2, unshuffle: 1, shuffle: 1 },
  x3: { scale: 3, margin: 14, multiple: 4, unshuffle: 1, shuffle: 1 },
  x4: { scale: 4, margin: 19, multiple: 2, unshuffle: 1, shuffle: 2 },
  fast: { scale: 2, margin: 38, multiple: 2, unshuffle: 2, shuffle: 2 },
} satisfies Readonly<Record<string, Variant>>;

const required = [
  'unet1.conv1.conv.0.weight',
  'unet1.conv2.seblock.conv1.weight',
  'unet1.conv_bottom.weight',
  'unet2.conv4.conv.0.weight',
  'unet2.conv5.weight',
  'unet2.conv_bottom.weight',
];

export const realCugan: UpscaleKind<Variant> = {
  name: 'RealCUGAN',
  detect(w) {
    if (!required.every((key) => w.has(key))) return undefined;
    const [, channels] = w.shape('unet1.conv1.conv.0.weight');
    const isFinal = w.has('conv_final.weight');
    const outputChannels = isFinal
      ? w.shape('conv_final.weight')[0] / 4
      : w.shape('unet2.conv_bottom.weight')[0];
    const small = w.shape('unet1.conv_bottom.weight')[2] === 5 ? variants.x3 : variants.x2;
    const large = outputChannels * 4 === channels ? variants.fast : variants.x4;
    const config = isFinal ? large : small;
    const inputChannels = channels / config.unshuffle ** 2;
    const sizes = config.unshuffle > 1 ? { minimum: 40, multipleOf: 4 } : { minimum: 32 };
    return { scale: config.scale, inputChannels, outputChannels, ...sizes, config };
  },
  build(w, picture, { scale, margin, multiple, unshuffle, shuffle }) {
    const x = w.has('pro') ? add(mul(picture, 0.7), 0.15) : picture;
    const sides = x.shape.slice(2);
    const around = sides.map((side) => {
      const beyond = subDim(mulDim(ceilDivDim(side, multiple), multiple), side);
      return [margin, addDim(beyond, margin)] as const;
    });
    const whole = pixelUnshuffle(pad(x, around, { mode: 'reflect' }), unshuffle);
    const first = smallUnet(w.at('unet1'), whole);
    let h = add(largeUnet(w.at('unet2'), first), cut(first, 20));
    if (shuffle > 1) h = pixelShuffle(cut(conv2d(w.at('conv_final'), h), 1), shuffle);
    const [height, width] = sides.map((side) => mulDim(side, scale));
    h = slice(slice(h, 2, 0, height), 3, 0, width);
    if (shuffle > 1) h = add(h, upsampleNearest(x, { scale }));
    return w.has('pro') ? div(sub(h, 0.15), 0.7) : h;
  },
};

/** x without `n` pixels on each side. */
const cut = (x: Tensor, n: number): Tensor => slice(slice(x, 2, n, -n), 3, n, -n);

const active = (x: Tensor): Tensor => leakyRelu(x, 0.1);
const down = (w: Weights, x: Tensor): Tensor => active(conv2d(w, x, { stride: 2 }));
const up = (w: Weights, x: Tensor): Tensor => active(convTranspose(w, x, { stride: 2 }));

/** Two convolutions, whose channels may then be weighted by what is in them overall. */
function twoConvs(w: Weights, x: Tensor): Tensor {
  const h = active(conv2d(w.at('conv.2'), active(conv2d(w.at('conv.0'), x))));
  if (!w.has('seblock')) return h;
  return channelAttention(h, w.at('seblock.conv1'), w.at('seblock.conv2'));
}

function smallUnet(w: Weights, x: Tensor): Tensor {
  const wide = twoConvs(w.at('conv1'), x);
  const deep = twoConvs(w.at('conv2'), down(w.at('conv1_down'), wide));
  const h = add(cut(wide, 4), up(w.at('conv2_up'), deep));
  return bottom(w.at('conv_bottom'), active(conv2d(w.at('conv3'), h)));
}

function largeUnet(w: Weights, x: Tensor): Tensor {
  const wide = twoConvs(w.at('conv1'), x);
  const middle = twoConvs(w.at('conv2'), down(w.at('conv1_down'), wide));
  const deep = twoConvs(w.at('conv3'), down(w.at('conv2_down'), middle));
  const back = twoConvs(w.at('conv4'), add(cut(middle, 4), up(w.at('conv3_up'), deep)));
  const h = add(cut(wide, 16), up(w.at('conv4_up'), back));
  return bottom(w.at('conv_bottom'), active(conv2d(w.at('conv5'), h)));
}

/** A convolution, or one that enlarges: by two with a kernel of 4, by three with one of 5. */
function bottom(w: Weights, x: Tensor): Tensor {
  const [, , kernel] = w.shape('weight');
  if (kernel === 3) return conv2d(w, x);
  return convTranspose(w, x, kernel === 5 ? { stride: 3, pad: 2 } : { stride: 2, pad: 3 });
}
