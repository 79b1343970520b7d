/**
 * AuraFlow: a transformer whose first layers have weights of their own for text and picture tokens and whose
 * others share them, with learned register tokens in front.
 *
 * Source: fal's AuraFlow (cloneofsimo/minRF), whose key names released files carry.
 * In: x [b, c, h, w], timesteps [b] (sigma), context [b, t, width]; out: [b, c, h, w].
 *
 * Sites: every `double_layers.i` and `single_layers.i` {x, vec} on the sequence [registers, text, picture], inside
 * them `attention` {q, k, v}.
 */
import type { Weights } from '../tensor/cursor.ts';
import { linear } from '../tensor/layers.ts';
import {
  add,
  attention,
  cast,
  chunk,
  clamp,
  concat,
  expand,
  floor,
  gather,
  maximum,
  minimum,
  mul,
  plainLayerNorm,
  range,
  reshape,
  silu,
  sizeTensor,
  slice,
  sub,
  div,
  unsqueeze,
} from '../tensor/nn.ts';
import type { SiteFacts } from '../tensor/patch.ts';
import { type Dim, addDim } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type Grid, gridOf, patchify, unpatchify } from './patchify.ts';
import { sinusoidalEmbedding } from './timestep-embedding.ts';

export interface AuraFlowConfig {
  readonly inChannels: number;
  readonly contextWidth: number;
  readonly heads: number;
}

const patch = 2;
const timeWidth = 256;
/** Times are told in thousandths. */
const thousand = 1000;
/** Width of a head in the released sizes. */
const headWidth = 256;

/** The sizes of an AuraFlow under `w`, or undefined. */
export function detectAuraFlow(w: Weights): AuraFlowConfig | undefined {
  if (!w.has('double_layers.0.attn.w1q.weight')) return undefined;
  return {
    inChannels: w.shape('init_x_linear.weight')[1] / patch ** 2,
    contextWidth: w.shape('cond_seq_linear.weight')[1],
    heads: w.shape('init_x_linear.weight')[0] / headWidth,
  };
}

export interface AuraFlowInputs {
  readonly x: Tensor;
  readonly timesteps: Tensor;
  readonly context: Tensor;
}

type Facts = Required<SiteFacts>;

/** Predicts the flow from picture to noise: the raw output of the network, [b, c, h, w]. */
export function auraFlow(w: Weights, inputs: AuraFlowInputs, { heads }: AuraFlowConfig): Tensor {
  const { x, timesteps, context } = inputs;
  const grid = gridOf(x, patch);
  const picture = add(linear(w.at('init_x_linear'), patchify(x, patch)), places(w, grid)); // [b, n, c]
  const numbers = sinusoidalEmbedding(mul(timesteps, thousand), timeWidth);
  const embedder = w.at('t_embedder.mlp');
  const vec = linear(embedder.at('2'), silu(linear(embedder.at('0'), numbers))); // [b, c]
  const words = linear(w.at('cond_seq_linear'), context); // [b, t, c]
  const [batch, , width] = words.shape;
  const [, count] = w.shape('register_tokens');
  const registers = expand(w.param('register_tokens'), [batch, count, width]);
  const text = addDim(count, words.shape[1]);
  const facts: Facts = { heads, text, grid: [grid.rows, grid.columns] };

  let h = concat([registers, words, picture], 1);
  for (const name of ['double_layers', 'single_layers']) {
    for (let i = 0; i < w.count(name); i++) {
      const layer = w.at(`${name}.${i}`);
      const block = name === 'double_layers' ? doubleLayer : singleLayer;
      h = layer.site({ x: h, vec }, ({ x, vec }) => block(layer, x, vec, facts), facts);
    }
  }
  const [shift, scale] = changes(w.at('modF.1'), vec, 2);
  const result = linear(w.at('final_linear'), change(slice(h, 1, text), shift, scale));
  return unpatchify(result, x, patch, 'p q c');
}

/**
 * The middle of the learned square of positions, which is enlarged (bilinear) where the grid is larger:
 * [1, rows*columns, c].
 */
function places(w: Weights, { rows, columns }: Grid): Tensor {
  const [, count, width] = w.shape('positional_encoding');
  const learned = Math.sqrt(count);
  const number = (size: Dim): Tensor => cast(sizeTensor(size), 'f32');
  const side = maximum(maximum(number(rows), number(columns)), learned);
  let square = reshape(w.param('positional_encoding'), [learned, learned, width]);
  [rows, columns].forEach((size, axis) => {
    const first = floor(div(sub(side, number(size)), 2));
    const middle = add(add(cast(range(size), 'f32'), first), 0.5);
    const at = clamp(sub(mul(middle, div(learned, side)), 0.5), 0, learned - 1);
    const low = floor(at);
    const high = minimum(add(low, 1), learned - 1);
    const share = reshape(sub(at, low), axis === 0 ? [size, 1, 1] : [1, size, 1]);
    const [near, far] = [low, high].map((index) => gather(square, cast(index, 'i64'), axis));
    square = add(near, mul(sub(far, near), share));
  });
  return reshape(square, [1, -1, width]);
}

/** Attention over the sequence and a feed-forward layer, text and picture with weights of their own. */
function doubleLayer(w: Weights, x: Tensor, vec: Tensor, facts: Facts): Tensor {
  const { text } = facts;
  const streams = [
    { h: slice(x, 1, 0, text), mods: changes(w.at('modC.1'), vec, 6), n: 1, mlp: w.at('mlpC') },
    { h: slice(x, 1, text), mods: changes(w.at('modX.1'), vec, 6), n: 2, mlp: w.at('mlpX') },
  ];
  const parts = streams.map(({ h, mods: [shift, scale], n }) =>
    projections(w.at('attn'), n, changed(h, shift, scale), facts),
  );
  const [q, k, v] = [0, 1, 2].map((i) => concat([parts[0][i], parts[1][i]], 1));
  const mixed = attend(w, { q, k, v }, facts);
  const seen = [slice(mixed, 1, 0, text), slice(mixed, 1, text)];
  const results = streams.map(({ h, mods, n, mlp }, i) =>
    feedForward(mlp, h, linear(w.at(`attn.w${n}o`), seen[i]), mods.slice(2)),
  );
  return concat(results, 1);
}

function singleLayer(w: Weights, x: Tensor, vec: Tensor, facts: Facts): Tensor {
  const [shift, scale, ...others] = changes(w.at('modCX.1'), vec, 6);
  const [q, k, v] = projections(w.at('attn'), 1, changed(x, shift, scale), facts);
  const mixed = attend(w, { q, k, v }, facts);
  return feedForward(w.at('mlp'), x, linear(w.at('attn.w1o'), mixed), others);
}

/** What attention gave reaches the result through the feed-forward layer alone. */
function feedForward(
  w: Weights,
  x: Tensor,
  attended: Tensor,
  [gate1, shift, scale, gate2]: readonly Tensor[],
): Tensor {
  const h = changed(add(x, mul(gate1, attended)), shift, scale);
  const wide = mul(silu(linear(w.at('c_fc1'), h)), linear(w.at('c_fc2'), h));
  return add(x, mul(gate2, linear(w.at('c_proj'), wide)));
}

/** q, k and v of x [b, t, c]; heads of q and k are normed. */
function projections(w: Weights, n: number, x: Tensor, { heads }: Facts): Tensor[] {
  const of = (name: string): Tensor => linear(w.at(`w${n}${name}`), x);
  return [headNorm(of('q'), heads), headNorm(of('k'), heads), of('v')];
}

function headNorm(x: Tensor, heads: number): Tensor {
  const [batch, tokens, channels] = x.shape;
  const split = reshape(x, [batch, tokens, heads, -1]);
  return reshape(plainLayerNorm(split), [batch, tokens, channels]);
}

const attend = (
  w: Weights,
  parts: Readonly<Record<'q' | 'k' | 'v', Tensor>>,
  facts: Facts,
): Tensor =>
  w.at('attention').site(parts, ({ q, k, v }) => attention(q, k, v, { heads: facts.heads }), facts);

/** Shifts, scales and gates [b, 1, c] from the vector. */
const changes = (w: Weights, vec: Tensor, count: number): Tensor[] =>
  chunk(unsqueeze(linear(w, silu(vec)), 1), count, -1);

const change = (x: Tensor, shift: Tensor, scale: Tensor): Tensor =>
  add(mul(x, add(scale, 1)), shift);

const changed = (x: Tensor, shift: Tensor, scale: Tensor): Tensor =>
  change(plainLayerNorm(x), shift, scale);
