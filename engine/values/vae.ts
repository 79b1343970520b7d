/** VAE: a picture autoencoder, as it travels between nodes; immutable. */
import { concat, sliceAxis } from '../array/batch.ts';
import { type NDArray, nd } from '../array/nd.ts';
import { type Tiling, tiledScale } from '../array/tiled-scale.ts';
import { NoodleError } from '../errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Image } from './media.ts';

/**
 * An autoencoder as two functions on channel-first arrays: pictures [b, 3, H, W] in -1..1, latents
 * [b, c, h, w] in VAE units (no scale factor). Nodes use the functions below, which know about
 * colour ranges, odd sizes, batches and memory.
 */
export interface Vae {
  readonly latentChannels: number;
  /** Pixels per latent cell and side. */
  readonly factor: number;
  encode(runtime: Runtime, pictures: NDArray, signal?: AbortSignal): Promise<NDArray>;
  decode(runtime: Runtime, latents: NDArray, signal?: AbortSignal): Promise<NDArray>;
  /** Working memory of a call on one picture of this many pixels. */
  bytes(pixels: number, task: 'encode' | 'decode'): number;
}

export interface VaeRun {
  readonly runtime: Runtime;
  readonly signal?: AbortSignal;
}

/** Size of square tiles and their overlap, in pixels. */
export interface TileSize {
  readonly tile: number;
  readonly overlap: number;
}

/** What plain calls fall back to when a picture does not fit in memory. */
const fallbackTiles: TileSize = { tile: 512, overlap: 64 };
const fallbackDecodeTiles: TileSize = { tile: 512, overlap: 128 };

/** Latents [b, c, h, w] as pictures [b, H, W, 3] in 0..1. */
export async function decode(vae: Vae | null, latents: NDArray, run: VaeRun): Promise<Image> {
  const present = requireVae(vae);
  checkChannels(present, latents);
  const pixels = latents.shape[2] * latents.shape[3] * present.factor ** 2;
  const whole = () =>
    inBatches(latents, present.bytes(pixels, 'decode'), run, (part) =>
      present.decode(run.runtime, part, run.signal),
    );
  const tiled = () => decodeTiles(present, latents, fallbackDecodeTiles, run);
  return toPictures(await withTilesAtHand(whole, tiled));
}

/** The same in overlapping tiles: three passes over tiles of different shape, averaged. */
export async function decodeTiled(
  vae: Vae | null,
  latents: NDArray,
  size: TileSize,
  run: VaeRun,
): Promise<Image> {
  const present = requireVae(vae);
  checkChannels(present, latents);
  return toPictures(await decodeTiles(present, latents, size, run));
}

/** Pictures [b, H, W, 3 or more] in 0..1 as latents [b, c, h, w]; odd sizes lose their margin. */
export async function encode(vae: Vae | null, pictures: Image, run: VaeRun): Promise<NDArray> {
  const present = requireVae(vae);
  const input = toSigned(cropToFactor(pictures, present.factor));
  const pixels = input.shape[2] * input.shape[3];
  const whole = () =>
    inBatches(input, present.bytes(pixels, 'encode'), run, (part) =>
      present.encode(run.runtime, part, run.signal),
    );
  return withTilesAtHand(whole, () => encodeTiles(present, input, fallbackTiles, run));
}

/** The same in overlapping tiles. */
export async function encodeTiled(
  vae: Vae | null,
  pictures: Image,
  size: TileSize,
  run: VaeRun,
): Promise<NDArray> {
  const present = requireVae(vae);
  return encodeTiles(present, toSigned(cropToFactor(pictures, present.factor)), size, run);
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
  { runtime, signal }: VaeRun,
): Promise<NDArray> {
  const cells = Math.floor(tile / vae.factor);
  const half = Math.floor(cells / 2);
  const common = { overlap: Math.floor(overlap / vae.factor), factor: vae.factor };
  const passes: Tiling[] = [
    { tileWidth: half, tileHeight: cells * 2, ...common },
    { tileWidth: cells * 2, tileHeight: half, ...common },
    { tileWidth: cells, tileHeight: cells, ...common },
  ];
  return meanOfPasses(latents, passes, (part) => vae.decode(runtime, part, signal));
}

async function encodeTiles(
  vae: Vae,
  pictures: NDArray,
  { tile, overlap }: TileSize,
  { runtime, signal }: VaeRun,
): Promise<NDArray> {
  const half = Math.floor(tile / 2);
  const common = { overlap, factor: 1 / vae.factor };
  const passes: Tiling[] = [
    { tileWidth: tile, tileHeight: tile, ...common },
    { tileWidth: tile * 2, tileHeight: half, ...common },
    { tileWidth: half, tileHeight: tile * 2, ...common },
  ];
  return meanOfPasses(pictures, passes, (part) => vae.encode(runtime, part, signal));
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
async function withTilesAtHand(
  whole: () => Promise<NDArray>,
  tiled: () => Promise<NDArray>,
): Promise<NDArray> {
  try {
    return await whole();
  } catch (error) {
    if (error instanceof NoodleError && error.code === 'OUT_OF_MEMORY') return tiled();
    throw error;
  }
}

/** f on as many rows at a time as fit in memory. Throws OUT_OF_MEMORY when not even one does. */
async function inBatches(
  x: NDArray,
  bytesPerRow: number,
  { runtime }: VaeRun,
  f: (part: NDArray) => Promise<NDArray>,
): Promise<NDArray> {
  const rows = Math.floor(runtime.stats().memoryBudget / bytesPerRow);
  if (rows === 0) {
    const reason = `about ${Math.ceil(bytesPerRow / 2 ** 20)} MiB are needed at once`;
    throw new NoodleError('OUT_OF_MEMORY', { model: 'vae', reason });
  }
  const parts: NDArray[] = [];
  for (let i = 0; i < x.shape[0]; i += rows) {
    parts.push(await f(sliceAxis(x, 0, i, Math.min(x.shape[0], i + rows))));
  }
  return parts.length === 1 ? parts[0] : concat(parts);
}

function checkChannels(vae: Vae, latents: NDArray): void {
  if (latents.shape.length === 4 && latents.shape[1] === vae.latentChannels) return;
  throw new NoodleError('BAD_INPUT', {
    subject: 'latent to decode',
    expected: `[batch, ${vae.latentChannels}, height, width]`,
    got: `[${latents.shape.join(', ')}]; does the VAE belong to this model?`,
  });
}

/** [b, 3, H, W] about -1..1 to [b, H, W, 3] in 0..1. */
function toPictures({ data, shape: [batch, channels, height, width] }: NDArray): Image {
  const pixels = height * width;
  const out = new Float32Array(data.length);
  for (let b = 0; b < batch; b++) {
    for (let c = 0; c < channels; c++) {
      const from = (b * channels + c) * pixels;
      for (let p = 0; p < pixels; p++) {
        const value = Math.fround(data[from + p] + 1) / 2;
        out[(b * pixels + p) * channels + c] = value < 0 ? 0 : value > 1 ? 1 : value;
      }
    }
  }
  return nd(out, [batch, height, width, channels]);
}

/** [b, H, W, 3 or more] in 0..1 to [b, 3, H, W] in -1..1; further channels (alpha) are left out. */
function toSigned({ data, shape: [batch, height, width, channels] }: Image): NDArray {
  if (channels < 3) {
    throw new NoodleError('BAD_INPUT', {
      subject: 'picture to encode',
      expected: '3 colour channels',
      got: channels,
    });
  }
  const pixels = height * width;
  const out = new Float32Array(batch * 3 * pixels);
  for (let b = 0; b < batch; b++) {
    for (let c = 0; c < 3; c++) {
      const to = (b * 3 + c) * pixels;
      for (let p = 0; p < pixels; p++) out[to + p] = data[(b * pixels + p) * channels + c] * 2 - 1;
    }
  }
  return nd(out, [batch, 3, height, width]);
}
