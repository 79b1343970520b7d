/** Several pictures beside each other, or as one batch: KJNodes, essentials, Impact Pack. */
import {
  boolean,
  combo,
  concat,
  image,
  int,
  nd,
  optional,
  repeatToBatch,
  reshape,
  resizeAntialiased,
  rows,
  socket,
  withChannels,
  zeros,
} from 'noodle/node';
import type { Image, NDArray, NodeDefinition } from 'noodle/node';
import { inCategory, numbered } from './define.ts';
import { isArray } from './numbers.ts';
import { batchOf } from './resize.ts';

const kj = inCategory('KJNodes/image');
const impact = inCategory('ImpactPack/Util');
const essentials = inCategory('essentials/image batch');

const DIRECTIONS = ['right', 'down', 'left', 'up'] as const;
type Direction = (typeof DIRECTIONS)[number];

/** The last picture repeated until there are `count`. */
function extended(x: Image, count: number): Image {
  const [have] = x.shape;
  if (have >= count) return x;
  return concat([x, repeatToBatch(rows(x, have - 1, have), count - have)]);
}

/** A mask as a picture of `channels`, or a picture as a mask of one channel (the mean of three). */
function likewise(x: NDArray, channels: number): Image {
  if (x.shape.length === 3) return repeated(reshape(x, [...x.shape, 1]), channels);
  if (channels !== 1) return x;
  const [b, h, w, c] = x.shape;
  const used = Math.min(3, c);
  const mean = Float32Array.from({ length: b * h * w }, (_, i) => {
    let sum = 0;
    for (let k = 0; k < used; k++) sum += x.data[i * c + k];
    return sum / used;
  });
  return nd(mean, [b, h, w, 1]);
}

const repeated = (x: Image, channels: number): Image =>
  channels === 1
    ? x
    : concat(
        Array.from({ length: channels }, () => x),
        3,
      );

/**
 * KJNodes' concatenation: `second` beside, above or below `first`; with `size` it is scaled (bicubic,
 * antialiased) to that height or width. What is smaller stands in the middle, on black; batches are filled
 * up with their last picture, missing channels with ones. The result is a mask where `first` is one.
 */
export function beside(
  first: NDArray,
  second: NDArray,
  direction: Direction,
  size: readonly number[] | undefined,
): NDArray {
  const isMask = first.shape.length === 3;
  const one = isMask ? reshape(first, [...first.shape, 1]) : first;
  const other = likewise(second, one.shape[3]);
  const across = direction === 'left' || direction === 'right';
  const aspect = other.shape[2] / other.shape[1];
  const fitted =
    size === undefined
      ? other
      : across
        ? resizeAntialiased(other, size[1], Math.trunc(size[1] * aspect))
        : resizeAntialiased(other, Math.trunc(size[2] / aspect), size[2]);
  const batch = Math.max(one.shape[0], fitted.shape[0]);
  const channels = Math.max(one.shape[3], fitted.shape[3]);
  const parts = [one, fitted].map((x) => withChannels(extended(x, batch), channels));
  const ordered = direction === 'right' || direction === 'down' ? parts : parts.reverse();
  const out = joined(ordered[0], ordered[1], across);
  return isMask ? reshape(out, out.shape.slice(0, 3)) : out;
}

/** Two pictures in a row or a column, each in the middle of the other direction. */
function joined(a: Image, b: Image, across: boolean): Image {
  const axis = across ? 1 : 2;
  const length = Math.max(a.shape[axis], b.shape[axis]);
  const framed = [a, b].map((x) => {
    const before = Math.floor((length - x.shape[axis]) / 2);
    const after = length - x.shape[axis] - before;
    const bar = (size: number): Image => zeros(x.shape.map((n, i) => (i === axis ? size : n)));
    return before + after === 0 ? x : concat([bar(before), x, bar(after)], axis);
  });
  return concat(framed, across ? 2 : 1);
}

const matched = 'IMAGE,MASK';
const pictureOrMask = () => socket<NDArray>(matched, undefined, ['shape', 'data']);

const concatNodes: readonly NodeDefinition[] = [
  kj({
    name: 'ImageConcanate',
    displayName: 'Image Concatenate',
    inputs: {
      image1: pictureOrMask(),
      image2: pictureOrMask(),
      direction: combo(DIRECTIONS, { default: 'right' }),
      match_image_size: boolean({ default: true }),
    },
    outputs: [{ type: matched, name: 'output' }],
    run: ({ image1, image2, direction, match_image_size }) => [
      beside(image1, image2, direction, match_image_size ? image1.shape : undefined),
    ],
  }),
  kj({
    name: 'ImageConcatMulti',
    displayName: 'Image Concatenate Multi',
    inputs: {
      inputcount: int({ default: 2, min: 2, max: 1000, step: 1 }),
      image_1: pictureOrMask(),
      direction: combo(DIRECTIONS, { default: 'right' }),
      match_image_size: boolean({ default: false }),
      image_2: optional(pictureOrMask()),
    },
    acceptAllInputs: true,
    outputs: [{ type: matched, name: 'output' }],
    run({ inputcount, image_1, direction, match_image_size, ...rest }) {
      const size = match_image_size ? image_1.shape : undefined;
      const others = pictures(rest, 'image_', inputcount, () => zeros(image_1.shape));
      return [others.reduce((all, next) => beside(all, next, direction, size), image_1)];
    },
  }),
];

/** The arrays under `prefix2` … `prefix<count>`; `missing` stands for those that are not there. */
function pictures(
  inputs: Readonly<Record<string, unknown>>,
  prefix: string,
  count: number,
  missing: () => NDArray,
): NDArray[] {
  const found = numbered(inputs, prefix);
  return Array.from({ length: count - 1 }, (_, i) => {
    const value = found.get(i + 2);
    return isArray(value) ? value : missing();
  });
}

/** All arrays of a node that accepts all, in the order of their numbers. */
const all = (inputs: Readonly<Record<string, unknown>>, prefix: string): NDArray[] =>
  [...numbered(inputs, prefix)]
    .sort(([a], [b]) => a - b)
    .map(([, value]) => value)
    .filter(isArray);

const batchNodes: readonly NodeDefinition[] = [
  kj({
    name: 'ImageBatchMulti',
    displayName: 'Image Batch Multi',
    inputs: {
      inputcount: int({ default: 2, min: 2, max: 1000, step: 1 }),
      image_1: image(),
      image_2: optional(image()),
    },
    acceptAllInputs: true,
    outputs: [{ type: 'IMAGE', name: 'images' }],
    run({ inputcount, image_1, ...rest }) {
      const given = [image_1, ...pictures(rest, 'image_', inputcount, () => zeros(image_1.shape))];
      const channels = Math.max(...given.map(({ shape }) => shape[3]));
      return [
        batchOf(
          given.map((x) => withChannels(x, channels)),
          'bilinear',
        ),
      ];
    },
  }),
  essentials({
    name: 'ImageBatchMultiple+',
    displayName: '🔧 Images Batch Multiple',
    inputs: {
      image_1: image(),
      method: combo(['nearest-exact', 'bilinear', 'area', 'bicubic', 'lanczos'] as const, {
        default: 'lanczos',
      }),
      image_2: optional(image()),
      image_3: optional(image()),
      image_4: optional(image()),
      image_5: optional(image()),
    },
    outputs: [{ type: 'IMAGE' }],
    run: ({ image_1, method, image_2, image_3, image_4, image_5 }) => [
      batchOf([image_1, image_2, image_3, image_4, image_5].filter(isArray), method),
    ],
  }),
  impact({
    name: 'ImpactMakeImageBatch',
    displayName: 'Make Image Batch',
    inputs: { image1: image() },
    acceptAllInputs: true,
    outputs: [{ type: 'IMAGE' }],
    run: (inputs) => [batchOf(all(inputs, 'image'), 'lanczos')],
  }),
  impact({
    name: 'ImpactMakeImageList',
    displayName: 'Make Image List',
    inputs: { image1: image() },
    acceptAllInputs: true,
    outputs: [{ type: 'IMAGE', list: true }],
    run: (inputs) => [all(inputs, 'image')],
  }),
  inCategory('ImpactPack/Operation')({
    name: 'ImageListToImageBatch',
    displayName: 'Image List to Image Batch',
    inputs: { images: image() },
    inputIsList: true,
    outputs: [{ type: 'IMAGE' }],
    run: ({ images }) => [batchOf(images, 'lanczos')],
  }),
  essentials({
    name: 'ImageListToBatch+',
    displayName: '🔧 Image List To Batch',
    inputs: { image: image() },
    inputIsList: true,
    outputs: [{ type: 'IMAGE' }],
    run: ({ image }) => [batchOf(image, 'bicubic')],
  }),
  impact({
    name: 'ImpactImageBatchToImageList',
    displayName: 'Image Batch to Image List',
    inputs: { image: image() },
    outputs: [{ type: 'IMAGE', list: true }],
    run: ({ image }) => [singly(image)],
  }),
  essentials({
    name: 'ImageBatchToList+',
    displayName: '🔧 Image Batch To List',
    inputs: { image: image() },
    outputs: [{ type: 'IMAGE', list: true }],
    run: ({ image }) => [singly(image)],
  }),
];

const singly = (x: Image): Image[] =>
  Array.from({ length: x.shape[0] }, (_, i) => rows(x, i, i + 1));

export const combineNodes: readonly NodeDefinition[] = [...concatNodes, ...batchNodes];
