/**
 * DAT: attention in windows and attention between channels by turns, each with a convolution beside
 * it, and the two weighing each other.
 *
 * Paper: Chen et al. 2023, "Dual Aggregation Transformer for Image Super-Resolution". Reference:
 * zhengchen1999/DAT. The windows of one half of the channels lie, those of the other half stand.
 */
import type { Weights } from '../../tensor/cursor.ts';
import { conv2d, layerNorm, linear } from '../../tensor/layers.ts';
import {
  add,
  attention,
  chunk,
  concat,
  div,
  gelu,
  matmul,
  maximum,
  mean,
  mul,
  padZero,
  relu,
  reshape,
  sigmoid,
  slice,
  softmax,
  sqrt,
  sum,
} from '../../tensor/nn.ts';
import { type Dim, ceilDivDim, mulDim, subDim } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { UpscaleKind } from './kind.ts';
import {
  batchNorm,
  centred,
  channelsFirst,
  channelsLast,
  numbersUnder,
  uncentred,
} from './pixels.ts';
import {
  type Upsampler,
  residualConv,
  upsample,
  upsamplerOf,
  upsamplerScale,
} from './reconstruction.ts';
import { type Sides, pictureOf, relativeBias, shiftMask, shifted, windowsOf } from './windows.ts';

interface DatConfig {
  /** Height and width of the windows of the first half of the channels. */
  readonly window: Sides;
  readonly upsampler: Upsampler;
  readonly upscale: number;
}

const attentionPath = 'layers.0.blocks.0.attn';
const required = [
  'conv_first.weight',
  'before_RG.1.weight',
  'layers.0.blocks.0.ffn.sg.conv.weight',
  `${attentionPath}.dwconv.1.running_mean`,
  `${attentionPath}.channel_interaction.4.weight`,
  `${attentionPath}.spatial_interaction.3.weight`,
  `${attentionPath}.attns.0.rpe_biases`,
  `${attentionPath}.attns.0.pos.pos3.0.weight`,
];

export const dat: UpscaleKind<DatConfig> = {
  name: 'DAT',
  async detect(w, read) {
    if (!required.every((key) => w.has(key)) || !w.has('upsample.0.weight')) return undefined;
    const [, inputChannels] = w.shape('conv_first.weight');
    // the last row of all offsets inside a window is the largest
    const [lastY, lastX] = (await read(`${attentionPath}.attns.0.rpe_biases`)).slice(-2);
    const upsampler = upsamplerOf(w);
    const upscale = upsamplerScale(w, upsampler, inputChannels);
    const window = { height: lastY + 1, width: lastX + 1 };
    return {
      scale: upscale,
      inputChannels,
      outputChannels: inputChannels,
      minimum: 16,
      config: { window, upsampler, upscale },
    };
  },
  build(w, picture, { window, upsampler, upscale }) {
    const first = conv2d(w.at('conv_first'), centred(picture), { pad: 1 });
    const windows = twoWindows(window, [first.shape[2], first.shape[3]]);
    let h = layerNorm(w.at('before_RG.1'), channelsLast(first)); // [1, h, w, c]
    for (const n of numbersUnder(w, 'layers')) {
      const layer = w.at(`layers.${n}`);
      let inner = h;
      for (const i of numbersUnder(layer, 'blocks')) {
        inner = block(layer.at(`blocks.${i}`), inner, windows, isShifted(n, i));
      }
      h = add(channelsLast(residualConv(layer.at('conv'), channelsFirst(inner))), h);
    }
    const body = channelsFirst(layerNorm(w.at('norm'), h));
    const features = add(residualConv(w.at('conv_after_body'), body), first);
    return uncentred(upsample(w, features, upsampler, upscale));
  },
};

/** Blocks of attention in windows have even numbers; every other one of them is shifted. */
const isShifted = (group: number, block: number): boolean =>
  block % 4 === (group % 2 === 0 ? 2 : 0);

interface Windows {
  readonly window: Sides;
  readonly shift: Sides;
  /** For a shifted picture. */
  readonly mask: Tensor;
}

interface TwoWindows {
  readonly halves: readonly Windows[];
  /** Sides of the picture, and of the one that whole windows of both kinds cover. */
  readonly sides: readonly [Dim, Dim];
  readonly covered: readonly [Dim, Dim];
}

function twoWindows({ height, width }: Sides, sides: readonly [Dim, Dim]): TwoWindows {
  const most = Math.max(height, width);
  const cover = (side: Dim): Dim => mulDim(ceilDivDim(side, most), most);
  const covered = [cover(sides[0]), cover(sides[1])] as const;
  const halves = [
    { height, width },
    { height: width, width: height },
  ].map((window) => {
    const shift = {
      height: Math.floor(window.height / 2),
      width: Math.floor(window.width / 2),
    };
    return { window, shift, mask: shiftMask(covered, window, shift) };
  });
  return { halves, sides, covered };
}

function block(w: Weights, x: Tensor, windows: TwoWindows, shift: boolean): Tensor {
  const n = layerNorm(w.at('norm1'), x);
  const attn = w.at('attn');
  const attended = attn.has('temperature')
    ? channelAttention(attn, n)
    : spatialAttention(attn, n, windows, shift);
  const h = add(x, attended);
  return add(h, gatedFeedForward(w.at('ffn'), layerNorm(w.at('norm2'), h)));
}

/** Attention in windows, the channels of what it gives weighted by the convolution and vice versa. */
function spatialAttention(w: Weights, x: Tensor, windows: TwoWindows, shift: boolean): Tensor {
  const { halves, sides, covered } = windows;
  const beyond = sides.map((side, i) => [0, subDim(covered[i], side)] as const);
  const qkv = chunk(linear(w.at('qkv'), x), 3, -1);
  const parts = qkv.map((part) => chunk(padZero(part, [...beyond, [0, 0]]), 2, -1));
  const results = halves.map((half, i) => {
    const own = parts.map((part) => part[i]) as [Tensor, Tensor, Tensor];
    return inWindows(w.at(`attns.${i}`), own, half, covered, shift);
  });
  const attended = channelsFirst(slice(slice(concat(results, 3), 1, 0, sides[0]), 2, 0, sides[1]));
  const beside = depthwise(w.at('dwconv'), channelsFirst(qkv[2]));
  return aggregate(w, { byChannel: attended, byPlace: beside });
}

/** Attention in the windows of one half of the channels: q, k and v are [1, h, w, c/2]. */
function inWindows(
  w: Weights,
  qkv: readonly [Tensor, Tensor, Tensor],
  { window, shift, mask }: Windows,
  sides: readonly [Dim, Dim],
  isShifted: boolean,
): Tensor {
  const table = positionTable(w);
  const bias = relativeBias(table, window);
  const [heads] = table.shape.slice(1) as number[]; // stored tensors have fixed sizes
  return shifted(concat(qkv, 3), isShifted ? shift : { height: 0, width: 0 }, (moved) => {
    const [q, k, v] = chunk(windowsOf(moved, window), 3, -1);
    const h = attention(q, k, v, { heads, mask: isShifted ? add(bias, mask) : bias });
    return pictureOf(h, window, sides);
  });
}

/** A bias for each head and offset, made by a small network from the offsets. */
function positionTable(w: Weights): Tensor {
  let h = linear(w.at('pos.pos_proj'), w.param('rpe_biases'));
  for (const layer of [w.at('pos.pos1'), w.at('pos.pos2'), w.at('pos.pos3')]) {
    h = linear(layer.at('2'), relu(layerNorm(layer.at('0'), h)));
  }
  return h; // [offsets, heads]
}

/** Attention between the channels of each head (XCiT), over all places. */
function channelAttention(w: Weights, x: Tensor): Tensor {
  const qkv = chunk(linear(w.at('qkv'), x), 3, -1).map(channelsFirst); // [1, c, h, w]
  const temperature = w.param('temperature'); // [heads, 1, 1]
  const [heads] = temperature.shape as number[]; // stored tensors have fixed sizes
  const channels = qkv[0].shape[1] as number;
  const [q, k, v] = qkv.map((part) => reshape(part, [1, heads, channels / heads, -1]));
  const scores = mul(matmul(unit(q), unit(k), { transposeB: true }), temperature);
  const attended = reshape(matmul(softmax(scores, -1), v), qkv[0].shape);
  const beside = depthwise(w.at('dwconv'), qkv[2]);
  return aggregate(w, { byChannel: beside, byPlace: attended });
}

/** x of length 1 along the last axis. */
const unit = (x: Tensor): Tensor =>
  div(x, maximum(sqrt(sum(mul(x, x), -1, { keep: true })), 1e-12));

const depthwise = (w: Weights, x: Tensor): Tensor =>
  gelu(batchNorm(w.at('1'), conv2d(w.at('0'), x, { pad: 1, groups: x.shape[1] as number })));

/**
 * Two branches [1, c, h, w] joined: the channels of one are weighted by what is in the other overall,
 * the places of the other by what is in the first there.
 */
function aggregate(
  w: Weights,
  { byChannel, byPlace }: { readonly byChannel: Tensor; readonly byPlace: Tensor },
): Tensor {
  const means = mean(byPlace, [2, 3], { keep: true }); // [1, c, 1, 1]
  const channel = w.at('channel_interaction');
  const channelMap = conv2d(
    channel.at('4'),
    gelu(batchNorm(channel.at('2'), conv2d(channel.at('1'), means))),
  );
  const spatial = w.at('spatial_interaction');
  const spatialMap = conv2d(
    spatial.at('3'),
    gelu(batchNorm(spatial.at('1'), conv2d(spatial.at('0'), byChannel))),
  );
  const joined = add(mul(byChannel, sigmoid(channelMap)), mul(byPlace, sigmoid(spatialMap)));
  return linear(w.at('proj'), channelsLast(joined)); // [1, h, w, c]
}

/** A feed-forward layer, one half of whose features gates the other through a convolution. */
function gatedFeedForward(w: Weights, x: Tensor): Tensor {
  const [left, right] = chunk(gelu(linear(w.at('fc1'), x)), 2, -1);
  const n = channelsFirst(layerNorm(w.at('sg.norm'), right));
  const gate = conv2d(w.at('sg.conv'), n, { pad: 1, groups: n.shape[1] as number });
  return linear(w.at('fc2'), mul(left, channelsLast(gate)));
}
