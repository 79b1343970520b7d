/**
 * SwinIR: residual groups of Swin blocks on features of the picture's own size.
 *
 * Paper: Liang et al. 2021. Reference: JingyunLiang/SwinIR. Models of the "real" kind enlarge by
 * nearest neighbours, those against JPEG artefacts (windows of 7) keep the size.
 */
import type { Weights } from '../../tensor/cursor.ts';
import { conv2d, layerNorm } from '../../tensor/layers.ts';
import { add } from '../../tensor/nn.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { UpscaleKind } from './kind.ts';
import {
  centred,
  channelsFirst,
  channelsLast,
  numbersUnder,
  pixelUnshuffle,
  uncentred,
} from './pixels.ts';
import {
  type Upsampler,
  residualConv,
  upsample,
  upsamplerOf,
  upsamplerScale,
} from './reconstruction.ts';
import { halfShiftMask, swinBlock } from './windows.ts';

interface SwinIrConfig {
  readonly window: number;
  readonly upsampler: Upsampler;
  readonly upscale: number;
  /** Pixels a side that become channels first. */
  readonly unshuffle: number;
}

const firstBlock = 'layers.0.residual_group.blocks.0';

export const swinIr: UpscaleKind<SwinIrConfig> = {
  name: 'SwinIR',
  detect(w) {
    const first = w.has('conv_first.1.weight') ? 'conv_first.1.weight' : 'conv_first.weight';
    const required = ['norm1.weight', 'mlp.fc1.bias', 'attn.relative_position_index'];
    if (!w.has(first) || !required.every((key) => w.has(`${firstBlock}.${key}`))) return undefined;
    const [, channels] = w.shape(first);
    const unshuffled = first === 'conv_first.1.weight';
    const unshuffle = unshuffled ? Math.round(Math.sqrt(Math.floor(channels / 3))) : 1;
    const window = Math.sqrt(w.shape(`${firstBlock}.attn.relative_position_index`)[0]);
    const upsampler = upsamplerOf(w);
    const inputChannels = channels / unshuffle ** 2;
    const upscale = upsamplerScale(w, upsampler, inputChannels);
    return {
      scale: upscale / unshuffle,
      inputChannels,
      outputChannels: inputChannels,
      minimum: 16,
      multipleOf: window * unshuffle,
      config: { window, upsampler, upscale, unshuffle },
    };
  },
  build(w, picture, { window, upsampler, upscale, unshuffle }) {
    // models with windows of 7 were trained on 0..255; nothing in the file says so
    const range = window === 7 ? 255 : 1;
    const x = pixelUnshuffle(centred(picture, range), unshuffle);
    const first = conv2d(w.at(unshuffle > 1 ? 'conv_first.1' : 'conv_first'), x, { pad: 1 });
    const h = add(residualConv(w.at('conv_after_body'), body(w, first, window)), first);
    if (upsampler !== 'none') return uncentred(upsample(w, h, upsampler, upscale), range);
    return uncentred(add(x, conv2d(w.at('conv_last'), h, { pad: 1 })), range);
  },
};

function body(w: Weights, first: Tensor, window: number): Tensor {
  const mask = halfShiftMask([first.shape[2], first.shape[3]], window);
  let h = layerNorm(w.at('patch_embed.norm'), channelsLast(first)); // [1, h, w, c]
  for (const n of numbersUnder(w, 'layers')) {
    const layer = w.at(`layers.${n}`);
    let inner = h;
    for (const i of numbersUnder(layer, 'residual_group.blocks')) {
      const block = layer.at(`residual_group.blocks.${i}`);
      inner = swinBlock(block, inner, { window, mask: i % 2 === 1 ? mask : undefined });
    }
    h = add(channelsLast(residualConv(layer.at('conv'), channelsFirst(inner))), h);
  }
  return channelsFirst(layerNorm(w.at('norm'), h));
}
