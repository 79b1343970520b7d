/**
 * ControlNets of Flux: its first double and single blocks on a hint, and a layer behind each. InstantX's and
 * Shakker's (also union networks) read latents, XLabs' and MistoLine's pictures.
 *
 * Reference: `controlnet.py` of XLabs-AI/x-flux and `controlnet_flux.py` of huggingface/diffusers, whose key names
 * files carry (those of the latter under Flux' own: weights/key-maps/diffusers-transformers.ts).
 */
import type { Weights } from '../tensor/cursor.ts';
import { conv2d, embedding, linear } from '../tensor/layers.ts';
import { add, concat, expand, mul, silu, slice, sub, unsqueeze } from '../tensor/nn.ts';
import { mulDim, symbol } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Graph } from '../tensor/trace.ts';
import {
  type FluxConfig,
  detectSequence,
  factsOf,
  fluxBlocks,
  ownModulators,
  vectorOf,
} from './flux.ts';
import { gridOf, patchify } from './patchify.ts';
import { type ResidualPlaces, tokenPlaces } from './residual-places.ts';
import {
  type ControlSizes,
  type TransformerControl,
  allRepeated,
  eachRepeated,
} from './transformer-control.ts';

/** Where residuals are added to Flux and its kin: after the double blocks, and after the single ones. */
export const fluxPlaces = (w: Weights, patch = 2): ResidualPlaces =>
  tokenPlaces(w, {
    channels: w.shape('img_in.weight')[0],
    patch,
    input: 'double_blocks',
    output: 'single_blocks',
  });

type Config = ControlSizes & Omit<FluxConfig, 'outChannels'>;

/** Blocks of the model that the networks are for, whatever a smaller model has. */
const blocks = { double: 19, single: 38 };
/** Latent channels, and one more where a mask is beside them. */
const maskedChannels = 17;
/** What turns hint pictures into latent cells. */
const pictureBlocks = ['input_hint_block', 'input_cond_block.encoder'];

/** The layers behind double and single blocks. */
const layers = [
  { of: 'double', names: ['controlnet_blocks'] },
  { of: 'single', names: ['controlnet_single_blocks', 'single_controlnet_blocks'] },
] as const;

const layerName = (w: Weights, names: readonly string[]): string | undefined =>
  names.find((name) => w.has(`${name}.0`));

function detect(w: Weights): Config | undefined {
  const sizes = w.has('pos_embed_input.weight') ? detectSequence(w) : undefined;
  if (!sizes || !w.has('controlnet_blocks.0') || !w.has('vector_in')) return undefined;
  const isPicture = pictureBlocks.some((name) => w.has(name));
  const [channels, width] = w.shape('pos_embed_input.weight');
  const repeated = isPicture ? allRepeated : eachRepeated;
  const [input, output] = layers.map(({ of, names }) => {
    const name = layerName(w, names);
    const outputs = Array.from({ length: name ? w.count(name) : 0 }, (_, i) => `${of}.${i}`);
    return repeated(outputs, blocks[of]).slice(0, blocks[of]);
  });
  return {
    ...sizes,
    pooledWidth: w.shape('vector_in.in_layer.weight')[1],
    channels,
    hint: isPicture
      ? { kind: 'picture' }
      : { kind: 'latent', format: 'Flux', masked: width === maskedChannels * sizes.patch ** 2 },
    types: w.has('controlnet_mode_embedder') ? w.shape('controlnet_mode_embedder.weight')[0] : 0,
    lists: { input, middle: [], output },
  };
}

function network(g: Graph, config: Config, given: ReadonlySet<string>): Record<string, Tensor> {
  const { weights: w } = g;
  const { patch } = config;
  const x = g.input('x', 'f32', ['batch', config.inChannels, 'height', 'width']);
  const guided = config.guided && given.has('guidance');
  const vec = vectorOf(w, {
    timesteps: g.input('timesteps', 'f32', ['batch']),
    pooled: g.input('pooled', 'f32', ['batch', config.pooledWidth]),
    guidance: guided ? g.input('guidance', 'f32', ['batch']) : undefined,
  });
  const words = linear(
    w.at('txt_in'),
    g.input('cross', 'f32', ['batch', 'tokens', config.contextWidth]),
  );
  const text = given.has('type') ? withType(w, words, g.input('type', 'i64', [1])) : words;
  const hinted = linear(w.at('pos_embed_input'), patchify(hintCells(g, config), patch));
  const image = add(linear(w.at('img_in'), patchify(x, patch)), hinted); // [b, n, c]
  const sequence = { text: text.shape[1], grid: gridOf(x, patch), references: [] };
  fluxBlocks(w, { text, image, vec }, factsOf(w, sequence, config), ownModulators(w));

  const outputs = layers.flatMap(({ of, names }) => {
    const name = layerName(w, names);
    if (name === undefined) return [];
    return Array.from({ length: w.count(name) }, (_, i) => {
      const tokens = slice(w.ledger.sites.get(`${of}_blocks.${i}`)!, 1, text.shape[1]);
      return [`${of}.${i}`, layer(w.at(`${name}.${i}`), tokens)] as const;
    });
  });
  return Object.fromEntries(outputs);
}

/** MistoLine's layers have an activation behind them. */
const layer = (w: Weights, x: Tensor): Tensor =>
  w.has('linear') ? silu(linear(w.at('linear'), x)) : linear(w, x);

/** A word in front of the text for the kind of hint. */
function withType(w: Weights, text: Tensor, type: Tensor): Tensor {
  const row = unsqueeze(embedding(w.at('controlnet_mode_embedder'), type), 0); // [1, 1, c]
  const [batch, , width] = text.shape;
  return concat([expand(row, [batch, 1, width]), text], 1);
}

/** The hint as cells of the latent's size [b, c, h, w]. */
function hintCells(g: Graph, { hint, patch }: Config): Tensor {
  const { weights: w } = g;
  if (hint.kind === 'latent') {
    const cells = w.shape('pos_embed_input.weight')[1] / patch ** 2;
    return g.input('hint', 'f32', ['batch', cells, 'height', 'width']);
  }
  const sides = ['height', 'width'].map((name) => mulDim(symbol(name), 8));
  const picture = g.input('hint', 'f32', ['batch', 3, ...sides]);
  const name = pictureBlocks.find((block) => w.has(block))!;
  return hintBlock(w.at(name), sub(mul(picture, 2), 1));
}

/** Convolutions with activations between them, of which some halve the picture: to an eighth. */
function hintBlock(w: Weights, picture: Tensor): Tensor {
  const isMisto = w.scope.endsWith('encoder');
  const [halving, last] = isMisto ? [[6, 10, 14], 18] : [[4, 8, 12], 14];
  let h = picture;
  for (let i = 0; i <= last; i += 2) {
    const block = w.at(String(i));
    const pad = (block.shape('weight')[2] - 1) / 2;
    h = conv2d(block, h, { stride: halving.includes(i) ? 2 : 1, pad });
    if (i < last) h = silu(h);
  }
  return h;
}

export const fluxControlNet: TransformerControl<Config> = {
  name: 'flux-controlnet',
  detect,
  network,
};
