/**
 * ControlNets of Qwen-Image (InstantX: union, inpaint): its first blocks on a hint latent, and a layer behind each.
 *
 * Reference: `controlnet_qwenimage.py` of huggingface/diffusers, whose key names files carry.
 */
import type { Weights } from '../tensor/cursor.ts';
import { linear } from '../tensor/layers.ts';
import { add, slice } from '../tensor/nn.ts';
import type { Tensor } from '../tensor/tensor.ts';
import {
  type QwenImageConfig,
  factsOf,
  qwenBlocks,
  sequenceSizes,
  textTokens,
  timeVector,
  tokensOf,
} from './qwen-image.ts';
import { type ResidualPlaces, tokenPlaces } from './residual-places.ts';
import { type ControlSizes, type TransformerControl, eachRepeated } from './transformer-control.ts';

/** Where residuals are added: after the blocks. */
export const qwenImagePlaces = (w: Weights): ResidualPlaces =>
  tokenPlaces(w, { channels: w.shape('img_in.weight')[0], input: 'transformer_blocks' });

type Config = ControlSizes &
  Pick<QwenImageConfig, 'contextWidth' | 'headWidth' | 'axes'> & { readonly hintChannels: number };

/** Blocks of the model that the networks are for, whatever a smaller model has. */
const modelBlocks = 60;

export const qwenImageControlNet: TransformerControl<Config> = {
  name: 'qwen-image-controlnet',
  detect(w) {
    const hint = 'controlnet_x_embedder.weight';
    const sizes = w.has(hint) && w.has('controlnet_blocks.0') ? sequenceSizes(w) : undefined;
    if (!sizes) return undefined;
    const hintChannels = w.shape(hint)[1] / 4;
    const names = Array.from({ length: w.count('controlnet_blocks') }, (_, i) => String(i));
    const input = eachRepeated(names, modelBlocks).slice(0, modelBlocks);
    return {
      ...sizes,
      channels: w.shape(hint)[0],
      hint: { kind: 'latent', format: 'Wan21', masked: hintChannels > sizes.inChannels },
      hintChannels,
      types: 0,
      lists: { input, middle: [], output: [] },
    };
  },
  network(g, config) {
    const { weights: w } = g;
    const frame = (name: string, channels: number): Tensor =>
      g.input(name, 'f32', ['batch', channels, 1, 'height', 'width']);
    const x = frame('x', config.inChannels);
    const vec = timeVector(w.at('time_text_embed'), g.input('timesteps', 'f32', ['batch']));
    const text = textTokens(w, g.input('cross', 'f32', ['batch', 'tokens', config.contextWidth]));
    const hint = linear(
      w.at('controlnet_x_embedder'),
      tokensOf(frame('hint', config.hintChannels)),
    );
    const image = add(linear(w.at('img_in'), tokensOf(x)), hint); // [b, n, c]
    qwenBlocks(w, { text, image, vec }, factsOf({ x, text: text.shape[1] }, config, vec));
    const outputs = Array.from({ length: w.count('controlnet_blocks') }, (_, i) => {
      const tokens = slice(w.ledger.sites.get(`transformer_blocks.${i}`)!, 1, text.shape[1]);
      return [String(i), linear(w.at(`controlnet_blocks.${i}`), tokens)] as const;
    });
    return Object.fromEntries(outputs);
  },
};
