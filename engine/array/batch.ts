/** Batch-axis (axis 0) and axis-wise joins and cuts of host arrays. */
import { type NDArray, nd, sizeOf } from './nd.ts';

/** Rows [start, end) of axis 0 (a view on the same memory: treat as read-only). */
export function rows(x: NDArray, start: number, end: number): NDArray {
  const rowSize = sizeOf(x.shape.slice(1));
  return nd(x.data.subarray(start * rowSize, end * rowSize), [end - start, ...x.shape.slice(1)]);
}

/** Joins arrays along `axis`; all other dimensions must agree. */
export function concat(parts: readonly NDArray[], axis = 0): NDArray {
  const first = parts[0].shape;
  for (const part of parts) {
    if (
      part.shape.length !== first.length ||
      part.shape.some((d, i) => i !== axis && d !== first[i])
    ) {
      throw new RangeError(
        `cannot join [${first.join(', ')}] and [${part.shape.join(', ')}] along axis ${axis}`,
      );
    }
  }
  const outer = sizeOf(first.slice(0, axis));
  const chunks = parts.map((part) => sizeOf(part.shape.slice(axis)));
  const stride = chunks.reduce((sum, size) => sum + size, 0);
  const data = new Float32Array(outer * stride);
  let offset = 0;
  parts.forEach((part, p) => {
    for (let i = 0; i < outer; i++) {
      data.set(part.data.subarray(i * chunks[p], (i + 1) * chunks[p]), i * stride + offset);
    }
    offset += chunks[p];
  });
  const shape = [...first];
  shape[axis] = parts.reduce((sum, part) => sum + part.shape[axis], 0);
  return nd(data, shape);
}

/** The batch repeated as a whole until it has `count` rows, then cut (torch's repeat, then slice). */
export function repeatToBatch(x: NDArray, count: number): NDArray {
  if (x.shape[0] === count) return x;
  const rowSize = sizeOf(x.shape.slice(1));
  const data = new Float32Array(count * rowSize);
  for (let i = 0; i < count; i++) {
    const from = (i % x.shape[0]) * rowSize;
    data.set(x.data.subarray(from, from + rowSize), i * rowSize);
  }
  return nd(data, [count, ...x.shape.slice(1)]);
}

/** Slice [start, end) along `axis` (copies). */
export function sliceAxis(x: NDArray, axis: number, start: number, end: number): NDArray {
  const outer = sizeOf(x.shape.slice(0, axis));
  const inner = sizeOf(x.shape.slice(axis + 1));
  const dim = x.shape[axis];
  const count = end - start;
  const data = new Float32Array(outer * count * inner);
  for (let i = 0; i < outer; i++) {
    const from = (i * dim + start) * inner;
    data.set(x.data.subarray(from, from + count * inner), i * count * inner);
  }
  const shape = [...x.shape];
  shape[axis] = count;
  return nd(data, shape);
}

/** The items of `axis` with these indices, in their order; one may come more than once (copies). */
export function take(x: NDArray, axis: number, indices: readonly number[]): NDArray {
  const outer = sizeOf(x.shape.slice(0, axis));
  const inner = sizeOf(x.shape.slice(axis + 1));
  const data = new Float32Array(outer * indices.length * inner);
  for (let i = 0; i < outer; i++) {
    indices.forEach((index, k) => {
      const from = (i * x.shape[axis] + index) * inner;
      data.set(x.data.subarray(from, from + inner), (i * indices.length + k) * inner);
    });
  }
  const shape = [...x.shape];
  shape[axis] = indices.length;
  return nd(data, shape);
}
