/**
 * SAFMN: features gated by what they are at several resolutions.
 *
 * Paper: Sun et al. 2023, "Spatially-Adaptive Feature Modulation for Efficient Image
 * Super-Resolution". Reference: sunny2109/SAFMN.
 */
import type { Weights } from '../../tensor/cursor.ts';
import { conv2d } from '../../tensor/layers.ts';
import { add, chunk, concat, gelu, maxPool, mul, upsampleNearest } from '../../tensor/nn.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { UpscaleKind } from './kind.ts';
import { channelNorm, numbersUnder, pixelShuffle } from './pixels.ts';

interface SafmnConfig {
  readonly scale: number;
}

const required = ['to_feat.weight', 'feats.0.safm.mfr.3.weight', 'feats.0.ccm.ccm.2.weight'];
const levels = 4;

export const safmn: UpscaleKind<SafmnConfig> = {
  name: 'SAFMN',
  detect(w) {
    if (![...required, 'to_img.0.weight'].every((key) => w.has(key))) return undefined;
    const scale = Math.floor(Math.sqrt(w.shape('to_img.0.weight')[0] / 3));
    const multipleOf = 2 ** (levels - 1);
    return { scale, inputChannels: 3, outputChannels: 3, multipleOf, config: { scale } };
  },
  build(w, picture, { scale }) {
    const first = conv2d(w.at('to_feat'), picture, { pad: 1 });
    let h = first;
    for (const n of numbersUnder(w, 'feats')) {
      const block = w.at(`feats.${n}`);
      h = add(modulated(block.at('safm'), channelNorm(block.at('norm1'), h)), h);
      h = add(channelMixer(block.at('ccm.ccm'), channelNorm(block.at('norm2'), h)), h);
    }
    return pixelShuffle(conv2d(w.at('to_img.0'), add(h, first), { pad: 1 }), scale);
  },
};

function modulated(w: Weights, x: Tensor): Tensor {
  const parts = chunk(x, levels, 1).map((part, level) => {
    const factor = 2 ** level;
    const small = level === 0 ? part : maxPool(part, { kernel: factor });
    const groups = part.shape[1] as number;
    const h = conv2d(w.at(`mfr.${level}`), small, { pad: 1, groups });
    return level === 0 ? h : upsampleNearest(h, { scale: factor });
  });
  return mul(gelu(conv2d(w.at('aggr'), concat(parts, 1))), x);
}

const channelMixer = (w: Weights, x: Tensor): Tensor =>
  conv2d(w.at('2'), gelu(conv2d(w.at('0'), x, { pad: 1 })));
