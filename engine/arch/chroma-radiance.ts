/**
 * Chroma Radiance: Chroma on pixels in place of latents. Tokens are large patches; what its blocks make of each
 * one becomes a small network of its own, which paints the pixels of the patch.
 *
 * Source: lodestone-rock's Chroma1-Radiance, whose key names released files carry; Wang et al. 2025, "PixNerd".
 * In: x [b, c, h, w] (pixels in -1..1), timesteps [b] (sigma), context [b, t, width], guidance [b];
 * out: [b, c, h, w].
 * Sites: as Chroma.
 */
import type { Weights } from '../tensor/cursor.ts';
import { conv2d, linear, rmsNorm } from '../tensor/layers.ts';
import {
  add,
  cast,
  chunk,
  concat,
  constant,
  div,
  expand,
  gather,
  less,
  matmul,
  maximum,
  mul,
  range,
  rearrange,
  reshape,
  silu,
  sizeTensor,
  slice,
  sqrt,
  sub,
  sum,
  where,
} from '../tensor/nn.ts';
import { type Dim, ceilDivDim, mulDim } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { chromaModulators, modulationTable } from './chroma.ts';
import { fluxBlocks } from './flux.ts';
import { gridOf, patchify, unpatchify, wholePatches } from './patchify.ts';
import { type Positions, axialRotation, gridPlaces, joinPositions, samePlace } from './rope.ts';

export interface ChromaRadianceConfig {
  readonly inChannels: number;
  readonly contextWidth: number;
  readonly headWidth: number;
  /** Pixels a side of a token. */
  readonly patch: number;
  /** Waves along a side of a patch, for its pixels' places. */
  readonly waves: number;
  /** Shares of a head that turn by plane, row and column. */
  readonly axes: readonly number[];
  /** Predicts the picture itself, from which the flow follows. */
  readonly clean: boolean;
  /** Words stand one plane behind the other, not all on the picture's. */
  readonly apart: boolean;
}

/** Parts in which the patches' own networks are made, so that not all of them are in memory at once. */
const parts = 16;
/** The least length that a row of a patch's network is divided by. */
const leastLength = 1e-12;

/** The sizes of a Chroma Radiance under `w`, or undefined. */
export function detectChromaRadiance(w: Weights): ChromaRadianceConfig | undefined {
  if (!w.has('distilled_guidance_layer.norms.0.scale') || !w.has('nerf_blocks.0')) return undefined;
  const [, inChannels, patch] = w.shape('img_in_patch.weight');
  const [headWidth] = w.shape('double_blocks.0.img_attn.norm.key_norm.scale');
  const [, embedded] = w.shape('nerf_image_embedder.embedder.0.weight');
  return {
    inChannels,
    contextWidth: w.shape('txt_in.weight')[1],
    headWidth,
    patch,
    waves: Math.sqrt(embedded - inChannels),
    axes: [headWidth / 8, (7 * headWidth) / 16, (7 * headWidth) / 16],
    clean: w.has('__x0__'),
    apart: w.has('__sequential__'),
  };
}

export interface ChromaRadianceInputs {
  readonly x: Tensor;
  readonly timesteps: Tensor;
  readonly context: Tensor;
  readonly guidance: Tensor;
}

/** Predicts the flow from picture to noise: the raw output of the network, [b, c, h, w]. */
export function chromaRadiance(
  w: Weights,
  inputs: ChromaRadianceInputs,
  config: ChromaRadianceConfig,
): Tensor {
  const { x, timesteps, context } = inputs;
  const { patch, headWidth, axes, apart, clean } = config;
  const pixels = wholePatches(x, patch);
  const patches = conv2d(w.at('img_in_patch'), pixels, { stride: patch });
  const image = rearrange(patches, 'b c h w -> b (h w) c'); // [b, n, c]
  const text = linear(w.at('txt_in'), context); // [b, t, c]
  const [, length, width] = text.shape;
  const grid = gridOf(x, patch);
  const facts = {
    rotation: axialRotation(joinPositions([wordPlaces(length, apart), cellPlaces(grid)]), {
      widths: axes,
    }),
    heads: (width as number) / headWidth, // weights have fixed sizes
    text: length,
    grid: [grid.rows, grid.columns],
  };
  const vec = modulationTable(w, inputs);
  const h = fluxBlocks(w, { text, image, vec }, facts, chromaModulators(w));
  const painted = paint(w, pixels, slice(h, 1, length), config);
  const out = slice(slice(painted, 2, 0, x.shape[2]), 3, 0, x.shape[3]);
  return clean ? div(sub(x, out), reshape(timesteps, [-1, 1, 1, 1])) : out;
}

function wordPlaces(length: Dim, apart: boolean): Positions {
  const origin = samePlace(length, 3);
  return apart ? [cast(range(length), 'f32'), ...origin.slice(1)] : origin;
}

const cellPlaces = (grid: ReturnType<typeof gridOf>): Positions => [
  ...samePlace(mulDim(grid.rows, grid.columns), 1),
  ...gridPlaces(grid),
];

/** The picture [b, c, h, w] of whole patches that the tokens [b, n, width] make of the noisy one. */
function paint(
  w: Weights,
  noisy: Tensor,
  tokens: Tensor,
  { patch, inChannels, waves }: ChromaRadianceConfig,
): Tensor {
  const [batch, count, width] = tokens.shape;
  const total = mulDim(batch, count);
  const size = patch ** 2;
  const colours = reshape(patchify(noisy, patch, 'p q c'), [total, size * inChannels]);
  const places = constant(placeWaves(patch, waves), [1, size, waves ** 2]);
  // as many tokens in every part: the last one is repeated
  const each = ceilDivDim(total, parts);
  const place = range(mulDim(each, parts));
  const end = sizeTensor(total);
  const rows = where(less(place, end), place, sub(end, 1));
  const spread = (x: Tensor): Tensor => gather(x, rows, 0);
  const [allTokens, allColours] = [spread(reshape(tokens, [total, width])), spread(colours)];
  const painted = Array.from({ length: parts }, (_, i) => {
    const part = (x: Tensor): Tensor => slice(x, 0, mulDim(each, i), mulDim(each, i + 1));
    const seen = reshape(part(allColours), [each, size, inChannels]);
    const placed = concat([seen, expand(places, [each, size, waves ** 2])], -1);
    let h = linear(w.at('nerf_image_embedder.embedder.0'), placed); // [each, pixels, narrow]
    for (let k = 0; k < w.count('nerf_blocks'); k++) {
      h = ownNetwork(w.at(`nerf_blocks.${k}`), h, part(allTokens));
    }
    return lastOfPixels(w, h);
  });
  const [, , channels] = painted[0].shape;
  const flat = slice(concat(painted, 0), 0, 0, total); // [b*n, pixels, channels]
  const whole = reshape(flat, [batch, count, mulDim(size, channels)]);
  return lastOfPicture(w, unpatchify(whole, noisy, patch, 'p q c'));
}

/** A file's last layer reads pixels alone, or with those around them. */
const lastNearby = 'nerf_final_layer_conv';
const lastAlone = 'nerf_final_layer';

function lastOfPixels(w: Weights, x: Tensor): Tensor {
  if (w.has(lastNearby)) return rmsNorm(w.at(`${lastNearby}.norm`), x);
  return linear(w.at(`${lastAlone}.linear`), rmsNorm(w.at(`${lastAlone}.norm`), x));
}

const lastOfPicture = (w: Weights, x: Tensor): Tensor =>
  w.has(lastNearby) ? conv2d(w.at(`${lastNearby}.conv`), x, { pad: 1 }) : x;

/**
 * cos(pi*f*column) cos(pi*g*row) / (1 + f*g) of every pixel of a patch, whose sides go from 0 to 1:
 * [pixels, f, g].
 */
function placeWaves(patch: number, waves: number): Float32Array {
  const wave = (place: number, frequency: number): number =>
    Math.cos((Math.PI * frequency * place) / Math.max(patch - 1, 1));
  return Float32Array.from({ length: patch ** 2 * waves ** 2 }, (_, i) => {
    const pixel = Math.floor(i / waves ** 2);
    const [f, g] = [Math.floor(i / waves) % waves, i % waves];
    return (wave(pixel % patch, f) * wave(Math.floor(pixel / patch), g)) / (1 + f * g);
  });
}

/**
 * A gated feed-forward layer on the pixels x [n, pixels, c] of every patch, whose matrices its token [n, width]
 * makes; their columns have length 1, which is divided out behind them.
 */
function ownNetwork(w: Weights, x: Tensor, token: Tensor): Tensor {
  const [count] = x.shape;
  const made = chunk(linear(w.at('param_generator'), token), 3, -1); // [n, c*wide] each
  const times = (x: Tensor, matrix: Tensor): Tensor => {
    const columns = reshape(matrix, [count, x.shape[2], -1]);
    const length = sqrt(sum(mul(columns, columns), 1, { keep: true }));
    return div(matmul(x, columns), maximum(length, leastLength));
  };
  const [gate, value, out] = made;
  const normed = rmsNorm(w.at('norm'), x);
  const inner = mul(silu(times(normed, gate)), times(normed, value)); // [n, pixels, wide]
  return add(x, times(inner, out));
}
