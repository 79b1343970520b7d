/**
 * DiffSynth's control of Qwen-Image: what every block makes of the picture's tokens and a hint's is added to them.
 *
 * Source: `qwen_image_controlnet.py` of modelscope/DiffSynth-Studio, whose key names files carry.
 */
import type { Weights } from '../tensor/cursor.ts';
import { linear, rmsNorm } from '../tensor/layers.ts';
import { add, gelu } from '../tensor/nn.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { tokensOf } from './qwen-image.ts';

export interface BlockwiseConfig {
  /** Channels of the latents that it knows. */
  readonly channels: number;
  /** Channels behind the hint's latent: masks. */
  readonly masks: number;
  /** Channels of the model's tokens. */
  readonly width: number;
  readonly blocks: number;
}

/** The blocks of the model that it is for. */
export const controlledBlocks = 'transformer_blocks';

const latentChannels = 16;

/** The sizes of a control under `w`, or undefined. */
export function detectBlockwise(w: Weights): BlockwiseConfig | undefined {
  if (!w.has('controlnet_blocks.0.y_rms.weight') || !w.has('img_in.weight')) return undefined;
  const [width, all] = w.shape('img_in.weight');
  return {
    channels: latentChannels,
    masks: all / 4 - latentChannels,
    width,
    blocks: w.count('controlnet_blocks'),
  };
}

/** A hint's latent [b, c, 1, h, w] as tokens [b, n, width]. */
export const blockwiseHint = (w: Weights, hint: Tensor): Tensor =>
  linear(w.at('img_in'), tokensOf(hint));

/** What is added to tokens [b, n, width] behind a block. */
export function blockwiseControl(w: Weights, block: number, tokens: Tensor, hint: Tensor): Tensor {
  const at = w.at(`controlnet_blocks.${block}`);
  const both = add(rmsNorm(at.at('x_rms'), tokens), rmsNorm(at.at('y_rms'), hint));
  return linear(at.at('output_proj'), gelu(linear(at.at('input_proj'), both)));
}
