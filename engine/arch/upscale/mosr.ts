/**
 * MoSR: gated convolutions ("MambaOut") on features of the picture's own size.
 *
 * Reference: umzi2/MoSR and neosr. Pixels come from a pixel shuffle, from the mean of eight (`in_to_k`)
 * or from sampling (DySample).
 */
import type { Weights } from '../../tensor/cursor.ts';
import { conv2d } from '../../tensor/layers.ts';
import { add, concat, mean, mul, rearrange, split, sub } from '../../tensor/nn.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { dySample } from './dysample.ts';
import type { UpscaleKind } from './kind.ts';
import { channelNorm, mish, numbersUnder, pixelShuffle } from './pixels.ts';

interface MosrConfig {
  readonly scale: number;
}

const required = ['gblocks.0.weight', 'gblocks.1.norm.weight', 'gblocks.1.fc1.weight'];

/** Copies of every pixel that `in_to_k` makes. */
const copies = 8;

export const mosr: UpscaleKind<MosrConfig> = {
  name: 'MoSR',
  detect(w) {
    if (!required.every((key) => w.has(key))) return undefined;
    const [, inputChannels] = w.shape('gblocks.0.weight');
    const facts = (squares: number, outputChannels = inputChannels) => {
      const scale = Math.floor(Math.sqrt(squares));
      const fullPrecision = w.has('upsampler.init_pos');
      return { scale, inputChannels, outputChannels, fullPrecision, config: { scale } };
    };
    const up = w.at('upsampler');
    if (up.has('init_pos')) {
      return facts(up.shape('offset.weight')[0] / 8, up.shape('end_conv.weight')[0]);
    }
    if (up.has('in_to_k')) return facts(up.shape('in_to_k.weight')[0] / copies / inputChannels);
    return up.has('0.weight') ? facts(up.shape('0.weight')[0] / inputChannels) : undefined;
  },
  build(w, picture, { scale }) {
    let h = picture;
    for (const n of numbersUnder(w, 'gblocks')) {
      const layer = w.at(`gblocks.${n}`);
      if (layer.has('fc1')) h = gatedBlock(layer, h);
      else h = convOf(layer, h, w.has(`gblocks.${n + 2}`) && n > 0);
    }
    const features = add(h, sub(shortcut(w.at('shortcut'), picture), 0.5));
    return pixelsOf(w.at('upsampler'), features, scale);
  },
};

/** The convolutions that are followed by another one have an activation. */
const convOf = (w: Weights, x: Tensor, active: boolean): Tensor => {
  const y = conv2d(w, x, { pad: Math.floor(w.shape('weight')[2] / 2) });
  return active ? mish(y) : y;
};

function gatedBlock(w: Weights, x: Tensor): Tensor {
  const hidden = w.shape('fc1.weight')[0] / 2;
  const [convolved, , kernel] = w.shape('conv.weight');
  const all = conv2d(w.at('fc1'), channelNorm(w.at('norm'), x), { pad: 1 });
  const [gate, same, some] = split(all, [hidden, hidden - convolved, convolved], 1);
  const pad = Math.floor(kernel / 2);
  const mixed = concat([same, conv2d(w.at('conv'), some, { pad, groups: convolved })], 1);
  const h = mish(conv2d(w.at('fc2'), mul(mish(gate), mixed), { pad: 1 }));
  return add(h, sub(x, 0.5));
}

function shortcut(w: Weights, x: Tensor): Tensor {
  const h = mish(conv2d(w.at('block.0'), x, { pad: 1 }));
  return add(mish(conv2d(w.at('block.2'), h, { pad: 1 })), conv2d(w.at('conv11'), x));
}

function pixelsOf(w: Weights, x: Tensor, scale: number): Tensor {
  if (w.has('init_pos')) return dySample(w, x, scale);
  if (!w.has('in_to_k')) return pixelShuffle(conv2d(w.at('0'), x, { pad: 1 }), scale);
  const all = rearrange(convOf(w.at('in_to_k'), x, false), 'b (n c) h w -> b n c h w', {
    n: copies,
  });
  return pixelShuffle(mean(all, 1), scale);
}
