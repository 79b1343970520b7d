/**
 * HAT: Swin blocks with channel attention beside them, and attention to overlapping windows.
 *
 * Paper: Chen et al. 2023, "Activating More Pixels in Image Super-Resolution Transformer". Reference:
 * XPixelGroup/HAT.
 */
import type { Weights } from '../../tensor/cursor.ts';
import { conv2d, layerNorm, linear } from '../../tensor/layers.ts';
import {
  add,
  attention,
  chunk,
  gather,
  gelu,
  mul,
  padZero,
  range,
  rearrange,
  unsqueeze,
} from '../../tensor/nn.ts';
import { type Dim, floorDivDim } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { UpscaleKind } from './kind.ts';
import {
  centred,
  channelAttention,
  channelsFirst,
  channelsLast,
  numbersUnder,
  uncentred,
} from './pixels.ts';
import { residualConv, upsample, upsamplerScale } from './reconstruction.ts';
import {
  halfShiftMask,
  mlp,
  pictureOf,
  pickedBias,
  places,
  square,
  windowAttention,
  windowsOf,
} from './windows.ts';

interface HatConfig {
  readonly window: number;
  /** Pixels a side of the windows of keys, which overlap. */
  readonly keyWindow: number;
  readonly upscale: number;
}

const group = 'layers.0.residual_group';
const required = [
  'relative_position_index_SA',
  'relative_position_index_OCA',
  'conv_first.weight',
  `${group}.blocks.0.norm1.weight`,
  `${group}.blocks.0.conv_block.cab.3.attention.1.weight`,
  `${group}.overlap_attn.relative_position_bias_table`,
  'conv_last.weight',
];

/** The share of the convolutions beside the attention; nothing in the file says it. */
const convScale = 0.01;

export const hat: UpscaleKind<HatConfig> = {
  name: 'HAT',
  detect(w) {
    if (!required.every((key) => w.has(key)) || w.has('absolute_pos_embed')) return undefined;
    const [, inputChannels] = w.shape('conv_first.weight');
    const [queries, keys] = w.shape('relative_position_index_OCA');
    const [window, keyWindow] = [Math.sqrt(queries), Math.sqrt(keys)];
    const upscale = upsamplerScale(w, 'pixelshuffle', inputChannels);
    return {
      scale: upscale,
      inputChannels,
      outputChannels: inputChannels,
      minimum: 16,
      multipleOf: window,
      config: { window, keyWindow, upscale },
    };
  },
  build(w, picture, config) {
    const first = conv2d(w.at('conv_first'), centred(picture), { pad: 1 });
    const mask = halfShiftMask([first.shape[2], first.shape[3]], config.window);
    const tokens = channelsLast(first); // [1, h, w, c]
    let h = w.has('patch_embed.norm') ? layerNorm(w.at('patch_embed.norm'), tokens) : tokens;
    for (const n of numbersUnder(w, 'layers')) {
      h = hybridGroup(w.at(`layers.${n}`), h, config, mask);
    }
    const body = channelsFirst(layerNorm(w.at('norm'), h));
    const after = w.has('conv_after_body') ? residualConv(w.at('conv_after_body'), body) : body;
    return uncentred(upsample(w, add(after, first), 'pixelshuffle', config.upscale));
  },
};

function hybridGroup(w: Weights, x: Tensor, config: HatConfig, mask: Tensor): Tensor {
  const inside = w.at('residual_group');
  let h = x;
  for (const i of numbersUnder(inside, 'blocks')) {
    const block = inside.at(`blocks.${i}`);
    h = hybridBlock(block, h, { window: config.window, mask: i % 2 === 1 ? mask : undefined });
  }
  h = overlappingAttention(inside.at('overlap_attn'), h, config);
  if (!w.has('conv')) return add(h, x);
  return add(channelsLast(residualConv(w.at('conv'), channelsFirst(h))), x);
}

function hybridBlock(
  w: Weights,
  x: Tensor,
  options: Parameters<typeof windowAttention>[2],
): Tensor {
  const n = layerNorm(w.at('norm1'), x);
  const beside = channelsLast(channelAttentionBlock(w.at('conv_block.cab'), channelsFirst(n)));
  const attended = windowAttention(w.at('attn'), n, options);
  const h = add(add(x, attended), mul(beside, convScale));
  return add(h, mlp(w.at('mlp'), layerNorm(w.at('norm2'), h)));
}

/** Two convolutions, whose channels are then weighted by what is in them overall. */
function channelAttentionBlock(w: Weights, x: Tensor): Tensor {
  const h = conv2d(w.at('2'), gelu(conv2d(w.at('0'), x, { pad: 1 })), { pad: 1 });
  return channelAttention(h, w.at('3.attention.1'), w.at('3.attention.3'));
}

/** Attention of windows to larger windows around them. */
function overlappingAttention(w: Weights, x: Tensor, { window, keyWindow }: HatConfig): Tensor {
  const [, height, width] = x.shape;
  const [q, k, v] = chunk(linear(w.at('qkv'), layerNorm(w.at('norm1'), x)), 3, -1);
  const table = w.param('relative_position_bias_table');
  const [count, heads] = table.shape as readonly [number, number]; // stored tensors have fixed sizes
  const around = (part: Tensor): Tensor => overlappingWindows(part, window, keyWindow);
  const mask = pickedBias(table, overlapIndex(window, keyWindow, count));
  const h = attention(windowsOf(q, square(window)), around(k), around(v), { heads, mask });
  const y = add(linear(w.at('proj'), pictureOf(h, square(window), [height, width])), x);
  return add(y, mlp(w.at('mlp'), layerNorm(w.at('norm2'), y)));
}

/** For every window of x [1, h, w, c] the `size` pixels a side around it: [windows, size*size, c]. */
function overlappingWindows(x: Tensor, window: number, size: number): Tensor {
  const [, height, width] = x.shape;
  const before = Math.floor((size - window) / 2);
  const sides = [before, size - window - before] as const;
  /** The places around each window along an axis [windows, size]. */
  const around = (length: Dim): Tensor => {
    const starts = mul(range(floorDivDim(length, window)), window);
    return add(unsqueeze(starts, 1), unsqueeze(range(size), 0));
  };
  const rows = gather(padZero(x, [sides, sides, [0, 0]]), around(height), 1); // [1, h', size, w, c]
  const both = gather(rows, around(width), 3); // [1, h', size, w', size, c]
  return rearrange(both, 'b h i w j c -> (b h w) (i j) c');
}

/**
 * Where the biases between a window and the larger one around it lie in the table. The offsets of the
 * reference go below zero, where they mean entries from the table's end.
 */
function overlapIndex(
  window: number,
  size: number,
  count: number,
): { readonly index: readonly number[]; readonly shape: readonly number[] } {
  const start = window - size + 1;
  const columns = window + size - 1;
  const index = places(square(window)).flatMap(([qy, qx]) =>
    places(square(size)).map(([ky, kx]) => {
      const place = (ky - qy + start) * columns + kx - qx + start;
      return place < 0 ? place + count : place;
    }),
  );
  return { index, shape: [window ** 2, size ** 2] };
}
