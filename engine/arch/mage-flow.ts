/**
 * Mage-Flow: the blocks of Qwen-Image on the cells of FLUX.2's latents, with words that do not turn and times in the
 * precision that it was trained in.
 *
 * Source: microsoft/Mage, whose key names released files carry.
 * In: x [b, c, h, w], timesteps [b] (sigma), context [b, t, width]; out: [b, c, h, w].
 *
 * Sites: those of Qwen-Image on the sequence [text, picture, references].
 */
import type { Weights } from '../tensor/cursor.ts';
import { linear } from '../tensor/layers.ts';
import {
  add,
  cast,
  concat,
  constant,
  cos,
  mul,
  reshape,
  sin,
  sizeTensor,
  slice,
  sub,
  unsqueeze,
} from '../tensor/nn.ts';
import { type Dim, addDim, floorDivDim, mulDim, subDim } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Reference } from './flux-places.ts';
import { gridOf, patchify, unpatchify } from './patchify.ts';
import { lastLayer, qwenBlocks, sequenceSizes, textTokens, timeEmbedder } from './qwen-image.ts';
import { type Positions, axialRotation, gridPlaces, joinPositions, samePlace } from './rope.ts';

export interface MageFlowConfig {
  readonly inChannels: number;
  readonly contextWidth: number;
  readonly headWidth: number;
  /** Shares of a head that turn by picture, row and column. */
  readonly axes: readonly number[];
}

/** A cell is a token. */
const patch = 1;
const timeWidth = 256;
const thousand = 1000;
/** What tells it from a Qwen-Image, whose keys are the same: channels, and the width of Qwen3-VL 4B's text. */
const release = { channels: 128, contextWidth: 2560 };

/** The sizes of a Mage-Flow under `w`, or undefined. */
export function detectMageFlow(w: Weights): MageFlowConfig | undefined {
  const sizes = w.has('proj_out.weight') ? sequenceSizes(w) : undefined;
  if (!sizes || sizes.contextWidth !== release.contextWidth) return undefined;
  const [channels] = w.shape('proj_out.weight');
  return channels === release.channels ? { ...sizes, inChannels: channels } : undefined;
}

export interface MageFlowInputs {
  readonly x: Tensor;
  readonly timesteps: Tensor;
  readonly context: Tensor;
  readonly references?: readonly Reference[];
}

/** Predicts the flow from picture to noise: the raw output of the network, [b, c, h, w]. */
export function mageFlow(w: Weights, inputs: MageFlowInputs, config: MageFlowConfig): Tensor {
  const { x, timesteps, context, references = [] } = inputs;
  const vec = timeEmbedder(w.at('time_text_embed.timestep_embedder'), timeNumbers(timesteps));
  const text = textTokens(w, context); // [b, t, c]
  const pictures = [x, ...references.map(({ latent }) => latent)];
  const cells = concat(
    pictures.map((picture) => patchify(picture, patch)),
    1,
  );
  const grid = gridOf(x, patch);
  const length = text.shape[1];
  const own = mulDim(grid.rows, grid.columns);
  const places = [
    samePlace(length, 3),
    placesOf(x),
    ...references.map(({ latent, place }) => placesOf(latent, place)),
  ];
  const facts = {
    rotation: axialRotation(joinPositions(places), { widths: config.axes }),
    heads: (vec.shape[1] as number) / config.headWidth, // weights have fixed sizes
    text: length,
    grid: [grid.rows, grid.columns],
    own,
  };
  const h = qwenBlocks(w, { text, image: linear(w.at('img_in'), cells), vec }, facts);
  return unpatchify(lastLayer(w, slice(h, 1, length, addDim(length, own)), vec), x, patch);
}

/** The cells of a picture from its middle, of odd sides the one behind it; on the plane of its place. */
function placesOf(picture: Tensor, place?: Tensor): Positions {
  const grid = gridOf(picture, patch);
  const half = (size: Dim): Tensor => cast(sizeTensor(subDim(size, floorDivDim(size, 2))), 'f32');
  const [row, column] = gridPlaces(grid);
  const [plane] = samePlace(mulDim(grid.rows, grid.columns), 1);
  const index = place && reshape(slice(slice(place, 0, 0, 1), 1, 0, 1), [1]);
  return [
    index ? add(plane, index) : plane,
    sub(row, half(grid.rows)),
    sub(column, half(grid.columns)),
  ];
}

/** cat(cos, sin) of a time [b], which is told in bfloat16 as its speeds are: [b, 256]. */
function timeNumbers(t: Tensor): Tensor {
  const half = timeWidth / 2;
  const f = Math.fround;
  const speeds = Float32Array.from({ length: half }, (_, i) =>
    toBfloat16(f(Math.exp(f(f(f(-Math.log(10000)) * i) / half)))),
  );
  const angles = mul(mul(unsqueeze(rounded(t), 1), constant(speeds, [1, half])), thousand);
  return concat([cos(angles), sin(angles)], 1);
}

/** A number in bfloat16: of 24 digits the first 8 (Dekker 1971). */
const splitter = 2 ** 16 + 1;
const toBfloat16 = (x: number): number => {
  const high = Math.fround(x * splitter);
  return Math.fround(high - Math.fround(high - x));
};

/** The same of every number of x. */
function rounded(x: Tensor): Tensor {
  const high = mul(x, splitter);
  return sub(high, sub(high, x));
}
