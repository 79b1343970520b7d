/** Linear layers on weights in codes, which MatMulNBits widens within the product. */
import type { Param } from '../tensor/ops/leaves.ts';
import { sizeOfShape } from '../tensor/shape.ts';
import { dtypes } from '../weights/dtypes.ts';
import type { CodesLayout } from '../weights/layout.ts';
import { type Builder, reshapeTo } from './builder.ts';
import type { Attribute } from './model.ts';
import type { NodeOf } from './portable.ts';

/** In groups of so many numbers the product takes them. */
const groups: ReadonlySet<number> = new Set([16, 32, 64, 128, 256]);

/** How a product reads a matrix that has this layout, if it can. */
export function productLayout(layout: CodesLayout | undefined): CodesLayout | undefined {
  if (!layout || !groups.has(layout.group)) return undefined;
  return { ...layout, codes: layout.codes === 'i8' ? 'about128' : 'about8' };
}

/** Whether something is taken off each group of a weight. */
export const hasOffs = ({ dtype }: Param): boolean => dtypes[dtype].blocks?.hasOffs === true;

export interface CodeProduct {
  readonly param: Param;
  readonly layout: CodesLayout;
  /** The name of a bias that the product adds. */
  readonly bias?: string;
  readonly attributes?: Readonly<Record<string, Attribute>>;
}

/**
 * A linear layer of what is called `name` on such a weight. Where something is taken off each group of an
 * output, that is a product with the sums of the groups of what comes in.
 */
export function productOnCodes(
  b: Builder,
  tensor: NodeOf<'linear'>,
  name: string,
  { param, layout, bias, attributes = {} }: CodeProduct,
): string {
  const [x, weight] = tensor.inputs;
  const [outputs, width] = weight.shape as readonly number[]; // stored tensors have fixed sizes
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
      bits: { int: layout.codes === 'about128' ? 8 : 4 },
      block_size: { int: layout.group },
      ...attributes,
    },
  );
  const y = hasOffs(param)
    ? takenOff(b, plain, groupSums(b, flat, layout.group), part('codeOffs'))
    : plain;
  return x.shape.length === 2 ? y : reshapeTo(b, y, [lines[0], outputs], tensor.shape);
}

/** Rows [n, width] as the sums of their groups, [n, width/group]. */
function groupSums(b: Builder, rows: string, group: number): string {
  const apart = b.emit('Reshape', [rows, b.ints([0, -1, group])]);
  return b.emit('ReduceSum', [apart, b.ints([-1])], { attributes: { keepdims: { int: 0 } } });
}

const takenOff = (b: Builder, y: string, sums: string, offs: string): string =>
  b.emit('Gemm', [sums, offs, y], { attributes: { transB: { int: 1 }, alpha: { float: -1 } } });
