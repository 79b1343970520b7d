/** Concrete tensors on the host and the index arithmetic that kernels are written in. */
import { sizeOf } from '../array/nd.ts';
import type { Bindings } from './shape.ts';

/** A concrete tensor of any element type, its numbers as doubles. */
export interface HostTensor {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** What a kernel knows besides its inputs. */
export interface KernelContext {
  /** The result's shape, from the op's shape rule. */
  readonly shape: readonly number[];
  readonly bindings: Bindings;
}

/** The obvious computation of an op, written as its definition reads. */
export type Kernel<A> = (
  inputs: readonly HostTensor[],
  attrs: A,
  context: KernelContext,
) => HostTensor;

type Index = readonly number[];

/** Calls f for every index of a shape in row-major order; gives a tensor of its results. */
export function build(shape: Index, f: (index: number[], flat: number) => number): HostTensor {
  const data = new Float64Array(sizeOf(shape));
  const index = new Array<number>(shape.length).fill(0);
  for (let flat = 0; flat < data.length; flat++) {
    data[flat] = f(index, flat);
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis] === shape[axis]; axis--) {
      index[axis] = 0;
    }
  }
  return { shape, data };
}

/** Calls f for every index of a shape. */
export function each(shape: Index, f: (index: number[]) => void): void {
  build(shape, (index) => {
    f(index);
    return 0;
  });
}

/** The element at an index; axes of size 1 and missing leading axes stretch. */
export function at(x: HostTensor, index: Index): number {
  let flat = 0;
  const skip = index.length - x.shape.length;
  for (let axis = 0; axis < x.shape.length; axis++) {
    flat = flat * x.shape[axis] + (x.shape[axis] === 1 ? 0 : index[axis + skip]);
  }
  return x.data[flat];
}

/** Where an index lies in row-major order; axes of size 1 stretch. */
export function flatOf(shape: Index, index: Index): number {
  return shape.reduce((flat, dim, axis) => flat * dim + (dim === 1 ? 0 : index[axis]), 0);
}

/** The index with another number along one axis. */
export const withAxis = (index: Index, axis: number, value: number): number[] =>
  index.map((i, a) => (a === axis ? value : i));

/** Sum of f(i) for i = 0 .. n-1. */
export function sumOver(n: number, f: (i: number) => number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += f(i);
  return sum;
}

/** The kernel of a function of one number. */
export const onEach =
  (f: (x: number) => number): Kernel<unknown> =>
  ([x]) => ({ shape: x.shape, data: x.data.map(f) });

/** The kernel of a function of two numbers, on tensors that broadcast. */
export const onPairs =
  (f: (a: number, b: number) => number): Kernel<unknown> =>
  ([a, b], _, { shape }) =>
    build(shape, (index) => f(at(a, index), at(b, index)));
