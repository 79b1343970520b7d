/**
 * Linear layers on features in blocks. ONNX Runtime's convolutions on channels in blocks (NCHWc) are its
 * fastest products (bench/README.md), and a linear layer is one whose filter is a single cell, over a picture
 * one cell wide. What a layer gives is noted in blocks, and elementwise ops follow that form; the plain one
 * stands beside it and falls away where nobody reads it (lower.ts).
 */
import { sameDims, sizeOfShape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { dtypes } from '../weights/dtypes.ts';
import { type Builder, reshapeTo, storedWeight } from './builder.ts';
import { type Lower, portable } from './portable.ts';
import { anchoredWeight } from './widen.ts';

const domain = 'com.microsoft.nchwc';

/** A linear layer on one row or more. Each row comes out the same to the bit whatever rows are beside it. */
export const blockedLinear: Lower<'linear'> = (b, tensor, inputs) => {
  const [x, weight] = tensor.inputs;
  const [name, , ...bias] = inputs;
  const filter = isLaidAnew(b, weight) ? blockedFilter(b, weight) : undefined;
  if (filter === undefined) return portable.linear(b, tensor, inputs);
  const attributes = { kernel_shape: { ints: [1, 1] } };
  const rows = intoBlocks(b, name, x.shape.at(-1) as number); // a weight fits it
  return fromBlocks(b, tensor, b.emit('Conv', [rows, filter, ...bias], { attributes, domain }));
};

/** The row on features in blocks, where all that it reads lies so. */
export const followBlocks =
  <K extends 'add' | 'mul' | 'silu' | 'gelu' | 'geluTanh' | 'quickGelu'>(row: Lower<K>): Lower<K> =>
  (b, tensor, inputs) => {
    const blocks = inputs.map((name) => b.blocked.get(name));
    const follows = blocks.every((name) => name !== undefined);
    if (!follows || !tensor.inputs.every(({ shape }) => sameDims(shape, tensor.shape)))
      return row(b, tensor, inputs);
    const y = row(b, tensor, blocks);
    return y === undefined ? undefined : fromBlocks(b, tensor, y);
  };

/** Whether a matrix may be laid in blocks; where nothing is widened before, only such that take no more bytes so. */
function isLaidAnew(b: Builder, weight: Tensor): boolean {
  const param = storedWeight(weight);
  return !b.keepStored && (b.widen === 'weights' || (param !== undefined && isHalf(param)));
}

const isHalf = ({ dtype }: Tensor): boolean => dtypes[dtype].bytes === 2;

/** A stored weight as a filter in blocks, where its channels fill whole ones; narrow where it is to stay so. */
export function blockedFilter(b: Builder, weight: Tensor): string | undefined {
  const { block } = b;
  const param = storedWeight(weight);
  const [outputs, channels] = weight.shape as readonly number[]; // stored tensors have fixed sizes
  const isWhole = block !== undefined && outputs % block === 0 && channels % block === 0;
  if (!isWhole || b.real !== 'f32' || !param) return undefined;
  const narrow = b.widen === 'graph' && isHalf(param);
  if (narrow && b.readersOf(weight).length > 1) return undefined; // a second form would be as large
  const layout = { kind: 'blocked', block, narrow } as const;
  return narrow ? b.cast(anchoredWeight(b, param, layout), b.real) : b.weight(param, layout);
}

/** Features [..., c] as [1, c, rows, 1] in blocks; every row a line, so that threads share them evenly. */
function intoBlocks(b: Builder, name: string, channels: number): string {
  const known = b.blocked.get(name);
  if (known !== undefined) return known;
  const lines = b.emit('Reshape', [name, b.ints([1, -1, 1, channels])]);
  const attributes = { channels_last: { int: 1 } };
  const blocks = b.emit('ReorderInput', [lines], { attributes, domain });
  b.blocked.set(name, blocks);
  return blocks;
}

/** Notes that `blocks` is the tensor in blocks; gives the name of the plain form. */
function fromBlocks(b: Builder, { shape }: Tensor, blocks: string): string {
  const channels = shape.at(-1) as number;
  const attributes = { channels: { int: channels }, channels_last: { int: 1 } };
  const lines = b.emit('ReorderOutput', [blocks], { attributes, domain });
  const rows = sizeOfShape(shape.slice(0, -1));
  const plain = reshapeTo(b, lines, [1, rows, 1, channels], shape);
  b.blocked.set(plain, blocks);
  return plain;
}
