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
 * Makes a node: shape and dtype come from the op's row. Without `scope` the node belongs to where its
 * first computed input belongs. Throws PROGRAM, naming op, scope and input shapes, when they do not fit.
 */
export function node<K extends OpName>(
  op: K,
  inputs: readonly Tensor[],
  attrs: OpParams[K],
  scope: string = inheritedScope(inputs),
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

function inheritedScope(inputs: readonly Tensor[]): string {
  const computed = inputs.find((input) => input.op !== 'param' && input.scope !== '');
  return (computed ?? inputs.find((input) => input.scope !== ''))?.scope ?? '';
}
