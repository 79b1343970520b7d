/**
 * SwinIR: residual groups of Swin blocks on features of the picture's own size.
 *
 * Paper: Liang et al. 2021. Reference: JingyunLiang/SwinIR. Models of the "real" kind enlarge by
 * nearest neighbours, those against JPEG artefacts (windows of 7) keep the size.
 */
import { conv2d } from '../../tensor/layers.ts';
import { add } from '../../tensor/nn.ts';
import type { UpscaleKind } from './kind.ts';
import { centred, pixelUnshuffle, uncentred } from './pixels.ts';
import {
  type Upsampler,
  pixelsOf,
  residualConv,
  residualGroups,
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
    const required = ['relative_position_index', 'relative_position_bias_table'];
    if (!w.has(first) || !required.every((key) => w.has(`${firstBlock}.attn.${key}`)))
      return undefined;
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
    const mask = halfShiftMask([first.shape[2], first.shape[3]], window);
    const body = residualGroups(w, first, (block, inner, i) =>
      swinBlock(block, inner, { window, mask: i % 2 === 1 ? mask : undefined }),
    );
    const h = add(residualConv(w.at('conv_after_body'), body), first);
    return uncentred(pixelsOf(w, h, x, { upsampler, upscale }), range);
  },
};
