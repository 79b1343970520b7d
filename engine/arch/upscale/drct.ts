/**
 * DRCT: Swin blocks that see the results of all before them in their group, as dense blocks do.
 *
 * Paper: Hsu et al. 2024, "DRCT: Saving Image Super-Resolution Away from Information Bottleneck".
 */
import type { Weights } from '../../tensor/cursor.ts';
import { conv2d, layerNorm } from '../../tensor/layers.ts';
import { add, concat, leakyRelu, mul } from '../../tensor/nn.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { UpscaleKind } from './kind.ts';
import { centred, channelsFirst, channelsLast, numbersUnder, uncentred } from './pixels.ts';
import { residualConv, upsample, upsamplerScale } from './reconstruction.ts';
import { halfShiftMask, swinBlock } from './windows.ts';

interface DrctConfig {
  readonly window: number;
  readonly upscale: number;
  /** Whether every second block is shifted: not in models for pictures of a single window. */
  readonly shifts: boolean;
}

const table = 'layers.0.swin1.attn.relative_position_bias_table';
const required = ['conv_first.weight', table, 'layers.0.adjust1.weight', 'layers.0.adjust5.weight'];

export const drct: UpscaleKind<DrctConfig> = {
  name: 'DRCT',
  detect(w) {
    // without an upsampler the reference gives its input back
    if (!required.every((key) => w.has(key)) || !w.has('conv_last.weight')) return undefined;
    if (w.has('absolute_pos_embed')) return undefined;
    const [, inputChannels] = w.shape('conv_first.weight');
    const window = (Math.sqrt(w.shape(table)[0]) + 1) / 2;
    const upscale = upsamplerScale(w, 'pixelshuffle', inputChannels);
    const shifts = w.has('layers.0.swin2.attn_mask');
    return {
      scale: upscale,
      inputChannels,
      outputChannels: inputChannels,
      minimum: 16,
      multipleOf: Math.max(16, window),
      config: { window, upscale, shifts },
    };
  },
  build(w, picture, { window, upscale, shifts }) {
    const first = conv2d(w.at('conv_first'), centred(picture), { pad: 1 });
    const sides = [first.shape[2], first.shape[3]] as const;
    const mask = shifts ? halfShiftMask(sides, window) : undefined;
    const tokens = channelsLast(first); // [1, h, w, c]
    let h = w.has('patch_embed.norm') ? layerNorm(w.at('patch_embed.norm'), tokens) : tokens;
    for (const n of numbersUnder(w, 'layers')) h = denseGroup(w.at(`layers.${n}`), h, window, mask);
    const body = channelsFirst(layerNorm(w.at('norm'), h));
    const after = w.has('conv_after_body') ? residualConv(w.at('conv_after_body'), body) : body;
    return uncentred(upsample(w, add(after, first), 'pixelshuffle', upscale));
  },
};

function denseGroup(w: Weights, x: Tensor, window: number, mask: Tensor | undefined): Tensor {
  let seen = [x];
  for (const n of [1, 2, 3, 4, 5]) {
    const options = { window, mask: n % 2 === 0 ? mask : undefined };
    const h = swinBlock(w.at(`swin${n}`), concat(seen, 3), options);
    const narrow = channelsLast(conv2d(w.at(`adjust${n}`), channelsFirst(h)));
    seen = [...seen, n < 5 ? leakyRelu(narrow, 0.2) : narrow];
  }
  return add(mul(seen[5], 0.2), x);
}
