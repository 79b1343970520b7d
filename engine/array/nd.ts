/**
 * Host arrays: fp32 numbers in row-major order with a shape. Everything between model calls
 * (latents, images, masks, conditioning) is one of these; they are treated as immutable once shared.
 */
export interface NDArray {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

/** Number of elements of a shape; 1 for a scalar's empty shape. */
export function sizeOf(shape: readonly number[]): number {
  let size = 1;
  for (const dim of shape) size *= dim;
  return size;
}

/** Wraps `data` with `shape`; throws RangeError when the sizes disagree. */
export function nd(data: Float32Array, shape: readonly number[]): NDArray {
  if (data.length !== sizeOf(shape)) {
    throw new RangeError(
      `array of ${data.length} elements does not fit shape [${shape.join(', ')}]`,
    );
  }
  return { data, shape };
}

/** A new array of zeros. */
export function zeros(shape: readonly number[]): NDArray {
  return { data: new Float32Array(sizeOf(shape)), shape };
}

/** A new array filled with `value`. */
export function full(shape: readonly number[], value: number): NDArray {
  return { data: new Float32Array(sizeOf(shape)).fill(value), shape };
}

/** Same data under another shape of equal size (no copy). */
export function reshape(x: NDArray, shape: readonly number[]): NDArray {
  return nd(x.data, shape);
}

/** Whether two shapes are equal. */
export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((dim, i) => dim === b[i]);
}
