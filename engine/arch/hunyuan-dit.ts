/**
 * HunyuanDiT: a transformer of picture tokens that attend to themselves and to two encoders' text; the second
 * half of its blocks gets what the first half made, in reverse order.
 *
 * Paper: Li et al. 2024, "Hunyuan-DiT". Reference: Tencent/HunyuanDiT, whose key names released files carry.
 * In: x [b, c, h, w], timesteps [b], context [b, t, width] and second [b, s, width'] with their masks (1 for text)
 * [b, t] and [b, s], sizes [b, 6] where the file reads them (1.1 and before); out: [b, c, h, w].
 *
 * Sites: every `blocks.i` {x, vec} on the picture's tokens, in the second half {x, vec, skip}, inside them `attn1`
 * {q, k, v} (self) and `attn2` {q, k, v} (text).
 */
import type { Weights } from '../tensor/cursor.ts';
import { conv2d, layerNorm, linear } from '../tensor/layers.ts';
import {
  type Rotation,
  add,
  attention,
  cast,
  chunk,
  concat,
  div,
  expand,
  gather,
  geluTanh,
  greater,
  less,
  maximum,
  mean,
  mul,
  range,
  rearrange,
  reshape,
  rotaryEmbedding,
  round,
  silu,
  sizeTensor,
  slice,
  sub,
  unsqueeze,
  where,
} from '../tensor/nn.ts';
import type { SiteFacts } from '../tensor/patch.ts';
import { mulDim, subDim } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { headLayerNorm } from './head-norm.ts';
import { lastChange, modulated } from './modulation.ts';
import { type Grid, gridOf, unpatchify, wholePatches } from './patchify.ts';
import { axialRotation, gridPlaces } from './rope.ts';
import { sinusoidalEmbedding } from './timestep-embedding.ts';

export interface HunyuanDitConfig {
  readonly inChannels: number;
  readonly contextWidth: number;
  readonly secondWidth: number;
  /** Tokens of the second text that the pooled vector is made of. */
  readonly secondLength: number;
  /** Told of sizes and a style (1.1 and before). */
  readonly sized: boolean;
}

const patch = 2;
const numberWidth = 256;
const poolHeads = 8;
/** Cells a side of the square that positions are those of, whatever the picture's size. */
const baseSide = 32;
const eps = 1e-6;

/** The sizes of a HunyuanDiT under `w`, or undefined. */
export function detectHunyuanDit(w: Weights): HunyuanDitConfig | undefined {
  if (!w.has('mlp_t5.0.weight')) return undefined;
  return {
    inChannels: w.shape('x_embedder.proj.weight')[1],
    contextWidth: w.shape('text_embedding_padding')[1],
    secondWidth: w.shape('mlp_t5.0.weight')[1],
    secondLength: w.shape('pooler.positional_embedding')[0] - 1,
    sized: w.has('style_embedder'),
  };
}

/** States of a text encoder [b, t, width], and 1 for text [b, t]. */
export interface MaskedText {
  readonly states: Tensor;
  readonly mask: Tensor;
}

export interface HunyuanDitInputs {
  readonly x: Tensor;
  readonly timesteps: Tensor;
  readonly text: MaskedText;
  readonly second: MaskedText;
  readonly sizes?: Tensor;
}

interface Facts extends Required<SiteFacts> {
  readonly rotation: Rotation;
}

/** Predicts the velocity: the raw output of the network, [b, c, h, w]. */
export function hunyuanDit(
  w: Weights,
  inputs: HunyuanDitInputs,
  { secondLength }: HunyuanDitConfig,
): Tensor {
  const { x, timesteps, text, second } = inputs;
  const grid = gridOf(x, patch);
  const cells = conv2d(w.at('x_embedder.proj'), wholePatches(x, patch), { stride: patch });
  const padding = w.param('text_embedding_padding');
  const firstLength = subDim(padding.shape[0], secondLength) as number; // weights have fixed sizes
  const projected = { ...second, states: mlp(w.at('mlp_t5'), second.states) };
  const words = concat(
    [
      withPadding(text, slice(padding, 0, 0, firstLength)),
      withPadding(projected, slice(padding, 0, firstLength)),
    ],
    1,
  ); // [b, t + s, width]
  const time = mlp(w.at('t_embedder.mlp'), sinusoidalEmbedding(timesteps, numberWidth));
  const extras = extraVector(w, slice(second.states, 1, 0, secondLength), inputs.sizes);
  const vec = add(time, mlp(w.at('extra_embedder'), extras)); // [b, c]

  const [headWidth] = w.shape('blocks.0.attn1.q_norm.weight');
  const facts: Facts = {
    rotation: rotationOf(grid, headWidth),
    heads: (vec.shape[1] as number) / headWidth, // weights have fixed sizes
    text: 0,
    grid: [grid.rows, grid.columns],
  };
  const { heads, grid: sides } = facts;
  let h = rearrange(cells, 'b c h w -> b (h w) c');
  const count = w.count('blocks');
  const half = Math.floor(count / 2);
  const kept: Tensor[] = [];
  for (let i = 0; i < count; i++) {
    const at = w.at(`blocks.${i}`);
    const skip = at.has('skip_linear') ? kept.pop() : undefined;
    const run = (given: BlockInputs): Tensor => block(at, given, words, facts);
    h = at.site({ x: h, vec, ...(skip && { skip }) }, run, { heads, text: 0, grid: sides });
    if (i < half - 1) kept.push(h);
  }
  const result = linear(w.at('final_layer.linear'), modulated(h, lastChange(w, vec)));
  // the variance that it was trained with is not used
  return slice(unpatchify(result, x, patch, 'p q c'), 1, 0, x.shape[1]);
}

const mlp = (w: Weights, x: Tensor): Tensor => linear(w.at('2'), silu(linear(w.at('0'), x)));

/** The states with learned rows [n, width] where the last n are no text. */
function withPadding({ states, mask }: MaskedText, rows: Tensor): Tensor {
  const [count] = rows.shape;
  const tokens = states.shape[1];
  const place = sub(range(tokens), cast(sizeTensor(subDim(tokens, count)), 'i64'));
  const index = maximum(place, 0);
  const told = gather(slice(mask, 1, subDim(mask.shape[1], count)), index, 1); // [b, t]
  const isText = greater(maximum(told, cast(less(place, 0), 'f32')), 0);
  return where(unsqueeze(isText, 2), states, gather(rows, index, 0));
}

/** The second text as one vector, and where they are told of, sizes and a style: [b, n]. */
function extraVector(w: Weights, states: Tensor, sizes: Tensor | undefined): Tensor {
  const pool = w.at('pooler');
  const both = concat([mean(states, 1, { keep: true }), states], 1);
  const all = add(both, pool.param('positional_embedding')); // [b, 1 + s, width]
  const [q, k, v] = ['q_proj', 'k_proj', 'v_proj'].map((name, i) =>
    linear(pool.at(name), i === 0 ? slice(all, 1, 0, 1) : all),
  );
  const [batch] = states.shape;
  const seen = linear(pool.at('c_proj'), attention(q, k, v, { heads: poolHeads }));
  const pooled = reshape(seen, [batch, seen.shape[2]]);
  if (!sizes) return pooled;
  const numbers = sinusoidalEmbedding(reshape(sizes, [-1]), numberWidth);
  const style = w.at('style_embedder').param('weight'); // [1, c]
  const parts = [
    pooled,
    reshape(numbers, [batch, mulDim(sizes.shape[1], numberWidth)]),
    expand(style, [batch, style.shape[1]]),
  ];
  return concat(parts, 1);
}

/** The picture's cells stand in the middle of a square of fixed size, whose side the longer one fills. */
function rotationOf(grid: Grid, headWidth: number): Rotation {
  const sides = [grid.rows, grid.columns].map((side) => cast(sizeTensor(side), 'f32'));
  const scale = div(baseSide, maximum(sides[0], sides[1]));
  const [row, column] = gridPlaces(grid).map((places, axis) => {
    const size = round(mul(scale, sides[axis]));
    const start = round(div(sub(baseSide, size), 2));
    return add(mul(places, div(size, sides[axis])), start);
  });
  return axialRotation([column, row], { widths: [headWidth / 2, headWidth / 2] });
}

type BlockInputs = Readonly<{ x: Tensor; vec: Tensor; skip?: Tensor }>;

/** Attention over the picture, attention to the text, and a feed-forward layer. */
function block(w: Weights, { x, vec, skip }: BlockInputs, words: Tensor, facts: Facts): Tensor {
  const norm = (name: string, y: Tensor): Tensor => layerNorm(w.at(name), y, { eps });
  let h = skip ? linear(w.at('skip_linear'), norm('skip_norm', concat([x, skip], -1))) : x;
  const shift = unsqueeze(linear(w.at('default_modulation.1'), silu(vec)), 1);
  h = add(h, selfAttention(w.at('attn1'), add(norm('norm1', h), shift), facts));
  h = add(h, textAttention(w.at('attn2'), norm('norm3', h), words, facts));
  const wide = geluTanh(linear(w.at('mlp.fc1'), norm('norm2', h)));
  return add(h, linear(w.at('mlp.fc2'), wide));
}

function selfAttention(w: Weights, x: Tensor, facts: Facts): Tensor {
  const [q, k, v] = chunk(linear(w.at('Wqkv'), x), 3, -1);
  const turned = (name: string, y: Tensor): Tensor =>
    rotaryEmbedding(headLayerNorm(w.at(name), y, { eps }), facts.rotation);
  return attend(w, { q: turned('q_norm', q), k: turned('k_norm', k), v }, facts);
}

function textAttention(w: Weights, x: Tensor, words: Tensor, facts: Facts): Tensor {
  const [k, v] = chunk(linear(w.at('kv_proj'), words), 2, -1);
  const q = headLayerNorm(w.at('q_norm'), linear(w.at('q_proj'), x), { eps });
  const key = headLayerNorm(w.at('k_norm'), k, { eps });
  return attend(w, { q: rotaryEmbedding(q, facts.rotation), k: key, v }, facts);
}

function attend(
  w: Weights,
  parts: Readonly<Record<'q' | 'k' | 'v', Tensor>>,
  { heads, text, grid }: Facts,
): Tensor {
  const run = ({ q, k, v }: typeof parts): Tensor => attention(q, k, v, { heads });
  return linear(w.at('out_proj'), w.site(parts, run, { heads, text, grid }));
}
