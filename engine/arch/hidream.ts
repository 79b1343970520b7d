/**
 * HiDream: a transformer whose text tokens are T5's and a language model's last states, and in every block the
 * states of one of the language model's layers beside them; pictures go through experts, of which each token
 * counts its two best.
 *
 * Paper: Cai et al. 2025, "HiDream-I1". Reference: HiDream-ai/HiDream-I1, whose key names released files carry.
 * In: x [b, c, h, w], timesteps [b] (thousandths of sigma), context [b, t, width], pooled [b, p], states
 * [b, layers, s, width], beside [b, c, h, w'] to the right of x where there is a picture to change (HiDream-E1);
 * out: [b, c, h, w].
 *
 * Sites: every `double_stream_blocks.i.block` and `single_stream_blocks.i.block` {x, vec} on the sequence [text,
 * picture], inside them `attention` {q, k, v} on the block's own states in front of it.
 *
 * All experts are computed for all tokens, which costs 4.5 feed-forward layers where 2.5 count.
 */
import type { Weights } from '../tensor/cursor.ts';
import { linear, rmsNorm } from '../tensor/layers.ts';
import {
  type Rotation,
  add,
  attention,
  cast,
  concat,
  constant,
  equal,
  greater,
  less,
  mul,
  neg,
  reshape,
  rotaryEmbedding,
  silu,
  slice,
  softmax,
  sum,
  unsqueeze,
  where,
} from '../tensor/nn.ts';
import type { SiteFacts } from '../tensor/patch.ts';
import { type Dim, addDim, mulDim } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { lastChange, modulated, modulations } from './modulation.ts';
import { gridOf, patchify, unpatchify } from './patchify.ts';
import { axialRotation, gridPlaces, joinPositions, samePlace } from './rope.ts';
import { sinusoidalEmbedding } from './timestep-embedding.ts';

export interface HiDreamConfig {
  readonly inChannels: number;
  readonly contextWidth: number;
  readonly pooledWidth: number;
  /** Width of the language model's states. */
  readonly statesWidth: number;
  readonly heads: number;
  /** Shares of a head that turn by plane, row and column. */
  readonly axes: readonly number[];
  /** Whose states each block reads, double blocks first. */
  readonly layers: readonly number[];
}

const patch = 2;
const timeWidth = 256;
/** Width of a head in the released sizes. */
const headWidth = 128;
/** The last of the language model's layers; blocks beyond it read that one too. */
const lastLayer = 31;
/** Experts that count for a token. */
const chosenExperts = 2;
const eps = 1e-5;

/** The sizes of a HiDream under `w`, or undefined. */
export function detectHiDream(w: Weights): HiDreamConfig | undefined {
  if (!w.has('caption_projection.0.linear.weight')) return undefined;
  const [width, cell] = w.shape('x_embedder.proj.weight');
  const blocks = w.count('double_stream_blocks') + w.count('single_stream_blocks');
  return {
    inChannels: cell / patch ** 2,
    contextWidth: w.shape(`caption_projection.${blocks}.linear.weight`)[1],
    pooledWidth: w.shape('p_embedder.pooled_embedder.linear_1.weight')[1],
    statesWidth: w.shape('caption_projection.0.linear.weight')[1],
    heads: width / headWidth,
    axes: [headWidth / 2, headWidth / 4, headWidth / 4],
    layers: Array.from({ length: blocks }, (_, i) => Math.min(i, lastLayer)),
  };
}

export interface HiDreamInputs {
  readonly x: Tensor;
  readonly timesteps: Tensor;
  readonly context: Tensor;
  readonly pooled: Tensor;
  readonly states: Tensor;
  readonly beside?: Tensor;
}

interface Facts extends Required<SiteFacts> {
  readonly rotation: Rotation;
  /** Tokens of a block's own states. */
  readonly own: Dim;
}

/** Predicts the flow from picture to noise: the raw output of the network, [b, c, h, w]. */
export function hiDream(w: Weights, inputs: HiDreamInputs, config: HiDreamConfig): Tensor {
  const { x, timesteps, context, pooled, states, beside } = inputs;
  const canvas = beside ? concat([x, beside], 3) : x;
  const grid = gridOf(canvas, patch);
  const time = sinusoidalEmbedding(timesteps, timeWidth);
  const vec = add(
    embedder(w.at('t_embedder.timestep_embedder'), time),
    embedder(w.at('p_embedder.pooled_embedder'), pooled),
  ); // [b, c]
  const picture = linear(w.at('x_embedder.proj'), patchify(canvas, patch, 'p q c')); // [b, n, c]

  const project = (i: number, y: Tensor): Tensor =>
    linear(w.at(`caption_projection.${i}.linear`), y);
  /** What block `i` reads of the language model: [b, s, c]. */
  const statesOf = (i: number): Tensor => {
    const [batch, , tokens, width] = states.shape;
    const layer = slice(states, 1, config.layers[i], config.layers[i] + 1);
    return project(i, reshape(layer, [batch, tokens, width]));
  };
  const blocks = config.layers.length;
  const words = concat([project(blocks, context), statesOf(blocks - 1)], 1); // [b, t + s, c]

  const [own, text] = [states.shape[2], words.shape[1]];
  const places = [...samePlace(mulDim(grid.rows, grid.columns), 1), ...gridPlaces(grid)];
  const facts: Facts = {
    rotation: axialRotation(joinPositions([samePlace(addDim(own, text), 3), places]), {
      widths: config.axes,
    }),
    heads: config.heads,
    text,
    grid: [grid.rows, grid.columns],
    own,
  };
  let h = concat([words, picture], 1); // [b, t + s + n, c]
  let index = 0;
  for (const name of ['double_stream_blocks', 'single_stream_blocks']) {
    const block = name === 'double_stream_blocks' ? doubleBlock : singleBlock;
    for (let i = 0; i < w.count(name); i++) {
      const at = w.at(`${name}.${i}.block`);
      const place = index++;
      const run = ({ x, vec }: { x: Tensor; vec: Tensor }): Tensor =>
        slice(block(at, concat([statesOf(place), x], 1), vec, facts), 1, own);
      h = at.site({ x: h, vec }, run, { heads: facts.heads, text, grid: facts.grid });
    }
  }
  const tokens = modulated(slice(h, 1, text), lastChange(w, vec));
  const all = unpatchify(linear(w.at('final_layer.linear'), tokens), canvas, patch, 'p q c');
  return neg(beside ? slice(all, 3, 0, x.shape[3]) : all);
}

/** A number's embedding, or a pooled text, as a vector [b, c]. */
const embedder = (w: Weights, x: Tensor): Tensor =>
  linear(w.at('linear_2'), silu(linear(w.at('linear_1'), x)));

/** Attention over the sequence and a feed-forward layer, text and picture with weights of their own. */
function doubleBlock(w: Weights, x: Tensor, vec: Tensor, facts: Facts): Tensor {
  const [picture, pictureFeed, text, textFeed] = modulations(w.at('adaLN_modulation.1'), vec, 4);
  const attn = w.at('attn1');
  const front = addDim(facts.own, facts.text);
  const inParts = (y: Tensor): Tensor[] => [slice(y, 1, 0, front), slice(y, 1, front)];
  const [words, image] = inParts(x);
  const streams = [
    { h: words, mods: [text, textFeed], end: '_t', feed: swiGlu(w.at('ff_t')) },
    { h: image, mods: [picture, pictureFeed], end: '', feed: experts(w.at('ff_i')) },
  ];
  const parts = streams.map(({ h, mods, end }) => projections(attn, modulated(h, mods[0]), end));
  const [q, k, v] = [0, 1, 2].map((i) => concat([parts[0][i], parts[1][i]], 1));
  const seen = inParts(attend(w, { q, k, v }, facts));
  const results = streams.map(({ h, mods: [first, second], end, feed }, i) => {
    const after = add(h, mul(first.gate, linear(attn.at(`to_out${end}`), seen[i])));
    return add(after, mul(second.gate, feed(modulated(after, second))));
  });
  return concat(results, 1);
}

/** The same with the picture's weights for all tokens. */
function singleBlock(w: Weights, x: Tensor, vec: Tensor, facts: Facts): Tensor {
  const [first, second] = modulations(w.at('adaLN_modulation.1'), vec, 2);
  const attn = w.at('attn1');
  const [q, k, v] = projections(attn, modulated(x, first), '');
  const seen = linear(attn.at('to_out'), attend(w, { q, k, v }, facts));
  const after = add(x, mul(first.gate, seen));
  return add(after, mul(second.gate, experts(w.at('ff_i'))(modulated(after, second))));
}

/** q, k and v of x [b, t, c] for all heads; q and k are normed over all of them together. */
function projections(w: Weights, x: Tensor, end: string): Tensor[] {
  const [q, k, v] = ['to_q', 'to_k', 'to_v'].map((name) => linear(w.at(name + end), x));
  const norm = (name: string, y: Tensor): Tensor => rmsNorm(w.at(name + end), y, { eps });
  return [norm('q_rms_norm', q), norm('k_rms_norm', k), v];
}

function attend(
  w: Weights,
  { q, k, v }: Readonly<Record<'q' | 'k' | 'v', Tensor>>,
  { rotation, heads, text, grid, own }: Facts,
): Tensor {
  const turned = { q: rotaryEmbedding(q, rotation), k: rotaryEmbedding(k, rotation), v };
  return w.at('attention').site(turned, ({ q, k, v }) => attention(q, k, v, { heads }), {
    heads,
    text: addDim(own, text),
    grid,
  });
}

/** A gated feed-forward layer (Shazeer 2020). */
const swiGlu =
  (w: Weights) =>
  (x: Tensor): Tensor =>
    linear(w.at('w2'), mul(silu(linear(w.at('w1'), x)), linear(w.at('w3'), x)));

/**
 * The feed-forward layer that all tokens share, and those of a token's best experts by their scores. What the
 * others say does not count, whatever it is.
 */
const experts =
  (w: Weights) =>
  (x: Tensor): Tensor => {
    const scores = softmax(linear(w.at('gate'), x), -1); // [b, n, experts]
    const places = ranks(scores);
    let total = swiGlu(w.at('shared_experts'))(x);
    for (let i = 0; i < w.count('experts'); i++) {
      // reals are cut, not what is compared: graphics cards have no parts of truth values
      const [score, place] = [scores, places].map((each) => slice(each, 2, i, i + 1)); // [b, n, 1]
      const counts = less(place, chosenExperts);
      total = add(total, where(counts, mul(swiGlu(w.at(`experts.${i}`))(x), score), 0));
    }
    return total;
  };

/** How many of the last axis stand before each one: larger ones, and equal ones in front of it. */
function ranks(x: Tensor): Tensor {
  const count = x.shape.at(-1) as number; // weights have fixed sizes
  const [own, others] = [unsqueeze(x, 3), unsqueeze(x, 2)];
  const inFront = Float32Array.from({ length: count * count }, (_, i) =>
    i % count < Math.floor(i / count) ? 1 : 0,
  );
  const ties = constant(inFront, [1, 1, count, count]);
  return sum(where(equal(others, own), ties, cast(greater(others, own), 'f32')), -1);
}
