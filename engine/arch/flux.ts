/**
 * Flux: a transformer whose text and picture tokens have weights of their own in the double blocks and
 * share them in the single blocks, one sequence throughout.
 *
 * Paper: Black Forest Labs 2024 (FLUX.1); Esser et al. 2024, "Scaling Rectified Flow Transformers", for the
 * double blocks; Labs et al. 2025 (FLUX.1 Kontext) for references. Reference: `model.py` and `layers.py` of
 * black-forest-labs/flux, whose key names released files carry.
 * In: x [b, c, h, w], timesteps [b] (sigma), context [b, t, width], pooled [b, p], guidance [b] where the model
 * was distilled with it; out: [b, out, h, w].
 *
 * Sites: every `double_blocks.i` and `single_blocks.i` {x, vec} on the sequence [text, picture, references],
 * inside them `attention` {q, k, v}.
 */
import type { Weights } from '../tensor/cursor.ts';
import { linear, rmsNorm } from '../tensor/layers.ts';
import {
  type Rotation,
  add,
  attention,
  chunk,
  concat,
  geluTanh,
  mul,
  plainLayerNorm,
  reshape,
  rotaryEmbedding,
  silu,
  slice,
  split,
  unsqueeze,
} from '../tensor/nn.ts';
import type { SiteFacts } from '../tensor/patch.ts';
import { type Dim, addDim, mulDim } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { gridOf, patchify, unpatchify } from './patchify.ts';
import { type Positions, axialRotation, gridPlaces, joinPositions, samePlace } from './rope.ts';
import { sinusoidalEmbedding } from './timestep-embedding.ts';

export interface FluxConfig {
  /** Channels of the noisy latent and what lies beside it. */
  readonly inChannels: number;
  readonly outChannels: number;
  readonly contextWidth: number;
  readonly pooledWidth: number;
  readonly headWidth: number;
  /** Distilled with its guidance as an input. */
  readonly guided: boolean;
}

/** Cells of a latent along a token's side. */
const patch = 2;
/** Width of the sinusoidal embeddings of numbers. */
const numberWidth = 256;
/** Times and guidances are told in thousandths. */
const thousand = 1000;

/** The sizes of a Flux under `w`, or undefined. */
export function detectFlux(w: Weights): FluxConfig | undefined {
  const isFlux = ['double_blocks.0.img_attn.norm.key_norm.scale', 'img_in.weight', 'vector_in'];
  if (!isFlux.every((key) => w.has(key))) return undefined;
  return {
    inChannels: w.shape('img_in.weight')[1] / patch ** 2,
    outChannels: w.shape('final_layer.linear.weight')[0] / patch ** 2,
    contextWidth: w.shape('txt_in.weight')[1],
    pooledWidth: w.shape('vector_in.in_layer.weight')[1],
    headWidth: w.shape('double_blocks.0.img_attn.norm.key_norm.scale')[0],
    guided: w.has('guidance_in'),
  };
}

/** A picture that the network may look at, and where it puts it: [b, index, row, column] of its first token. */
export interface Reference {
  readonly latent: Tensor;
  readonly place: Tensor;
}

export interface FluxInputs {
  readonly x: Tensor;
  readonly timesteps: Tensor;
  readonly context: Tensor;
  readonly pooled: Tensor;
  readonly guidance?: Tensor;
  readonly references?: readonly Reference[];
}

/** What every block is told beside the sequence and the vector. */
export interface BlockFacts {
  readonly rotation: Rotation;
  readonly heads: number;
  /** Tokens of text in front. */
  readonly text: Dim;
  /** Rows and columns of the picture's tokens behind it. */
  readonly grid: readonly Dim[];
}

/** Predicts the flow from picture to noise: the raw output of the network, [b, out, h, w]. */
export function flux(w: Weights, inputs: FluxInputs, config: FluxConfig): Tensor {
  const { x, references = [] } = inputs;
  const vec = vectorOf(w, inputs); // [b, c]
  const text = linear(w.at('txt_in'), inputs.context); // [b, t, c]
  const pictures = [x, ...references.map(({ latent }) => latent)];
  const patches = pictures.map((picture) => patchify(picture, patch));
  const image = linear(w.at('img_in'), concat(patches, 1)); // [b, n, c]
  const facts = blockFacts(inputs, config, w.shape('img_in.weight')[0]);
  let h = concat([text, image], 1); // [b, t + n, c]
  for (let i = 0; i < w.count('double_blocks'); i++) {
    const block = w.at(`double_blocks.${i}`);
    const run = ({ x, vec }: { x: Tensor; vec: Tensor }): Tensor =>
      doubleBlock(block, x, doubleModulation(block, vec), facts);
    h = block.site({ x: h, vec }, run, facts);
  }
  for (let i = 0; i < w.count('single_blocks'); i++) {
    const block = w.at(`single_blocks.${i}`);
    const run = ({ x, vec }: { x: Tensor; vec: Tensor }): Tensor =>
      singleBlock(block, x, modulations(block.at('modulation.lin'), vec, 1)[0], facts);
    h = block.site({ x: h, vec }, run, facts);
  }
  const last = w.at('final_layer');
  const [shift, scale] = chunk(linear(last.at('adaLN_modulation.1'), silu(vec)), 2, -1);
  return pictureOf(last, h, { x, facts, shift, scale });
}

/** Time, guidance and pooled text as one vector [b, c]. */
function vectorOf(w: Weights, { timesteps, guidance, pooled }: FluxInputs): Tensor {
  const number = (name: string, value: Tensor): Tensor =>
    embedder(w.at(name), sinusoidalEmbedding(mul(value, thousand), numberWidth));
  const time = number('time_in', timesteps);
  const vec = guidance ? add(time, number('guidance_in', guidance)) : time;
  return add(vec, embedder(w.at('vector_in'), pooled));
}

const embedder = (w: Weights, x: Tensor): Tensor =>
  linear(w.at('out_layer'), silu(linear(w.at('in_layer'), x)));

/** Where tokens are: text at the origin, pictures on a plane of their own each or beside the first. */
export function blockFacts(
  { x, context, references = [] }: Pick<FluxInputs, 'x' | 'context' | 'references'>,
  { headWidth }: Pick<FluxConfig, 'headWidth'>,
  width: number,
): BlockFacts {
  const text = context.shape[1];
  const grid = gridOf(x, patch);
  const own: Positions = [samePlace(mulDim(grid.rows, grid.columns), 1)[0], ...gridPlaces(grid)];
  const positions = [samePlace(text, 3), own, ...references.map(placesOf)];
  const widths = [headWidth / 8, (7 * headWidth) / 16, (7 * headWidth) / 16];
  return {
    rotation: axialRotation(joinPositions(positions), { widths }),
    heads: width / headWidth,
    text,
    grid: [grid.rows, grid.columns],
  };
}

/** The tokens of a reference: its plane, and rows and columns from its first one's. */
function placesOf({ latent, place }: Reference): Positions {
  const grid = gridOf(latent, patch);
  const [index, row, column] = [0, 1, 2].map((axis) =>
    reshape(slice(slice(place, 0, 0, 1), 1, axis, axis + 1), [1]),
  );
  const plane = add(samePlace(mulDim(grid.rows, grid.columns), 1)[0], index);
  return [plane, ...gridPlaces(grid, { row, column })];
}

/** How a norm's output is changed and how much of a branch is added: [b, 1, c] each. */
export interface Modulation {
  readonly shift: Tensor;
  readonly scale: Tensor;
  readonly gate: Tensor;
}

/** Modulations of attention and feed-forward layer, for both kinds of tokens. */
export interface DoubleModulation {
  readonly txt: readonly Modulation[];
  readonly img: readonly Modulation[];
}

/** `count` modulations from the vector. */
function modulations(w: Weights, vec: Tensor, count: number): Modulation[] {
  const all = chunk(unsqueeze(linear(w, silu(vec)), 1), 3 * count, -1);
  return Array.from({ length: count }, (_, i) => {
    const [shift, scale, gate] = all.slice(3 * i, 3 * i + 3);
    return { shift, scale, gate };
  });
}

const doubleModulation = (w: Weights, vec: Tensor): DoubleModulation => ({
  txt: modulations(w.at('txt_mod.lin'), vec, 2),
  img: modulations(w.at('img_mod.lin'), vec, 2),
});

const modulated = (x: Tensor, { shift, scale }: Pick<Modulation, 'shift' | 'scale'>): Tensor =>
  add(mul(plainLayerNorm(x, { eps: 1e-6 }), add(scale, 1)), shift);

/** Attention over the sequence and a feed-forward layer, text and picture with weights of their own. */
export function doubleBlock(
  w: Weights,
  x: Tensor,
  modulation: DoubleModulation,
  facts: BlockFacts,
): Tensor {
  const [txt, img] = inParts(x, facts);
  const streams = [
    { name: 'txt', h: txt, mod: modulation.txt },
    { name: 'img', h: img, mod: modulation.img },
  ];
  const projected = streams.map(({ name, h, mod }) => {
    const attn = w.at(`${name}_attn`);
    const [q, k, v] = chunk(linear(attn.at('qkv'), modulated(h, mod[0])), 3, -1);
    return {
      q: headNorm(attn.at('norm.query_norm'), q),
      k: headNorm(attn.at('norm.key_norm'), k),
      v,
    };
  });
  const joined = (name: 'q' | 'k' | 'v'): Tensor =>
    concat(
      projected.map((part) => part[name]),
      1,
    );
  const mixed = attend(w, { q: joined('q'), k: joined('k'), v: joined('v') }, facts);
  const attended = inParts(mixed, facts);
  const results = streams.map(({ name, h, mod: [first, second] }, i) => {
    const after = add(h, mul(first.gate, linear(w.at(`${name}_attn.proj`), attended[i])));
    const mlp = w.at(`${name}_mlp`);
    const wide = geluTanh(linear(mlp.at('0'), modulated(after, second)));
    return add(after, mul(second.gate, linear(mlp.at('2'), wide)));
  });
  return concat(results, 1);
}

/** Attention and feed-forward layer beside each other, on one projection. */
export function singleBlock(
  w: Weights,
  x: Tensor,
  modulation: Modulation,
  facts: BlockFacts,
): Tensor {
  const width = w.shape('linear2.weight')[0];
  const wide = w.shape('linear1.weight')[0] - 3 * width;
  const projected = linear(w.at('linear1'), modulated(x, modulation));
  const [q, k, v, mlp] = split(projected, [width, width, width, wide], -1);
  const norm = w.at('norm');
  const turned = { q: headNorm(norm.at('query_norm'), q), k: headNorm(norm.at('key_norm'), k), v };
  const both = concat([attend(w, turned, facts), geluTanh(mlp)], -1);
  return add(x, mul(modulation.gate, linear(w.at('linear2'), both)));
}

function attend(
  w: Weights,
  { q, k, v }: Readonly<Record<'q' | 'k' | 'v', Tensor>>,
  facts: BlockFacts,
): Tensor {
  const { rotation, heads } = facts;
  const turned = { q: rotaryEmbedding(q, rotation), k: rotaryEmbedding(k, rotation), v };
  return w
    .at('attention')
    .site(turned, ({ q, k, v }) => attention(q, k, v, { heads }), siteFacts(facts));
}

const siteFacts = ({ heads, text, grid }: BlockFacts): SiteFacts => ({ heads, text, grid });

/** Text and picture of a sequence. */
const inParts = (x: Tensor, { text }: BlockFacts): Tensor[] => [
  slice(x, 1, 0, text),
  slice(x, 1, text),
];

/** RMS norm of every head of x [b, t, heads*d]. */
function headNorm(w: Weights, x: Tensor): Tensor {
  const [batch, tokens, channels] = x.shape;
  const width = w.shape('scale')[0];
  const heads = reshape(x, [batch, tokens, -1, width]);
  return reshape(rmsNorm(w, heads), [batch, tokens, channels]);
}

/** The picture's tokens through the last layer: [b, out, h, w]. */
export function pictureOf(
  w: Weights,
  sequence: Tensor,
  { x, facts, shift, scale }: { x: Tensor; facts: BlockFacts; shift: Tensor; scale: Tensor },
): Tensor {
  const { text, grid } = facts;
  const end = addDim(text, mulDim(grid[0], grid[1]));
  const tokens = slice(sequence, 1, text, end);
  const change = { shift: unsqueeze(shift, 1), scale: unsqueeze(scale, 1) };
  return unpatchify(linear(w.at('linear'), modulated(tokens, change)), x, patch);
}
