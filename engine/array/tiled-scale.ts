/**
 * Running a function on overlapping tiles of a picture or latent and blending the results: how large
 * pictures pass through autoencoders and upscalers in bounded memory.
 */
import { NoodleError } from '../errors.ts';
import { sliceAxis } from './batch.ts';
import { type NDArray, nd } from './nd.ts';
import { roundHalfEven } from './round.ts';

export interface Tiling {
  readonly tileWidth: number;
  readonly tileHeight: number;
  readonly overlap: number;
  /** Output size per input size: 8 for decoding, 1/8 for encoding. */
  readonly factor: number;
}

/**
 * `f` on tiles of every item of x [b, c, h, w], blended by linear ramps over the overlap (also at the
 * picture's own borders, as ComfyUI does): [b, c', h*factor, w*factor]. An item that fits one tile is
 * passed whole. Throws BAD_INPUT when the overlap is as large as a tile.
 */
export async function tiledScale(
  x: NDArray,
  f: (tile: NDArray) => Promise<NDArray>,
  tiling: Tiling,
): Promise<NDArray> {
  const [batch, , height, width] = x.shape;
  const { tileHeight, tileWidth, overlap, factor } = tiling;
  const outHeight = roundHalfEven(height * factor);
  const outWidth = roundHalfEven(width * factor);
  let out: NDArray | undefined;
  for (let b = 0; b < batch; b++) {
    const item = sliceAxis(x, 0, b, b + 1);
    const blend = createBlend(outHeight, outWidth);
    const whole = height <= tileHeight && width <= tileWidth;
    const feather = roundHalfEven(overlap * factor);
    for (const top of tileStarts(height, tileHeight, overlap)) {
      const row = sliceAxis(item, 2, top, Math.min(height, top + tileHeight));
      for (const left of tileStarts(width, tileWidth, overlap)) {
        const tile = await f(sliceAxis(row, 3, left, Math.min(width, left + tileWidth)));
        if (whole) blend.add(tile, 0, 0, 0);
        else blend.add(tile, roundHalfEven(top * factor), roundHalfEven(left * factor), feather);
      }
    }
    const channels = blend.channels();
    out ??= nd(new Float32Array(batch * channels * outHeight * outWidth), [
      batch,
      channels,
      outHeight,
      outWidth,
    ]);
    out.data.set(blend.result(), b * channels * outHeight * outWidth);
  }
  return out!;
}

/** How many calls `tiledScale` makes of its function, for progress bars. */
export function tileCount(height: number, width: number, tiling: Tiling): number {
  const { tileHeight, tileWidth, overlap } = tiling;
  return (
    tileStarts(height, tileHeight, overlap).length * tileStarts(width, tileWidth, overlap).length
  );
}

/** Starts of the tiles along one axis; the last tile is shorter rather than moved back. */
function tileStarts(size: number, tile: number, overlap: number): number[] {
  if (size <= tile) return [0];
  if (overlap >= tile) {
    // No step forward: it would never come to an end.
    throw new NoodleError('BAD_INPUT', {
      subject: 'overlap of tiles',
      expected: `less than their size of ${tile}`,
      got: overlap,
    });
  }
  const starts: number[] = [];
  for (let at = 0; at < size - overlap; at += tile - overlap) starts.push(at);
  return starts;
}

/** Sums of weighted tiles and of their weights. */
function createBlend(height: number, width: number) {
  const weights = new Float32Array(height * width);
  let sums = new Float32Array(0);
  let channels = 0;
  return {
    channels: () => channels,
    add(tile: NDArray, top: number, left: number, feather: number): void {
      const [, c, h, w] = tile.shape;
      if (channels === 0) {
        channels = c;
        sums = new Float32Array(c * height * width);
      }
      const vertical = ramp(h, feather);
      const horizontal = ramp(w, feather);
      for (let y = 0; y < h; y++) {
        for (let x = 0; x < w; x++) {
          const weight = Math.fround(vertical[y] * horizontal[x]);
          const at = (top + y) * width + left + x;
          weights[at] += weight;
          for (let k = 0; k < c; k++) {
            sums[k * height * width + at] += Math.fround(tile.data[(k * h + y) * w + x] * weight);
          }
        }
      }
    },
    result(): Float32Array {
      for (let i = 0; i < sums.length; i++) sums[i] /= weights[i % weights.length];
      return sums;
    },
  };
}

/** 1 inside, rising as (t + 1) / feather from both ends; flat when the feather covers everything. */
function ramp(size: number, feather: number): Float32Array {
  const weights = new Float32Array(size).fill(1);
  if (feather >= size) return weights;
  for (let t = 0; t < feather; t++) {
    weights[t] *= (t + 1) / feather;
    weights[size - 1 - t] *= (t + 1) / feather;
  }
  return weights;
}
