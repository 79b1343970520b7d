import { expect, test } from 'vitest';
import { nd } from '../../../engine/array/nd.ts';
import { resizeBatch } from '../../../engine/values/resize-condition.ts';

const rows = (...values: number[]) => nd(Float32Array.from(values), [values.length, 1]);

// oracle: comfy.utils.resize_to_batch_size of ComfyUI 0.3.64
test.each([
  [[1, 2], 2, [1, 2]],
  [[1, 2], 1, [1]],
  [[1, 2], 5, [1, 1, 2, 2, 2]],
  [[1, 2, 3], 7, [1, 1, 2, 2, 2, 3, 3]],
  [[1, 2, 3, 4, 5], 3, [1, 3, 5]],
  [[1, 2, 3, 4], 3, [1, 3, 4]],
])('%j as a batch of %i', (values, count, expected) => {
  expect([...resizeBatch(rows(...values), count).data]).toEqual(expected);
});
