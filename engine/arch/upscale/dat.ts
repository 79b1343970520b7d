/**
 * DAT: attention in windows and attention between channels by turns, each with a convolution beside
 * it, and the two weighing each other.
 *
 * Paper: Chen et al. 2023, "Dual Aggregation Transformer for Image Super-Resolution". Reference:
 * zhengchen1999/DAT. The windows of one half of the channels lie, those of the other half stand.
 */
import type { Weights } from '../../tensor/cursor.ts';
import { conv2d, layerNorm, linear } from '../../tensor/layers.ts';
import { add, chunk, gelu, matmul, mean, mul, reshape, sigmoid, softmax } from '../../tensor/nn.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import {
  type CrossWindows,
  crossAttention,
  crossWindows,
  gatedFeedForward,
  isShifted,
} from './cross-windows.ts';
import type { UpscaleKind } from './kind.ts';
import {
  batchNorm,
  centred,
  channelsFirst,
  channelsLast,
  numbersUnder,
  uncentred,
  unit,
} from './pixels.ts';
import {
  type Upsampler,
  residualConv,
  upsample,
  upsamplerOf,
  upsamplerScale,
} from './reconstruction.ts';
import type { Sides } from './windows.ts';

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
    const windows = crossWindows(window, [first.shape[2], first.shape[3]]);
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

function block(w: Weights, x: Tensor, windows: CrossWindows, shift: boolean): Tensor {
  const n = layerNorm(w.at('norm1'), x);
  const attn = w.at('attn');
  const attended = attn.has('temperature')
    ? channelAttention(attn, n)
    : spatialAttention(attn, n, windows, shift);
  const h = add(x, attended);
  return add(h, gatedFeedForward(w.at('ffn'), layerNorm(w.at('norm2'), h)));
}

/** Attention in windows, the channels of what it gives weighted by the convolution and vice versa. */
function spatialAttention(w: Weights, x: Tensor, windows: CrossWindows, shift: boolean): Tensor {
  const { attended, values } = crossAttention(w, x, windows, shift);
  return aggregate(w, { byChannel: attended, byPlace: depthwise(w.at('dwconv'), values) });
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
