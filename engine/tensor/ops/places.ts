/** What reads its input at places of its own: padding, resizing, picking by index. */
import { at, build, each, flatOf, withAxis } from '../host.ts';
import { expectShape, frontAxis } from '../shape-rules.ts';
import { type Dim, type Shape, addDim, evalDim, mulDim, sameDims } from '../shape.ts';
import { type Tensor, node, opTable, row } from '../tensor.ts';

interface Pad {
  readonly before: Shape;
  readonly after: Shape;
  readonly mode: 'constant' | 'reflect' | 'edge';
  readonly value: number;
}
export interface ResizeAttrs {
  readonly sizes: Shape;
  readonly mode: 'nearest' | 'bilinear' | 'aligned';
}
interface Axis {
  readonly axis: number;
}

export const placeOps = opTable({
  pad: row<Pad>({
    shape: ([x], { before, after }) =>
      x.shape.map((dim, i) => addDim(dim, addDim(before[i], after[i]))),
    kernel: ([x], { before, mode, value }, { shape, bindings }) => {
      const start = before.map((dim) => evalDim(dim, bindings));
      return build(shape, (index) => {
        const from = index.map((i, axis) => padSource(i - start[axis], x.shape[axis], mode));
        return from.includes(-1) ? value : at(x, from);
      });
    },
  }),
  /**
   * x [b, c, h, w] to exact spatial sizes; nearest = floor(i * (in / out)), bilinear = half-pixel, aligned =
   * bilinear with corners on corners.
   */
  resize: row<ResizeAttrs>({
    shape: ([x], { sizes }) => [...x.shape.slice(0, 2), ...sizes],
    kernel: ([x], { mode }, { shape }) => {
      const [, , fromH, fromW] = x.shape;
      const [, , toH, toW] = shape;
      const limit = (i: number, size: number): number => Math.min(Math.max(i, 0), size - 1);
      return build(shape, ([b, c, y, z]) => {
        if (mode === 'nearest') {
          return at(x, [b, c, nearest(y, fromH, toH), nearest(z, fromW, toW)]);
        }
        const place = mode === 'aligned' ? onCorners : onMiddles;
        const sy = limit(place(y, fromH, toH), fromH);
        const sz = limit(place(z, fromW, toW), fromW);
        const [y0, z0] = [Math.floor(sy), Math.floor(sz)];
        const pixel = (dy: number, dz: number): number =>
          at(x, [b, c, limit(y0 + dy, fromH), limit(z0 + dz, fromW)]);
        const [fy, fz] = [sy - y0, sz - z0];
        const top = pixel(0, 0) * (1 - fz) + pixel(0, 1) * fz;
        const bottom = pixel(1, 0) * (1 - fz) + pixel(1, 1) * fz;
        return top * (1 - fy) + bottom * fy;
      });
    },
  }),
  /** Entries of x along an axis at integer indices of any shape. */
  gather: row<Axis>({
    shape: ([x, indices], { axis }) => [
      ...x.shape.slice(0, axis),
      ...indices.shape,
      ...x.shape.slice(axis + 1),
    ],
    kernel: ([x, indices], { axis }, { shape }) =>
      build(shape, (index) => {
        const rank = indices.shape.length;
        const i = at(indices, index.slice(axis, axis + rank));
        const position = i < 0 ? i + x.shape[axis] : i;
        return at(x, [...index.slice(0, axis), position, ...index.slice(axis + rank)]);
      }),
  }),
  /**
   * x with each of the updates added at its place, but for the axis, where the index says: what torch's
   * scatter_add does. x [...], indices (integers) and updates of one shape, with the axes of x.
   */
  scatterAdd: row<Axis>({
    shape: ([x, indices, updates], { axis }) => {
      expectShape(sameDims(indices.shape, updates.shape), 'indices and updates differ in shape');
      const others = (shape: Shape): Shape => shape.filter((_, i) => i !== axis);
      expectShape(
        sameDims(others(indices.shape), others(x.shape)),
        `indices may differ from x in axis ${axis} only`,
      );
      return x.shape;
    },
    kernel: ([x, indices, updates], { axis }) => {
      const result = { shape: x.shape, data: x.data.slice() };
      each(indices.shape, (index) => {
        const i = at(indices, index);
        const position = i < 0 ? i + x.shape[axis] : i;
        result.data[flatOf(x.shape, withAxis(index, axis, position))] += at(updates, index);
      });
      return result;
    },
    longSum: true,
  }),
});

/** torch's nearest source index, with its f32 rounding. */
function nearest(i: number, from: number, to: number): number {
  return Math.min(Math.floor(Math.fround(i * Math.fround(from / to))), from - 1);
}

/** The place in `from` cells of the i-th of `to`, where the middles of both lie evenly spread. */
const onMiddles = (i: number, from: number, to: number): number => ((i + 0.5) * from) / to - 0.5;

/** The same where first lies on first and last on last. */
const onCorners = (i: number, from: number, to: number): number =>
  to === 1 ? 0 : (i * (from - 1)) / (to - 1);

/** Where a padded position reads from: outside positions mirror, stick to the edge, or are -1. */
function padSource(position: number, size: number, mode: Pad['mode']): number {
  if (position >= 0 && position < size) return position;
  if (mode === 'constant') return -1;
  if (mode === 'edge') return position < 0 ? 0 : size - 1;
  return position < 0 ? -position : 2 * (size - 1) - position;
}

/** Zeros around the last axes: one [before, after] pair per axis, the last pair for the last axis. */
export const padZero = (x: Tensor, sides: readonly (readonly [Dim, Dim])[]): Tensor =>
  pad(x, sides, { mode: 'constant' });

/** Padding of the last axes by a value, by mirroring or by repeating the edge. */
export function pad(
  x: Tensor,
  sides: readonly (readonly [Dim, Dim])[],
  { mode = 'constant', value = 0 }: { mode?: Pad['mode']; value?: number } = {},
): Tensor {
  const none = new Array<Dim>(x.shape.length - sides.length).fill(0);
  const before = [...none, ...sides.map(([start]) => start)];
  const after = [...none, ...sides.map(([, end]) => end)];
  return node(placeOps.pad, [x], { before, after, mode, value });
}

type Size2d = { readonly height: Dim; readonly width: Dim } | { readonly scale: number };

/** Each pixel of x [b, c, h, w] repeated: by a factor, or to an exact (perhaps symbolic) size. */
export const upsampleNearest = (x: Tensor, size: Size2d): Tensor =>
  node(placeOps.resize, [x], { sizes: sizes2d(x, size), mode: 'nearest' });

/** Bilinear resize of x [b, c, h, w] with half-pixel centres (align_corners off). */
export const resizeBilinear = (x: Tensor, size: Size2d): Tensor =>
  node(placeOps.resize, [x], { sizes: sizes2d(x, size), mode: 'bilinear' });

/** Bilinear resize of x [b, c, h, w] in which corners stay corners (align_corners on). */
export const resizeAligned = (x: Tensor, size: Size2d): Tensor =>
  node(placeOps.resize, [x], { sizes: sizes2d(x, size), mode: 'aligned' });

/** Entries of x along an axis at integer indices (any shape, which replaces the axis). */
export const gather = (x: Tensor, indices: Tensor, axis: number): Tensor =>
  node(placeOps.gather, [x, indices], { axis: frontAxis(x, axis) });

/**
 * x plus updates, each at its own place but for the axis, where its index (an integer) says; places that
 * are named twice get both. Indices and updates have one shape, which may differ from that of x in the
 * axis only (torch's scatter_add).
 */
export const scatterAdd = (x: Tensor, indices: Tensor, updates: Tensor, axis: number): Tensor =>
  node(placeOps.scatterAdd, [x, indices, updates], { axis: frontAxis(x, axis) });

function sizes2d(x: Tensor, size: Size2d): Dim[] {
  if ('scale' in size) return x.shape.slice(2).map((dim) => mulDim(dim, size.scale));
  return [size.height, size.width];
}
