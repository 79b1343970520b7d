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
 * Sites: `txt_in` {x} makes tokens of the text; every `double_blocks.i` and `single_blocks.i` {x, vec} on the sequence [text, picture, references],
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
  rotaryEmbedding,
  silu,
  slice,
  split,
} from '../tensor/nn.ts';
import type { SiteFacts } from '../tensor/patch.ts';
import { type Dim, addDim, mulDim, subDim } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type FluxSequence, type PlaceFacts, type Reference, fluxRotation } from './flux-places.ts';
import { headNorm } from './head-norm.ts';
import {
  type Change,
  type Modulation,
  inTurn,
  lastChange,
  modulated,
  modulations,
} from './modulation.ts';
import { gridOf, patchify, unpatchify } from './patchify.ts';
import { sinusoidalEmbedding } from './timestep-embedding.ts';

export interface FluxConfig extends PlaceFacts, GateFacts {
  /** Channels of the noisy latent and what lies beside it. */
  readonly inChannels: number;
  readonly outChannels: number;
  readonly contextWidth: number;
  readonly headWidth: number;
  /** Distilled with its guidance as an input. */
  readonly guided: boolean;
  /** Width of the pooled text; 0 where there is none. */
  readonly pooledWidth: number;
}

/** Width of the sinusoidal embeddings of numbers. */
const numberWidth = 256;
/** The norm of the text leaves it to torch: the distance of 1 to the next single. */
const textEpsilon = 2 ** -23;
/** Times and guidances are told in thousandths. */
const thousand = 1000;

/** The sizes of a Flux under `w`, or undefined. */
export function detectFlux(w: Weights): FluxConfig | undefined {
  const sizes = w.has('vector_in') ? detectTransformer(w) : undefined;
  return sizes && { ...sizes, pooledWidth: w.shape('vector_in.in_layer.weight')[1] };
}

/** The sizes of what Flux and its kin have in common. */
export function detectTransformer(w: Weights, patch = 2): FluxConfig | undefined {
  const last = 'final_layer.linear.weight';
  const sizes = w.has(last) ? detectSequence(w, patch) : undefined;
  return sizes && { ...sizes, outChannels: w.shape(last)[0] / patch ** 2 };
}

/** The same up to the last layer, which control networks have none of. */
export function detectSequence(w: Weights, patch = 2): Omit<FluxConfig, 'outChannels'> | undefined {
  const keyNorm = w.at('double_blocks.0.img_attn.norm.key_norm');
  const scale = ['scale', 'weight'].find((name) => keyNorm.has(name));
  if (scale === undefined || !w.has('img_in.weight')) return undefined;
  const [headWidth] = keyNorm.shape(scale);
  return {
    inChannels: w.shape('img_in.weight')[1] / patch ** 2,
    contextWidth: w.shape('txt_in.weight')[1],
    headWidth,
    guided: w.has('guidance_in'),
    pooledWidth: 0,
    patch,
    axes: [headWidth / 8, (7 * headWidth) / 16, (7 * headWidth) / 16],
    theta: 10000,
    wordAxes: [],
    wordsBefore: false,
  };
}

export interface FluxInputs {
  readonly x: Tensor;
  readonly timesteps: Tensor;
  readonly context: Tensor;
  /** Pooled text [b, p], where the model has it. */
  readonly pooled?: Tensor;
  readonly guidance?: Tensor;
  readonly references?: readonly Reference[];
  /** The time of references [b] where it is not the picture's. */
  readonly referenceTime?: Tensor;
}

/** What every block is told beside the sequence and the vector. */
export interface BlockFacts extends GateFacts {
  readonly rotation: Rotation;
  readonly heads: number;
  /** Tokens of text in front. */
  readonly text: Dim;
  /** Rows and columns of the picture's tokens behind it. */
  readonly grid: readonly Dim[];
}

interface GateFacts {
  /** In single blocks the half of the feed-forward layer that gates is the second. */
  readonly gateLast?: boolean;
}

/** Predicts the flow from picture to noise: the raw output of the network, [b, out, h, w]. */
export const flux = (w: Weights, inputs: FluxInputs, config: FluxConfig): Tensor =>
  fluxTransformer(w, inputs, config, ownModulators(w));

/** Every block's own layers make its modulations. */
export const ownModulators = (w: Weights): Modulators => ({
  double: (vec, i) => {
    const block = w.at(`double_blocks.${i}`);
    const of = (name: string): Modulation[] => modulations(block.at(`${name}.lin`), vec, 2);
    return { txt: of('txt_mod'), img: of('img_mod') };
  },
  single: (vec, i) => modulations(w.at(`single_blocks.${i}.modulation.lin`), vec, 1)[0],
  last: (vec) => lastChange(w, vec),
});

/** The network, with modulations that come from what all blocks are told (`vec`, else time and kin) in any way. */
export function fluxTransformer(
  w: Weights,
  inputs: FluxInputs,
  config: FluxConfig,
  modulators: Modulators,
): Tensor {
  const { x, context, references = [], referenceTime } = inputs;
  const { patch } = config;
  const tell = modulators.vec ?? ((timesteps) => vectorOf(w, { ...inputs, timesteps }));
  const vec = tell(inputs.timesteps);
  const words = w.has('txt_norm')
    ? rmsNorm(w.at('txt_norm'), context, { eps: textEpsilon })
    : context;
  const text = w.at('txt_in').site({ x: words }, ({ x }) => linear(w.at('txt_in'), x));
  const pictures = [x, ...references.map(({ latent }) => latent)];
  const patches = pictures.map((picture) => patchify(picture, patch));
  const image = linear(w.at('img_in'), concat(patches, 1)); // [b, n, c]
  const grid = gridOf(x, patch);
  const facts = factsOf(w, { text: text.shape[1], grid, references }, config);
  const own = mulDim(grid.rows, grid.columns);
  const clean = referenceTime && { vec: tell(referenceTime), own };
  const h = fluxBlocks(w, { text, image, vec, clean }, facts, modulators);
  const tokens = modulated(slice(h, 1, facts.text, addDim(facts.text, own)), modulators.last(vec));
  return unpatchify(linear(w.at('final_layer.linear'), tokens), x, patch);
}

/** The same for all blocks of a sequence. */
export function factsOf(
  w: Weights,
  sequence: FluxSequence,
  { headWidth, gateLast, ...places }: Omit<FluxConfig, 'outChannels'>,
): BlockFacts {
  const { text, grid } = sequence;
  return {
    rotation: fluxRotation(sequence, places),
    heads: w.shape('img_in.weight')[0] / headWidth,
    text,
    grid: [grid.rows, grid.columns],
    gateLast,
  };
}

/** What enters the blocks: text [b, t, c], picture and what else is looked at [b, n, c], the vector [b, c]. */
export interface BlockInputs {
  readonly text: Tensor;
  readonly image: Tensor;
  readonly vec: Tensor;
  /** What the tokens behind the picture's `own` are told where they count as clean. */
  readonly clean?: { readonly vec: Tensor; readonly own: Dim };
}

/** The double and the single blocks on the sequence [text, picture, references]: [b, t + n, c]. */
export function fluxBlocks(
  w: Weights,
  { text, image, vec, clean }: BlockInputs,
  facts: BlockFacts,
  modulators: Pick<Modulators, 'double' | 'single'>,
): Tensor {
  let h = concat([text, image], 1); // [b, t + n, c]
  for (let i = 0; i < w.count('double_blocks'); i++) {
    const block = w.at(`double_blocks.${i}`);
    const modulation = (vec: Tensor): DoubleModulation => {
      const now = modulators.double(vec, i);
      if (!clean) return now;
      const { img } = modulators.double(clean.vec, i);
      const others = subDim(image.shape[1], clean.own);
      return { ...now, img: now.img.map((mod, k) => inTurn(mod, clean.own, img[k], others)) };
    };
    h = block.site(
      { x: h, vec },
      ({ x, vec }) => doubleBlock(block, x, modulation(vec), facts),
      siteFacts(facts),
    );
  }
  for (let i = 0; i < w.count('single_blocks'); i++) {
    const block = w.at(`single_blocks.${i}`);
    const modulation = (vec: Tensor): Modulation => {
      const now = modulators.single(vec, i);
      if (!clean) return now;
      const others = subDim(image.shape[1], clean.own);
      return inTurn(now, addDim(facts.text, clean.own), modulators.single(clean.vec, i), others);
    };
    h = block.site(
      { x: h, vec },
      ({ x, vec }) => singleBlock(block, x, modulation(vec), facts),
      siteFacts(facts),
    );
  }
  return h;
}

/** Time, guidance and pooled text as one vector [b, c]. */
export function vectorOf(
  w: Weights,
  { timesteps, guidance, pooled }: Pick<FluxInputs, 'timesteps' | 'guidance' | 'pooled'>,
): Tensor {
  const number = (name: string, value: Tensor): Tensor =>
    embedder(w.at(name), sinusoidalEmbedding(mul(value, thousand), numberWidth));
  const time = number('time_in', timesteps);
  const vec = guidance ? add(time, number('guidance_in', guidance)) : time;
  return pooled ? add(vec, embedder(w.at('vector_in'), pooled)) : vec;
}

/** Two layers under the names of this file. */
export const embedder = (w: Weights, x: Tensor): Tensor =>
  linear(w.at('out_layer'), silu(linear(w.at('in_layer'), x)));

/** Modulations of attention and feed-forward layer, for both kinds of tokens. */
export interface DoubleModulation {
  readonly txt: readonly Modulation[];
  readonly img: readonly Modulation[];
}

/** How blocks get their modulations from what all of them are told. */
export interface Modulators {
  /** What all blocks are told at a time; left out: the vector of time, guidance and pooled text. */
  readonly vec?: (timesteps: Tensor) => Tensor;
  double(vec: Tensor, block: number): DoubleModulation;
  single(vec: Tensor, block: number): Modulation;
  last(vec: Tensor): Change;
}

/** Attention over the sequence and a feed-forward layer, text and picture with weights of their own. */
function doubleBlock(
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
    const wide = feedForward(w.at(`${name}_mlp`), modulated(after, second));
    return add(after, mul(second.gate, wide));
  });
  return concat(results, 1);
}

function feedForward(w: Weights, x: Tensor): Tensor {
  if (w.has('gate_proj')) {
    const gated = mul(silu(linear(w.at('gate_proj'), x)), linear(w.at('up_proj'), x));
    return linear(w.at('down_proj'), gated);
  }
  return linear(w.at('2'), activated(linear(w.at('0'), x), w.shape('2.weight')[1]));
}

/** Attention and feed-forward layer beside each other, on one projection. */
function singleBlock(w: Weights, x: Tensor, modulation: Modulation, facts: BlockFacts): Tensor {
  const width = w.shape('linear2.weight')[0];
  const wide = w.shape('linear1.weight')[0] - 3 * width;
  const projected = linear(w.at('linear1'), modulated(x, modulation));
  const [q, k, v, mlp] = split(projected, [width, width, width, wide], -1);
  const norm = w.at('norm');
  const turned = { q: headNorm(norm.at('query_norm'), q), k: headNorm(norm.at('key_norm'), k), v };
  const inner = w.shape('linear2.weight')[1] - width;
  const both = concat([attend(w, turned, facts), activated(mlp, inner, facts)], -1);
  return add(x, mul(modulation.gate, linear(w.at('linear2'), both)));
}

/** GELU, or where there is twice the width, gated by SiLU (FLUX.2, Ovis-Image). */
function activated(x: Tensor, width: number, { gateLast = false }: GateFacts = {}): Tensor {
  if (x.shape.at(-1) === width) return geluTanh(x);
  const [first, second] = chunk(x, 2, -1);
  return gateLast ? mul(first, silu(second)) : mul(silu(first), second);
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
