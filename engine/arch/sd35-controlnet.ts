/**
 * Stability AI's ControlNets for Stable Diffusion 3.5: blocks of the picture's tokens alone on a hint latent, and a
 * layer behind each. How the picture's cells become tokens, or the pooled text a vector, is taken from the model.
 *
 * Reference: `dit_embedder.py` of Stability-AI/sd3.5; keys as files have them, those around the blocks under SD3's
 * own (weights/key-maps/diffusers-transformers.ts).
 */
import { linear } from '../tensor/layers.ts';
import {
  add,
  cast,
  concat,
  constant,
  cos,
  div,
  maximum,
  minimum,
  mul,
  sin,
  sizeTensor,
  sub,
  unsqueeze,
} from '../tensor/nn.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { embedder, pictureBlock, tokensOf } from './mmdit.ts';
import { type Grid, gridOf } from './patchify.ts';
import { gridPlaces } from './rope.ts';
import { sinusoidalEmbedding } from './timestep-embedding.ts';
import { type ControlSizes, type TransformerControl, eachRepeated } from './transformer-control.ts';

interface Config extends ControlSizes {
  readonly pooledWidth: number;
  /** For the large model: all blocks see the same tokens, without places, and the model's vector of the text. */
  readonly large: boolean;
}

const timeWidth = 256;
/** Width of a head; the models have as many blocks as heads. */
const headWidth = 64;
/** Width of the pooled text that the large model's embedder reads. */
const largePooledWidth = 2048;

/** What the numbers of hint pictures become, by the kind of hint that a file says it is for. */
const preparations: Readonly<Record<number, (value: number) => number>> = {
  1: (value) => Math.fround(Math.fround(Math.fround(value * 255) * 0.5) + 0.5), // edges
  2: (value) => 1 - value, // depths
};

export const sd35ControlNet: TransformerControl<Config> = {
  name: 'sd35-controlnet',
  detect(w) {
    const hint = 'pos_embed_input.proj.weight';
    if (!w.has('transformer_blocks.0.adaLN_modulation.1.bias') || !w.has(hint)) return undefined;
    if (!w.has('controlnet_blocks.0') || !w.has('y_embedder.mlp.0.weight')) return undefined;
    const [width, inChannels] = w.shape(hint);
    const [vector, pooled] = w.shape('y_embedder.mlp.0.weight');
    const large = vector === pooled;
    const outputs = Array.from({ length: w.count('controlnet_blocks') }, (_, i) => String(i));
    return {
      inChannels,
      pooledWidth: large ? largePooledWidth : pooled,
      channels: width,
      hint: { kind: 'latent', format: 'SD3', masked: false, preparations },
      types: 0,
      lists: { input: [], middle: [], output: eachRepeated(outputs, width / headWidth) },
      large,
    };
  },
  borrowed: ({ large }) => [
    large ? ['orig_y_embedder', 'y_embedder'] : ['x_embedder', 'x_embedder'],
  ],
  network(g, { inChannels, pooledWidth, large }) {
    const { weights: w } = g;
    const latent = (name: string): Tensor =>
      g.input(name, 'f32', ['batch', inChannels, 'height', 'width']);
    const x = latent('x');
    const time = sinusoidalEmbedding(g.input('timesteps', 'f32', ['batch']), timeWidth);
    const pooled = g.input('pooled', 'f32', ['batch', pooledWidth]);
    const heard = large ? embedder(w.at('orig_y_embedder'), pooled) : pooled;
    const vec = add(embedder(w.at('t_embedder'), time), embedder(w.at('y_embedder'), heard));
    const cells = tokensOf(w.at('x_embedder'), x); // [b, n, c]
    const [, , width] = cells.shape;
    const placed = large ? cells : add(cells, places(gridOf(x, 2), width as number));
    let h = add(placed, tokensOf(w.at('pos_embed_input'), latent('hint')));
    const outputs: Record<string, Tensor> = {};
    for (let i = 0; i < w.count('transformer_blocks'); i++) {
      const out = pictureBlock(w.at(`transformer_blocks.${i}`), h, vec);
      outputs[i] = linear(w.at(`controlnet_blocks.${i}`), out);
      if (!large) h = out;
    }
    return outputs;
  },
};

const centre = 7.5;

/** Sines and cosines of column and row, which go from 0 to 15 over the shorter side: [1, rows*columns, width]. */
function places({ rows, columns }: Grid, width: number): Tensor {
  const [down, right] = [rows, columns].map((size) => cast(sizeTensor(size), 'f32'));
  const shorter = minimum(down, right);
  const [row, column] = gridPlaces({ rows, columns });
  const scaled = (place: Tensor, size: Tensor): Tensor => {
    const reach = mul(div(size, shorter), centre);
    const step = div(mul(reach, 2), maximum(sub(size, 1), 1));
    return add(mul(place, step), sub(centre, reach));
  };
  const embedded = (place: Tensor): Tensor => {
    const half = width / 4;
    const speeds = Float32Array.from({ length: half }, (_, k) => 10000 ** (-k / half));
    const angles = mul(unsqueeze(place, 1), constant(speeds, [1, half]));
    return concat([sin(angles), cos(angles)], 1);
  };
  const both = concat([embedded(scaled(column, right)), embedded(scaled(row, down))], 1);
  return unsqueeze(both, 0);
}
