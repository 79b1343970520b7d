/**
 * NextDiT: the transformer of Lumina 2 and Z-Image. Text and noisy picture are refined apart and then go as one
 * sequence through layers that share their weights.
 *
 * Papers: Qin et al. 2025, "Lumina-Image 2.0"; Z-Image Team 2025, "Z-Image". Reference: `models/model.py` of
 * Alpha-VLLM/Lumina-Image-2.0, whose key names released files carry.
 * In: x [b, c, h, w], timesteps [b] (sigma), context [b, t, width], pictures to look at; out: [b, c, h, w].
 *
 * Sites: every `context_refiner.i` {x}, `siglip_refiner.i` {x}, `noise_refiner.i` {x, vec} and `layers.i` {x, vec} on
 * [text, views, pictures], inside them `attention.heads` {q, k, v}.
 */
import type { Weights } from '../tensor/cursor.ts';
import { linear, rmsNorm } from '../tensor/layers.ts';
import {
  type Rotation,
  add,
  attention,
  chunk,
  concat,
  expand,
  mul,
  neg,
  plainLayerNorm,
  rotaryEmbedding,
  silu,
  slice,
  split,
  sub,
  tanh,
  unsqueeze,
} from '../tensor/nn.ts';
import { type Dim, addDim, mulDim, subDim } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { headNorm } from './head-norm.ts';
import { type LuminaPictures, type Part, luminaSequence } from './lumina-sequence.ts';
import { gridOf, unpatchify } from './patchify.ts';
import { axialRotation, joinPositions } from './rope.ts';
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
  /** Width of what an encoder saw of pictures to look at; 0 where it reads nothing of that. */
  readonly viewWidth: number;
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
  // relatives that read pooled text, or whose last layers draw pixels
  if (w.has('clip_text_pooled_proj') || !w.has('final_layer.linear')) return undefined;
  const [headWidth] = w.shape('layers.0.attention.q_norm.weight');
  const sizes = {
    inChannels: w.shape('x_embedder.weight')[1] / patch ** 2,
    contextWidth: w.shape('cap_embedder.0.weight')[0],
    headWidth,
    viewWidth: w.has('siglip_embedder') ? w.shape('siglip_embedder.0.weight')[0] : 0,
  };
  if (!w.has('cap_pad_token')) {
    const axes = [headWidth / 3, headWidth / 3, headWidth / 3];
    return { ...sizes, axes, theta: 10000, timeScale: 1, multiple: 1 };
  }
  const axes = [headWidth / 4, (3 * headWidth) / 8, (3 * headWidth) / 8];
  return { ...sizes, axes, theta: 256, timeScale: 1000, multiple: 32 };
}

export interface LuminaInputs extends LuminaPictures {
  readonly timesteps: Tensor;
}

/** Predicts the flow from picture to noise: the raw output of the network, [b, c, h, w]. */
export function lumina(w: Weights, inputs: LuminaInputs, config: LuminaConfig): Tensor {
  const { x, timesteps, references = [] } = inputs;
  const timeVector = (sigma: Tensor): Tensor => {
    const time = mul(sub(1, sigma), config.timeScale);
    return mlp(w.at('t_embedder.mlp'), sinusoidalEmbedding(time, timeWidth)); // [b, c]
  };
  const vec = timeVector(timesteps);
  const clean = references.length > 0 ? timeVector(mul(timesteps, 0)) : undefined;
  const { multiple } = config;
  const { words, views, pictures } = luminaSequence(w, inputs, { patch, multiple, eps: epsilon });
  const batch = x.shape[0];
  const refined = [
    ...(words.length > 0 ? [stack(w, 'context_refiner', streamOf(words, batch, config))] : []),
    ...(views.length > 0 ? [stack(w, 'siglip_refiner', streamOf(views, batch, config))] : []),
    stack(w, 'noise_refiner', { ...streamOf(pictures, batch, config), vec, clean }),
  ];
  const all = streamOf([...words, ...views, ...pictures], batch, config);
  const h = stack(w, 'layers', { ...all, h: joined(refined), vec, clean });

  const last = w.at('final_layer');
  const scale = add(unsqueeze(linear(last.at('adaLN_modulation.1'), silu(vec)), 1), 1);
  const grid = gridOf(x, patch);
  const start = subDim(h.shape[1], pictures.at(-1)!.tokens.shape[1]);
  const tokens = slice(h, 1, start, addDim(start, mulDim(grid.rows, grid.columns)));
  const normed = mul(plainLayerNorm(tokens, { eps: 1e-6 }), scale);
  return neg(unpatchify(linear(last.at('linear'), normed), x, patch, 'p q c'));
}

interface Stream {
  readonly h: Tensor;
  readonly rotation: Rotation;
  readonly headWidth: number;
  /** How many tokens belong to pictures without noise, and how many do not, in turn. */
  readonly spans: readonly Span[];
  /** The time; left out where it is not told. */
  readonly vec?: Tensor;
  /** The time of pictures without noise; left out where there are none. */
  readonly clean?: Tensor;
}

interface Span {
  readonly count: Dim;
  readonly isClean: boolean;
}

function streamOf(
  parts: readonly Part[],
  batch: Dim,
  { axes: widths, theta, headWidth }: LuminaConfig,
): Omit<Stream, 'vec' | 'clean'> {
  const rows = parts.map(({ tokens }) => {
    const [have, count, width] = tokens.shape;
    return have === 1 ? expand(tokens, [batch, count, width]) : tokens; // learned ones alone
  });
  return {
    h: joined(rows),
    rotation: axialRotation(joinPositions(parts.map(({ places }) => places)), { widths, theta }),
    headWidth,
    spans: parts.map(({ tokens, isClean }) => ({ count: tokens.shape[1], isClean })),
  };
}

const joined = (parts: readonly Tensor[]): Tensor =>
  parts.length === 1 ? parts[0] : concat(parts, 1);

/** Blocks of one name after another. */
function stack(w: Weights, name: string, stream: Stream): Tensor {
  let { h } = stream;
  const { vec } = stream;
  for (let i = 0; i < w.count(name); i++) {
    const at = w.at(`${name}.${i}`);
    h = vec
      ? at.site({ x: h, vec }, ({ x, vec }) => block(at, { ...stream, h: x, vec }))
      : at.site({ x: h }, ({ x }) => block(at, { ...stream, h: x }));
  }
  return h;
}

/** Attention and feed-forward layer, normed before and behind; scaled and gated by the time where it is told. */
function block(w: Weights, stream: Stream): Tensor {
  const { h } = stream;
  const [scale1, gate1, scale2, gate2] = told(w, stream);
  const norm = (name: string, x: Tensor): Tensor => rmsNorm(w.at(name), x, { eps: epsilon });
  const scaled = (x: Tensor, scale?: Tensor): Tensor => (scale ? mul(x, add(scale, 1)) : x);
  const gated = (x: Tensor, gate?: Tensor): Tensor => (gate ? mul(x, tanh(gate)) : x);
  const seen = selfAttention(w.at('attention'), scaled(norm('attention_norm1', h), scale1), stream);
  const after = add(h, gated(norm('attention_norm2', seen), gate1));
  const wide = feedForward(w.at('feed_forward'), scaled(norm('ffn_norm1', after), scale2));
  return add(after, gated(norm('ffn_norm2', wide), gate2));
}

/** Scales and gates [b, 1, c] of a stream that is told the time, or [b, n, c] where not all tokens have the same. */
function told(w: Weights, { vec, clean, spans }: Stream): Tensor[] {
  if (!vec) return [];
  const now = changes(w, vec);
  if (!clean) return now;
  const still = changes(w, clean);
  return now.map((noisy, i) => {
    const [batch, , width] = noisy.shape;
    const ofSpan = ({ count, isClean }: Span): Tensor =>
      expand(isClean ? still[i] : noisy, [batch, count, width]);
    return joined(spans.map(ofSpan));
  });
}

/** Scales and gates [b, 1, c] from the time; Z-Image has no activation before the layer. */
function changes(w: Weights, vec: Tensor): Tensor[] {
  const plain = w.has('adaLN_modulation.0.weight');
  const all = plain
    ? linear(w.at('adaLN_modulation.0'), vec)
    : linear(w.at('adaLN_modulation.1'), silu(vec));
  return chunk(unsqueeze(all, 1), 4, -1);
}

function selfAttention(w: Weights, x: Tensor, { rotation, headWidth }: Stream): Tensor {
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
