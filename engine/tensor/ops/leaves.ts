/** Where programs begin: inputs, stored weights, constants, sizes. */
import { NoodleError } from '../../errors.ts';
import type { WeightEntry } from '../../weights/source.ts';
import type { Dtype } from '../dtype.ts';
import { build } from '../host.ts';
import { type Dim, type Shape, evalDim } from '../shape.ts';
import { type Node, type Tensor, leaf, node, opTable, row } from '../tensor.ts';

export interface InputAttrs {
  readonly name: string;
  readonly shape: Shape;
  readonly dtype: Dtype;
}
export interface ParamAttrs {
  readonly key: string;
  readonly entry: WeightEntry;
  readonly dtype: Dtype;
}
interface ConstantAttrs {
  readonly values: readonly number[] | Float32Array;
  readonly shape: readonly number[];
  readonly dtype: Dtype;
}

/** A tensor that callers give at every run. */
export type Input = Node<InputAttrs>;
/** A stored tensor. */
export type Param = Node<ParamAttrs>;

export const leafOps = opTable({
  input: leaf<InputAttrs>({ shape: (_, { shape }) => shape, dtype: (_, { dtype }) => dtype }),
  /** The tensor as it is stored: before a view's swapped axes. */
  param: leaf<ParamAttrs>({
    shape: (_, { entry }) => (entry.transposed ? [...entry.shape].reverse() : entry.shape),
    dtype: (_, { dtype }) => dtype,
    weight: true,
  }),
  constant: row<ConstantAttrs>({
    shape: (_, { shape }) => shape,
    dtype: (_, { dtype }) => dtype,
    kernel: (_, { values }, { shape }) => ({ shape, data: Float64Array.from(values) }),
  }),
  /** 0, 1, ..., size - 1. */
  range: row<{ readonly size: Dim }>({
    shape: (_, { size }) => [size],
    dtype: () => 'i64',
    kernel: (_, __, { shape }) => build(shape, ([i]) => i),
  }),
  /** The value of a symbolic size as a scalar. */
  size: row<{ readonly dim: Dim }>({
    shape: () => [],
    dtype: () => 'i64',
    kernel: (_, { dim }, { bindings }) => build([], () => evalDim(dim, bindings)),
  }),
});

/** An input that a parameter hook adds to the program; layers get theirs from the graph. */
export const input = (name: string, dtype: Dtype, shape: Shape, scope?: string): Input =>
  node(leafOps.input, [], { name, shape, dtype }, scope);

/** Fixed values; the shape is a vector's when left out. */
export function constant(
  values: readonly number[] | Float32Array,
  shape: readonly number[] = [values.length],
  dtype: Dtype = 'f32',
): Tensor {
  if (shape.reduce((size, dim) => size * dim, 1) !== values.length) {
    const reason = `${values.length} values do not fit [${shape.join(', ')}]`;
    throw new NoodleError('PROGRAM', { reason });
  }
  return node(leafOps.constant, [], { values, shape, dtype });
}

/** A scalar constant. */
export const scalar = (value: number, dtype: Dtype = 'f32'): Tensor => constant([value], [], dtype);

/** 0, 1, ..., n - 1 as i64; n may be symbolic. */
export const range = (n: Dim): Tensor => node(leafOps.range, [], { size: n });

/** A (symbolic) size as an i64 scalar. */
export const sizeTensor = (dim: Dim): Tensor => node(leafOps.size, [], { dim });
