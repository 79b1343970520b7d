/**
 * SRFormer: SwinIR whose keys and values are a quarter as many, with four places of the picture in the
 * channels of one, which buys windows of twice the side.
 *
 * Paper: Zhou et al. 2023, "SRFormer: Permuted Self-Attention for Single Image Super-Resolution".
 * Reference: HVision-NKU/SRFormer.
 */
import type { Weights } from '../../tensor/cursor.ts';
import { conv2d, layerNorm, linear } from '../../tensor/layers.ts';
import { add, attention, chunk, gelu, rearrange } from '../../tensor/nn.ts';
import type { Dim } from '../../tensor/shape.ts';
import { floorDivDim } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { UpscaleKind } from './kind.ts';
import { centred, channelsFirst, channelsLast, uncentred } from './pixels.ts';
import {
  type Upsampler,
  pixelsOf,
  residualConv,
  residualGroups,
  upsamplerOf,
  upsamplerScale,
} from './reconstruction.ts';
import {
  places,
  pickedBias,
  pictureOf,
  regionIds,
  relativeIndex,
  scoresBetween,
  shifted,
  square,
  windowsOf,
} from './windows.ts';

interface SrformerConfig {
  readonly window: number;
  readonly upsampler: Upsampler;
  readonly upscale: number;
  /** Whether every other block looks through shifted windows; not where it was trained on single ones. */
  readonly shifts: boolean;
}

const firstAttention = 'layers.0.residual_group.blocks.0.attn';

export const srformer: UpscaleKind<SrformerConfig> = {
  name: 'SRFormer',
  detect(w) {
    const required = ['aligned_relative_position_index', 'relative_position_bias_table'];
    if (!w.has('conv_first.weight')) return undefined;
    if (!required.every((key) => w.has(`${firstAttention}.${key}`))) return undefined;
    if (w.has('absolute_pos_embed')) return undefined;
    const [, inputChannels] = w.shape('conv_first.weight');
    const window = Math.sqrt(w.shape(`${firstAttention}.relative_position_bias_table`)[0]) + 1;
    const upsampler = upsamplerOf(w);
    const upscale = upsamplerScale(w, upsampler, inputChannels);
    const shifts = w.has('layers.0.residual_group.blocks.1.attn_mask');
    return {
      scale: upscale,
      inputChannels,
      outputChannels: inputChannels,
      minimum: 16,
      multipleOf: window,
      config: { window, upsampler, upscale, shifts },
    };
  },
  build(w, picture, { window, upsampler, upscale, shifts }) {
    const x = centred(picture);
    const first = conv2d(w.at('conv_first'), x, { pad: 1 });
    const mask = shifts ? permutedMask([first.shape[2], first.shape[3]], window) : undefined;
    const body = residualGroups(w, first, (block, h, i) =>
      permutedBlock(block, h, { window, mask: i % 2 === 1 ? mask : undefined }),
    );
    const h = add(residualConv(w.at('conv_after_body'), body), first);
    return uncentred(pixelsOf(w, h, x, { upsampler, upscale }));
  },
};

interface BlockOptions {
  readonly window: number;
  /** Of a picture that is shifted by half a window; left out: it is not shifted. */
  readonly mask: Tensor | undefined;
}

function permutedBlock(w: Weights, x: Tensor, options: BlockOptions): Tensor {
  const h = add(x, permutedAttention(w.at('attn'), layerNorm(w.at('norm1'), x), options));
  return add(h, feedForward(w.at('mlp'), layerNorm(w.at('norm2'), h)));
}

/** Places of a picture [height, width] that are no neighbours, between queries and the fewer keys. */
function permutedMask([height, width]: readonly [Dim, Dim], window: number): Tensor {
  const shift = Math.floor(window / 2);
  const half = [floorDivDim(height, 2), floorDivDim(width, 2)] as const;
  return scoresBetween(
    regionIds([height, width], square(window), square(shift)),
    regionIds(half, square(window / 2), square(Math.ceil(shift / 2))),
  );
}

/** Attention of x [1, h, w, c] in windows to keys of which each stands for two by two places. */
function permutedAttention(w: Weights, x: Tensor, { window, mask }: BlockOptions): Tensor {
  const [, height, width] = x.shape;
  const [sides, few] = [square(window), square(window / 2)];
  const table = w.param('relative_position_bias_table');
  const heads = table.shape[1] as number; // stored tensors have fixed sizes
  const bias = pickedBias(table, alignedIndex(window));
  return shifted(x, square(mask ? Math.floor(window / 2) : 0), (moved) => {
    const [k, v] = chunk(linear(w.at('kv'), moved), 2, -1).map((part) =>
      windowsOf(rearrange(part, 'b (h i) (w j) c -> b h w (i j c)', { i: 2, j: 2 }), few),
    );
    const q = windowsOf(linear(w.at('q'), moved), sides);
    const h = attention(q, k, v, { heads, mask: mask ? add(bias, mask) : bias });
    return pictureOf(linear(w.at('proj'), h), sides, [height, width]);
  });
}

/** Where the bias of each place of a window and each of its keys lies: the places of a key share it. */
function alignedIndex(window: number): { index: number[]; shape: readonly number[] } {
  const few = window / 2;
  const { index } = relativeIndex(square(few), square(few));
  const keys = few * few;
  const rows = places(square(window)).map(([y, x]) => Math.floor(y / 2) * few + Math.floor(x / 2));
  return {
    index: rows.flatMap((row) => index.slice(row * keys, (row + 1) * keys)),
    shape: [window * window, keys],
  };
}

/** Two linear layers with a convolution over each channel added between. */
function feedForward(w: Weights, x: Tensor): Tensor {
  const h = gelu(linear(w.at('fc1'), x)); // [1, h, w, c]
  const planes = channelsFirst(h);
  const groups = planes.shape[1] as number;
  const beside = gelu(conv2d(w.at('dwconv.depthwise_conv.0'), planes, { pad: 2, groups }));
  return linear(w.at('fc2'), add(h, channelsLast(beside)));
}
