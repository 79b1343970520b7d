/** Gradients of what was stretched, cut or moved. */
import { expand, mul, reshape, scalar, sizeTensor, sum, cast, div, pad } from '../tensor/nn.ts';
import {
  type Dim,
  type Shape,
  addDim,
  mulDim,
  sameDim,
  sameDims,
  sizeOfShape,
  subDim,
} from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** The sum of `g` over the axes along which `shape` was stretched to that of `g`, in `shape`. */
export function sumTo(g: Tensor, shape: Shape): Tensor {
  if (sameDims(g.shape, shape)) return g;
  const lead = g.shape.length - shape.length;
  const axes = g.shape.flatMap((dim, i) =>
    i < lead || (shape[i - lead] === 1 && dim !== 1) ? [i] : [],
  );
  const summed = axes.length === 0 ? g : sum(g, axes, { keep: true });
  return sameDims(summed.shape, shape) ? summed : reshape(summed, shape);
}

/** Zeros of a shape. */
export const zerosOf = (shape: Shape): Tensor =>
  shape.length === 0 ? scalar(0) : expand(scalar(0), shape);

/** x divided by a number of elements, which may be symbolic. */
export const dividedBy = (x: Tensor, count: Dim): Tensor =>
  typeof count === 'number' ? mul(x, 1 / count) : div(x, cast(sizeTensor(count), 'f32'));

/** How many elements of x a reduction over `axes` joins to one. */
export const countOf = (x: Tensor, axes: readonly number[]): Dim =>
  sizeOfShape(axes.map((axis) => x.shape[axis]));

/** The gradient of elements start, start + step ... of an axis: back in their places, zeros around them. */
export function unslice(
  g: Tensor,
  shape: Shape,
  { axis, start, step }: { axis: number; start: Dim; step: number },
): Tensor {
  const size = g.shape[axis];
  const sides = (before: Dim, after: Dim): (readonly [Dim, Dim])[] =>
    shape.map((_, i) => (i === axis ? ([before, after] as const) : ([0, 0] as const)));
  if (step === 1) return around(g, sides(start, subDim(shape[axis], addDim(start, size))));
  // each with step - 1 zeros behind it; the last ones may lie beyond the end
  const apart = [...g.shape.slice(0, axis + 1), 1, ...g.shape.slice(axis + 1)];
  const gaps = apart.map((_, i) => (i === axis + 1 ? ([0, step - 1] as const) : ([0, 0] as const)));
  const spaced = g.shape.map((dim, i) => (i === axis ? mulDim(dim, step) : dim));
  const wide = reshape(pad(reshape(g, apart), gaps), spaced);
  const end = addDim(start, spaced[axis]);
  return around(wide, sides(start, subDim(shape[axis], end)));
}

/** Zeros around, or (where a number is negative) what lies outside cut off. */
function around(x: Tensor, sides: readonly (readonly [Dim, Dim])[]): Tensor {
  const isNothing = sides.every((side) => side.every((dim) => sameDim(dim, 0)));
  return isNothing ? x : pad(x, sides);
}
