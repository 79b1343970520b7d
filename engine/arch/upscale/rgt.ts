/**
 * RGT: attention in windows, and of every place to a small summary of the whole picture, by turns.
 *
 * Paper: Chen et al. 2024, "Recursive Generalization Transformer for Image Super-Resolution".
 * Reference: zhengchen1999/RGT.
 */
import type { Weights } from '../../tensor/cursor.ts';
import { conv2d, layerNorm, linear } from '../../tensor/layers.ts';
import { add, attention, gelu, mul, rearrange } from '../../tensor/nn.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import {
  type CrossWindows,
  crossAttention,
  crossWindows,
  gatedFeedForward,
  isShifted,
} from './cross-windows.ts';
import type { UpscaleKind } from './kind.ts';
import { centred, channelsFirst, channelsLast, numbersUnder, uncentred } from './pixels.ts';
import { residualConv, upsample, upsamplerScale } from './reconstruction.ts';
import type { Sides } from './windows.ts';

interface RgtConfig {
  readonly window: Sides;
  readonly upscale: number;
}

const attentionPath = 'layers.0.blocks.0.attn';
const required = [
  'conv_first.weight',
  'before_RG.1.weight',
  'layers.0.blocks.0.gamma',
  'layers.0.blocks.0.mlp.fc1.weight',
  `${attentionPath}.attns.0.rpe_biases`,
  'conv_before_upsample.0.weight',
  'conv_last.weight',
];

export const rgt: UpscaleKind<RgtConfig> = {
  name: 'RGT',
  async detect(w, read) {
    if (!required.every((key) => w.has(key))) return undefined;
    const [, inputChannels] = w.shape('conv_first.weight');
    // the last row of all offsets inside a window is the largest
    const [lastY, lastX] = (await read(`${attentionPath}.attns.0.rpe_biases`)).slice(-2);
    const upscale = upsamplerScale(w, 'pixelshuffle', inputChannels);
    return {
      scale: upscale,
      inputChannels,
      outputChannels: inputChannels,
      minimum: 16,
      config: { window: { height: lastY + 1, width: lastX + 1 }, upscale },
    };
  },
  build(w, picture, { window, upscale }) {
    const first = conv2d(w.at('conv_first'), centred(picture), { pad: 1 });
    const windows = crossWindows(window, [first.shape[2], first.shape[3]]);
    let h = layerNorm(w.at('before_RG.1'), channelsLast(first)); // [1, h, w, c]
    for (const n of numbersUnder(w, 'layers')) {
      const layer = w.at(`layers.${n}`);
      let inner = h;
      for (const i of numbersUnder(layer, 'blocks')) {
        const options = { windows, shift: isShifted(n, i), heads: headsOf(layer, first) };
        inner = block(layer.at(`blocks.${i}`), inner, options);
      }
      h = add(channelsLast(residualConv(layer.at('conv'), channelsFirst(inner))), h);
    }
    const body = channelsFirst(layerNorm(w.at('norm'), h));
    const features = add(residualConv(w.at('conv_after_body'), body), first);
    return uncentred(upsample(w, features, 'pixelshuffle', upscale));
  },
};

/** Each of the two kinds of windows has half of the heads; of an odd number, one less. */
function headsOf(layer: Weights, { shape: [, channels] }: Tensor): number {
  const [half] = layer.shape('blocks.0.attn.attns.0.pos.pos3.2.weight');
  return (channels as number) % (half * 2) === 0 ? half * 2 : half * 2 + 1;
}

interface BlockOptions {
  readonly windows: CrossWindows;
  readonly shift: boolean;
  readonly heads: number;
}

function block(w: Weights, x: Tensor, { windows, shift, heads }: BlockOptions): Tensor {
  const n = layerNorm(w.at('norm1'), x);
  const attn = w.at('attn');
  let h = add(
    x,
    attn.has('attns') ? localAttention(attn, n, windows, shift) : summaryAttention(attn, n, heads),
  );
  h = add(h, gatedFeedForward(w.at('mlp'), layerNorm(w.at('norm2'), h)));
  return add(h, mul(x, w.param('gamma')));
}

function localAttention(w: Weights, x: Tensor, windows: CrossWindows, shift: boolean): Tensor {
  const { attended, values } = crossAttention(w, x, windows, shift);
  return linear(w.at('proj'), channelsLast(add(attended, depthwise(w.at('get_v'), values))));
}

/** Halvings by four: enough for the tiles that pictures go in; the reference makes more from 1024 on. */
const reductions = 2;

/** Attention of every place to the places of the picture made 16 times smaller. */
function summaryAttention(w: Weights, x: Tensor, heads: number): Tensor {
  const [, height, width, channels] = x.shape;
  let small = channelsFirst(x);
  for (let i = 0; i < reductions; i++) {
    small = conv2d(w.at('reduction1'), small, { stride: 4, groups: channels as number });
  }
  small = channelsLast(conv2d(w.at('conv'), depthwise(w.at('dwconv'), small))); // [1, h', w', c']
  const summary = gelu(layerNorm(w.at('norm_act.0'), small));
  const plain = linear(w.at('v'), summary);
  const values = add(plain, channelsLast(depthwise(w.at('cpe'), channelsFirst(plain))));
  const flat = (part: Tensor): Tensor => rearrange(part, 'b h w c -> b (h w) c');
  const h = attention(flat(linear(w.at('q'), x)), flat(linear(w.at('k'), summary)), flat(values), {
    heads,
  });
  const sizes = { h: height, w: width };
  return linear(w.at('proj'), rearrange(h, 'b (h w) c -> b h w c', sizes));
}

const depthwise = (w: Weights, x: Tensor): Tensor =>
  conv2d(w, x, { pad: 1, groups: x.shape[1] as number });
