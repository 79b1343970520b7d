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
  checkShapes(a, b);
  const data = new Float32Array(a.data.length);
  for (let i = 0; i < data.length; i++) data[i] = f(a.data[i], b.data[i]);
  return { data, shape: a.shape };
}

/** a + b. */
export const add = (a: NDArray, b: NDArray): NDArray => axpby(1, a, 1, b);
/** a - b. */
export const sub = (a: NDArray, b: NDArray): NDArray => axpby(1, a, -1, b);
/** a * b, element by element. */
export const mul = (a: NDArray, b: NDArray): NDArray => zip(a, b, (x, y) => x * y);
/** a * x + y (BLAS axpy). */
export const axpy = (a: number, x: NDArray, y: NDArray): NDArray => axpby(a, x, 1, y);

/** x * k. */
export function scale(x: NDArray, k: number): NDArray {
  const data = new Float32Array(x.data.length);
  for (let i = 0; i < data.length; i++) data[i] = x.data[i] * k;
  return { data, shape: x.shape };
}

/** a*x + b*y. */
export function axpby(a: number, x: NDArray, b: number, y: NDArray): NDArray {
  checkShapes(x, y);
  const data = new Float32Array(x.data.length);
  for (let i = 0; i < data.length; i++) data[i] = a * x.data[i] + b * y.data[i];
  return { data, shape: x.shape };
}

/** The sum of k·x over any number of terms, added up in double precision. */
export function weightedSum(...terms: readonly (readonly [k: number, x: NDArray])[]): NDArray {
  const [[, first]] = terms;
  for (const [, x] of terms) checkShapes(first, x);
  const data = new Float32Array(first.data.length);
  const sums = new Float64Array(data.length);
  for (const [k, { data: x }] of terms) {
    for (let i = 0; i < sums.length; i++) sums[i] += k * x[i];
  }
  data.set(sums);
  return { data, shape: first.shape };
}

/** Whether every element is 0. */
export function isZero(x: NDArray): boolean {
  return x.data.every((value) => value === 0);
}

function checkShapes(a: NDArray, b: NDArray): void {
  if (!sameShape(a.shape, b.shape)) {
    throw new RangeError(`shapes [${a.shape.join(', ')}] and [${b.shape.join(', ')}] differ`);
  }
}
