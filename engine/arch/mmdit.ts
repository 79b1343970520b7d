/**
 * MMDiT: the transformer of Stable Diffusion 3 and 3.5, whose text and picture tokens have weights of their own
 * in every block and attend to each other.
 *
 * Paper: Esser et al. 2024, "Scaling Rectified Flow Transformers for High-Resolution Image Synthesis". Reference:
 * `mmditx.py` of Stability-AI/sd3.5, whose key names released files carry.
 * In: x [b, c, h, w], timesteps [b] (0..1000), context [b, t, width], pooled [b, p]; out: [b, c, h, w].
 *
 * Sites: every `joint_blocks.i` {x, vec} on the sequence [text, picture] (in the last one only the picture goes
 * on), inside them `attention` {q, k, v} and, where the picture looks at itself once more, `attention2`.
 */
import type { Weights } from '../tensor/cursor.ts';
import { conv2d, linear } from '../tensor/layers.ts';
import {
  add,
  attention,
  chunk,
  concat,
  geluTanh,
  mul,
  plainLayerNorm,
  rearrange,
  reshape,
  silu,
  slice,
  unsqueeze,
} from '../tensor/nn.ts';
import type { SiteFacts } from '../tensor/patch.ts';
import { addDim, floorDivDim, subDim } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { headNorm } from './head-norm.ts';
import { type Grid, gridOf, unpatchify, wholePatches } from './patchify.ts';
import { sinusoidalEmbedding } from './timestep-embedding.ts';

export interface MmditConfig {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly contextWidth: number;
  readonly pooledWidth: number;
}

const patch = 2;
/** Width of a head, in all sizes of the model. */
const headWidth = 64;
const timeWidth = 256;

/** The sizes of an MMDiT under `w`, or undefined. */
export function detectMmdit(w: Weights): MmditConfig | undefined {
  if (!w.has('joint_blocks.0.context_block.attn.qkv.weight')) return undefined;
  return {
    inChannels: w.shape('x_embedder.proj.weight')[1],
    outChannels: w.shape('final_layer.linear.weight')[0] / patch ** 2,
    contextWidth: w.shape('context_embedder.weight')[1],
    pooledWidth: w.shape('y_embedder.mlp.0.weight')[1],
  };
}

export interface MmditInputs {
  readonly x: Tensor;
  readonly timesteps: Tensor;
  readonly context: Tensor;
  readonly pooled: Tensor;
}

/** Predicts the flow from picture to noise: the raw output of the network, [b, c, h, w]. */
export function mmdit(w: Weights, { x, context, ...told }: MmditInputs): Tensor {
  const vec = vectorOf(w, told); // [b, c]
  const text = linear(w.at('context_embedder'), context); // [b, t, c]
  const picture = placed(w, x); // [b, n, c]
  const h = mmditBlocks(w, { text, picture, vec }, gridOf(x, patch));
  const last = w.at('final_layer');
  const [shift, scale] = changes(last, vec, 2);
  return unpatchify(linear(last.at('linear'), changed(h, shift, scale)), x, patch, 'p q c');
}

/** Time and pooled text as one vector [b, c]. */
export function vectorOf(
  w: Weights,
  { timesteps, pooled }: Omit<MmditInputs, 'x' | 'context'>,
): Tensor {
  const time = embedder(w.at('t_embedder'), sinusoidalEmbedding(timesteps, timeWidth));
  return add(time, embedder(w.at('y_embedder'), pooled));
}

/** Two layers on numbers or pooled text [b, width]: [b, c]. */
export const embedder = (w: Weights, x: Tensor): Tensor => mlp(w.at('mlp'), x, silu, [0, 2]);

/** Patches of x [b, c, h, w] as tokens [b, n, c]. */
export function tokensOf(w: Weights, x: Tensor): Tensor {
  const cells = conv2d(w.at('proj'), wholePatches(x, patch), { stride: patch });
  return rearrange(cells, 'b c h w -> b (h w) c');
}

/** The same with where they stand. */
export const placed = (w: Weights, x: Tensor): Tensor =>
  add(tokensOf(w.at('x_embedder'), x), places(w, gridOf(x, patch)));

/** What enters the blocks: text [b, t, c], picture [b, n, c], the vector [b, c]. */
export interface BlockInputs {
  readonly text: Tensor;
  readonly picture: Tensor;
  readonly vec: Tensor;
}

/** The blocks on the sequence [text, picture]: [b, t + n, c]; [b, n, c] where the text ends in the last one. */
export function mmditBlocks(
  w: Weights,
  { text, picture, vec }: BlockInputs,
  { rows, columns }: Grid,
): Tensor {
  const facts = { heads: headsOf(vec), text: text.shape[1], grid: [rows, columns] };
  let h = concat([text, picture], 1); // [b, t + n, c]
  for (let i = 0; i < w.count('joint_blocks'); i++) {
    const block = w.at(`joint_blocks.${i}`);
    h = block.site({ x: h, vec }, ({ x, vec }) => jointBlock(block, x, vec, facts), facts);
  }
  return h;
}

/** Heads of a network whose vector is [b, c]; weights have fixed sizes. */
const headsOf = (vec: Tensor): number => (vec.shape[1] as number) / headWidth;

/** A block of one kind of tokens x [b, n, c] alone. */
export function pictureBlock(w: Weights, x: Tensor, vec: Tensor): Tensor {
  const [shift, scale, gate, ...others] = changes(w, vec, 6);
  const [q, k, v] = projections(w.at('attn'), changed(x, shift, scale));
  const seen = linear(w.at('attn.proj'), attention(q, k, v, { heads: headsOf(vec) }));
  return feedForward(w, add(x, mul(gate, seen)), others);
}

/** The middle of the learned square of positions: [1, rows*columns, c]. */
function places(w: Weights, { rows, columns }: Grid): Tensor {
  const [, count, width] = w.shape('pos_embed');
  const side = Math.sqrt(count);
  let square = reshape(w.param('pos_embed'), [1, side, side, width]);
  [rows, columns].forEach((size, i) => {
    const start = floorDivDim(subDim(side, size), 2);
    square = slice(square, i + 1, start, addDim(start, size));
  });
  return rearrange(square, 'b h w c -> b (h w) c');
}

type Facts = Required<SiteFacts>;

/** A block; where the text's part ends in its attention, the picture alone goes on. */
function jointBlock(w: Weights, x: Tensor, vec: Tensor, facts: Facts): Tensor {
  const picture = w.at('x_block');
  const context = w.at('context_block');
  const goesOn = context.has('attn.proj');
  const [text, image] = [slice(x, 1, 0, facts.text), slice(x, 1, facts.text)];
  const [shift, scale, gate, ...others] = changes(picture, vec, picture.has('attn2') ? 9 : 6);
  const [textShift, textScale, ...textOthers] = changes(context, vec, goesOn ? 6 : 2);

  const normed = plainLayerNorm(image, { eps: 1e-6 });
  const parts = [
    projections(context.at('attn'), changed(text, textShift, textScale)),
    projections(picture.at('attn'), change(normed, shift, scale)),
  ];
  const [q, k, v] = [0, 1, 2].map((i) => concat([parts[0][i], parts[1][i]], 1));
  const attend = ({ q, k, v }: Record<'q' | 'k' | 'v', Tensor>): Tensor =>
    attention(q, k, v, { heads: facts.heads });
  const mixed = w.at('attention').site({ q, k, v }, attend, facts);

  const seen = linear(picture.at('attn.proj'), slice(mixed, 1, facts.text));
  let h = add(image, mul(gate, seen));
  if (picture.has('attn2')) {
    const [shift2, scale2, gate2] = others.slice(3);
    const [q, k, v] = projections(picture.at('attn2'), change(normed, shift2, scale2));
    const own = w.at('attention2').site({ q, k, v }, attend, facts);
    h = add(h, mul(gate2, linear(picture.at('attn2.proj'), own)));
  }
  h = feedForward(picture, h, others);
  if (!goesOn) return h;
  const [textGate, ...rest] = textOthers;
  const heard = linear(context.at('attn.proj'), slice(mixed, 1, 0, facts.text));
  return concat([feedForward(context, add(text, mul(textGate, heard)), rest), h], 1);
}

/** Adds the feed-forward layer's branch, with the shift, scale and gate that come first. */
function feedForward(w: Weights, h: Tensor, [shift, scale, gate]: readonly Tensor[]): Tensor {
  return add(h, mul(gate, mlp(w.at('mlp'), changed(h, shift, scale), geluTanh, ['fc1', 'fc2'])));
}

/** q, k and v of x [b, t, c]; heads of q and k are normed where the file has norms. */
function projections(w: Weights, x: Tensor): Tensor[] {
  const [q, k, v] = chunk(linear(w.at('qkv'), x), 3, -1);
  if (!w.has('ln_q.weight')) return [q, k, v];
  return [headNorm(w.at('ln_q'), q), headNorm(w.at('ln_k'), k), v];
}

/** Shifts, scales and gates [b, 1, c] from the vector, in the file's order. */
const changes = (w: Weights, vec: Tensor, count: number): Tensor[] =>
  chunk(unsqueeze(linear(w.at('adaLN_modulation.1'), silu(vec)), 1), count, -1);

const change = (normed: Tensor, shift: Tensor, scale: Tensor): Tensor =>
  add(mul(normed, add(scale, 1)), shift);

const changed = (x: Tensor, shift: Tensor, scale: Tensor): Tensor =>
  change(plainLayerNorm(x, { eps: 1e-6 }), shift, scale);

const mlp = (
  w: Weights,
  x: Tensor,
  activation: (x: Tensor) => Tensor,
  [first, second]: readonly (string | number)[],
): Tensor => linear(w.at(String(second)), activation(linear(w.at(String(first)), x)));
