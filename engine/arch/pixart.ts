/**
 * PixArt alpha and sigma: a transformer of picture tokens that look at themselves and then at the text, with one
 * modulation for all blocks and a table in each that moves it.
 *
 * Papers: Chen et al. 2023, "PixArt-α"; Chen et al. 2024, "PixArt-Σ". Reference: `PixArtMS.py` of
 * PixArt-alpha/PixArt-sigma, whose key names released files carry.
 * In: x [b, c, h, w], timesteps [b] (0..999), context [b, t, width], sizes [b, 3] (height, width, their ratio)
 * where the model reads them; out: [b, c, h, w], the noise.
 *
 * Sites: every `blocks.i` {x, vec} on the picture's tokens, inside them `attn` and `cross_attn` {q, k, v}.
 */
import type { Weights } from '../tensor/cursor.ts';
import { conv2d, linear } from '../tensor/layers.ts';
import {
  add,
  attention,
  cast,
  chunk,
  concat,
  constant,
  cos,
  div,
  expand,
  geluTanh,
  maximum,
  mul,
  rearrange,
  reshape,
  round,
  silu,
  sin,
  sizeTensor,
  slice,
  unsqueeze,
} from '../tensor/nn.ts';
import type { SiteFacts } from '../tensor/patch.ts';
import { type Dim, addDim, floorDivDim } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type Modulation, modulated } from './modulation.ts';
import { gridOf, unpatchify, wholePatches } from './patchify.ts';
import { gridPlaces } from './rope.ts';
import { sinusoidalEmbedding } from './timestep-embedding.ts';

export interface PixArtConfig {
  readonly inChannels: number;
  readonly contextWidth: number;
  readonly heads: number;
  /** Reads the size of the picture and its ratio (alpha of 1024 pixels). */
  readonly sized: boolean;
  /** How many times the places of 512 pixels a file was trained with; left out: as the picture's size says. */
  readonly stretch?: number;
}

const patch = 2;
/** Heads, in all released files. */
const heads = 16;
const numberWidth = 256;
/** Cells a side of the latent of 512 pixels. */
const cells = 64;

/** The sizes of a PixArt under `w`, or undefined. */
export function detectPixArt(w: Weights): PixArtConfig | undefined {
  if (!w.has('t_block.1.weight') || !w.has('x_embedder.proj.weight')) return undefined;
  const places = w.has('pos_embed') ? w.shape('pos_embed')[1] : undefined;
  return {
    inChannels: w.shape('x_embedder.proj.weight')[1],
    contextWidth: w.shape('y_embedder.y_proj.fc1.weight')[1],
    heads,
    sized: w.has('ar_embedder'),
    ...(places !== undefined && { stretch: stretchOf(places) }),
  };
}

/** How many squares of 512 pixels a side of so many stored places has; one of 256 is laid out like one of 512. */
const stretchOf = (places: number): number =>
  Math.max(1, Math.floor((Math.sqrt(places) * patch) / cells));

export interface PixArtInputs {
  readonly x: Tensor;
  readonly timesteps: Tensor;
  readonly context: Tensor;
  /** Left out: the size of x in pixels. */
  readonly sizes?: Tensor;
}

/** Predicts the noise: the raw output of the network, [b, c, h, w]. */
export function pixArt(w: Weights, inputs: PixArtInputs, config: PixArtConfig): Tensor {
  const { x, timesteps, context, sizes } = inputs;
  const grid = gridOf(x, patch);
  const patches = conv2d(w.at('x_embedder.proj'), wholePatches(x, patch), { stride: patch });
  const [, width] = patches.shape;
  let h = add(rearrange(patches, 'b c h w -> b (h w) c'), places(x, width as number, config));
  const time = embedder(w.at('t_embedder'), timesteps); // [b, c]
  const told = config.sized ? add(time, sizeVector(w, sizes ?? ownSizes(x))) : time;
  const vec = linear(w.at('t_block.1'), silu(told)); // [b, 6*c]
  const text = feedForward(w.at('y_embedder.y_proj'), context); // [b, t, c]
  const facts = { heads: config.heads, grid: [grid.rows, grid.columns] };
  for (let i = 0; i < w.count('blocks'); i++) {
    const at = w.at(`blocks.${i}`);
    h = at.site({ x: h, vec }, ({ x, vec }) => block(at, x, { vec, text }, facts), facts);
  }
  const last = w.at('final_layer');
  const [shift, scale] = moved(last, unsqueeze(told, 1), 2);
  const out = unpatchify(
    linear(last.at('linear'), modulated(h, { shift, scale })),
    x,
    patch,
    'p q c',
  );
  return slice(out, 1, 0, config.inChannels); // behind it, its variance
}

/**
 * Sines and cosines of column and row, counted so that a side is as long as in training: [rows*columns, width].
 * What is smaller than 512 pixels counts as that.
 */
function places(x: Tensor, width: number, { stretch }: PixArtConfig): Tensor {
  const [, , height, columns] = x.shape;
  const mean = cast(sizeTensor(floorDivDim(addDim(height, columns), 2)), 'f32');
  const times = maximum(round(div(mean, cells)), 1);
  const side = mul(times, cells / patch);
  const grid = gridOf(x, patch);
  const [row, column] = gridPlaces(grid);
  const speeds = Float32Array.from(
    { length: width / 4 },
    (_, i) => 1 / 10000 ** Math.fround(i / (width / 4)),
  );
  const waves = (place: Tensor, size: Dim): Tensor[] => {
    const inTraining = div(div(place, div(cast(sizeTensor(size), 'f32'), side)), stretch ?? times);
    const angles = mul(unsqueeze(inTraining, 1), constant(speeds, [1, speeds.length]));
    return [sin(angles), cos(angles)];
  };
  return concat([...waves(column, grid.columns), ...waves(row, grid.rows)], 1);
}

/** A number of each row as a vector [b, c]. */
function embedder(w: Weights, numbers: Tensor): Tensor {
  const h = linear(w.at('mlp.0'), sinusoidalEmbedding(numbers, numberWidth));
  return linear(w.at('mlp.2'), silu(h));
}

/** Height, width and ratio as a third of a vector each: [b, c]. */
function sizeVector(w: Weights, sizes: Tensor): Tensor {
  const names = ['csize_embedder', 'csize_embedder', 'ar_embedder'];
  const parts = names.map((name, i) =>
    embedder(w.at(name), reshape(slice(sizes, 1, i, i + 1), [-1])),
  );
  return concat(parts, 1);
}

/** The size in pixels of the picture that x is the latent of, and its ratio: [b, 3]. */
function ownSizes(x: Tensor): Tensor {
  const [batch, , height, width] = x.shape;
  const [rows, columns] = [height, width].map((size) => cast(sizeTensor(size), 'f32'));
  const all = [mul(rows, 8), mul(columns, 8), div(rows, columns)];
  return expand(
    concat(
      all.map((size) => reshape(size, [1, 1])),
      1,
    ),
    [batch, 3],
  );
}

type Facts = Required<Pick<SiteFacts, 'heads' | 'grid'>>;

interface Told {
  /** What moves the block's table [b, 6*c]. */
  readonly vec: Tensor;
  readonly text: Tensor;
}

/** Attention to the picture, to the text, and a feed-forward layer. */
function block(w: Weights, x: Tensor, { vec, text }: Told, facts: Facts): Tensor {
  const [batch, , width] = x.shape;
  const all = moved(w, reshape(vec, [batch, 6, width]), 6);
  const [first, second] = [all.slice(0, 3), all.slice(3)].map(
    ([shift, scale, gate]): Modulation => ({ shift, scale, gate }),
  );
  const own = w.at('attn');
  const [q, k, v] = chunk(linear(own.at('qkv'), modulated(x, first)), 3, -1);
  const seen = attend(w.at('attention'), { q, k, v }, facts);
  const h = add(x, mul(first.gate, linear(own.at('proj'), seen)));
  const cross = w.at('cross_attn');
  const [keys, values] = chunk(linear(cross.at('kv_linear'), text), 2, -1);
  const asked = { q: linear(cross.at('q_linear'), h), k: keys, v: values };
  const heard = attend(w.at('cross_attention'), asked, facts);
  const both = add(h, linear(cross.at('proj'), heard));
  return add(both, mul(second.gate, feedForward(w.at('mlp'), modulated(both, second))));
}

const attend = (
  w: Weights,
  parts: Readonly<Record<'q' | 'k' | 'v', Tensor>>,
  facts: Facts,
): Tensor => w.site(parts, ({ q, k, v }) => attention(q, k, v, { heads: facts.heads }), facts);

const feedForward = (w: Weights, x: Tensor): Tensor =>
  linear(w.at('fc2'), geluTanh(linear(w.at('fc1'), x)));

/** The rows of the table here, moved by a vector [b, rows or 1, c]: [b, 1, c] each. */
const moved = (w: Weights, by: Tensor, rows: number): Tensor[] =>
  chunk(add(unsqueeze(w.param('scale_shift_table'), 0), by), rows, 1);
