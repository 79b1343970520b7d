/**
 * OmniGen2: Lumina 2's way of refining text and picture apart before one sequence, with pictures to look at
 * refined by layers of their own.
 *
 * Paper: Wu et al. 2025, "OmniGen2: Exploration to Advanced Multimodal Generation". Reference: its
 * `transformer_omnigen2.py`, whose key names released files carry.
 * In: x [b, c, h, w], timesteps [b] (sigma), context [b, t, width]; out: [b, c, h, w].
 *
 * Sites: every `context_refiner.i` {x}, `noise_refiner.i`, `ref_image_refiner.i` and `layers.i` {x, vec} on [text,
 * references, picture], inside them `attn.heads` {q, k, v}.
 */
import type { Weights } from '../tensor/cursor.ts';
import { linear, rmsNorm } from '../tensor/layers.ts';
import {
  type Rotation,
  add,
  attention,
  cast,
  chunk,
  concat,
  maximum,
  mul,
  neg,
  plainLayerNorm,
  range,
  rotaryEmbedding,
  silu,
  sizeTensor,
  slice,
  sub,
  tanh,
  unsqueeze,
} from '../tensor/nn.ts';
import { type Dim, mulDim, subDim } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { headNorm } from './head-norm.ts';
import { type Grid, gridOf, patchify, unpatchify } from './patchify.ts';
import { type Positions, axialRotation, gridPlaces, joinPositions, samePlace } from './rope.ts';
import { sinusoidalEmbedding } from './timestep-embedding.ts';

export interface OmniGen2Config {
  readonly inChannels: number;
  readonly contextWidth: number;
  readonly headWidth: number;
  /** Shares of a head that turn by place in the sequence, row and column. */
  readonly axes: readonly number[];
}

const patch = 2;
const timeWidth = 256;
const thousand = 1000;
const epsilon = 1e-5;

/** The sizes of an OmniGen2 under `w`, or undefined. */
export function detectOmniGen2(w: Weights): OmniGen2Config | undefined {
  const embedder = 'time_caption_embed.timestep_embedder.linear_1.bias';
  if (!w.has(embedder) || !w.has('layers.0.attn.norm_q')) return undefined;
  const [headWidth] = w.shape('layers.0.attn.norm_q.weight');
  return {
    inChannels: w.shape('x_embedder.weight')[1] / patch ** 2,
    contextWidth: w.shape('time_caption_embed.caption_embedder.0.weight')[0],
    headWidth,
    axes: [headWidth / 3, headWidth / 3, headWidth / 3],
  };
}

export interface OmniGen2Inputs {
  readonly x: Tensor;
  readonly timesteps: Tensor;
  readonly context: Tensor;
  /** Latents [b, c, h, w] to look at. */
  readonly references?: readonly Tensor[];
}

/** Predicts the flow from picture to noise: the raw output of the network, [b, c, h, w]. */
export function omniGen2(w: Weights, inputs: OmniGen2Inputs, config: OmniGen2Config): Tensor {
  const { x, timesteps, context, references = [] } = inputs;
  const embed = w.at('time_caption_embed');
  const numbers = sinusoidalEmbedding(mul(sub(1, timesteps), thousand), timeWidth);
  const time = embed.at('timestep_embedder');
  const vec = linear(time.at('linear_2'), silu(linear(time.at('linear_1'), numbers))); // [b, c]
  const caption = embed.at('caption_embedder');
  const words = linear(caption.at('1'), rmsNorm(caption.at('0'), context, { eps: epsilon }));
  const { text, seen, own } = positionsOf(words.shape[1], x, references);
  const rotation = (positions: Positions): Rotation =>
    axialRotation(positions, { widths: config.axes });

  const parts = [stack(w, 'context_refiner', { h: words, rotation: rotation(text) }, config)];
  if (references.length > 0) {
    const patches = references.map((latent, i) => {
      const tokens = linear(w.at('ref_image_patch_embedder'), patchify(latent, patch, 'p q c'));
      return add(tokens, slice(w.param('image_index_embedding'), 0, i, i + 1));
    });
    const stream = { h: concat(patches, 1), vec, rotation: rotation(joinPositions(seen)) };
    parts.push(stack(w, 'ref_image_refiner', stream, config));
  }
  const noisy = linear(w.at('x_embedder'), patchify(x, patch, 'p q c'));
  parts.push(stack(w, 'noise_refiner', { h: noisy, vec, rotation: rotation(own) }, config));
  const all = rotation(joinPositions([text, ...seen, own]));
  const h = stack(w, 'layers', { h: concat(parts, 1), vec, rotation: all }, config);

  const last = w.at('norm_out');
  const scale = add(unsqueeze(linear(last.at('linear_1'), silu(vec)), 1), 1);
  const picture = slice(h, 1, subDim(h.shape[1], noisy.shape[1]));
  const normed = mul(plainLayerNorm(picture, { eps: 1e-6 }), scale);
  return neg(unpatchify(linear(last.at('linear_2'), normed), x, patch, 'p q c'));
}

/** Text on the diagonal, then each picture on a plane that lies behind all rows and columns before. */
function positionsOf(length: Dim, x: Tensor, references: readonly Tensor[]) {
  const words = cast(range(length), 'f32');
  const number = (size: Dim): Tensor => cast(sizeTensor(size), 'f32');
  let shift = number(length);
  const onPlane = (grid: Grid): Positions => [
    add(samePlace(mulDim(grid.rows, grid.columns), 1)[0], shift),
    ...gridPlaces(grid),
  ];
  const seen = references.map((latent) => {
    const grid = gridOf(latent, patch);
    const places = onPlane(grid);
    shift = add(shift, maximum(number(grid.rows), number(grid.columns)));
    return places;
  });
  return { text: [words, words, words] as Positions, seen, own: onPlane(gridOf(x, patch)) };
}

interface Stream {
  readonly h: Tensor;
  readonly rotation: Rotation;
  /** The time; left out where it is not told. */
  readonly vec?: Tensor;
}

/** Blocks of one name after another. */
function stack(
  w: Weights,
  name: string,
  { h: start, rotation, vec }: Stream,
  config: OmniGen2Config,
): Tensor {
  let h = start;
  for (let i = 0; i < w.count(name); i++) {
    const at = w.at(`${name}.${i}`);
    h = vec
      ? at.site({ x: h, vec }, ({ x, vec }) => block(at, { h: x, vec, rotation }, config))
      : at.site({ x: h }, ({ x }) => block(at, { h: x, rotation }, config));
  }
  return h;
}

/** Attention and feed-forward layer, normed before and behind; scaled and gated by the time where it is told. */
function block(w: Weights, { h, vec, rotation }: Stream, config: OmniGen2Config): Tensor {
  const all = vec && unsqueeze(linear(w.at('norm1.linear'), silu(vec)), 1);
  const [scale1, gate1, scale2, gate2] = all ? chunk(all, 4, -1) : [];
  const norm = (name: string, x: Tensor): Tensor => rmsNorm(w.at(name), x, { eps: epsilon });
  const scaled = (x: Tensor, scale?: Tensor): Tensor => (scale ? mul(x, add(scale, 1)) : x);
  const gated = (x: Tensor, gate?: Tensor): Tensor => (gate ? mul(x, tanh(gate)) : x);
  const first = scaled(norm(vec ? 'norm1.norm' : 'norm1', h), scale1);
  const seen = selfAttention(w.at('attn'), first, rotation, config);
  const after = add(h, gated(norm('norm2', seen), gate1));
  const wide = feedForward(w.at('feed_forward'), scaled(norm('ffn_norm1', after), scale2));
  return add(after, gated(norm('ffn_norm2', wide), gate2));
}

function selfAttention(
  w: Weights,
  x: Tensor,
  rotation: Rotation,
  { headWidth }: OmniGen2Config,
): Tensor {
  const [heads, kvHeads] = ['to_q', 'to_k'].map((name) => w.shape(`${name}.weight`)[0] / headWidth);
  const turned = (name: string, normName: string): Tensor =>
    rotaryEmbedding(headNorm(w.at(normName), linear(w.at(name), x), { eps: epsilon }), rotation);
  const parts = {
    q: turned('to_q', 'norm_q'),
    k: turned('to_k', 'norm_k'),
    v: linear(w.at('to_v'), x),
  };
  const mixed = w
    .at('heads')
    .site(parts, ({ q, k, v }) => attention(q, k, v, { heads, kvHeads }), { heads });
  return linear(w.at('to_out.0'), mixed);
}

/** SwiGLU (Shazeer 2020). */
const feedForward = (w: Weights, x: Tensor): Tensor =>
  linear(w.at('linear_2'), mul(silu(linear(w.at('linear_1'), x)), linear(w.at('linear_3'), x)));
