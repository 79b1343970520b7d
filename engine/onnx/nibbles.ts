/**
 * Linear layers on weights in codes of four bits. ONNX Runtime packs those for a product that widens them within
 * a core's cache and adds up in f32: faster than widening them before (docs/performance.md), for one copy more.
 */
import type { Param } from '../tensor/ops/leaves.ts';
import { sizeOfShape } from '../tensor/shape.ts';
import { dtypes } from '../weights/dtypes.ts';
import { type CodesLayout, layoutSize } from '../weights/layout.ts';
import { type Builder, reshapeTo, storedWeight } from './builder.ts';
import type { Lower } from './portable.ts';
import { codesLayout } from './widen.ts';

/** In groups of so many numbers the product takes them. */
const groups: ReadonlySet<number> = new Set([16, 32, 64, 128, 256]);

/** The layout in which the product reads a matrix, if it can. */
function nibblesLayout(param: Param): CodesLayout | undefined {
  const layout = param.shape.length === 2 ? codesLayout(param) : undefined;
  const fits = layout !== undefined && layout.codes !== 'i8' && groups.has(layout.group);
  return fits ? { ...layout, codes: 'about8' } : undefined;
}

/** Bytes of the copy that ONNX Runtime makes of a matrix where products are packed; 0 for what it does not pack. */
export function packedBytes(param: Param): number {
  const layout = nibblesLayout(param);
  const shape = param.shape as readonly number[]; // stored tensors have fixed sizes
  if (layout) return layoutSize(layout, param.dtype, shape);
  return param.dtype === 'f32' && shape.length === 2 ? (sizeOfShape(shape) as number) * 4 : 0;
}

/** Whether a weight would be read by such a product. */
export const isInNibbles = (param: Param): boolean => nibblesLayout(param) !== undefined;

/**
 * A linear layer on such a weight, undefined for another one. Codes count from 8 on; where something is taken off
 * each group of an output, that is a product with the sums of the groups of what comes in.
 */
export const nibblesLinear: Lower<'linear'> = (b, tensor, [name, , bias]) => {
  const [x, weight] = tensor.inputs;
  const param = b.packsNibbles && b.real === 'f32' ? storedWeight(weight) : undefined;
  const layout = param && nibblesLayout(param);
  if (!layout) return undefined;
  const [outputs, width] = weight.shape as readonly number[];
  const part = (kind: CodesLayout['kind']): string => b.weight(param, { ...layout, kind });
  const lines = [sizeOfShape(x.shape.slice(0, -1)), width];
  const flat = x.shape.length === 2 ? name : reshapeTo(b, name, x.shape, lines);
  const operands = [flat, part('codes'), part('codeSteps')];
  const plain = b.contrib(
    'MatMulNBits',
    bias === undefined ? operands : [...operands, '', '', bias],
    {
      K: { int: width },
      N: { int: outputs },
      bits: { int: 4 },
      block_size: { int: layout.group },
      // f32 throughout
      accuracy_level: { int: 1 },
    },
  );
  const isUnsigned = dtypes[param.dtype].blocks!.hasOffs;
  const y = isUnsigned
    ? takenOff(b, plain, groupSums(b, flat, layout.group), part('codeOffs'))
    : plain;
  return x.shape.length === 2 ? y : reshapeTo(b, y, [lines[0], outputs], tensor.shape);
};

/** Rows [n, width] as the sums of their groups, [n, width/group]. */
function groupSums(b: Builder, rows: string, group: number): string {
  const apart = b.emit('Reshape', [rows, b.ints([0, -1, group])]);
  return b.emit('ReduceSum', [apart, b.ints([-1])], { attributes: { keepdims: { int: 0 } } });
}

const takenOff = (b: Builder, y: string, sums: string, offs: string): string =>
  b.emit('Gemm', [sums, offs, y], { attributes: { transB: { int: 1 }, alpha: { float: -1 } } });
