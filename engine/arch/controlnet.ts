/**
 * ControlNet (Zhang et al. 2023, "Adding Conditional Control to Text-to-Image Diffusion Models"): a copy
 * of a UNet's encoder half that also sees a hint picture, and ends in one 1x1 convolution per skip
 * connection. Keys of lllyasviel/ControlNet (`control_model.` removed). The union variant (xinsir6/
 * ControlNetPlus) is one network for several kinds of hints.
 */
import type { Weights } from '../tensor/cursor.ts';
import { conv2d, layerNorm, linear } from '../tensor/layers.ts';
import {
  add,
  attention,
  chunk,
  gather,
  mean,
  quickGelu,
  reshape,
  silu,
  unsqueeze,
} from '../tensor/nn.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { sinusoidalEmbedding } from './timestep-embedding.ts';
import { type EncoderConfig, type UNetInputs, detectEncoder, embed, encode } from './unet.ts';

export interface ControlNetConfig extends EncoderConfig {
  /** Channels of the hint picture. */
  readonly hintChannels: number;
  /** Kinds of hints that a union network knows; undefined for other networks. */
  readonly types: number | undefined;
  /** Channels of every output, from the finest, and how often each is halved from the latent's size. */
  readonly outputs: readonly { readonly channels: number; readonly halvings: number }[];
  /** The same of the middle. */
  readonly middle: { readonly channels: number; readonly halvings: number };
}

/** Pixels of the hint along a side of a latent cell. */
export const hintScale = 8;

/** The network's sizes when `w` stands on a ControlNet for UNets, else undefined. */
export function detectControlNet(w: Weights): ControlNetConfig | undefined {
  const parts = ['zero_convs.0.0', 'input_hint_block.0', 'input_blocks.0.0', 'middle_block_out.0'];
  if (!parts.every((part) => w.has(`${part}.weight`))) return undefined;
  let halvings = 0;
  const outputs = Array.from({ length: w.count('zero_convs') }, (_, i) => {
    if (w.has(`input_blocks.${i}.0.op`)) halvings++;
    return { channels: w.shape(`zero_convs.${i}.0.weight`)[0], halvings };
  });
  return {
    ...detectEncoder(w),
    hintChannels: w.shape('input_hint_block.0.weight')[1],
    types: w.has('task_embedding') ? w.shape('task_embedding')[0] : undefined,
    outputs,
    middle: { channels: w.shape('middle_block_out.0.weight')[0], halvings },
  };
}

/**
 * The hint picture [b, c, 8*h, 8*w] (0..1) as features [b, model channels, h, w], which do not depend on
 * time or text. `task` [1] (i64) is the kind of hint where a union network is told one.
 */
export function hintFeatures(w: Weights, hint: Tensor, task?: Tensor): Tensor {
  let h = hint;
  const block = w.at('input_hint_block');
  const last = 14;
  for (let i = 0; i <= last; i += 2) {
    const stride = [4, 8, 12].includes(i) ? 2 : 1;
    h = conv2d(block.at(String(i)), h, { stride, pad: 1 });
    if (i < last) h = silu(h);
  }
  return task ? add(h, taskShift(w, h, task)) : h; // [b, c, h, w]
}

/** What the kind of hint and its mean features add to all positions: [b, c, 1, 1]. */
function taskShift(w: Weights, features: Tensor, task: Tensor): Tensor {
  let x = add(mean(features, [2, 3]), gather(w.param('task_embedding'), task, 0)); // [b, c]
  x = unsqueeze(x, 1); // a sequence of one
  for (let i = 0; i < w.count('transformer_layes'); i++) {
    const block = w.at(`transformer_layes.${i}`); // the reference's spelling
    x = add(x, selfAttention(block.at('attn'), layerNorm(block.at('ln_1'), x)));
    const wide = quickGelu(linear(block.at('mlp.c_fc'), layerNorm(block.at('ln_2'), x)));
    x = add(x, linear(block.at('mlp.c_proj'), wide));
  }
  const shift = linear(w.at('spatial_ch_projs'), x); // [b, 1, c]
  return unsqueeze(reshape(shift, [shift.shape[0], shift.shape[2]]), [2, 3]);
}

function selfAttention(w: Weights, x: Tensor): Tensor {
  const [q, k, v] = chunk(linear(w.at('in_proj'), x), 3, 2);
  return linear(w.at('out_proj'), attention(q, k, v, { heads: 8 }));
}

export interface ControlNetInputs extends UNetInputs {
  /** Of `hintFeatures`. */
  readonly hint: Tensor;
  /** [types] 1 for the kind of hint, else 0; all 0 when none is told. Union networks only. */
  readonly types?: Tensor;
}

/** Residuals for the skip connections (`output.0` the finest) and the middle (`middle`) of a UNet. */
export function controlNet(
  w: Weights,
  { x, timesteps, context, y, hint, types }: ControlNetInputs,
  config: ControlNetConfig,
): Record<string, Tensor> {
  let emb = embed(w, timesteps, y, config.modelChannels); // [b, 4*c]
  if (types) emb = add(emb, typeEmbedding(w.at('control_add_embedding'), types));
  const { skips, middle } = encode(w, x, { emb, context, config }, hint);
  const outputs = skips.map(
    (skip, i) => [`output.${i}`, conv2d(w.at(`zero_convs.${i}.0`), skip)] as const,
  );
  return { ...Object.fromEntries(outputs), middle: conv2d(w.at('middle_block_out.0'), middle) };
}

const typeWidth = 256;

/** What a union network adds to the time embedding for `types` [types] (0 or 1 each): [1, 4*c]. */
export function typeEmbedding(w: Weights, types: Tensor): Tensor {
  const count = types.shape[0] as number;
  const flat = reshape(sinusoidalEmbedding(types, typeWidth), [1, count * typeWidth]);
  return linear(w.at('linear_2'), silu(linear(w.at('linear_1'), flat))); // [1, 4*c]
}
