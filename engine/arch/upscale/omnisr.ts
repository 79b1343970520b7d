/**
 * OmniSR: attention between places and between channels, in windows and in grids across them.
 *
 * Paper: Wang et al. 2023, "Omni Aggregation Networks for Lightweight Image Super-Resolution".
 * Reference: Francis0625/Omni-SR. The picture is filled up to whole windows with black.
 */
import type { Weights } from '../../tensor/cursor.ts';
import { conv2d, layerNorm, linear } from '../../tensor/layers.ts';
import {
  add,
  attention,
  chunk,
  gelu,
  matmul,
  maxPool,
  mean,
  mul,
  padZero,
  rearrange,
  resizeBilinear,
  sigmoid,
  silu,
  slice,
  softmax,
  unsqueeze,
} from '../../tensor/nn.ts';
import { type Dim, ceilDivDim, floorDivDim, mulDim, subDim } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { UpscaleKind } from './kind.ts';
import { channelNorm, numbersUnder, pixelShuffle, shuffleSizes, unit } from './pixels.ts';
import { relativeBias, square } from './windows.ts';

interface OmniSrConfig {
  readonly scale: number;
  readonly window: number;
}

const firstBlock = 'residual_layer.0.residual_layer.0.layer';
const heads = 4;

export const omniSr: UpscaleKind<OmniSrConfig> = {
  name: 'OmniSR',
  detect(w) {
    const required = [`${firstBlock}.0.fn.0.weight`, 'input.weight', 'up.0.weight'];
    if (!required.every((key) => w.has(key))) return undefined;
    const [, inputChannels] = w.shape('input.weight');
    const sizes = shuffleSizes(w.shape('up.0.weight')[0], inputChannels);
    const biases = `${firstBlock}.2.fn.rel_pos_bias.weight`;
    const window = w.has(biases) ? (Math.sqrt(w.shape(biases)[0]) + 1) / 2 : 8;
    const config = { scale: sizes?.scale ?? 1, window };
    return sizes && { ...sizes, inputChannels, minimum: 16, config };
  },
  build(w, picture, { scale, window }) {
    const sides = picture.shape.slice(2);
    const [below, right] = sides.map((side) =>
      subDim(mulDim(ceilDivDim(side, window), window), side),
    );
    const whole = padZero(picture, [
      [0, below],
      [0, right],
    ]);
    const first = conv2d(w.at('input'), whole, { pad: 1 });
    let h = first;
    for (const n of numbersUnder(w, 'residual_layer')) {
      h = group(w.at(`residual_layer.${n}`), h, window);
    }
    h = add(conv2d(w.at('output'), h, { pad: 1 }), first);
    const pixels = pixelShuffle(conv2d(w.at('up.0'), h, { pad: 1 }), scale);
    const [height, width] = sides.map((side) => mulDim(side, scale));
    return slice(slice(pixels, 2, 0, height), 3, 0, width);
  },
};

/** Blocks and a convolution; then every place weighted by what is around it. */
function group(w: Weights, x: Tensor, window: number): Tensor {
  let h = x;
  for (const n of numbersUnder(w, 'residual_layer')) {
    const part = w.at(`residual_layer.${n}`);
    h = part.has('layer') ? block(part.at('layer'), h, window) : conv2d(part, h);
  }
  return spatialAttention(w.at('esa'), add(h, x));
}

/** How places of a picture are put together: near ones, or equally spaced ones. */
type Partition = 'windows' | 'grids';

function block(w: Weights, x: Tensor, window: number): Tensor {
  let h = localBlock(w.at('0.fn'), x);
  for (const [partition, first] of [
    ['windows', 2],
    ['grids', 8],
  ] as const) {
    h = placeAttention(w.at(String(first)), h, window, partition);
    h = feedForward(w.at(String(first + 2)), h);
    h = channelAttention(w.at(String(first + 3)), h, window, partition);
    h = feedForward(w.at(String(first + 4)), h);
  }
  return h;
}

/** Convolutions of which the middle one is depthwise, with channels weighted before the last. */
function localBlock(w: Weights, x: Tensor): Tensor {
  let h = gelu(conv2d(w.at('0'), x));
  h = gelu(depthwise(w.at('2'), h));
  const gate = w.at('4.gate');
  const means = mean(h, [2, 3]); // [1, c]
  const weights = sigmoid(linear(gate.at('3'), silu(linear(gate.at('1'), means))));
  return add(conv2d(w.at('5'), mul(h, unsqueeze(weights, [2, 3]))), x);
}

const depthwise = (w: Weights, x: Tensor): Tensor =>
  conv2d(w, x, { pad: 1, groups: x.shape[1] as number });

const feedForward = (w: Weights, x: Tensor): Tensor => {
  const mixed = depthwise(
    w.at('fn.dwconv'),
    conv2d(w.at('fn.project_in'), channelNorm(w.at('norm'), x)),
  );
  const [left, right] = chunk(mixed, 2, 1);
  return add(conv2d(w.at('fn.project_out'), mul(gelu(left), right)), x);
};

/** Attention between the places of each window or grid. */
function placeAttention(w: Weights, x: Tensor, window: number, partition: Partition): Tensor {
  const inner = partition === 'windows' ? '(x i) (y j)' : '(i x) (j y)';
  const places = rearrange(x, `b d ${inner} -> (b x y) (i j) d`, { i: window, j: window });
  const fn = w.at('fn');
  const [q, k, v] = chunk(linear(fn.at('to_qkv'), layerNorm(w.at('norm'), places)), 3, -1);
  const bias = fn.has('rel_pos_bias') ? fn.param('rel_pos_bias.weight') : undefined;
  const mask = bias && relativeBias(bias, square(window));
  const h = add(linear(fn.at('to_out.0'), attention(q, k, v, { heads, mask })), places);
  const [height, width] = windowCounts(x, window);
  const sizes = { x: height, y: width, i: window, j: window };
  return rearrange(h, `(b x y) (i j) d -> b d ${inner}`, sizes);
}

/** Attention between the channels of each head, by window or across windows. */
function channelAttention(w: Weights, x: Tensor, window: number, partition: Partition): Tensor {
  const fn = w.at('fn');
  const qkv = depthwise(fn.at('qkv_dwconv'), conv2d(fn.at('qkv'), channelNorm(w.at('norm'), x)));
  const inner = partition === 'windows' ? 'b (x y) n d (i j)' : 'b (i j) n d (x y)';
  const [height, width] = windowCounts(x, window);
  const sizes = { n: heads, x: height, y: width, i: window, j: window };
  const [q, k, v] = chunk(qkv, 3, 1).map((part) =>
    rearrange(part, `b (n d) (x i) (y j) -> ${inner}`, { n: heads, i: window, j: window }),
  );
  const scores = mul(matmul(unit(q), unit(k), { transposeB: true }), fn.param('temperature'));
  const h = rearrange(matmul(softmax(scores, -1), v), `${inner} -> b (n d) (x i) (y j)`, sizes);
  return add(conv2d(fn.at('project_out'), h), x);
}

const windowCounts = (x: Tensor, window: number): Dim[] =>
  x.shape.slice(2).map((side) => floorDivDim(side, window));

/** x weighted by a smaller picture of itself (ESA, Liu et al. 2020). */
function spatialAttention(w: Weights, x: Tensor): Tensor {
  const [, , height, width] = x.shape;
  const narrow = conv2d(w.at('conv1'), x);
  const small = maxPool(conv2d(w.at('conv2'), narrow, { stride: 2 }), { kernel: 7, stride: 3 });
  const wide = resizeBilinear(conv2d(w.at('conv3'), small, { pad: 1 }), { height, width });
  const weights = conv2d(w.at('conv4'), add(wide, conv2d(w.at('conv_f'), narrow)));
  return mul(x, sigmoid(weights));
}
