/** Derivatives of what reads its input at places of its own. */
import {
  abs,
  add,
  cast,
  clamp,
  div,
  equal,
  expand,
  floor,
  gather,
  less,
  matmul,
  maximum,
  minimum,
  mul,
  range,
  reshape,
  scalar,
  scatterAdd,
  sizeTensor,
  slice,
  sub,
  sum,
  transpose,
  unsqueeze,
  where,
} from '../../tensor/nn.ts';
import type { ResizeAttrs, placeOps } from '../../tensor/ops/places.ts';
import {
  type Dim,
  addDim,
  floorDivDim,
  mulDim,
  sameDim,
  sizeOfShape,
  subDim,
} from '../../tensor/shape.ts';
import type { AttrsOf, Tensor } from '../../tensor/tensor.ts';
import type { Derivation } from '../rule.ts';
import { zerosOf } from '../shapes.ts';

/** `from` places along an axis with padding, as the places they read: reflect or edge. */
function paddedPlaces(size: Dim, before: Dim, total: Dim, mode: 'reflect' | 'edge'): Tensor {
  const place = sub(range(total), whole(before));
  const last = whole(subDim(size, 1));
  return mode === 'edge'
    ? minimum(maximum(place, scalar(0, 'i64')), last)
    : sub(last, abs(sub(last, abs(place))));
}

/** A size of i64, whether it is known or not. */
const whole = (dim: Dim): Tensor =>
  typeof dim === 'number' ? scalar(dim, 'i64') : sizeTensor(dim);

/** The same of f32. */
const real = (dim: Dim): Tensor =>
  typeof dim === 'number' ? scalar(dim) : cast(sizeTensor(dim), 'f32');

/**
 * How much each of `from` cells counts in each of `to`: [to, from], so that resizing is a product with it.
 */
function resizeMatrix(from: Dim, to: Dim, mode: ResizeAttrs['mode']): Tensor {
  const cell = cast(reshape(range(to), [to, 1]), 'f32');
  const source = cast(reshape(range(from), [1, from]), 'f32');
  if (mode === 'nearest') {
    const read = minimum(floor(mul(cell, div(real(from), real(to)))), sub(real(from), 1));
    return cast(equal(source, read), 'f32');
  }
  const last = sub(real(from), 1);
  const place =
    mode === 'aligned'
      ? to === 1
        ? mul(cell, 0)
        : mul(cell, div(last, sub(real(to), 1)))
      : sub(mul(add(cell, 0.5), div(real(from), real(to))), 0.5);
  const inside = minimum(maximum(place, scalar(0)), last);
  return clamp(sub(1, abs(sub(source, inside))), 0);
}

/** The n for which `to` is n times `from`, if that can be told. */
function factorOf(from: Dim, to: Dim): number | undefined {
  const factor = floorDivDim(to, from);
  return typeof factor === 'number' && sameDim(mulDim(from, factor), to) ? factor : undefined;
}

export const placeRules: {
  readonly [K in keyof typeof placeOps]: Derivation<AttrsOf<(typeof placeOps)[K]>>;
} = {
  pad: {
    rule: ({ inputs: [x], attrs: { before, mode } }, g) => {
      if (mode !== 'constant') return undefined;
      return [
        before.reduce<Tensor>(
          (part, start, axis) => slice(part, axis, start, addDim(start, x.shape[axis])),
          g,
        ),
      ];
    },
    // the same numbers, picked by their places
    steps: ({ inputs: [x], attrs: { before, after, mode } }) =>
      before.reduce((part, start, axis) => {
        if (start === 0 && after[axis] === 0) return part;
        const size = x.shape[axis];
        const total = addDim(size, addDim(start, after[axis]));
        const places = paddedPlaces(size, start, total, mode === 'edge' ? 'edge' : 'reflect');
        return gather(part, places, axis);
      }, x),
  },
  resize: ({ inputs: [x], attrs: { sizes, mode } }, g) => {
    const [batch, channels, height, width] = x.shape;
    const factors = [factorOf(height, sizes[0]), factorOf(width, sizes[1])];
    if (mode === 'nearest' && factors.every((factor) => factor !== undefined)) {
      const [down, right] = factors;
      return [sum(reshape(g, [batch, channels, height, down, width, right]), [3, 5])];
    }
    const rows = transpose(resizeMatrix(height, sizes[0], mode), 0, 1);
    return [matmul(matmul(rows, g), resizeMatrix(width, sizes[1], mode))];
  },
  gather: ({ inputs: [x, indices], attrs: { axis } }, g) => {
    const [lead, rest] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)];
    const count = sizeOfShape(indices.shape);
    const shape = [...lead, count, ...rest];
    const places = reshape(indices, [...lead.map(() => 1), count, ...rest.map(() => 1)]);
    return [scatterAdd(zerosOf(x.shape), expand(places, shape), reshape(g, shape), axis)];
  },
  scatterAdd: ({ inputs: [x, indices], attrs: { axis } }, g, wants) => {
    const size = x.shape[axis];
    const all = reshape(range(size), [size, ...x.shape.slice(axis + 1).map(() => 1)]);
    const places = cast(indices, 'i64');
    const fromStart = where(less(places, whole(0)), add(places, whole(size)), places);
    const isMeant = equal(unsqueeze(fromStart, axis + 1), all);
    return [
      g,
      undefined,
      wants[2] ? sum(where(isMeant, unsqueeze(g, axis), 0), axis + 1) : undefined,
    ];
  },
};
