/** Making pictures larger with an upscale model: tile by tile, in bounded memory. */
import { rows, sliceAxis } from '../array/batch.ts';
import { channelsFirst, channelsLast } from '../array/layout.ts';
import { mirrorPad } from '../array/mirror-pad.ts';
import { type NDArray, zeros } from '../array/nd.ts';
import { type Tiling, tileCount, tiledScale } from '../array/tiled-scale.ts';
import { NoodleError } from '../errors.ts';
import { clamp } from '../tensor/nn.ts';
import { mulDim, symbol } from '../tensor/shape.ts';
import { trace } from '../tensor/trace.ts';
import type { Image } from './media.ts';
import { type Architecture, type NetworkRun, openNetwork } from './network.ts';
import type { UpscaleModel } from './upscale-model.ts';

export interface UpscaleOptions {
  /** Pixels a side of a tile of the picture, and how much neighbours share. */
  readonly tile?: { readonly size: number; readonly overlap: number };
  /** Hears how many tiles of how many are done. */
  readonly onTile?: (done: number, total: number) => void;
}

/** Tiles that do not fit in memory are halved, but not below this. */
const smallestTile = 128;

/** Results are RGB; of a single channel, the same three times. */
const channels = 3;

/**
 * Pictures [b, h, w, c] in 0..1 made larger: [b, h*scale, w*scale, 3]. Throws BAD_INPUT for pictures
 * with other channels than the model's, OUT_OF_MEMORY when not even small tiles fit.
 */
export async function upscale(
  model: UpscaleModel,
  pictures: Image,
  run: NetworkRun,
  { tile = { size: 512, overlap: 32 }, onTile = () => undefined }: UpscaleOptions = {},
): Promise<Image> {
  checkChannels(model, pictures);
  const [batch, height, width] = pictures.shape;
  const { scale } = model;
  const enlarge = enlarger(model, run);
  let size = fittingTile(model, pictures, tile.size, run);
  const shape = [batch, height * scale, width * scale, channels];
  const out = zeros(shape);
  for (let i = 0; i < batch;) {
    const picture = channelsFirst(rows(pictures, i, i + 1));
    const tiling: Tiling = {
      tileWidth: size,
      tileHeight: size,
      overlap: tile.overlap,
      factor: scale,
    };
    const each = tileCount(height, width, tiling);
    let done = i * each;
    const onOne = async (part: NDArray): Promise<NDArray> => {
      const result = await enlarge(part);
      onTile(++done, batch * each);
      return result;
    };
    try {
      put(out, i, await tiledScale(picture, onOne, tiling));
      i++;
    } catch (error) {
      const full = error instanceof NoodleError && error.code === 'OUT_OF_MEMORY';
      if (!full || size / 2 < smallestTile) throw error;
      size /= 2;
    }
  }
  return out;
}

function checkChannels({ kind, inputChannels, outputChannels }: UpscaleModel, x: Image): void {
  if (outputChannels !== 1 && outputChannels !== channels) {
    const what = `${kind.name} models that make pictures of ${outputChannels} channels`;
    throw new NoodleError('UNSUPPORTED', { what });
  }
  if (x.shape[3] === inputChannels) return;
  throw new NoodleError('BAD_INPUT', {
    subject: 'picture to upscale',
    expected: `${inputChannels} channels, which this ${kind.name} model takes`,
    got: x.shape[3],
  });
}

/** The network with its padding: a picture [1, c, h, w] as [1, c', h*scale, w*scale], in 0..1. */
function enlarger(model: UpscaleModel, run: NetworkRun): (picture: NDArray) => Promise<NDArray> {
  const network = openNetwork(run, model, architectureOf(model));
  return async (picture) => {
    const { out } = await network({ x: padded(model, picture) }, { rows: 1 });
    const [height, width] = picture.shape.slice(2).map((side) => side * model.scale);
    const high = out.shape[2] === height ? out : sliceAxis(out, 2, 0, height);
    return out.shape[3] === width ? high : sliceAxis(high, 3, 0, width);
  };
}

/** First to the smallest size, then from there to whole multiples: mirroring twice shows it. */
function padded({ minimum = 1, multipleOf = 1 }: UpscaleModel, picture: NDArray): NDArray {
  const large = mirrorPad(picture, minimum, minimum);
  const [height, width] = large.shape.slice(2).map((side) => roundUp(side, multipleOf));
  return mirrorPad(large, height, width);
}

const roundUp = (size: number, multiple: number): number => Math.ceil(size / multiple) * multiple;

function architectureOf(model: UpscaleModel): Architecture {
  const { kind, inputChannels, multipleOf = 1, fullPrecision, config } = model;
  const side = (name: string) => mulDim(symbol(name), multipleOf);
  return {
    name: kind.name,
    fullPrecision,
    build: (g) => {
      const x = g.input('x', 'f32', [1, inputChannels, side('height'), side('width')]);
      return { out: clamp(kind.build(g.weights, x, config), 0, 1) };
    },
  };
}

/** The tile size, halved while what a tile needs is more than the memory that models have left. */
function fittingTile(
  model: UpscaleModel,
  { shape: [, height, width] }: Image,
  largest: number,
  { runtime }: NetworkRun,
): number {
  const { name, build, fullPrecision } = architectureOf(model);
  const working = runtime.working(trace(name, model.source, build), { fullPrecision });
  const { memoryBudget, bytes } = runtime.stats();
  const { inputChannels, minimum = 1, multipleOf = 1 } = model;
  const needed = (size: number): number => {
    const side = (whole: number): number =>
      roundUp(Math.max(minimum, Math.min(size, whole)), multipleOf);
    const shape = [1, inputChannels, side(height), side(width)];
    return working({ x: { shape } });
  };
  let size = largest;
  while (size / 2 >= smallestTile && needed(size) > memoryBudget - bytes) size /= 2;
  return size;
}

/** Writes a picture [1, 1 or 3, h, w] into row i of pictures [b, h, w, 3], within 0..1. */
function put({ data, shape }: NDArray, i: number, picture: NDArray): void {
  const last = channelsLast(picture);
  const from = last.shape[3];
  const start = (data.length / shape[0]) * i;
  const pixels = shape[1] * shape[2];
  for (let p = 0; p < pixels; p++) {
    for (let c = 0; c < channels; c++) {
      const value = last.data[p * from + (from === 1 ? 0 : c)];
      data[start + p * channels + c] = value < 0 ? 0 : value > 1 ? 1 : value;
    }
  }
}
