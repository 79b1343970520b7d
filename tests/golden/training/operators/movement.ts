/** What moves, cuts, joins and repeats numbers. */
import {
  add,
  avgPool,
  chunk,
  concat,
  constant,
  expand,
  gather,
  maxPool,
  mul,
  pad,
  permute,
  range,
  rearrange,
  reshape,
  resizeAligned,
  resizeBilinear,
  slice,
  split,
  squeeze,
  unsqueeze,
  upsampleNearest,
} from '../../../../engine/tensor/nn.ts';
import { fixedDim } from '../../../../engine/tensor/shape.ts';
import type { Tensor } from '../../../../engine/tensor/tensor.ts';
import type { Operator, Operators, Params } from './operator.ts';

const sizeOf = (x: Tensor, axis: number): number => fixedDim(x.shape[axis], 'the axis');

/** Places along an axis, by what is read there. */
function picked(x: Tensor, axis: number, from: (i: number, size: number) => number): Tensor {
  const size = sizeOf(x, axis);
  const places = Array.from({ length: size }, (_, i) => from(i, size));
  return gather(x, constant(places, [size], 'i64'), axis);
}

/** x once more behind itself, `times` along each axis. */
const repeated = (x: Tensor, times: readonly number[]): Tensor =>
  times.reduce((part, count, axis) => concat(new Array<Tensor>(count).fill(part), axis), x);

/** Each row of the first axis twice in place. */
const eachTwice = (x: Tensor): Tensor => {
  const [rows, ...rest] = x.shape;
  const pairs = expand(unsqueeze(x, 1), [rows, 2, ...rest]);
  return reshape(pairs, [sizeOf(x, 0) * 2, ...rest]);
};

/** torch's gather, whose indices have the axes of x [a, b, c]: by the places in x as a vector. */
function alongMiddle(x: Tensor, ids: Tensor): Tensor {
  const [a, b, c] = x.shape.map((_, axis) => sizeOf(x, axis));
  const lead = mul(reshape(range(a), [a, 1, 1]), constant([b * c], [], 'i64'));
  const row = mul(ids, constant([c], [], 'i64'));
  const flat = add(add(lead, row), reshape(range(c), [1, 1, c]));
  return gather(reshape(x, [a * b * c]), flat, 0);
}

/** Sides of the last two axes of a picture. */
const sidesOf = ({ pad: [left, right, top, bottom] }: Params): [number, number][] => [
  [top, bottom],
  [left, right],
];

/** The other end of an axis on either side of it. */
const around = (x: Tensor, axis: number, [before, after]: readonly [number, number]): Tensor =>
  concat([slice(x, axis, -before), x, slice(x, axis, 0, after)], axis);

const padded =
  (mode: 'constant' | 'reflect' | 'edge'): Operator =>
  ({ x }, params) =>
    pad(x, sidesOf(params), { mode });

export const movement: Operators = {
  layout: ({ x, y, 'grad.0': likeFirst }) => [
    reshape(permute(x, [2, 0, 1]), likeFirst.shape),
    unsqueeze(expand(y, x.shape), 2),
    unsqueeze(unsqueeze(squeeze(y, 1), 1), -1),
  ],
  slice: ({ x }) => [
    slice(slice(x, 1, 1, -1), 2, 0, x.shape[2], { step: 2 }),
    squeeze(slice(x, 2, 3, 4), 2),
  ],
  concat: ({ a, b, c }, { axis }) => concat([a, b, c], axis),
  split_chunk: ({ x, 'grad.0': likeFirst, 'grad.1': likeLast }) => {
    const ends = [likeFirst, likeLast].map((like) => sizeOf(like, 1));
    const between = sizeOf(x, 1) - ends[0] - ends[1];
    const [first, , last] = split(x, [ends[0], between, ends[1]], 1);
    return [first, last, chunk(x, 2, 2)[1]];
  },
  stack_repeat_flip_roll: ({ x, y }) => [
    concat([unsqueeze(x, 1), unsqueeze(y, 1)], 1),
    repeated(x, [2, 1, 3]),
    eachTwice(x),
    picked(x, 1, (i, size) => size - 1 - i),
    picked(x, 2, (i, size) => (i - 2 + size) % size),
  ],
  space_depth: ({ x, y }) => [
    rearrange(x, 'b c (h p) (w q) -> b (h w) (c p q)', { p: 2, q: 2 }),
    rearrange(y, 'b (c p q) h w -> b c (h p) (w q)', { p: 2, q: 2 }),
  ],
  embedding: ({ w, ids }) => gather(w, ids, 0),
  index_select: ({ x, ids }, { axis }) => gather(x, ids, axis),
  gather: ({ x, ids }) => alongMiddle(x, ids),

  pad_constant: padded('constant'),
  pad_reflect: padded('reflect'),
  pad_replicate: padded('edge'),
  pad_circular: ({ x }, params) => {
    const [rows, columns] = sidesOf(params);
    return around(around(x, 2, rows), 3, columns);
  },

  upsample_nearest2: ({ x }) => upsampleNearest(x, { scale: 2 }),
  upsample_nearest_to_size: ({ x }, { size: [height, width] }) =>
    upsampleNearest(x, { height, width }),
  upsample_bilinear: ({ x }, { size: [height, width] }) => resizeBilinear(x, { height, width }),
  downsample_bilinear: ({ x }, { size: [height, width] }) => resizeBilinear(x, { height, width }),
  upsample_bilinear_corners: ({ x }, { size: [height, width] }) =>
    resizeAligned(x, { height, width }),
  avg_pool2d: ({ x }) => [avgPool(x, { kernel: 2 }), avgPool(x, { kernel: 3, stride: 1, pad: 1 })],
  max_pool2d: ({ x }) => maxPool(x, { kernel: 2 }),
};
