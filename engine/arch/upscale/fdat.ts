/**
 * FDAT: attention in windows and attention between channels by turns, each joined with a convolution by a
 * plain gate (DAT made simpler and faster).
 *
 * Reference: stinkybread/fdat. A small tensor in the file, `MetaUpsample`, says how pixels are made.
 */
import type { Weights } from '../../tensor/cursor.ts';
import { conv2d, convTranspose, layerNorm, linear } from '../../tensor/layers.ts';
import {
  add,
  attention,
  chunk,
  gelu,
  leakyRelu,
  matmul,
  mean,
  mul,
  padZero,
  reshape,
  sigmoid,
  slice,
  softmax,
  unsqueeze,
  upsampleNearest,
} from '../../tensor/nn.ts';
import { ceilDivDim, mulDim, subDim } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { dySample } from './dysample.ts';
import type { UpscaleKind } from './kind.ts';
import {
  channelsFirst,
  channelsLast,
  numbersUnder,
  pixelShuffle,
  pixelUnshuffle,
  unit,
} from './pixels.ts';
import { pictureOf, square, windowsOf } from './windows.ts';

interface FdatConfig {
  readonly window: number;
  readonly upsampler: FdatUpsampler;
  /** Of the upsampler. */
  readonly upscale: number;
  /** Pixels a side that become channels first. */
  readonly unshuffle: number;
}

const firstBlock = 'groups.0.blocks.0';
const required = [
  'upsampler.MetaUpsample',
  `${firstBlock}.attn.bias`,
  `${firstBlock}.inter.cg.1.weight`,
  `${firstBlock}.ffn.fc1.weight`,
  `${firstBlock}.n1.weight`,
];

export const fdat: UpscaleKind<FdatConfig> = {
  name: 'FDAT',
  async detect(w, read) {
    const unshuffled = w.has('conv_first.1.weight');
    const first = unshuffled ? 'conv_first.1.weight' : 'conv_first.weight';
    if (!w.has(first) || !required.every((key) => w.has(key))) return undefined;
    const meta = await read('upsampler.MetaUpsample');
    const [, kind, upscale, , outputChannels] = meta;
    const upsampler = UPSAMPLERS[kind] as FdatUpsampler | undefined;
    if (upsampler === undefined) return undefined;
    const [, channels] = w.shape(first);
    const inputChannels = unshuffled ? outputChannels : channels;
    const unshuffle = Math.floor(Math.sqrt(Math.floor(channels / inputChannels)));
    return {
      scale: upscale / unshuffle,
      inputChannels,
      outputChannels,
      multipleOf: unshuffle,
      fullPrecision: upsampler === sampled,
      config: {
        window: Math.sqrt(w.shape(`${firstBlock}.attn.bias`)[2]),
        upsampler,
        upscale,
        unshuffle,
      },
    };
  },
  build(w, picture, { window, upsampler, upscale, unshuffle }) {
    const x = pixelUnshuffle(picture, unshuffle);
    const first = conv2d(w.at(unshuffle > 1 ? 'conv_first.1' : 'conv_first'), x, { pad: 1 });
    let h = first;
    for (const n of numbersUnder(w, 'groups')) h = group(w.at(`groups.${n}`), h, window);
    const features = add(conv2d(w.at('conv_after'), h, { pad: 1 }), first);
    return upsampler(w.at('upsampler'), features, upscale);
  },
};

function group(w: Weights, x: Tensor, window: number): Tensor {
  let h = channelsLast(x);
  for (const i of numbersUnder(w, 'blocks')) h = block(w.at(`blocks.${i}`), h, window);
  return add(conv2d(w.at('conv'), channelsFirst(h), { pad: 1 }), x);
}

function block(w: Weights, x: Tensor, window: number): Tensor {
  const n = layerNorm(w.at('n1'), x); // [1, h, w, c]
  const convolved = gelu(depthwise(w.at('conv.0'), channelsFirst(n)));
  const attn = w.at('attn');
  const joined = attn.has('temp')
    ? gatedByPlace(w.at('inter.sg.0'), channelAttention(attn, n), convolved)
    : gatedByChannel(w.at('inter.cg'), windowAttention(attn, n, window), convolved);
  const h = add(x, channelsLast(joined));
  return add(h, feedForward(w.at('ffn'), layerNorm(w.at('n2'), h)));
}

const depthwise = (w: Weights, x: Tensor): Tensor =>
  conv2d(w, x, { pad: 1, groups: x.shape[1] as number });

/** Attention of x [1, h, w, c] in windows, the last of which zeros fill up: [1, c, h, w]. */
function windowAttention(w: Weights, x: Tensor, window: number): Tensor {
  const [, height, width] = x.shape;
  const covered = [height, width].map((side) => mulDim(ceilDivDim(side, window), window));
  const beyond = [height, width].map((side, i) => [0, subDim(covered[i], side)] as const);
  const whole = padZero(x, [...beyond, [0, 0]]);
  const bias = w.param('bias'); // [heads, n, n]
  const heads = bias.shape[0] as number; // stored tensors have fixed sizes
  const [q, k, v] = chunk(linear(w.at('qkv'), windowsOf(whole, square(window))), 3, -1);
  const h = attention(q, k, v, { heads, mask: unsqueeze(bias, 0) });
  const picture = pictureOf(linear(w.at('proj'), h), square(window), [covered[0], covered[1]]);
  return channelsFirst(slice(slice(picture, 1, 0, height), 2, 0, width));
}

/** Attention between the channels of each head over all places of x [1, h, w, c]: [1, c, h, w]. */
function channelAttention(w: Weights, x: Tensor): Tensor {
  const qkv = chunk(linear(w.at('qkv'), x), 3, -1).map(channelsFirst);
  const temperature = w.param('temp'); // [heads, 1, 1]
  const [heads] = temperature.shape as number[]; // stored tensors have fixed sizes
  const channels = qkv[0].shape[1] as number;
  const [q, k, v] = qkv.map((part) => reshape(part, [1, heads, channels / heads, -1]));
  const scores = mul(matmul(unit(q), unit(k), { transposeB: true }), temperature);
  const h = reshape(matmul(softmax(scores, -1), v), qkv[0].shape);
  return channelsFirst(linear(w.at('proj'), channelsLast(h)));
}

/** Attention, and the convolution where one convolution of the attention says. */
const gatedByPlace = (w: Weights, attended: Tensor, convolved: Tensor): Tensor =>
  add(attended, mul(convolved, sigmoid(conv2d(w, attended))));

/** The convolution, and the attention in channels that the means of the convolution choose. */
function gatedByChannel(w: Weights, attended: Tensor, convolved: Tensor): Tensor {
  const means = mean(convolved, [2, 3], { keep: true }); // [1, c, 1, 1]
  const gate = sigmoid(conv2d(w.at('3'), gelu(conv2d(w.at('1'), means))));
  return add(mul(attended, gate), convolved);
}

function feedForward(w: Weights, x: Tensor): Tensor {
  const h = channelsFirst(gelu(linear(w.at('fc1'), x)));
  return linear(w.at('fc2'), channelsLast(depthwise(w.at('smix'), h)));
}

/** Pixels of features [1, c, h, w], `scale` times as large. */
type FdatUpsampler = (w: Weights, x: Tensor, scale: number) => Tensor;

const conv = (w: Weights, index: number, x: Tensor): Tensor =>
  conv2d(w.at(String(index)), x, { pad: 1 });
const doublings = (scale: number): number[] =>
  Number.isInteger(Math.log2(scale)) ? Array<number>(Math.log2(scale)).fill(2) : [scale];

const plain: FdatUpsampler = (w, x) => conv(w, 0, x);

const shuffleDirect: FdatUpsampler = (w, x, scale) => pixelShuffle(conv(w, 0, x), scale);

const shuffle: FdatUpsampler = (w, x, scale) => {
  let h = leakyRelu(conv(w, 0, x));
  const steps = doublings(scale);
  steps.forEach((by, i) => (h = pixelShuffle(conv(w, 2 + 2 * i, h), by)));
  return conv(w, 2 + 2 * steps.length, h);
};

const nearest: FdatUpsampler = (w, x, scale) => {
  const steps = doublings(scale);
  let h = x;
  steps.forEach((by, i) => {
    h = leakyRelu(upsampleNearest(conv(w, 3 * i, h), { scale: by }), 0.2);
  });
  const next = 3 * steps.length;
  return conv(w, next + 2, leakyRelu(conv(w, next, h), 0.2));
};

const sampled: FdatUpsampler = (w, x, scale) => {
  const [only] = numbersUnder(w);
  if (w.at(String(only)).has('init_pos')) return dySample(w.at(String(only)), x, scale);
  return dySample(w.at('2'), leakyRelu(conv(w, 0, x)), scale);
};

const transposed: FdatUpsampler = (w, x, scale) => {
  const step = (index: number, h: Tensor): Tensor => {
    const layer = w.at(String(index));
    return scale === 3
      ? convTranspose(layer, h, { stride: 3 })
      : convTranspose(layer, h, { stride: 2, pad: 1 });
  };
  const h = step(0, x);
  return scale === 4 ? conv(w, 3, step(2, gelu(h))) : conv(w, 1, h);
};

/** Each step enlarges, and weighs its features by what one more layer makes of them. */
const pixelAttention: FdatUpsampler = (w, x, scale) => {
  const steps = doublings(scale);
  let h = x;
  steps.forEach((by, i) => {
    const at = 6 * i;
    h = conv(w, at + 1, upsampleNearest(h, { scale: by }));
    h = leakyRelu(mul(h, sigmoid(conv2d(w.at(`${at + 2}.conv.0`), h))), 0.2);
    h = leakyRelu(conv(w, at + 4, h), 0.2);
  });
  return conv(w, 6 * steps.length, h);
};

/** By the number in `MetaUpsample`; the one left out (`lda`) samples at places of its own. */
const UPSAMPLERS: Readonly<Record<number, FdatUpsampler>> = {
  0: plain,
  1: shuffleDirect,
  2: shuffle,
  3: nearest,
  4: sampled,
  5: transposed,
  7: pixelAttention,
};
