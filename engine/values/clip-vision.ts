/** CLIP_VISION: an encoder of pictures, and CLIP_VISION_OUTPUT: what it saw. */
import {
  type ClipVisionConfig,
  clipVision,
  detectClipVision,
  earlierLayers,
} from '../arch/clip-vision.ts';
import { resizeAntialiased } from '../array/antialias.ts';
import { concat, rows, sliceAxis } from '../array/batch.ts';
import { channelsFirst } from '../array/layout.ts';
import type { NDArray } from '../array/nd.ts';
import { clamp, roundHalfEven } from '../array/round.ts';
import { NoodleError } from '../errors.ts';
import { openWeights } from '../tensor/cursor.ts';
import { mulDim, symbol } from '../tensor/shape.ts';
import { clipVisionNames } from '../weights/key-maps/open-clip.ts';
import { type WeightSource, sub } from '../weights/source.ts';
import { instead } from './contents.ts';
import type { Image } from './media.ts';
import { type NetworkRun, type Weighted, openNetwork } from './network.ts';

export interface ClipVision extends Weighted {
  readonly config: ClipVisionConfig;
}

/** What `clipVision` gives for a batch of pictures. */
export interface ClipVisionOutput {
  /** [b, t, c]. */
  readonly last: NDArray;
  /** [b, t, c]. */
  readonly penultimate: NDArray;
  /** [b, t, c] of further layers, counted from the end (engine/arch/clip-vision.ts says which). */
  readonly earlier?: Readonly<Record<number, NDArray>>;
  /** [b, p], or [b, t, c] of encoders without a class token. */
  readonly embeds: NDArray;
  /** Rows and columns of patches, which are the tokens (behind the class token, where there is one). */
  readonly grid: readonly [rows: number, columns: number];
  /** [b, t - 1, p], where the encoder has LLaVA's projector. */
  readonly projected?: NDArray | undefined;
}

/** The encoder in a source (its prefix removed), under any of its names; undefined when it has none. */
export function openClipVision(source: WeightSource): ClipVision | undefined {
  const named = clipVisionNames(source);
  const config = detectClipVision(openWeights(named));
  return config && { source: named, config, patches: [] };
}

/** An encoder's own file. Throws FAMILY_UNKNOWN when it holds none. */
export function requireClipVision(file: WeightSource): ClipVision {
  const inside = sub(file, 'visual.');
  const vision = openClipVision(inside.tensors.size > 0 ? inside : file);
  if (vision) return vision;
  const reason = `it holds no picture encoder of CLIP or SigLIP${instead(file)}`;
  throw new NoodleError('FAMILY_UNKNOWN', { file: file.label, reason });
}

/** Pictures that share a call. */
const callRows = 16;

/**
 * What the encoder sees of pictures [b, h, w, 3 or 4]. `crop` center cuts the middle square out, none
 * squeezes the whole picture into a square; encoders of pictures of any shape do neither. Throws BAD_INPUT where a loader found no encoder.
 */
export async function encodePictures(
  vision: ClipVision | null,
  pictures: Image,
  crop: 'center' | 'none',
  run: NetworkRun,
): Promise<ClipVisionOutput> {
  if (!vision) {
    const subject = 'clip_vision';
    throw new NoodleError('BAD_INPUT', { subject, expected: 'a picture encoder', got: 'none' });
  }
  const { config } = vision;
  const { size, patch, anyShape, layers, activation } = config;
  const [, height, width] = pictures.shape;
  const side = size / patch;
  const grid = anyShape ? flexibleGrid([height, width], config) : ([side, side] as const);
  const network = openNetwork(run, vision, {
    name: 'clip-vision',
    settings: { activation },
    build(g) {
      const sides = anyShape
        ? ['rows', 'columns'].map((name) => mulDim(symbol(name), patch))
        : [size, size];
      const pixels = g.input('pixels', 'f32', ['batch', 3, ...sides]);
      const shares = anyShape && {
        rows: g.input('row_shares', 'f32', ['rows', side]),
        columns: g.input('column_shares', 'f32', ['columns', side]),
      };
      return clipVision(g.weights, pixels, { layers, activation }, shares || undefined);
    },
  });
  const [row_shares, column_shares] = grid.map((count) => positionShares(side, count));
  const shares: Record<string, NDArray> = anyShape ? { row_shares, column_shares } : {};
  const [count] = pictures.shape;
  const parts: Record<string, NDArray>[] = [];
  for (let start = 0; start < count; start += callRows) {
    const some = rows(pictures, start, Math.min(start + callRows, count));
    const pixels = anyShape
      ? normalised(drawnTo(colours(some), grid, patch), config)
      : visionPixels(some, config, crop);
    parts.push(await network({ pixels, ...shares }, { rows: pixels.shape[0] }));
  }
  const joined = (name: string): NDArray => concat(parts.map((part) => part[name]));
  return {
    last: joined('last'),
    penultimate: joined('penultimate'),
    earlier: Object.fromEntries(
      earlierLayers
        .filter((layer) => `layer${layer}` in parts[0])
        .map((layer) => [layer, joined(`layer${layer}`)]),
    ),
    embeds: joined('embeds'),
    grid,
    projected: 'projected' in parts[0] ? joined('projected') : undefined,
  };
}

/** Pictures of 0..1 as the encoder takes them: [b, 3, size, size], in steps of 8 bits, normalised. */
export function visionPixels(
  pictures: Image,
  { size, mean, std }: Pick<ClipVisionConfig, 'size' | 'mean' | 'std'>,
  crop: 'center' | 'none',
): NDArray {
  return normalised(square(colours(pictures), size, crop), { mean, std });
}

/** Pictures [b, h, w, 3] in steps of 8 bits, centred and scaled: [b, 3, h, w]. */
function normalised(
  { data, shape }: Image,
  { mean, std }: Pick<ClipVisionConfig, 'mean' | 'std'>,
): NDArray {
  const normal = new Float32Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const level = Math.fround(roundHalfEven(clamp(Math.fround(255 * data[i]), 0, 255)) / 255);
    normal[i] = Math.fround(level - Math.fround(mean[i % 3])) / Math.fround(std[i % 3]);
  }
  return channelsFirst({ data: normal, shape });
}

type Grid = readonly [rows: number, columns: number];

/**
 * Rows and columns of patches of a picture [height, width] at the largest scale (found by halving, as the
 * reference does) at which they are not more than the encoder has places for.
 */
function flexibleGrid(
  picture: readonly [number, number],
  { size, patch }: Pick<ClipVisionConfig, 'size' | 'patch'>,
): Grid {
  const most = (size / patch) ** 2;
  const patches = (pixels: number, scale: number): number =>
    Math.max(1, Math.ceil((pixels * scale) / patch));
  let [low, high] = [scaleStep / 10, mostScale];
  while (high - low >= scaleStep) {
    const middle = (low + high) / 2;
    const [rows, columns] = picture.map((pixels) => patches(pixels, middle));
    if (rows * columns <= most) low = middle;
    else high = middle;
  }
  return [patches(picture[0], low), patches(picture[1], low)];
}

const scaleStep = 1e-5;
const mostScale = 100;

const drawnTo = (pictures: Image, [rows, columns]: Grid, patch: number): Image =>
  resizeAntialiased(pictures, rows * patch, columns * patch, 'bilinear');

/** What each of `side` learned places counts for each of `count`: [count, side]. */
function positionShares(side: number, count: number): NDArray {
  const each = new Float32Array(side * side);
  for (let i = 0; i < side; i++) each[i * side + i] = 1;
  const { data } = resizeAntialiased(
    { data: each, shape: [1, side, 1, side] },
    count,
    1,
    'bilinear',
  );
  return { data, shape: [count, side] };
}

/** Pictures without their alpha channel. */
function colours(pictures: Image): Image {
  const channels = pictures.shape[3];
  if (channels === 3) return pictures;
  if (channels < 3) {
    const expected = '3 or 4 channels';
    throw new NoodleError('BAD_INPUT', { subject: 'the picture', expected, got: channels });
  }
  return sliceAxis(pictures, 3, 0, 3);
}

function square(pictures: Image, size: number, crop: 'center' | 'none'): Image {
  const [, height, width] = pictures.shape;
  if (height === size && width === size) return pictures;
  if (crop === 'none') return resizeAntialiased(pictures, size, size);
  const scale = size / Math.min(height, width);
  const [h, w] = [roundHalfEven(scale * height), roundHalfEven(scale * width)];
  const resized = resizeAntialiased(pictures, h, w);
  const [top, left] = [Math.floor((h - size) / 2), Math.floor((w - size) / 2)];
  return sliceAxis(sliceAxis(resized, 1, top, top + size), 2, left, left + size);
}
