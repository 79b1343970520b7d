/**
 * Cosmos Predict2: a transformer of video tokens that look at themselves and then at the text; what its blocks are
 * told of the time comes through narrow layers of their own and one that all share.
 *
 * Source: nvidia-cosmos/cosmos-predict2 (`MiniTrainDIT`), whose key names released files carry; NVIDIA 2025,
 * "World Simulation with Video Foundation Models for Physical AI".
 * In: x [b, c, f, h, w], timesteps [b] (0..1), context [b, t, width], shares [b, f] where parts of frames are kept;
 * out: [b, c, f, h, w].
 *
 * Sites: every `blocks.i` {x, vec, shared} on the tokens of all frames, inside them `attention` and
 * `cross_attention` {q, k, v}.
 */
import type { Weights } from '../tensor/cursor.ts';
import { linear, rmsNorm } from '../tensor/layers.ts';
import {
  type Rotation,
  add,
  attention,
  chunk,
  concat,
  constant,
  expand,
  gelu,
  mul,
  rearrange,
  reshape,
  rotaryEmbedding,
  silu,
  slice,
  unsqueeze,
} from '../tensor/nn.ts';
import type { SiteFacts } from '../tensor/patch.ts';
import { mulDim } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { headNorm } from './head-norm.ts';
import { modulated } from './modulation.ts';
import { frameOf, gridOf, patchifyFrames, unpatchifyFrames } from './patchify.ts';
import { axialRotation, framePlaces, gridPlaces } from './rope.ts';
import { sinusoidalEmbedding } from './timestep-embedding.ts';

export interface CosmosPredict2Config {
  readonly inChannels: number;
  readonly contextWidth: number;
  readonly headWidth: number;
  /** How many times the places of training a frame, a row and a column may be. */
  readonly stretch: readonly number[];
}

const patch = 2;
/** Behind the latent, 1 where a frame is padding: nowhere. */
const paddingChannels = 1;
const theta = 10000;

/** The sizes of a Cosmos Predict2 that makes pictures under `w`, or undefined. */
export function detectCosmosPredict2(w: Weights): CosmosPredict2Config | undefined {
  // with an adapter for another text it is Anima
  if (!w.has('blocks.0.mlp.layer1.weight') || w.has('llm_adapter')) return undefined;
  const inChannels = w.shape('x_embedder.proj.1.weight')[1] / patch ** 2 - paddingChannels;
  const outChannels = w.shape('final_layer.linear.weight')[0] / patch ** 2;
  if (inChannels !== outChannels) return undefined; // a video from its first frames
  return {
    inChannels,
    contextWidth: w.shape('blocks.0.cross_attn.k_proj.weight')[1],
    headWidth: w.shape('blocks.0.self_attn.q_norm.weight')[0],
    stretch: [1, 4, 4],
  };
}

export interface CosmosPredict2Inputs {
  readonly x: Tensor;
  readonly timesteps: Tensor;
  readonly context: Tensor;
  /** How much of each frame is not kept; the time of a frame is less by what is. */
  readonly shares?: Tensor;
}

interface Facts extends Required<Pick<SiteFacts, 'heads' | 'grid'>> {
  readonly rotation: Rotation;
}

/** Predicts the flow from picture to noise: the raw output of the network, [b, c, f, h, w]. */
export function cosmosPredict2(
  w: Weights,
  { x, timesteps, context, shares }: CosmosPredict2Inputs,
  { headWidth, stretch }: CosmosPredict2Config,
): Tensor {
  const [batch, , frames, height, width] = x.shape;
  const whole = expand(constant([0], [1, 1, 1, 1, 1]), [batch, 1, frames, height, width]);
  const patches = patchifyFrames(concat([x, whole], 1), patch);
  let h = linear(w.at('x_embedder.proj.1'), patches); // [b, n, c]
  const [channels] = w.shape('t_embedding_norm.weight');
  const grid = gridOf(frameOf(x), patch);
  const facts: Facts = {
    rotation: rotationOf(framePlaces(frames, gridPlaces(grid)), headWidth, stretch),
    heads: channels / headWidth,
    grid: [grid.rows, grid.columns],
  };
  const times = unsqueeze(timesteps, 1);
  const { vec, shared } = timeVectors(w, shares ? mul(times, shares) : times);
  /** What is told of each frame, for each of its tokens. */
  const ofTokens = (told: Tensor): Tensor => {
    if (!shares) return told;
    const [, , size] = told.shape;
    const cells = mulDim(grid.rows, grid.columns);
    return rearrange(
      expand(unsqueeze(told, 2), [batch, frames, cells, size]),
      'b f n c -> b (f n) c',
    );
  };
  const changes = (name: Weights, { vec, shared }: Vectors, count: number): Tensor[] =>
    chunk(ofTokens(add(narrow(name, vec), slice(shared, 2, 0, count * channels))), count, -1);
  for (let i = 0; i < w.count('blocks'); i++) {
    const at = w.at(`blocks.${i}`);
    const run = ({ x, ...told }: Vectors & { x: Tensor }): Tensor =>
      block(at, x, { context, changes: (name) => changes(at.at(name), told, 3) }, facts);
    h = at.site({ x: h, vec, shared }, run, { heads: facts.heads, grid: facts.grid });
  }
  const last = w.at('final_layer');
  const [shift, scale] = changes(last.at('adaln_modulation'), { vec, shared }, 2);
  const out = linear(last.at('linear'), modulated(h, { shift, scale }));
  return unpatchifyFrames(out, x, patch, 'p q c');
}

/** The time: normed for narrow layers [b, f or 1, c], and as the changes that all share [b, f or 1, 3*c]. */
type Vectors = Readonly<Record<'vec' | 'shared', Tensor>>;

function timeVectors(w: Weights, times: Tensor): Vectors {
  const [width] = w.shape('t_embedding_norm.weight');
  const numbers = sinusoidalEmbedding(reshape(times, [-1]), width);
  const embedder = w.at('t_embedder.1');
  const shared = linear(embedder.at('linear_2'), silu(linear(embedder.at('linear_1'), numbers)));
  const ofFrames = (x: Tensor, size: number): Tensor => reshape(x, [...times.shape, size]);
  return {
    vec: ofFrames(rmsNorm(w.at('t_embedding_norm'), numbers), width),
    shared: ofFrames(shared, 3 * width),
  };
}

const narrow = (w: Weights, vec: Tensor): Tensor => linear(w.at('2'), linear(w.at('1'), silu(vec)));

/** Pairs lie half a head apart: those that turn by frame, then by row, then by column. */
function rotationOf(
  places: readonly Tensor[],
  headWidth: number,
  stretch: readonly number[],
): Rotation {
  const side = Math.floor(headWidth / 6) * 2;
  const widths = [headWidth - 2 * side, side, side];
  const thetas = stretch.map((times, axis) => theta * times ** (widths[axis] / (widths[axis] - 2)));
  return axialRotation(places, { widths, theta: thetas });
}

interface Told {
  readonly context: Tensor;
  /** Shift, scale and gate of a part. */
  readonly changes: (name: string) => Tensor[];
}

/** Attention over all frames, to the text, and a feed-forward layer. */
function block(w: Weights, x: Tensor, { context, changes }: Told, facts: Facts): Tensor {
  const part = (h: Tensor, name: string, run: (x: Tensor) => Tensor): Tensor => {
    const [shift, scale, gate] = changes(`adaln_modulation_${name}`);
    return add(h, mul(gate, run(modulated(h, { shift, scale }))));
  };
  const looked = part(x, 'self_attn', (x) => selfAttention(w, x, facts));
  const read = part(looked, 'cross_attn', (x) => crossAttention(w, x, context, facts));
  const mlp = w.at('mlp');
  return part(read, 'mlp', (x) => linear(mlp.at('layer2'), gelu(linear(mlp.at('layer1'), x))));
}

function selfAttention(w: Weights, x: Tensor, facts: Facts): Tensor {
  const { q, k, v } = projections(w.at('self_attn'), x, x);
  const turned = (x: Tensor): Tensor => rotaryEmbedding(x, facts.rotation, { interleaved: false });
  const seen = attend(w.at('attention'), { q: turned(q), k: turned(k), v }, facts);
  return linear(w.at('self_attn.output_proj'), seen);
}

function crossAttention(w: Weights, x: Tensor, context: Tensor, facts: Facts): Tensor {
  const parts = projections(w.at('cross_attn'), x, context);
  return linear(w.at('cross_attn.output_proj'), attend(w.at('cross_attention'), parts, facts));
}

type Parts = Readonly<Record<'q' | 'k' | 'v', Tensor>>;

const projections = (w: Weights, x: Tensor, others: Tensor): Parts => ({
  q: headNorm(w.at('q_norm'), linear(w.at('q_proj'), x)),
  k: headNorm(w.at('k_norm'), linear(w.at('k_proj'), others)),
  v: linear(w.at('v_proj'), others),
});

const attend = (w: Weights, parts: Parts, { heads, grid }: Facts): Tensor =>
  w.site(parts, ({ q, k, v }) => attention(q, k, v, { heads }), { heads, grid });
