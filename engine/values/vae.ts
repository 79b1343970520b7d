/** VAE: a picture autoencoder, as it travels between nodes; immutable. */
import { concat, sliceAxis } from '../array/batch.ts';
import { type NDArray, nd, reshape, sizeOf } from '../array/nd.ts';
import { type Tiling, tiledScale } from '../array/tiled-scale.ts';
import { NoodleError } from '../errors.ts';
import { sizeText } from '../size-text.ts';
import type { WeightSource } from '../weights/source.ts';
import type { Image } from './media.ts';
import type { NetworkRun, Weighted } from './network.ts';

/** An autoencoder of a file. Nodes use the functions below, which know colours, sizes and memory. */
export interface Vae<C = unknown> extends Weighted {
  readonly kind: AutoencoderKind<C>;
  /** What the kind read from the weights; only the kind looks inside. */
  readonly config: C;
  readonly latentChannels: number;
  /** Channels of the pictures it encodes: 3, or 4 with alpha. */
  readonly pictureChannels?: number;
  readonly factor: CellSize;
  /** With a time axis: pictures are videos of one frame each, not the frames of one video. */
  readonly stills?: boolean;
  /** Its values overflow in half precision, or may. */
  readonly fullPrecision?: boolean;
}

/** What a kind reads from the weights. */
type Detected<C> = Pick<
  Vae<C>,
  'config' | 'latentChannels' | 'pictureChannels' | 'factor' | 'stills' | 'fullPrecision'
>;

/** What one latent cell stands for. */
export interface CellSize {
  /** Pixels a side. */
  readonly space: number;
  /** Pixels a side of what is decoded, where that is a smaller picture. */
  readonly drawn?: number;
  /** Frames; absent where latents are of single pictures and have no such axis. */
  readonly time?: number;
}

/**
 * What differs between kinds of autoencoders; the rows are in autoencoders.ts. Arrays are
 * channel-first: pictures [b, 3, H, W] in -1..1, latents [b, c, h, w] in VAE units (no scale factor);
 * with a time axis [b, 3, frames, H, W] and [b, c, t, h, w].
 */
export interface AutoencoderKind<C = unknown> {
  /** Pictures are 0..1 on both sides, and what is decoded stays as it comes out. */
  readonly unsigned?: boolean;
  /** The autoencoder in a source; undefined when it is of another kind. */
  detect(source: WeightSource): Detected<C> | undefined;
  encode(vae: Vae<C>, pictures: NDArray, run: NetworkRun): Promise<NDArray>;
  decode(vae: Vae<C>, latents: NDArray, run: NetworkRun): Promise<NDArray>;
  /** Working memory of a call on one item of this many pixels. */
  bytes(config: C, pixels: number, task: 'encode' | 'decode'): number;
}

/** Pixels a side of what a cell is decoded to. */
const drawnSpace = ({ space, drawn = space }: CellSize): number => drawn;

/** Size of square tiles and their overlap, in pixels. */
export interface TileSize {
  readonly tile: number;
  readonly overlap: number;
}

/** What plain calls fall back to when a picture does not fit in memory; of latents with frames smaller ones. */
const fallbackTiles: TileSize = { tile: 512, overlap: 64 };
const fallbackDecodeTiles: TileSize = { tile: 512, overlap: 128 };
const fallbackFrameTiles: TileSize = { tile: 256, overlap: 64 };

/**
 * Latents [b, c, h, w] as pictures [b, H, W, 3] in 0..1; frames of videos are pictures one after the
 * other. Done in tiles where whole pictures do not fit in memory.
 */
export async function decode(vae: Vae | null, latents: NDArray, run: NetworkRun): Promise<Image> {
  const present = requireVae(vae);
  checkLatents(present, latents);
  const { kind, config, factor } = present;
  const tiles = factor.time === undefined ? fallbackDecodeTiles : fallbackFrameTiles;
  const pixels = sizeOf(latents.shape.slice(2)) * drawnSpace(factor) ** 2 * (factor.time ?? 1);
  const whole = () =>
    inBatches(latents, kind.bytes(config, pixels, 'decode'), run, (part) =>
      kind.decode(present, part, run),
    );
  const tiled = () => decodeTiles(present, latents, tiles, run);
  return toPictures(await elseInTiles('decoding', run, whole, tiled), kind);
}

/**
 * The same in overlapping tiles: three passes over tiles of different shape, averaged; one over square tiles
 * where latents have frames.
 */
export async function decodeTiled(
  vae: Vae | null,
  latents: NDArray,
  size: TileSize,
  run: NetworkRun,
): Promise<Image> {
  const present = requireVae(vae);
  checkLatents(present, latents);
  return toPictures(await decodeTiles(present, latents, size, run), present.kind);
}

/**
 * Pictures [b, H, W, 3 or more] in 0..1 as latents [b, c, h, w]; where latents have a time axis the
 * pictures are the frames of one video, or each one of its own (`stills`). Odd sizes lose their margin.
 */
export async function encode(vae: Vae | null, pictures: Image, run: NetworkRun): Promise<NDArray> {
  const present = requireVae(vae);
  const { kind, config, factor } = present;
  const tiles = factor.time === undefined ? fallbackTiles : fallbackFrameTiles;
  const input = encoderInput(present, pictures);
  const whole = () =>
    inBatches(input, kind.bytes(config, sizeOf(input.shape.slice(2)), 'encode'), run, (part) =>
      kind.encode(present, part, run),
    );
  const tiled = () => encodeTiles(present, input, tiles, run);
  return elseInTiles('encoding', run, whole, tiled);
}

/** The same in overlapping tiles. */
export async function encodeTiled(
  vae: Vae | null,
  pictures: Image,
  size: TileSize,
  run: NetworkRun,
): Promise<NDArray> {
  const present = requireVae(vae);
  return encodeTiles(present, encoderInput(present, pictures), size, run);
}

/** Throws NO_VAE when a loader found no autoencoder. */
export function requireVae(vae: Vae | null): Vae {
  if (!vae) throw new NoodleError('NO_VAE');
  return vae;
}

/** The centred part of pictures [b, H, W, c] whose sides are multiples of `factor`. */
export function cropToFactor(pictures: NDArray, factor: number): NDArray {
  let out = pictures;
  for (const axis of [1, 2]) {
    const size = pictures.shape[axis];
    const offset = Math.floor((size % factor) / 2);
    const kept = size - (size % factor);
    if (kept !== size) out = sliceAxis(out, axis, offset, offset + kept);
  }
  if (out.shape[1] === 0 || out.shape[2] === 0) {
    const [, height, width] = pictures.shape;
    throw new NoodleError('BAD_INPUT', {
      subject: 'picture to encode',
      expected: `at least ${factor} x ${factor} pixels`,
      got: `${width} x ${height}`,
    });
  }
  return out;
}

/** Wide, tall and square tiles, in the order their results are summed. */
async function decodeTiles(
  vae: Vae,
  latents: NDArray,
  { tile, overlap }: TileSize,
  run: NetworkRun,
): Promise<NDArray> {
  const space = drawnSpace(vae.factor);
  const cells = Math.floor(tile / space);
  const half = Math.floor(cells / 2);
  const common = { overlap: Math.floor(overlap / space), factor: space };
  const square: Tiling = { tileWidth: cells, tileHeight: cells, ...common };
  const f = (part: NDArray) => vae.kind.decode(vae, part, run);
  if (vae.factor.time !== undefined) return framesInTiles(latents, square, f);
  const passes: Tiling[] = [
    { tileWidth: half, tileHeight: cells * 2, ...common },
    { tileWidth: cells * 2, tileHeight: half, ...common },
    square,
  ];
  return meanOfPasses(latents, passes, f);
}

async function encodeTiles(
  vae: Vae,
  pictures: NDArray,
  { tile, overlap }: TileSize,
  run: NetworkRun,
): Promise<NDArray> {
  const half = Math.floor(tile / 2);
  const common = { overlap, factor: 1 / vae.factor.space };
  const square: Tiling = { tileWidth: tile, tileHeight: tile, ...common };
  const f = (part: NDArray) => vae.kind.encode(vae, part, run);
  if (vae.factor.time !== undefined) return framesInTiles(pictures, square, f);
  const passes: Tiling[] = [
    square,
    { tileWidth: tile * 2, tileHeight: half, ...common },
    { tileWidth: half, tileHeight: tile * 2, ...common },
  ];
  return meanOfPasses(pictures, passes, f);
}

/** Tiles of x [b, c, frames, h, w] have all its frames: for cutting and joining, frames are channels. */
async function framesInTiles(
  x: NDArray,
  tiling: Tiling,
  f: (part: NDArray) => Promise<NDArray>,
): Promise<NDArray> {
  const [batch, channels, frames, ...sides] = x.shape;
  let made: readonly number[] = [];
  const planes = async ({ data, shape: [b, , ...cut] }: NDArray): Promise<NDArray> => {
    const result = await f(nd(data, [b, channels, frames, ...cut]));
    made = result.shape.slice(1, 3);
    return reshape(result, [b, sizeOf(made), ...result.shape.slice(3)]);
  };
  const result = await tiledScale(reshape(x, [batch, channels * frames, ...sides]), planes, tiling);
  return reshape(result, [batch, ...made, ...result.shape.slice(2)]);
}

async function meanOfPasses(
  x: NDArray,
  passes: readonly Tiling[],
  f: (part: NDArray) => Promise<NDArray>,
): Promise<NDArray> {
  let sum: NDArray | undefined;
  for (const tiling of passes) {
    const result = await tiledScale(x, f, tiling);
    if (!sum) sum = result;
    else for (let i = 0; i < result.data.length; i++) sum.data[i] += result.data[i];
  }
  for (let i = 0; i < sum!.data.length; i++) sum!.data[i] /= passes.length;
  return sum!;
}

/** `whole`, unless it is known not to fit in memory or turns out not to. */
async function elseInTiles(
  task: string,
  { runtime }: NetworkRun,
  whole: () => Promise<NDArray>,
  tiled: () => Promise<NDArray>,
): Promise<NDArray> {
  try {
    return await whole();
  } catch (error) {
    if (!(error instanceof NoodleError) || error.code !== 'OUT_OF_MEMORY') throw error;
    runtime.log?.('INFO', `VAE ${task} in tiles: ${String(error.details.reason)}`);
    return tiled();
  }
}

/** f on as many rows at a time as fit in memory. Throws OUT_OF_MEMORY when not even one does. */
async function inBatches(
  x: NDArray,
  bytesPerRow: number,
  { runtime }: NetworkRun,
  f: (part: NDArray) => Promise<NDArray>,
): Promise<NDArray> {
  const { memoryBudget } = runtime.stats();
  const rows = Math.floor(memoryBudget / bytesPerRow);
  if (rows === 0) {
    const reason = `about ${sizeText(bytesPerRow)} are needed at once, of ${sizeText(memoryBudget)} that models may take`;
    throw new NoodleError('OUT_OF_MEMORY', { model: 'vae', reason });
  }
  const parts: NDArray[] = [];
  for (let i = 0; i < x.shape[0]; i += rows) {
    parts.push(await f(sliceAxis(x, 0, i, Math.min(x.shape[0], i + rows))));
  }
  return parts.length === 1 ? parts[0] : concat(parts);
}

function checkLatents({ latentChannels, factor }: Vae, { shape }: NDArray): void {
  const axes = factor.time === undefined ? ['height', 'width'] : ['frames', 'height', 'width'];
  if (shape.length === 2 + axes.length && shape[1] === latentChannels) return;
  throw new NoodleError('BAD_INPUT', {
    subject: 'latent to decode',
    expected: `[${['batch', latentChannels, ...axes].join(', ')}]`,
    got: `[${shape.join(', ')}]; does the VAE belong to this model?`,
  });
}

/** [b, 3, ...frames, H, W] about -1..1 to [b·frames, H, W, 3] in 0..1; of unsigned kinds the numbers stay. */
function toPictures(
  { data, shape: [batch, channels, ...sides] }: NDArray,
  { unsigned = false }: AutoencoderKind,
): Image {
  const pixels = sizeOf(sides);
  const out = new Float32Array(data.length);
  for (let b = 0; b < batch; b++) {
    for (let c = 0; c < channels; c++) {
      const from = (b * channels + c) * pixels;
      for (let p = 0; p < pixels; p++) {
        out[(b * pixels + p) * channels + c] = unsigned ? data[from + p] : toUnit(data[from + p]);
      }
    }
  }
  const [height, width] = sides.slice(-2);
  return nd(out, [batch * sizeOf(sides.slice(0, -2)), height, width, channels]);
}

function toUnit(signed: number): number {
  const value = Math.fround(signed + 1) / 2;
  return value < 0 ? 0 : value > 1 ? 1 : value;
}

/** Pictures cut to whole cells, channel-first; frames of one video, or each of its own, where latents have a time axis. */
function encoderInput(
  { kind, factor, stills, pictureChannels = 3 }: Vae,
  pictures: Image,
): NDArray {
  if (pictures.shape.length !== 4) {
    const expected = 'pictures [batch, height, width, channels]';
    throw new NoodleError('BAD_INPUT', {
      subject: 'picture to encode',
      expected,
      got: pictures.shape,
    });
  }
  const cut = cropToFactor(pictures, factor.space);
  if (factor.time === undefined) return toPlanes(cut, pictureChannels, kind);
  const [frames, height, width, channels] = cut.shape;
  if (stills) {
    const { data } = toPlanes(cut, pictureChannels, kind);
    return nd(data, [frames, pictureChannels, 1, height, width]);
  }
  const rows = { data: cut.data, shape: [1, frames * height, width, channels] };
  return nd(toPlanes(rows, pictureChannels, kind).data, [
    1,
    pictureChannels,
    frames,
    height,
    width,
  ]);
}

/**
 * [b, H, W, 3 or more] in 0..1 to [b, wanted, H, W] in -1..1, of unsigned kinds as they are; further channels
 * (alpha) are left out, and where alpha is wanted and there is none all is opaque.
 */
function toPlanes(
  { data, shape: [batch, height, width, channels] }: Image,
  wanted: number,
  { unsigned = false }: AutoencoderKind,
): NDArray {
  if (channels < 3) {
    throw new NoodleError('BAD_INPUT', {
      subject: 'picture to encode',
      expected: '3 colour channels',
      got: channels,
    });
  }
  const pixels = height * width;
  const out = new Float32Array(batch * wanted * pixels).fill(1);
  for (let b = 0; b < batch; b++) {
    for (let c = 0; c < Math.min(wanted, channels); c++) {
      const to = (b * wanted + c) * pixels;
      for (let p = 0; p < pixels; p++) {
        const value = data[(b * pixels + p) * channels + c];
        out[to + p] = unsigned ? value : value * 2 - 1;
      }
    }
  }
  return nd(out, [batch, wanted, height, width]);
}
