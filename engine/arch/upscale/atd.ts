/**
 * ATD: attention in windows, to a dictionary of tokens, and between places that are like the same token.
 *
 * Paper: Zhang et al. 2024, "Transcending the Limit of Local Window: Advanced Super-Resolution
 * Transformer with Adaptive Token Dictionary". Reference: LabShuHangGU/Adaptive-Token-Dictionary.
 */
import type { Weights } from '../../tensor/cursor.ts';
import { conv2d, groupNorm, layerNorm, linear } from '../../tensor/layers.ts';
import {
  add,
  argmax,
  attention,
  cast,
  chunk,
  clamp,
  cumsum,
  equal,
  exp,
  gather,
  gelu,
  matmul,
  minimum,
  mul,
  range,
  reshape,
  scatterAdd,
  sigmoid,
  sizeTensor,
  slice,
  softmax,
  sub,
  sum,
  transpose,
  unsqueeze,
} from '../../tensor/nn.ts';
import { type Dim, ceilDivDim, mulDim, subDim } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { UpscaleKind } from './kind.ts';
import { centred, channelsFirst, channelsLast, numbersUnder, uncentred, unit } from './pixels.ts';
import {
  type Upsampler,
  pixelsOf,
  residualConv,
  upsamplerOf,
  upsamplerScale,
} from './reconstruction.ts';
import { halfShiftMask, pictureOf, relativeBias, shifted, square, windowsOf } from './windows.ts';

interface AtdConfig {
  readonly window: number;
  /** Places that attend to each other. */
  readonly category: number;
  readonly upsampler: Upsampler;
  readonly upscale: number;
}

const firstLayer = 'layers.0.residual_group.layers.0';
const required = [
  'relative_position_index_SA',
  'conv_first.weight',
  'layers.0.residual_group.td',
  `${firstLayer}.wqkv.weight`,
  `${firstLayer}.attn_atd.wq.weight`,
  `${firstLayer}.attn_aca.logit_scale`,
];

export const atd: UpscaleKind<AtdConfig> = {
  name: 'ATD',
  detect(w) {
    if (!required.every((key) => w.has(key)) || w.has('absolute_pos_embed')) return undefined;
    const [width, inputChannels] = w.shape('conv_first.weight');
    const window = Math.sqrt(w.shape('relative_position_index_SA')[0]);
    const upsampler = upsamplerOf(w);
    const upscale = upsamplerScale(w, upsampler, inputChannels);
    // nothing in the file says it; the light models have 128
    const category = upsampler === 'pixelshuffledirect' && width === 48 ? 128 : 256;
    return {
      scale: upscale,
      inputChannels,
      outputChannels: inputChannels,
      minimum: 8,
      fullPrecision: true,
      config: { window, category, upsampler, upscale },
    };
  },
  build(w, picture, config) {
    const { window, upscale } = config;
    const plain = w.has('no_norm');
    const whole = mirrored(mirrored(picture, 2, window), 3, window);
    const x = plain ? whole : centred(whole);
    const first = conv2d(w.at('conv_first'), x, { pad: 1 });
    const h = add(residualConv(w.at('conv_after_body'), body(w, first, config)), first);
    const pixels = pixelsOf(w, h, x, config);
    const [height, width] = picture.shape.slice(2).map((side) => mulDim(side, upscale));
    return slice(slice(plain ? pixels : uncentred(pixels), 2, 0, height), 3, 0, width);
  },
};

/** x filled up to whole windows along an axis, mirrored with its last place shown twice. */
function mirrored(x: Tensor, axis: number, window: number): Tensor {
  const size = x.shape[axis];
  return gather(x, thereAndBack(size, mulDim(ceilDivDim(size, window), window)), axis);
}

/** 0, 1, …, size - 1, size - 1, …, 0 as far as `length` reaches. */
function thereAndBack(size: Dim, length: Dim): Tensor {
  const there = range(length);
  return minimum(there, sub(sizeTensor(subDim(mulDim(size, 2), 1)), there));
}

function body(w: Weights, first: Tensor, config: AtdConfig): Tensor {
  const mask = halfShiftMask([first.shape[2], first.shape[3]], config.window);
  const tokens = channelsLast(first); // [1, h, w, c]
  let h = w.has('patch_embed.norm') ? layerNorm(w.at('patch_embed.norm'), tokens) : tokens;
  for (const n of numbersUnder(w, 'layers')) {
    const group = w.at(`layers.${n}.residual_group`);
    let inner = h;
    let dictionary = unsqueeze(group.param('td'), 0); // [1, m, c]
    for (const i of numbersUnder(group, 'layers')) {
      const options = { config, mask: i % 2 === 1 ? mask : undefined };
      [inner, dictionary] = layer(group.at(`layers.${i}`), inner, dictionary, options);
    }
    h = add(channelsLast(residualConv(w.at(`layers.${n}.conv`), channelsFirst(inner))), h);
  }
  return channelsFirst(layerNorm(w.at('norm'), h));
}

interface LayerOptions {
  readonly config: AtdConfig;
  /** Of a picture that is shifted by half a window; left out: it is not. */
  readonly mask?: Tensor;
}

/** The features, and the dictionary as they changed it. */
function layer(
  w: Weights,
  x: Tensor,
  dictionary: Tensor,
  options: LayerOptions,
): readonly [features: Tensor, dictionary: Tensor] {
  const n = layerNorm(w.at('norm1'), x);
  const qkv = linear(w.at('wqkv'), n); // [1, h, w, 3*c]
  const heads = w.shape('attn_win.relative_position_bias_table')[1];
  const { found, likeness } = lookUp(w.at('attn_atd'), tokensOf(n), dictionary);
  const alike = categoryAttention(w.at('attn_aca'), tokensOf(qkv), likeness, {
    heads,
    size: options.config.category,
  });
  const near = windowAttention(w.at('attn_win'), qkv, { heads, ...options });
  let h = add(add(add(x, near), reshape(found, x.shape)), reshape(alike, x.shape));
  h = add(h, convFeedForward(w.at('convffn'), layerNorm(w.at('norm2'), h)));
  if (!w.has('norm3')) return [h, dictionary];
  const groups = likeness.shape[2] as number; // stored tensors have fixed sizes
  const shares = softmax(groupNorm(w.at('norm3'), transpose(likeness, 1, 2), { groups }), -1);
  const kept = sigmoid(w.param('sigma')); // [m, 1]
  const news = matmul(shares, tokensOf(h));
  return [h, add(mul(dictionary, kept), mul(news, sub(1, kept)))];
}

/** [1, h, w, c] as [1, h*w, c]. */
const tokensOf = (x: Tensor): Tensor => reshape(x, [1, -1, x.shape[3]]);

/** What each place finds in the dictionary, and how like each entry it is [1, n, m]. */
function lookUp(w: Weights, x: Tensor, dictionary: Tensor): { found: Tensor; likeness: Tensor } {
  const [q, k] = [linear(w.at('wq'), x), linear(w.at('wk'), dictionary)].map(unit);
  const entries = dictionary.shape[1] as number; // stored tensors have fixed sizes
  const sharpness = add(mul(clamp(w.param('scale'), 0, 1), Math.log(entries)), 1);
  const likeness = softmax(mul(matmul(q, k, { transposeB: true }), sharpness), -1);
  return { found: matmul(likeness, linear(w.at('wv'), dictionary)), likeness };
}

/**
 * Attention between places that are most like the same entry: all places in the order of their entries,
 * cut into pieces of one size; what the last lacks is filled up from its end backwards.
 */
function categoryAttention(
  w: Weights,
  qkv: Tensor,
  likeness: Tensor,
  { heads, size }: { readonly heads: number; readonly size: number },
): Tensor {
  const [, count, width] = qkv.shape;
  const pieces = ceilDivDim(count, size);
  const rank = sortedPlaces(argmax(likeness, -1), likeness.shape[2] as number); // [n]
  const zeros = mul(cast(range(count), 'f32'), 0);
  const order = cast(scatterAdd(zeros, rank, cast(range(count), 'f32'), 0), 'i64');
  const filled = gather(order, thereAndBack(count, mulDim(pieces, size)), 0);
  const sorted = reshape(gather(qkv, filled, 1), [pieces, size, width]);
  const [q, k, v] = chunk(sorted, 3, -1);
  const sharpness = exp(clamp(w.param('logit_scale'), -Infinity, Math.log(100)));
  const h = attention(mul(q, sharpness), k, v, { heads, scale: 1 });
  return linear(w.at('proj'), gather(reshape(h, [1, -1, v.shape[2]]), rank, 1));
}

/**
 * For ids [1, n] of `kinds` kinds, where each comes when they are sorted: [n]. Equal ones keep their
 * order; the reference leaves it to the processor, so that its pictures differ between machines.
 */
function sortedPlaces(ids: Tensor, kinds: number): Tensor {
  const marks = cast(equal(unsqueeze(ids, 2), range(kinds)), 'f32'); // [1, n, kinds]
  const totals = sum(marks, 1, { keep: true });
  const before = sub(cumsum(totals, 2), totals);
  const places = sum(mul(marks, add(cumsum(marks, 1), sub(before, 1))), 2); // [1, n]
  return cast(reshape(places, [-1]), 'i64');
}

/** Attention in windows of what is already query, key and value: [1, h, w, 3*c] as [1, h, w, c]. */
function windowAttention(
  w: Weights,
  qkv: Tensor,
  { heads, mask, config: { window } }: LayerOptions & { readonly heads: number },
): Tensor {
  const [, height, width] = qkv.shape;
  const sides = square(window);
  const bias = relativeBias(w.param('relative_position_bias_table'), sides);
  return shifted(qkv, square(mask ? Math.floor(window / 2) : 0), (moved) => {
    const [q, k, v] = chunk(windowsOf(moved, sides), 3, -1);
    const h = attention(q, k, v, { heads, mask: mask ? add(bias, mask) : bias });
    return pictureOf(linear(w.at('proj'), h), sides, [height, width]);
  });
}

function convFeedForward(w: Weights, x: Tensor): Tensor {
  const h = gelu(linear(w.at('fc1'), x));
  const depthwise = w.at('dwconv.depthwise_conv.0');
  const [groups, , kernel] = depthwise.shape('weight');
  const pad = (kernel - 1) / 2;
  const beside = gelu(conv2d(depthwise, channelsFirst(h), { pad, groups }));
  return linear(w.at('fc2'), add(h, channelsLast(beside)));
}
