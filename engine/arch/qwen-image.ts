/**
 * Qwen-Image: a transformer whose text and picture tokens have weights of their own in every block and attend to
 * each other; pictures are videos of one frame, or of one for each layer.
 *
 * Paper: Wu et al. 2025, "Qwen-Image Technical Report". Reference: `transformer_qwenimage.py` of
 * huggingface/diffusers, whose key names released files carry.
 * In: x [b, c, f, h, w], timesteps [b] (sigma), context [b, t, width]; out: [b, c, f, h, w].
 *
 * Sites: every `transformer_blocks.i` {x, vec} on the sequence [text, picture, references], inside them
 * `attention` {q, k, v}.
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
  geluTanh,
  maximum,
  mul,
  range,
  reshape,
  rotaryEmbedding,
  silu,
  sizeTensor,
  slice,
  sub,
  unsqueeze,
} from '../tensor/nn.ts';
import type { SiteFacts } from '../tensor/patch.ts';
import { type Dim, addDim, floorDivDim, mulDim, subDim } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Reference } from './flux-places.ts';
import { headNorm } from './head-norm.ts';
import { type Modulation, inTurn, modulated, modulations } from './modulation.ts';
import { type Grid, frameOf, gridOf, patchifyFrames, unpatchifyFrames } from './patchify.ts';
import {
  type Positions,
  axialRotation,
  framePlaces,
  gridPlaces,
  joinPositions,
  samePlace,
} from './rope.ts';
import { sinusoidalEmbedding } from './timestep-embedding.ts';

export interface QwenImageConfig {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly contextWidth: number;
  readonly headWidth: number;
  /** Shares of a head that turn by frame, row and column. */
  readonly axes: readonly number[];
  /** Frames are the layers of a picture. */
  readonly layered: boolean;
  /** Pictures to look at count as clean unless a prompt says otherwise. */
  readonly cleanReferences: boolean;
}

const patch = 2;
const timeWidth = 256;
const thousand = 1000;

/** The sizes of a Qwen-Image under `w`, or undefined. */
export function detectQwenImage(w: Weights): QwenImageConfig | undefined {
  const isWhole = w.has('proj_out.weight') && w.has('transformer_blocks.0.img_mlp.net');
  const sizes = isWhole ? sequenceSizes(w) : undefined;
  return (
    sizes && {
      ...sizes,
      outChannels: w.shape('proj_out.weight')[0] / patch ** 2,
      layered: w.has('time_text_embed.addition_t_embedding'),
      cleanReferences: w.has('__index_timestep_zero__'),
    }
  );
}

/** The sizes up to the last layer, which control networks have none of. */
export function sequenceSizes(
  w: Weights,
): Pick<QwenImageConfig, 'inChannels' | 'contextWidth' | 'headWidth' | 'axes'> | undefined {
  if (!w.has('txt_norm.weight') || !w.has('transformer_blocks.0.attn.norm_added_q.weight')) {
    return undefined;
  }
  const [headWidth] = w.shape('transformer_blocks.0.attn.norm_q.weight');
  return {
    inChannels: w.shape('img_in.weight')[1] / patch ** 2,
    contextWidth: w.shape('txt_in.weight')[1],
    headWidth,
    axes: [headWidth / 8, (7 * headWidth) / 16, (7 * headWidth) / 16],
  };
}

export interface QwenImageInputs {
  readonly x: Tensor;
  readonly timesteps: Tensor;
  readonly context: Tensor;
  /** Latents are [b, c, 1, h, w]. */
  readonly references?: readonly Reference[];
  readonly referenceTime?: Tensor;
}

/** What every block is told beside the sequence and the time. */
export interface Facts extends Required<SiteFacts> {
  readonly rotation: Rotation;
  /** Tokens behind the text at the picture's time; those of clean references are behind them. */
  readonly own: Dim;
}

/** Predicts the flow from picture to noise: the raw output of the network, [b, c, f, h, w]. */
export function qwenImage(w: Weights, inputs: QwenImageInputs, config: QwenImageConfig): Tensor {
  const { x, timesteps, context, references = [], referenceTime } = inputs;
  const vec = timeVector(w.at('time_text_embed'), timesteps); // [b, c]
  const clean = referenceTime && timeVector(w.at('time_text_embed'), referenceTime);
  const text = textTokens(w, context); // [b, t, c]
  const frames = [x, ...references.map(({ latent }) => latent)];
  const image = linear(w.at('img_in'), concat(frames.map(tokensOf), 1)); // [b, n, c]
  const facts = factsOf({ x, text: text.shape[1], references }, config, vec);
  const h = qwenBlocks(w, { text, image, vec, clean }, facts);
  const { text: length, own } = facts;
  return unpatchifyFrames(lastLayer(w, slice(h, 1, length, addDim(length, own)), vec), x, patch);
}

/** Tokens [b, n, c] as patches of the picture in rows. */
export function lastLayer(w: Weights, tokens: Tensor, vec: Tensor): Tensor {
  const [scale, shift] = chunk(unsqueeze(linear(w.at('norm_out.linear'), silu(vec)), 1), 2, -1);
  return linear(w.at('proj_out'), modulated(tokens, { shift, scale }));
}

/** Words as tokens [b, t, c]. */
export const textTokens = (w: Weights, context: Tensor): Tensor =>
  linear(w.at('txt_in'), rmsNorm(w.at('txt_norm'), context));

/** The same for all blocks of a sequence. */
export function factsOf(
  { x, text, references = [] }: { x: Tensor; text: Dim; references?: readonly Reference[] },
  { axes, headWidth }: Pick<QwenImageConfig, 'axes' | 'headWidth'>,
  vec: Tensor,
): Facts {
  const grid = gridOf(frameOf(x), patch);
  const places = [wordPlaces(text, grid), picturePlaces(x), ...references.map(placesOf)];
  return {
    rotation: axialRotation(joinPositions(places), { widths: axes }),
    heads: (vec.shape[1] as number) / headWidth, // weights have fixed sizes
    text,
    grid: [grid.rows, grid.columns],
    own: mulDim(x.shape[2], mulDim(grid.rows, grid.columns)),
  };
}

/** What enters the blocks: text [b, t, c], pictures [b, n, c], the time [b, c], that of clean references. */
export interface BlockInputs {
  readonly text: Tensor;
  readonly image: Tensor;
  readonly vec: Tensor;
  readonly clean?: Tensor | undefined;
}

/** The blocks of a name on the sequence [text, picture, references]: [b, t + n, c]. */
export function qwenBlocks(
  w: Weights,
  inputs: BlockInputs,
  facts: Facts,
  name = 'transformer_blocks',
): Tensor {
  const { heads, text, grid } = facts;
  let h = concat([inputs.text, inputs.image], 1);
  for (let i = 0; i < w.count(name); i++) {
    const at = w.at(`${name}.${i}`);
    const run = ({ x, vec }: { x: Tensor; vec: Tensor }): Tensor =>
      block(at, x, vec, facts, inputs.clean);
    h = at.site({ x: h, vec: inputs.vec }, run, { heads, text, grid });
  }
  return h;
}

/** The time as a vector [b, c]; a file of layers adds what it says of pictures with all of them. */
export function timeVector(w: Weights, timesteps: Tensor): Tensor {
  const numbers = sinusoidalEmbedding(mul(timesteps, thousand), timeWidth);
  const vec = timeEmbedder(w.at('timestep_embedder'), numbers);
  if (!w.has('addition_t_embedding')) return vec;
  return add(vec, slice(w.at('addition_t_embedding').param('weight'), 0, 0, 1));
}

/** The numbers of a time [b, n] as a vector [b, c]. */
export const timeEmbedder = (w: Weights, numbers: Tensor): Tensor =>
  linear(w.at('linear_2'), silu(linear(w.at('linear_1'), numbers)));

/** Patches of frames after one another: [b, f*rows*columns, 4*c]. */
export const tokensOf = (x: Tensor): Tensor => patchifyFrames(x, patch);

/** Words stand on the diagonal behind the picture, whose middle is the origin. */
function wordPlaces(length: Dim, { rows, columns }: Grid): Positions {
  const half = (size: Dim): Tensor => cast(sizeTensor(floorDivDim(size, 2)), 'f32');
  const places = add(cast(range(length), 'f32'), maximum(half(rows), half(columns)));
  return [places, places, places];
}

/** Rows and columns from the middle, for one frame after another. */
function picturePlaces(x: Tensor): Positions {
  const { row, column } = centred(x);
  return framePlaces(x.shape[2], [row, column]);
}

/** The tokens of a reference of one frame: its plane, rows and columns from its own middle. */
function placesOf({ latent, place }: Reference): Positions {
  const { count, row, column } = centred(latent);
  const [index, down, right] = [0, 1, 2].map((axis) =>
    reshape(slice(slice(place, 0, 0, 1), 1, axis, axis + 1), [1]),
  );
  return [add(samePlace(count, 1)[0], index), add(row, down), add(column, right)];
}

function centred(x: Tensor) {
  const grid = gridOf(frameOf(x), patch);
  const { rows, columns } = grid;
  const middle = (size: Dim): Tensor => cast(sizeTensor(floorDivDim(size, 2)), 'f32');
  const [row, column] = gridPlaces(grid);
  return {
    count: mulDim(rows, columns),
    row: sub(row, middle(rows)),
    column: sub(column, middle(columns)),
  };
}

/** Attention over the sequence and a feed-forward layer, text and picture with weights of their own. */
function block(w: Weights, x: Tensor, vec: Tensor, facts: Facts, clean?: Tensor): Tensor {
  const { rotation, heads, text, grid, own } = facts;
  const others = subDim(subDim(x.shape[1], text), own);
  const modulationsOf = (name: string): Modulation[] => {
    const now = modulations(w.at(`${name}.1`), vec, 2);
    if (!clean || name === 'txt_mod') return now;
    const still = modulations(w.at(`${name}.1`), clean, 2);
    return now.map((each, i) => inTurn(each, own, still[i], others));
  };
  const attn = w.at('attn');
  const streams = [
    {
      h: slice(x, 1, 0, text),
      mods: modulationsOf('txt_mod'),
      qkv: ['add_q_proj', 'add_k_proj', 'add_v_proj'],
      norms: ['norm_added_q', 'norm_added_k'],
      out: 'to_add_out',
      mlp: w.at('txt_mlp.net'),
    },
    {
      h: slice(x, 1, text),
      mods: modulationsOf('img_mod'),
      qkv: ['to_q', 'to_k', 'to_v'],
      norms: ['norm_q', 'norm_k'],
      out: 'to_out.0',
      mlp: w.at('img_mlp.net'),
    },
  ];
  const projected = streams.map(({ h, mods: [first], qkv, norms }) => {
    const n = modulated(h, first);
    const [q, k, v] = qkv.map((name) => linear(attn.at(name), n));
    return [headNorm(attn.at(norms[0]), q), headNorm(attn.at(norms[1]), k), v];
  });
  const [q, k, v] = [0, 1, 2].map((i) => concat([projected[0][i], projected[1][i]], 1));
  const turned = { q: rotaryEmbedding(q, rotation), k: rotaryEmbedding(k, rotation), v };
  const mixed = w
    .at('attention')
    .site(turned, ({ q, k, v }) => attention(q, k, v, { heads }), { heads, text, grid });
  const seen = [slice(mixed, 1, 0, text), slice(mixed, 1, text)];
  const results = streams.map(({ h, mods: [first, second], out, mlp }, i) => {
    const after = add(h, mul(first.gate, linear(attn.at(out), seen[i])));
    const wide = geluTanh(linear(mlp.at('0.proj'), modulated(after, second)));
    return add(after, mul(second.gate, linear(mlp.at('2'), wide)));
  });
  return concat(results, 1);
}
