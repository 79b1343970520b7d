/**
 * NextDiT: the transformer of Lumina 2 and Z-Image. Text and noisy picture are refined apart and then go as one
 * sequence through layers that share their weights.
 *
 * Papers: Qin et al. 2025, "Lumina-Image 2.0"; Z-Image Team 2025, "Z-Image". Reference: `models/model.py` of
 * Alpha-VLLM/Lumina-Image-2.0, whose key names released files carry.
 * In: x [b, c, h, w], timesteps [b] (sigma), context [b, t, width]; out: [b, c, h, w].
 *
 * Sites: every `context_refiner.i` {x}, `noise_refiner.i` {x, vec} and `layers.i` {x, vec} on [text, picture],
 * inside them `attention.heads` {q, k, v}.
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
  less,
  mul,
  neg,
  padZero,
  plainLayerNorm,
  range,
  reshape,
  rotaryEmbedding,
  silu,
  slice,
  split,
  sub,
  sizeTensor,
  tanh,
  unsqueeze,
  where,
} from '../tensor/nn.ts';
import { type Dim, addDim, ceilDivDim, mulDim, subDim } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { headNorm } from './head-norm.ts';
import { gridOf, patchify, unpatchify } from './patchify.ts';
import { type Positions, axialRotation, gridPlaces, joinPositions, samePlace } from './rope.ts';
import { sinusoidalEmbedding } from './timestep-embedding.ts';

export interface LuminaConfig {
  readonly inChannels: number;
  readonly contextWidth: number;
  readonly headWidth: number;
  /** Shares of a head that turn by place in the text, row and column. */
  readonly axes: readonly number[];
  readonly theta: number;
  /** What the time, 1 - sigma, is multiplied with. */
  readonly timeScale: number;
  /** Text and picture are filled up with learned tokens to whole multiples of this; 1: not at all. */
  readonly multiple: number;
}

const patch = 2;
const timeWidth = 256;
const epsilon = 1e-5;
/** The heads' norms leave theirs to torch: the distance of 1 to the next single. */
const headEpsilon = 2 ** -23;

/** The sizes of a NextDiT under `w`, or undefined. */
export function detectLumina(w: Weights): LuminaConfig | undefined {
  if (!w.has('cap_embedder.1.weight') || !w.has('noise_refiner.0.attention.k_norm.weight')) {
    return undefined;
  }
  const [headWidth] = w.shape('layers.0.attention.q_norm.weight');
  const sizes = {
    inChannels: w.shape('x_embedder.weight')[1] / patch ** 2,
    contextWidth: w.shape('cap_embedder.0.weight')[0],
    headWidth,
  };
  if (!w.has('cap_pad_token')) {
    const axes = [headWidth / 3, headWidth / 3, headWidth / 3];
    return { ...sizes, axes, theta: 10000, timeScale: 1, multiple: 1 };
  }
  const axes = [headWidth / 4, (3 * headWidth) / 8, (3 * headWidth) / 8];
  return { ...sizes, axes, theta: 256, timeScale: 1000, multiple: 32 };
}

export interface LuminaInputs {
  readonly x: Tensor;
  readonly timesteps: Tensor;
  readonly context: Tensor;
}

/** Predicts the flow from picture to noise: the raw output of the network, [b, c, h, w]. */
export function lumina(w: Weights, inputs: LuminaInputs, config: LuminaConfig): Tensor {
  const { x, timesteps, context } = inputs;
  const { axes, theta, multiple } = config;
  const time = mul(sub(1, timesteps), config.timeScale);
  const vec = mlp(w.at('t_embedder.mlp'), sinusoidalEmbedding(time, timeWidth)); // [b, c]
  const grid = gridOf(x, patch);
  const cells = mulDim(grid.rows, grid.columns);

  const words = linear(
    w.at('cap_embedder.1'),
    rmsNorm(w.at('cap_embedder.0'), context, { eps: epsilon }),
  );
  const patches = linear(w.at('x_embedder'), patchify(x, patch, 'p q c'));
  const text = filledUp(w, 'cap_pad_token', words, multiple); // [b, t, c]
  const picture = filledUp(w, 'x_pad_token', patches, multiple); // [b, n, c]
  const length = text.shape[1];

  // Where tokens are filled up words count from 1 and the picture stands one further.
  const first = multiple > 1 ? 1 : 0;
  const [zero, zeros] = [samePlace(length, 1)[0], samePlace(cells, 1)[0]];
  const ofText: Positions = [add(cast(range(length), 'f32'), first), zero, zero];
  const plane = add(zeros, add(cast(sizeTensor(length), 'f32'), first));
  const ofCells: Positions = [plane, ...gridPlaces(grid)];
  const more = subDim(picture.shape[1], cells);
  const ofPicture = multiple > 1 ? ofCells.map((places) => padZero(places, [[0, more]])) : ofCells;
  const rotation = (positions: Positions): Rotation =>
    axialRotation(positions, { widths: axes, theta });

  const refinedText = stack(w, 'context_refiner', { h: text, rotation: rotation(ofText) }, config);
  const refined = { h: picture, vec, rotation: rotation(ofPicture) };
  const refinedPicture = stack(w, 'noise_refiner', refined, config);
  const all = joinPositions([ofText, ofPicture]);
  const joined = { h: concat([refinedText, refinedPicture], 1), vec, rotation: rotation(all) };
  const h = stack(w, 'layers', joined, config);

  const last = w.at('final_layer');
  const scale = add(unsqueeze(linear(last.at('adaLN_modulation.1'), silu(vec)), 1), 1);
  const tokens = slice(h, 1, length, addDim(length, cells));
  const normed = mul(plainLayerNorm(tokens, { eps: 1e-6 }), scale);
  return neg(unpatchify(linear(last.at('linear'), normed), x, patch, 'p q c'));
}

/** x [b, n, c] with a learned token behind it up to a multiple of tokens. */
function filledUp(w: Weights, token: string, x: Tensor, multiple: number): Tensor {
  if (multiple === 1) return x;
  const [, length] = x.shape;
  const whole = mulDim(ceilDivDim(length, multiple), multiple);
  const behind: readonly [Dim, Dim] = [0, subDim(whole, length)];
  const padded = padZero(x, [[0, 0], behind, [0, 0]]);
  const isOwn = less(range(whole), sizeTensor(length));
  return where(reshape(isOwn, [1, whole, 1]), padded, unsqueeze(w.param(token), 0));
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
  config: LuminaConfig,
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
function block(w: Weights, { h, vec, rotation }: Stream, config: LuminaConfig): Tensor {
  const [scale1, gate1, scale2, gate2] = vec ? changes(w, vec) : [];
  const norm = (name: string, x: Tensor): Tensor => rmsNorm(w.at(name), x, { eps: epsilon });
  const scaled = (x: Tensor, scale?: Tensor): Tensor => (scale ? mul(x, add(scale, 1)) : x);
  const gated = (x: Tensor, gate?: Tensor): Tensor => (gate ? mul(x, tanh(gate)) : x);
  const seen = selfAttention(
    w.at('attention'),
    scaled(norm('attention_norm1', h), scale1),
    rotation,
    config,
  );
  const after = add(h, gated(norm('attention_norm2', seen), gate1));
  const wide = feedForward(w.at('feed_forward'), scaled(norm('ffn_norm1', after), scale2));
  return add(after, gated(norm('ffn_norm2', wide), gate2));
}

/** Scales and gates [b, 1, c] from the time; Z-Image has no activation before the layer. */
function changes(w: Weights, vec: Tensor): Tensor[] {
  const plain = w.has('adaLN_modulation.0.weight');
  const all = plain
    ? linear(w.at('adaLN_modulation.0'), vec)
    : linear(w.at('adaLN_modulation.1'), silu(vec));
  return chunk(unsqueeze(all, 1), 4, -1);
}

function selfAttention(
  w: Weights,
  x: Tensor,
  rotation: Rotation,
  { headWidth }: LuminaConfig,
): Tensor {
  const own = w.shape('out.weight')[1];
  const shared = (w.shape('qkv.weight')[0] - own) / 2;
  const [heads, kvHeads] = [own / headWidth, shared / headWidth];
  const [q, k, v] = split(linear(w.at('qkv'), x), [own, shared, shared], -1);
  const turned = (name: string, part: Tensor): Tensor =>
    rotaryEmbedding(headNorm(w.at(name), part, { eps: headEpsilon }), rotation);
  const mixed = w
    .at('heads')
    .site(
      { q: turned('q_norm', q), k: turned('k_norm', k), v },
      ({ q, k, v }) => attention(q, k, v, { heads, kvHeads }),
      { heads },
    );
  return linear(w.at('out'), mixed);
}

/** SwiGLU (Shazeer 2020). */
const feedForward = (w: Weights, x: Tensor): Tensor =>
  linear(w.at('w2'), mul(silu(linear(w.at('w1'), x)), linear(w.at('w3'), x)));

const mlp = (w: Weights, x: Tensor): Tensor => linear(w.at('2'), silu(linear(w.at('0'), x)));
