/**
 * Attention in windows of a picture: cutting it into windows, shifting it between them, and what is
 * added to the scores (Liu et al. 2021, "Swin Transformer"). Features are [1, h, w, c] here, with
 * sides that are multiples of the window's.
 */
import type { Weights } from '../../tensor/cursor.ts';
import { layerNorm, linear } from '../../tensor/layers.ts';
import {
  add,
  attention,
  chunk,
  concat,
  constant,
  equal,
  gather,
  gelu,
  less,
  mul,
  permute,
  range,
  rearrange,
  sizeTensor,
  slice,
  unsqueeze,
  where,
} from '../../tensor/nn.ts';
import { type Dim, floorDivDim, subDim } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';

export interface Sides {
  readonly height: number;
  readonly width: number;
}

export const square = (side: number): Sides => ({ height: side, width: side });

/** The windows of x [1, h, w, c], row by row: [windows, height*width, c]. */
export const windowsOf = (x: Tensor, { height: i, width: j }: Sides): Tensor =>
  rearrange(x, 'b (h i) (w j) c -> (b h w) (i j) c', { i, j });

/** The picture [1, height, width, c] of windows. */
export function pictureOf(
  windows: Tensor,
  { height: i, width: j }: Sides,
  [height, width]: readonly [height: Dim, width: Dim],
): Tensor {
  const [h, w] = [floorDivDim(height, i), floorDivDim(width, j)];
  return rearrange(windows, '(b h w) (i j) c -> b (h i) (w j) c', { h, w, i, j });
}

/** x moved back by `by` along an axis; what leaves at the start comes in at the end (torch's roll). */
export const rollBack = (x: Tensor, axis: number, by: number): Tensor =>
  by === 0 ? x : concat([slice(x, axis, by), slice(x, axis, 0, by)], axis);

/** `f` on x [1, h, w, c] moved up and left by `shift`, and moved back again. */
export function shifted(x: Tensor, { height, width }: Sides, f: (x: Tensor) => Tensor): Tensor {
  if (height === 0 && width === 0) return f(x);
  return rollBack(rollBack(f(rollBack(rollBack(x, 1, height), 2, width)), 1, -height), 2, -width);
}

/**
 * Scores [windows, 1, n, n] to add where a picture [height, width] was shifted: -100 between places
 * of one window that are no neighbours in the picture.
 */
export function shiftMask(
  sides: readonly [height: Dim, width: Dim],
  window: Sides,
  shift: Sides,
): Tensor {
  const ids = regionIds(sides, window, shift);
  return scoresBetween(ids, ids);
}

/** For each place of each window of a shifted picture, which part of the picture it is of: [windows, n, 1]. */
export function regionIds(
  [height, width]: readonly [height: Dim, width: Dim],
  window: Sides,
  shift: Sides,
): Tensor {
  const rows = regions(height, window.height, shift.height);
  const columns = regions(width, window.width, shift.width);
  const ids = add(unsqueeze(mul(rows, 3), 1), unsqueeze(columns, 0)); // [height, width]
  return windowsOf(unsqueeze(ids, [0, 3]), window);
}

/** Scores [windows, 1, n, m]: 0 between places of one part, -100 between those of different ones. */
export function scoresBetween(queries: Tensor, keys: Tensor): Tensor {
  const same = equal(queries, permute(keys, [0, 2, 1])); // [windows, n, m]
  return unsqueeze(where(same, 0, -100), 1);
}

/** 0, 1 or 2 for the places along an axis: before the last window, in it, and what was shifted in. */
function regions(size: Dim, window: number, shift: number): Tensor {
  const before = (end: number): Tensor => less(range(size), sizeTensor(subDim(size, end)));
  return where(before(window), 0, where(before(shift), 1, 2));
}

/**
 * Learned scores by relative position [1, heads, n, n] from a table [(2*h-1)*(2*w-1), heads], for
 * windows of h x w.
 */
export const relativeBias = (table: Tensor, window: Sides): Tensor =>
  pickedBias(table, relativeIndex(window, window));

/** The same for any index of query and key [n, m] into the table. */
export const pickedBias = (
  table: Tensor,
  { index, shape }: { readonly index: readonly number[]; readonly shape: readonly number[] },
): Tensor => unsqueeze(permute(gather(table, constant(index, shape, 'i64'), 0), [2, 0, 1]), 0);

/**
 * Where the bias for each place of a window of queries and each of a window of keys lies in the table:
 * [n, m]. Queries count back from keys, as in Swin, where the windows are the same.
 */
export function relativeIndex(
  queries: Sides,
  keys: Sides,
): { readonly index: readonly number[]; readonly shape: readonly number[] } {
  const index: number[] = [];
  const columns = queries.width + keys.width - 1;
  for (const [qy, qx] of places(queries)) {
    for (const [ky, kx] of places(keys)) {
      index.push((qy - ky + keys.height - 1) * columns + qx - kx + keys.width - 1);
    }
  }
  return { index, shape: [queries.height * queries.width, keys.height * keys.width] };
}

/** [y, x] of every place, row by row. */
export const places = ({ height, width }: Sides): (readonly [y: number, x: number])[] =>
  Array.from({ length: height * width }, (_, i) => [Math.floor(i / width), i % width] as const);

export interface WindowOptions {
  readonly window: number;
  /** The mask of a picture that is shifted by half a window; left out: it is not shifted. */
  readonly mask?: Tensor;
}

/**
 * Self-attention of x [1, h, w, c] in windows, with `qkv`, `proj` and a table of biases under the
 * cursor; the table has a column for each head.
 */
export function windowAttention(w: Weights, x: Tensor, { window, mask }: WindowOptions): Tensor {
  const [, height, width] = x.shape;
  const sides = square(window);
  const shift = square(mask ? Math.floor(window / 2) : 0);
  const table = w.param('relative_position_bias_table');
  const bias = relativeBias(table, sides);
  return shifted(x, shift, (moved) => {
    const [q, k, v] = chunk(linear(w.at('qkv'), windowsOf(moved, sides)), 3, -1);
    const heads = table.shape[1] as number; // stored tensors have fixed sizes
    const h = attention(q, k, v, { heads, mask: mask ? add(bias, mask) : bias });
    return pictureOf(linear(w.at('proj'), h), sides, [height, width]);
  });
}

/** The mask that `windowAttention` takes for features x [1, h, w, c] or [1, c, h, w] of these sides. */
export const halfShiftMask = (sides: readonly [height: Dim, width: Dim], window: number): Tensor =>
  shiftMask(sides, square(window), square(Math.floor(window / 2)));

/** A Swin block: attention in windows, then `mlp`, each on normalised features and added. */
export function swinBlock(w: Weights, x: Tensor, options: WindowOptions): Tensor {
  const h = add(x, windowAttention(w.at('attn'), layerNorm(w.at('norm1'), x), options));
  return add(h, mlp(w.at('mlp'), layerNorm(w.at('norm2'), h)));
}

/** Two linear layers with a gelu between. */
export const mlp = (w: Weights, x: Tensor): Tensor =>
  linear(w.at('fc2'), gelu(linear(w.at('fc1'), x)));
