/**
 * The encoder of T5: T5 1.0 and 1.1, mT5, UMT5, Pile-T5 and ByT5, told apart by keys and shapes.
 *
 * Papers: Raffel et al. 2020, "Exploring the Limits of Transfer Learning with a Unified Text-to-Text
 * Transformer"; Shazeer 2020, "GLU Variants Improve Transformer"; Chung et al. 2023, "UniMax" (UMT5: a table
 * of positions in every block). Keys are huggingface's (`encoder.block.*`, `shared.weight`). In: token ids
 * [b, t]; out: hidden [b, t, c]. Sites: every `encoder.block.i` {h} and `encoder.final_layer_norm` {h}.
 */
import type { Weights } from '../tensor/cursor.ts';
import { embedding, linear, rmsNorm } from '../tensor/layers.ts';
import { add, attention, geluTanh, mul, permute, relu, unsqueeze } from '../tensor/nn.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type TokenInputs, tokenRows } from './token-rows.ts';

export interface T5Config {
  readonly width: number;
  readonly layers: number;
  readonly vocabulary: number;
  /** Width of the first block's keys: heads times their size. */
  readonly inner: number;
  /** Two linear layers before the last, one through an activation (T5 1.1 and later). */
  readonly gated: boolean;
  /** Every block has its own table of positions (UMT5); else all take the first one's. */
  readonly tablesEverywhere: boolean;
}

export interface T5Inputs extends TokenInputs {
  /** Bucket of the distance from query to key [t, t], i64 (`distanceBuckets`). */
  readonly buckets: Tensor;
  /** Added to the scores of every key [b, 1, 1, t]: 0 for text, very negative for padding. */
  readonly padding?: Tensor | undefined;
}

/** The encoder's sizes when `w` stands on one, else undefined. */
export function detectT5(w: Weights): T5Config | undefined {
  const keys = 'encoder.block.0.layer.0.SelfAttention.k.weight';
  const table = tokenTable(w);
  if (!w.has(keys) || !table) return undefined;
  const [vocabulary, width] = table.shape('weight');
  return {
    width,
    layers: w.count('encoder.block'),
    vocabulary,
    inner: w.shape(keys)[0],
    gated: w.has('encoder.block.0.layer.1.DenseReluDense.wi_1'),
    tablesEverywhere: w.has('encoder.block.1.layer.0.SelfAttention.relative_attention_bias'),
  };
}

/** Released files have the table of tokens under either name. */
const tokenTable = (w: Weights): Weights | undefined =>
  ['shared', 'encoder.embed_tokens'].map((name) => w.at(name)).find((at) => at.has('weight'));

/** Hidden states behind block `layer` (0 the first, -1 the last), normed: [b, t, c]. */
export function t5Encoder(w: Weights, inputs: T5Inputs, layer = -1): Tensor {
  const encoder = w.at('encoder');
  const count = encoder.count('block');
  const wanted = layer < 0 ? count + layer : layer;
  let h = tokenRows(tokenTable(w)!, inputs); // [b, t, c]
  let bias: Tensor | undefined;
  for (let i = 0; i <= wanted; i++) {
    const block = encoder.at(`block.${i}`);
    bias = positionBias(block.at('layer.0.SelfAttention'), inputs) ?? bias!; // [b or 1, heads, t, t]
    const scores = bias;
    h = block.site({ h }, ({ h }) => t5Block(block, h, scores));
  }
  const norm = encoder.at('final_layer_norm');
  return norm.site({ h }, ({ h }) => rmsNorm(norm, h));
}

/** What positions and padding add to the scores; undefined in blocks that take that of the first. */
function positionBias(w: Weights, { buckets, padding }: T5Inputs): Tensor | undefined {
  if (!w.has('relative_attention_bias')) return undefined;
  const table = embedding(w.at('relative_attention_bias'), buckets); // [t, t, heads]
  const bias = unsqueeze(permute(table, [2, 0, 1]), 0); // [1, heads, t, t]
  return padding ? add(bias, padding) : bias;
}

/** x [b, t, c]. Scores are not scaled: the initialisation of q did that. */
function t5Block(w: Weights, x: Tensor, scores: Tensor): Tensor {
  const attend = w.at('layer.0.SelfAttention');
  const n = rmsNorm(w.at('layer.0.layer_norm'), x);
  const [q, k, v] = ['q', 'k', 'v'].map((name) => linear(attend.at(name), n)); // [b, t, inner]
  const heads = scores.shape[1] as number;
  const h = add(x, linear(attend.at('o'), attention(q, k, v, { heads, mask: scores, scale: 1 })));
  const dense = w.at('layer.1.DenseReluDense');
  return add(h, feedForward(dense, rmsNorm(w.at('layer.1.layer_norm'), h)));
}

function feedForward(w: Weights, x: Tensor): Tensor {
  const inner = w.has('wi_1')
    ? mul(geluTanh(linear(w.at('wi_0'), x)), linear(w.at('wi_1'), x))
    : relu(linear(w.at('wi'), x)); // [b, t, ff]
  return linear(w.at('wo'), inner);
}

const BUCKETS = 32;
const LONGEST_DISTANCE = 128;

/**
 * The bucket of every distance from query (row) to key (column) [t, t]: half of the 32 for each direction,
 * the first 8 exact, the rest wider and wider up to 128 tokens (Raffel et al. 2020, section 2.1), in single
 * precision as torch computes it.
 */
export function distanceBuckets(length: number): BigInt64Array {
  const half = BUCKETS / 2;
  const exact = half / 2;
  const far = Math.log(LONGEST_DISTANCE / exact);
  const bucket = (distance: number): bigint => {
    const d = Math.abs(distance);
    const log = Math.fround(Math.log(Math.fround(d / exact)));
    const wide = Math.trunc(Math.fround(Math.fround(log / far) * (half - exact)));
    const within = d < exact ? d : Math.min(exact + wide, half - 1);
    return BigInt((distance > 0 ? half : 0) + within);
  };
  const known = Array.from({ length: 2 * length - 1 }, (_, i) => bucket(i - (length - 1)));
  return BigInt64Array.from({ length: length * length }, (_, i) => {
    const query = Math.floor(i / length);
    return known[(i % length) - query + length - 1];
  });
}
