/** The same numbers under other shapes, in another order or cut in parts. */
import { NoodleError } from '../../errors.ts';
import { at, build, withAxis } from '../host.ts';
import { broadcastShapes, expectShape, frontAxis } from '../shape-rules.ts';
import {
  type Dim,
  type Shape,
  addDim,
  ceilDivDim,
  evalDim,
  fixedDim,
  quotientDim,
  sameDim,
  sameDims,
  shapeText,
  sizeOfShape,
  subDim,
} from '../shape.ts';
import { type Tensor, isOp, node, opTable, row } from '../tensor.ts';

interface Slice {
  readonly axis: number;
  readonly start: Dim;
  readonly end: Dim;
  readonly step: number;
}

export const movementOps = opTable({
  reshape: row<{ readonly shape: Shape }>({
    shape: ([x], { shape }) => {
      expectShape(
        sameDim(sizeOfShape(x.shape), sizeOfShape(shape)),
        `does not hold the elements of ${shapeText(shape)}`,
      );
      return shape;
    },
    kernel: ([x], _, { shape }) => ({ shape, data: x.data }),
  }),
  // see `settle`
  settle: row<object>({ shape: ([x]) => x.shape, kernel: ([x]) => x }),
  // see `after`
  after: row<object>({ shape: ([x]) => x.shape, kernel: ([x]) => x }),
  // see `detach`
  detach: row<object>({ shape: ([x]) => x.shape, kernel: ([x]) => x }),
  expand: row<{ readonly shape: Shape }>({
    shape: ([x], { shape }) => {
      const fits = sameDims(broadcastShapes([x.shape, shape]), shape);
      expectShape(fits, `does not broadcast to ${shapeText(shape)}`);
      return shape;
    },
    kernel: ([x], _, { shape }) => build(shape, (index) => at(x, index)),
  }),
  permute: row<{ readonly order: readonly number[] }>({
    shape: ([x], { order }) => {
      const complete = x.shape.every((_, axis) => order.includes(axis));
      expectShape(complete && order.length === x.shape.length, `[${order.join()}] is no order`);
      return order.map((axis) => x.shape[axis]);
    },
    kernel: ([x], { order }, { shape }) =>
      build(shape, (index) => {
        const from = new Array<number>(order.length);
        order.forEach((axis, i) => (from[axis] = index[i]));
        return at(x, from);
      }),
    weight: true,
  }),
  /** Elements start, start + step, ... below end along one axis. */
  slice: row<Slice>({
    shape: ([x], { axis, start, end, step }) => {
      const size = x.shape[axis];
      if (typeof end === 'number' && typeof size === 'number') {
        expectShape(end <= size, `the slice ends at ${end}, the axis at ${size}`);
      }
      return x.shape.map((dim, i) => (i === axis ? ceilDivDim(subDim(end, start), step) : dim));
    },
    kernel: ([x], { axis, start, step }, { shape, bindings }) => {
      const first = evalDim(start, bindings);
      return build(shape, (index) => at(x, withAxis(index, axis, first + index[axis] * step)));
    },
  }),
  concat: row<{ readonly axis: number }>({
    shape: (inputs, { axis }) => {
      const [first, ...others] = inputs;
      for (const { shape } of others) {
        const rest = (s: Shape): Shape => s.filter((_, i) => i !== axis);
        expectShape(sameDims(rest(shape), rest(first.shape)), `only axis ${axis} may differ`);
      }
      const total = inputs.reduce<Dim>((sum, { shape }) => addDim(sum, shape[axis]), 0);
      return first.shape.map((dim, i) => (i === axis ? total : dim));
    },
    kernel: (inputs, { axis }, { shape }) =>
      build(shape, (index) => {
        let position = index[axis];
        let part = 0;
        while (position >= inputs[part].shape[axis]) position -= inputs[part++].shape[axis];
        return at(inputs[part], withAxis(index, axis, position));
      }),
  }),
});

/**
 * x itself, on which nothing goes on before it is computed. Where a host runs ahead of its device the memory
 * of what is done with comes back here; a network of large values says so between its blocks.
 */
export const settle = (x: Tensor): Tensor => node(movementOps.settle, [x], {});

/**
 * x itself, once `other` has been computed. What is computed from it begins no sooner, and is not taken for
 * the same as what is computed from x: so that a backward pass may compute anew what was not kept.
 */
export const after = (x: Tensor, other: Tensor): Tensor =>
  node(movementOps.after, [x, other], {}, x.scope);

/** x itself, through which no gradient goes: what depends on it counts as given (torch's detach). */
export const detach = (x: Tensor): Tensor => node(movementOps.detach, [x], {});

/** x under another shape; one entry may be -1 (the rest of the elements). */
export function reshape(x: Tensor, shape: readonly Dim[]): Tensor {
  const unknown = shape.indexOf(-1);
  if (unknown < 0) return node(movementOps.reshape, [x], { shape });
  const known = shape.filter((_, i) => i !== unknown);
  const filled = [...shape];
  filled[unknown] = quotientDim(x.shape, known);
  return node(movementOps.reshape, [x], { shape: filled });
}

/** Axes in another order. */
export const permute = (x: Tensor, order: readonly number[]): Tensor =>
  node(movementOps.permute, [x], { order: order.map((axis) => frontAxis(x, axis)) });

/** Two axes swapped. */
export function transpose(x: Tensor, a: number, b: number): Tensor {
  const order = x.shape.map((_, i) => i);
  [order[frontAxis(x, a)], order[frontAxis(x, b)]] = [frontAxis(x, b), frontAxis(x, a)];
  return permute(x, order);
}

/** New axes of size 1 at the given positions of the result (or one after the end, for -1). */
export function unsqueeze(x: Tensor, axes: number | readonly number[]): Tensor {
  const list = [axes].flat();
  const rank = x.shape.length + list.length;
  const positions = list.map((axis) => (axis < 0 ? axis + rank : axis));
  const shape: Dim[] = [];
  for (let i = 0, from = 0; i < rank; i++) {
    shape.push(positions.includes(i) ? 1 : x.shape[from++]);
  }
  return node(movementOps.reshape, [x], { shape });
}

/** Axes of size 1 removed. */
export function squeeze(x: Tensor, axes: number | readonly number[]): Tensor {
  const positions = [axes].flat().map((axis) => frontAxis(x, axis));
  return node(movementOps.reshape, [x], {
    shape: x.shape.filter((_, i) => !positions.includes(i)),
  });
}

/** Axes of size 1 stretched to `shape` without meaning a copy. */
export const expand = (x: Tensor, shape: Shape): Tensor => node(movementOps.expand, [x], { shape });

/** Elements [start, end) along an axis; negative numbers count from the end. */
export function slice(
  x: Tensor,
  axis: number,
  start: Dim,
  end: Dim = x.shape[frontAxis(x, axis)],
  { step = 1 }: { step?: number } = {},
): Tensor {
  const at = frontAxis(x, axis);
  const size = x.shape[at];
  const fromEnd = (dim: Dim): Dim => (typeof dim === 'number' && dim < 0 ? addDim(size, dim) : dim);
  const whole = step === 1 ? joinedPart(x, at, fromEnd(start), fromEnd(end)) : undefined;
  if (whole) return whole;
  return node(movementOps.slice, [x], { axis: at, start: fromEnd(start), end: fromEnd(end), step });
}

/** What was joined to x's features at exactly this range (a fused projection that lies in parts). */
function joinedPart(x: Tensor, axis: number, start: Dim, end: Dim): Tensor | undefined {
  if (!isOp(movementOps.concat, x) || axis !== x.shape.length - 1 || x.attrs.axis !== axis) {
    return undefined;
  }
  let place: Dim = 0;
  for (const part of x.inputs) {
    const next: Dim = addDim(place, part.shape[axis]);
    if (place === start && next === end) return part;
    place = next;
  }
  return undefined;
}

/** `n` equal parts along an axis of known size. */
export function chunk(x: Tensor, n: number, axis: number): Tensor[] {
  const at = frontAxis(x, axis);
  const size = fixedDim(x.shape[at], 'the axis to cut');
  if (size % n !== 0) {
    throw new NoodleError('PROGRAM', {
      reason: `${x.scope}: ${size} does not fall into ${n} parts`,
    });
  }
  return split(x, new Array<number>(n).fill(size / n), at);
}

/** Consecutive parts of the given sizes along an axis. */
export function split(x: Tensor, sizes: readonly Dim[], axis: number): Tensor[] {
  let start: Dim = 0;
  return sizes.map((size) => {
    const end = addDim(start, size);
    const part = slice(x, axis, start, end);
    start = end;
    return part;
  });
}

/** Tensors joined along an axis. */
export const concat = (xs: readonly Tensor[], axis: number): Tensor =>
  node(movementOps.concat, xs, { axis: frontAxis(xs[0], axis) });
