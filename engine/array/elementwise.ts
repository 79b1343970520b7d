/** Elementwise arithmetic on host arrays of equal shape; every function returns a new array. */
import { type NDArray, sameShape } from './nd.ts';

/** f applied to each element. */
export function map(x: NDArray, f: (value: number) => number): NDArray {
  const data = new Float32Array(x.data.length);
  for (let i = 0; i < data.length; i++) data[i] = f(x.data[i]);
  return { data, shape: x.shape };
}

/** f applied to each pair of elements; throws RangeError when the shapes differ. */
export function zip(a: NDArray, b: NDArray, f: (a: number, b: number) => number): NDArray {
  if (!sameShape(a.shape, b.shape)) {
    throw new RangeError(`shapes [${a.shape.join(', ')}] and [${b.shape.join(', ')}] differ`);
  }
  const data = new Float32Array(a.data.length);
  for (let i = 0; i < data.length; i++) data[i] = f(a.data[i], b.data[i]);
  return { data, shape: a.shape };
}

/** a + b. */
export const add = (a: NDArray, b: NDArray): NDArray => zip(a, b, (x, y) => x + y);
/** a - b. */
export const sub = (a: NDArray, b: NDArray): NDArray => zip(a, b, (x, y) => x - y);
/** a * b, element by element. */
export const mul = (a: NDArray, b: NDArray): NDArray => zip(a, b, (x, y) => x * y);
/** x * k. */
export const scale = (x: NDArray, k: number): NDArray => map(x, (v) => v * k);
/** a * x + y (BLAS axpy). */
export const axpy = (a: number, x: NDArray, y: NDArray): NDArray => zip(x, y, (p, q) => a * p + q);
/** a*x + b*y. */
export const axpby = (a: number, x: NDArray, b: number, y: NDArray): NDArray =>
  zip(x, y, (p, q) => a * p + b * q);
