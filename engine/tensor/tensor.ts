/** Tensors of a program: immutable nodes that know their op, their inputs and their symbolic shape. */
import { NoodleError } from '../errors.ts';
import type { Dtype } from './dtype.ts';
import { type OpName, type OpParams, type OpRow, ops } from './ops.ts';
import { ShapeError } from './shape-rules.ts';
import { type Shape, shapeText } from './shape.ts';

export interface Node<K extends OpName> {
  readonly op: K;
  readonly attrs: OpParams[K];
  readonly inputs: readonly Tensor[];
  readonly shape: Shape;
  readonly dtype: Dtype;
  /** Path in the checkpoint that the node belongs to; names nodes in dumps and profiles. */
  readonly scope: string;
}

/** A node of any op, discriminated by `op`. */
export type Tensor = { [K in OpName]: Node<K> }[OpName];

/**
 * Makes a node: shape and dtype come from the op's row. Without `scope`, which layers give, the node
 * belongs to the path that its computed inputs share. Throws PROGRAM, naming op, scope and input shapes, when they do not fit.
 */
export function node<K extends OpName>(
  op: K,
  inputs: readonly Tensor[],
  attrs: OpParams[K],
  scope: string = sharedScope(inputs),
): Tensor {
  const row = ops[op] as unknown as OpRow<OpParams[K]>; // the table's key fixes the row's parameter type
  try {
    const shape = row.shape(inputs, attrs);
    const dtype = row.dtype ? row.dtype(inputs, attrs) : inputs[0].dtype;
    return { op, attrs, inputs, shape, dtype, scope } as unknown as Tensor;
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    const got = inputs.map((input) => shapeText(input.shape)).join(', ');
    const where = scope === '' ? op : `${scope}/${op}`;
    throw new NoodleError('PROGRAM', { reason: `${where}(${got}): ${error.message}` });
  }
}

/** A residual sum belongs to the block around its branches, an activation to the block of its layer. */
function sharedScope(inputs: readonly Tensor[]): string {
  const computed = inputs.filter((input) => input.inputs.length > 0 && !isWeight(input));
  const from = computed.length > 0 ? computed.map(surroundings) : inputs.map(({ scope }) => scope);
  return from.length === 0 ? '' : from.reduce(commonPath);
}

/** Where what follows a tensor belongs: after a layer with weights to what the layer is a part of. */
function surroundings({ inputs, scope }: Tensor): string {
  return inputs.some(isWeight) ? scope.slice(0, Math.max(0, scope.lastIndexOf('.'))) : scope;
}

/** A stored tensor, widened or seen with its axes in another order. */
function isWeight({ op, inputs }: Tensor): boolean {
  return op === 'param' || ((op === 'cast' || op === 'permute') && isWeight(inputs[0]));
}

/** `a.b` of `a.b.c` and `a.b.d`. */
function commonPath(a: string, b: string): string {
  const [left, right] = [a.split('.'), b.split('.')];
  const end = left.findIndex((part, i) => part !== right[i]);
  return end < 0 ? a : left.slice(0, end).join('.');
}
