/** Pictures cut into overlapping tiles, and tiles laid together again. */
import { linspace } from './linspace.ts';
import { type NDArray, nd } from './nd.ts';
import { type Rectangle, cropImage } from './rectangle.ts';
import { roundHalfEven } from './round.ts';

interface Grid {
  readonly width: number;
  readonly height: number;
  readonly tileWidth: number;
  readonly tileHeight: number;
  readonly overlap: number;
}

/** Where the tiles of a picture lie, row by row; the last of a row or column ends with the picture. */
export function tileGrid({ width, height, tileWidth, tileHeight, overlap }: Grid): Rectangle[] {
  const lines = steps(height, tileHeight, overlap);
  const columns = steps(width, tileWidth, overlap);
  return lines.flatMap(([top, bottom]) =>
    columns.map(([left, right]) => ({ top, left, height: bottom - top, width: right - left })),
  );
}

/** Start and end of every tile along one side; a step is a quarter of a tile at least. */
function steps(length: number, tile: number, overlap: number): (readonly [number, number])[] {
  const stride = roundHalfEven(Math.max(tile * 0.25, tile - overlap));
  const found: (readonly [number, number])[] = [];
  for (let at = 0; at < length; at += stride) {
    const end = Math.min(at + tile, length);
    found.push([Math.max(0, end - tile), end]);
    if (end >= length) break;
  }
  return found;
}

/** The tiles of pictures [b, h, w, c], each [b, tile height, tile width, c]. */
export function splitTiles(x: NDArray, size: Omit<Grid, 'width' | 'height'>): NDArray[] {
  const [, height, width] = x.shape;
  return tileGrid({ width, height, ...size }).map((tile) => cropImage(x, tile));
}

const f = Math.fround;

/**
 * Tiles [b, h, w, c] laid on a canvas as `splitTiles` cut them, blended where they overlap by a half sine
 * over each tile. Missing tiles leave black, surplus ones are ignored.
 */
export function mergeTiles(
  tiles: readonly NDArray[],
  { width, height, overlap }: { width: number; height: number; overlap: number },
): NDArray {
  const [batch, tileHeight, tileWidth, channels] = tiles[0].shape;
  const grid = tileGrid({ width, height, tileWidth, tileHeight, overlap });
  const [lines, columns] = [weights(tileHeight, overlap), weights(tileWidth, overlap)];
  const canvas = new Float32Array(batch * height * width * channels);
  const total = new Float32Array(height * width);
  grid.slice(0, tiles.length).forEach(({ top, left, ...box }, i) => {
    const tile = tiles[i];
    if (tile.shape[0] !== batch || tile.shape[3] !== channels) {
      const [want, got] = [tiles[0].shape, tile.shape].map((shape) => shape.join(' x '));
      throw new RangeError(`tiles: expected batch and channels of ${want}, got ${got}`);
    }
    const h = Math.min(box.height, tile.shape[1]);
    const w = Math.min(box.width, tile.shape[2]);
    for (let y = 0; y < h; y++) {
      for (let x = 0; x < w; x++) {
        const weight = f(lines[y] * columns[x]);
        const at = (top + y) * width + left + x;
        total[at] += weight;
        for (let n = 0; n < batch; n++) {
          const from = ((n * tile.shape[1] + y) * tile.shape[2] + x) * channels;
          const to = (n * height * width + at) * channels;
          for (let k = 0; k < channels; k++) canvas[to + k] += f(tile.data[from + k] * weight);
        }
      }
    }
  });
  for (let i = 0; i < canvas.length; i++) {
    canvas[i] /= total[Math.floor(i / channels) % total.length] || 1;
  }
  return nd(canvas, [batch, height, width, channels]);
}

/** A half sine, 1e-5 at least; ones where tiles do not overlap. */
function weights(length: number, overlap: number): Float32Array {
  if (overlap === 0) return new Float32Array(length).fill(1);
  const steps = linspace(0, 1, length);
  return Float32Array.from(steps, (t) => Math.max(1e-5, Math.sin(f(Math.PI * t))));
}
