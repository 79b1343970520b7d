/** Pictures for Qwen2.5-VL: from pixels to rows in the place of a token, and the positions they give to words. */
import type { NDArray } from '../array/nd.ts';
import { interpolate } from '../array/resize.ts';
import { roundHalfEven } from '../array/round.ts';
import { type QwenVisionConfig, detectQwenVision, qwenVision } from '../arch/qwen-vision.ts';
import { NoodleError } from '../errors.ts';
import { openWeights } from '../tensor/cursor.ts';
import { reshape } from '../tensor/nn.ts';
import type { Graph } from '../tensor/trace.ts';
import type { Token } from '../text/token-batches.ts';
import { maskedScore } from './arrange-tokens.ts';
import { type NetworkRun, type Weighted, openNetwork } from './network.ts';

const PATCH = 14;
const FRAMES = 2;
const CHANNELS = 3;
/** Patches a side that become one row, and such rows a side of a window. */
const MERGE = 2;
const WINDOW = 4;
const CELL = PATCH * MERGE;
const LEAST_PIXELS = 3136;
const MOST_PIXELS = 12845056;
const MEAN = [0.48145466, 0.4578275, 0.40821073];
const DEVIATION = [0.26862954, 0.26130258, 0.27577711];
const THETA = 10_000;

/** A picture's rows and their arrangement. */
export interface SeenPicture {
  readonly rows: readonly Float32Array[];
  /** Rows of patches, and columns. */
  readonly grid: readonly [number, number];
}

/** The rows that stand for a picture [1, height, width, 3]. Throws UNSUPPORTED for a file without eyes. */
export async function seePicture(
  weights: Weighted,
  heads: number,
  picture: NDArray,
  run: NetworkRun,
): Promise<SeenPicture> {
  const config = detectQwenVision(openWeights(weights.source), heads);
  if (!config) {
    const what = `${weights.source.label}: pictures, for it holds no 'visual' part of Qwen2.5-VL`;
    throw new NoodleError('UNSUPPORTED', { what });
  }
  const { patches, grid } = patchesOf(picture);
  const inputs = arranged(patches, grid, config);
  const build = (g: Graph) => ({ rows: qwenVision(g.weights, declared(g, config), config) });
  const about = { name: 'qwen-vision', role: 'text-encoder', fullPrecision: true } as const;
  const { rows } = await openNetwork(run, weights, { ...about, settings: { heads }, build })(
    inputs,
    {
      rows: 1,
    },
  );
  const width = rows.shape[1];
  return {
    rows: Array.from({ length: rows.shape[0] }, (_, i) =>
      rows.data.slice(i * width, (i + 1) * width),
    ),
    grid,
  };
}

const SIZE = CHANNELS * FRAMES * PATCH * PATCH;
const MOST = WINDOW * WINDOW * MERGE * MERGE;

function declared(g: Graph, { headSize }: QwenVisionConfig) {
  const half = headSize / 2;
  const four = MERGE * MERGE;
  return {
    patches: reshape(g.input('patches', 'f32', ['rows', four * SIZE]), [-1, SIZE]),
    cos: reshape(g.input('cos', 'f32', ['rows', four * half]), [-1, half]),
    sin: reshape(g.input('sin', 'f32', ['rows', four * half]), [-1, half]),
    windows: g.input('windows', 'i64', ['windows', MOST]),
    filling: g.input('filling', 'f32', ['windows', 1, 1, MOST]),
    places: reshape(g.input('places', 'i64', ['rows', four]), [-1]),
  };
}

/**
 * The picture in multiples of 28 pixels, in CLIP's colours, as patches of [channel, frame, row, column]; four that
 * become one row follow each other. The one frame is there twice.
 */
export function patchesOf(picture: NDArray): {
  readonly patches: readonly Float32Array[];
  readonly grid: readonly [number, number];
} {
  const [, height, width, channels] = picture.shape;
  const planes = new Float32Array(CHANNELS * height * width);
  for (let i = 0; i < height * width; i++) {
    for (let c = 0; c < CHANNELS; c++) {
      planes[c * height * width + i] = picture.data[i * channels + Math.min(c, channels - 1)];
    }
  }
  const [high, wide] = fittingSize(height, width);
  const resized = interpolate(
    { data: planes, shape: [1, CHANNELS, height, width] },
    high,
    wide,
    'bilinear',
  );
  const grid = [high / PATCH, wide / PATCH] as const;
  const patches: Float32Array[] = [];
  for (const [row, column] of patchOrder(grid)) {
    const patch = new Float32Array(SIZE);
    for (let i = 0; i < SIZE; i++) {
      const c = Math.floor(i / (FRAMES * PATCH * PATCH));
      const y = row * PATCH + Math.floor((i % (PATCH * PATCH)) / PATCH);
      const value = resized.data[(c * high + y) * wide + column * PATCH + (i % PATCH)];
      patch[i] = Math.fround(Math.fround(value - Math.fround(MEAN[c])) / Math.fround(DEVIATION[c]));
    }
    patches.push(patch);
  }
  return { patches, grid };
}

/** Rows and columns of all patches, cell by cell. */
function* patchOrder([rows, columns]: readonly [number, number]): Generator<[number, number]> {
  for (let row = 0; row < rows; row += MERGE) {
    for (let column = 0; column < columns; column += MERGE) {
      for (let i = 0; i < MERGE * MERGE; i++) {
        yield [row + Math.floor(i / MERGE), column + (i % MERGE)];
      }
    }
  }
}

/** Sides in multiples of a cell with not too few and not too many pixels. */
function fittingSize(height: number, width: number): [number, number] {
  const fitted = [height, width].map((side) => roundHalfEven(side / CELL) * CELL);
  const pixels = fitted[0] * fitted[1];
  if (pixels >= LEAST_PIXELS && pixels <= MOST_PIXELS) return [fitted[0], fitted[1]];
  const isLarge = pixels > MOST_PIXELS;
  const beta = Math.sqrt(
    isLarge ? (height * width) / MOST_PIXELS : LEAST_PIXELS / (height * width),
  );
  const side = (from: number): number =>
    isLarge
      ? Math.max(CELL, Math.floor(from / beta / CELL) * CELL)
      : Math.ceil((from * beta) / CELL) * CELL;
  return [side(height), side(width)];
}

/** The network's inputs, in the order of windows: so ComfyUI has them, and leaves the rows in. */
function arranged(
  patches: readonly Float32Array[],
  grid: readonly [number, number],
  { headSize }: QwenVisionConfig,
) {
  const windows = windowsOf(grid);
  const order = windows.flat();
  const data = new Float32Array(patches.length * SIZE);
  order.forEach((patch, i) => data.set(patches[patch], i * SIZE));
  const { cos, sin } = angles([...patchOrder(grid)], order, headSize);
  const index = new BigInt64Array(windows.length * MOST);
  const filling = new Float32Array(windows.length * MOST).fill(maskedScore);
  const places = new BigInt64Array(patches.length);
  let next = 0;
  windows.forEach((window, w) => {
    window.forEach((_, i) => {
      index[w * MOST + i] = BigInt(next);
      filling[w * MOST + i] = 0;
      places[next++] = BigInt(w * MOST + i);
    });
  });
  const half = headSize / 2;
  const four = MERGE * MERGE;
  const rows = patches.length / four;
  return {
    patches: { data, shape: [rows, four * SIZE] },
    cos: { data: cos, shape: [rows, four * half] },
    sin: { data: sin, shape: [rows, four * half] },
    windows: { ids: index, shape: [windows.length, MOST] },
    filling: { data: filling, shape: [windows.length, 1, 1, MOST] },
    places: { ids: places, shape: [rows, four] },
  };
}

/** The patches of every window, in `patchOrder`'s numbers. */
function windowsOf([rows, columns]: readonly [number, number]): number[][] {
  const [high, wide] = [rows / MERGE, columns / MERGE];
  const windows: number[][] = [];
  for (let top = 0; top < high; top += WINDOW) {
    for (let left = 0; left < wide; left += WINDOW) {
      const window: number[] = [];
      for (let y = top; y < Math.min(top + WINDOW, high); y++) {
        for (let x = left; x < Math.min(left + WINDOW, wide); x++) {
          const first = (y * wide + x) * MERGE * MERGE;
          for (let i = 0; i < MERGE * MERGE; i++) window.push(first + i);
        }
      }
      windows.push(window);
    }
  }
  return windows;
}

/** Half of a head turns with the row, half with the column. */
function angles(
  at: readonly (readonly [number, number])[],
  order: readonly number[],
  headSize: number,
): { readonly cos: Float32Array; readonly sin: Float32Array } {
  const half = headSize / 2;
  const pairs = half / 2;
  const cos = new Float32Array(order.length * half);
  const sin = new Float32Array(order.length * half);
  const frequencies = Array.from({ length: pairs }, (_, i) =>
    Math.fround(1 / Math.fround(THETA ** Math.fround((2 * i) / half))),
  );
  order.forEach((patch, n) => {
    for (let i = 0; i < half; i++) {
      const angle = Math.fround(at[patch][i < pairs ? 0 : 1] * frequencies[i % pairs]);
      cos[n * half + i] = Math.cos(angle);
      sin[n * half + i] = Math.sin(angle);
    }
  });
  return { cos, sin };
}

/** A row whose pictures stand in the place of their tokens, and where: `start` counts in the new row. */
export function withSeenPictures(
  row: readonly Token[],
  seen: ReadonlyMap<number, SeenPicture>,
): {
  readonly row: readonly Token[];
  readonly spans: readonly (SeenPicture & { readonly start: number })[];
} {
  const out: Token[] = [];
  const spans: (SeenPicture & { readonly start: number })[] = [];
  row.forEach((token, i) => {
    const picture = seen.get(i);
    if (!picture) out.push(token);
    else {
      spans.push({ ...picture, start: out.length });
      for (const vector of picture.rows) out.push({ vector });
    }
  });
  return { row: out, spans };
}

/**
 * Positions of a row of tokens in time, row and column [3][t]: those of a picture spread over its place, and words
 * go on behind its longer side (as ComfyUI counts them, which repeats rows by the count of all).
 */
export function picturePositions(
  length: number,
  spans: readonly (SeenPicture & { readonly start: number })[],
): Float32Array[] {
  const axes = Array.from({ length: 3 }, () => Float32Array.from({ length }, (_, i) => i));
  let offset = 0;
  for (const { start, rows, grid } of spans) {
    const end = start + rows.length;
    const [high, wide] = grid.map((side) => Math.floor(side / MERGE));
    const longest = Math.max(high, wide);
    const repeats = Math.ceil(rows.length / high);
    for (let i = start; i < length; i++) {
      const inside = i - start;
      const behind = start + longest + offset + (i - end);
      axes[0][i] = i < end ? start + offset : behind;
      axes[1][i] = i < end ? start + offset + Math.floor(inside / repeats) : behind;
      axes[2][i] = i < end ? start + offset + (inside % wide) : behind;
    }
    offset += longest - rows.length;
  }
  return axes;
}
