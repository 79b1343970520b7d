/**
 * Swin2SR: SwinIR with the blocks of Swin V2: cosine attention, biases made by a small network, and
 * norms behind what they normalise.
 *
 * Paper: Conde et al. 2022, "Swin2SR: SwinV2 Transformer for Compressed Image Super-Resolution and
 * Restoration". Reference: mv-lab/swin2sr. Models with a second, bicubic or high-frequency branch are
 * not known here.
 */
import type { Weights } from '../../tensor/cursor.ts';
import { conv2d, layerNorm, linear } from '../../tensor/layers.ts';
import { add, attention, chunk, clamp, exp, mul, relu, reshape, sigmoid } from '../../tensor/nn.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { UpscaleKind } from './kind.ts';
import { centred, channelsFirst, channelsLast, numbersUnder, uncentred, unit } from './pixels.ts';
import {
  type Upsampler,
  pixelsOf,
  residualConv,
  upsamplerOf,
  upsamplerScale,
} from './reconstruction.ts';
import {
  type WindowOptions,
  halfShiftMask,
  mlp,
  pictureOf,
  relativeBias,
  shifted,
  square,
  windowsOf,
} from './windows.ts';

interface Swin2SrConfig {
  readonly window: number;
  /** Whether every second block is shifted: not in models for pictures of a single window. */
  readonly shifts: boolean;
  readonly upsampler: Upsampler;
  readonly upscale: number;
}

const blocks = 'layers.0.residual_group.blocks';
const required = [
  'patch_embed.proj.weight',
  'conv_first.weight',
  `${blocks}.0.attn.cpb_mlp.0.weight`,
  `${blocks}.0.attn.relative_position_index`,
];
const unknown = ['absolute_pos_embed', 'conv_bicubic', 'conv_after_body_hf'];

export const swin2Sr: UpscaleKind<Swin2SrConfig> = {
  name: 'Swin2SR',
  detect(w) {
    if (!required.every((key) => w.has(key)) || unknown.some((key) => w.has(key))) return undefined;
    if (w.shape('patch_embed.proj.weight')[2] !== 1) return undefined;
    const [, inputChannels] = w.shape('conv_first.weight');
    const window = Math.sqrt(w.shape(`${blocks}.0.attn.relative_position_index`)[0]);
    const shifts = w.has(`${blocks}.1.attn_mask`);
    const upsampler = upsamplerOf(w);
    const upscale = upsamplerScale(w, upsampler, inputChannels);
    return {
      scale: upscale,
      inputChannels,
      outputChannels: inputChannels,
      minimum: 16,
      multipleOf: window,
      config: { window, shifts, upsampler, upscale },
    };
  },
  build(w, picture, config) {
    // models with windows of 7 were trained on 0..255; nothing in the file says so
    const range = config.window === 7 ? 255 : 1;
    const x = centred(picture, range);
    const first = conv2d(w.at('conv_first'), x, { pad: 1 });
    const h = add(residualConv(w.at('conv_after_body'), body(w, first, config)), first);
    return uncentred(pixelsOf(w, h, x, config), range);
  },
};

function body(w: Weights, first: Tensor, { window, shifts }: Swin2SrConfig): Tensor {
  const mask = shifts ? halfShiftMask([first.shape[2], first.shape[3]], window) : undefined;
  const tokens = channelsLast(conv2d(w.at('patch_embed.proj'), first)); // [1, h, w, c]
  let h = w.has('patch_embed.norm') ? layerNorm(w.at('patch_embed.norm'), tokens) : tokens;
  for (const n of numbersUnder(w, 'layers')) {
    const layer = w.at(`layers.${n}`);
    let inner = h;
    for (const i of numbersUnder(layer, 'residual_group.blocks')) {
      const options = { window, mask: i % 2 === 1 ? mask : undefined };
      inner = block(layer.at(`residual_group.blocks.${i}`), inner, options);
    }
    const convolved = residualConv(layer.at('conv'), channelsFirst(inner));
    h = add(channelsLast(conv2d(layer.at('patch_embed.proj'), convolved)), h);
  }
  return channelsFirst(layerNorm(w.at('norm'), h));
}

function block(w: Weights, x: Tensor, options: WindowOptions): Tensor {
  const h = add(x, layerNorm(w.at('norm1'), cosineAttention(w.at('attn'), x, options)));
  return add(h, layerNorm(w.at('norm2'), mlp(w.at('mlp'), h)));
}

/** Attention in windows by the angle between queries and keys. */
function cosineAttention(w: Weights, x: Tensor, { window, mask }: WindowOptions): Tensor {
  const [, height, width] = x.shape;
  const sides = square(window);
  const sharpness = exp(clamp(w.param('logit_scale'), -Infinity, Math.log(100))); // [heads, 1, 1]
  const [heads] = sharpness.shape as number[]; // stored tensors have fixed sizes
  const bias = mul(sigmoid(relativeBias(positionTable(w, heads), sides)), 16);
  const shift = square(mask ? Math.floor(window / 2) : 0);
  return shifted(x, shift, (moved) => {
    const [plainQ, k, plainV] = chunk(linear(w.at('qkv'), windowsOf(moved, sides)), 3, -1);
    const q = w.has('q_bias') ? add(plainQ, w.param('q_bias')) : plainQ;
    const v = w.has('v_bias') ? add(plainV, w.param('v_bias')) : plainV;
    const sharpQ = mul(perHead(q, heads), reshape(sharpness, [heads, 1]));
    const h = attention(reshape(sharpQ, q.shape), reshape(perHead(k, heads), k.shape), v, {
      heads,
      scale: 1,
      mask: mask ? add(bias, mask) : bias,
    });
    return pictureOf(linear(w.at('proj'), h), sides, [height, width]);
  });
}

/** [windows, n, heads*d] as [windows, n, heads, d], of length 1 by head. */
function perHead(x: Tensor, heads: number): Tensor {
  const [windows, n, channels] = x.shape;
  return unit(reshape(x, [windows, n, heads, (channels as number) / heads]));
}

/** A bias for each offset and head, made by a small network from the offsets: [offsets, heads]. */
function positionTable(w: Weights, heads: number): Tensor {
  const hidden = relu(linear(w.at('cpb_mlp.0'), w.param('relative_coords_table')));
  return reshape(linear(w.at('cpb_mlp.2'), hidden), [-1, heads]);
}
