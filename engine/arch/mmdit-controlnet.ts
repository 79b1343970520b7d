/**
 * ControlNets of Stable Diffusion 3 (InstantX): its first blocks on a hint latent, and a layer behind each.
 *
 * Reference: `controlnet_sd3.py` of huggingface/diffusers; keys under SD3's own (weights/key-maps/
 * diffusers-transformers.ts).
 */
import type { Weights } from '../tensor/cursor.ts';
import { linear } from '../tensor/layers.ts';
import { add, constant, slice } from '../tensor/nn.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Graph } from '../tensor/trace.ts';
import { mmditBlocks, placed, tokensOf, vectorOf } from './mmdit.ts';
import { gridOf } from './patchify.ts';
import { type ResidualPlaces, tokenPlaces } from './residual-places.ts';
import type { ControlSizes, TransformerControl } from './transformer-control.ts';

/** Where residuals are added: after the blocks. */
export const mmditPlaces = (w: Weights): ResidualPlaces =>
  tokenPlaces(w, { channels: w.shape('x_embedder.proj.weight')[0], output: 'joint_blocks' });

/** Latent channels, and one more where a mask is beside them. */
const maskedChannels = 17;

/** Blocks of the model that a network of this width is for. */
const depthOf = (width: number): number => width / 64;

const outputNames = (w: Weights): string[] =>
  Array.from({ length: w.count('controlnet_blocks') }, (_, i) => String(i));

const latentInput = (g: Graph, name: string, channels: number): Tensor =>
  g.input(name, 'f32', ['batch', channels, 'height', 'width']);

type JointConfig = ControlSizes & { readonly contextWidth: number; readonly textWidth: number };

export const mmditControlNet: TransformerControl<JointConfig> = {
  name: 'sd3-controlnet',
  detect(w) {
    const hint = 'pos_embed_input.proj.weight';
    if (!w.has('joint_blocks.0.context_block.attn.qkv.weight') || !w.has(hint)) return undefined;
    if (!w.has('controlnet_blocks.0')) return undefined;
    const [width, inChannels] = w.shape('x_embedder.proj.weight');
    const outputs = outputNames(w);
    // every layer is for as many blocks as there are for one; the last block of the model is left out
    const times = Math.floor(depthOf(width) / outputs.length);
    const all = outputs.flatMap((name) => new Array<string>(times).fill(name));
    return {
      inChannels,
      contextWidth: w.shape('context_embedder.weight')[1],
      textWidth: w.shape('y_embedder.mlp.0.weight')[1],
      channels: width,
      hint: {
        kind: 'latent',
        format: 'SD3',
        unshifted: true,
        masked: w.shape(hint)[1] === maskedChannels,
      },
      types: 0,
      lists: { input: [], middle: [], output: all.slice(0, -1) },
    };
  },
  network(g, { inChannels, contextWidth, textWidth }) {
    const { weights: w } = g;
    const x = latentInput(g, 'x', inChannels);
    const channels = w.shape('pos_embed_input.proj.weight')[1];
    const picture = add(
      placed(w, x),
      tokensOf(w.at('pos_embed_input'), latentInput(g, 'hint', channels)),
    );
    const text = linear(
      w.at('context_embedder'),
      g.input('cross', 'f32', ['batch', 'tokens', contextWidth]),
    );
    // trained without pooled text
    const pooled = constant(new Float32Array(textWidth), [1, textWidth]);
    const vec = vectorOf(w, { timesteps: g.input('timesteps', 'f32', ['batch']), pooled });
    mmditBlocks(w, { text, picture, vec }, gridOf(x, 2));
    const outputs = outputNames(w).map((name) => {
      const tokens = slice(w.ledger.sites.get(`joint_blocks.${name}`)!, 1, text.shape[1]);
      return [name, linear(w.at(`controlnet_blocks.${name}`), tokens)] as const;
    });
    return Object.fromEntries(outputs);
  },
};
