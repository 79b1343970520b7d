import { expect, test } from 'vitest';
import { mirrorPad } from '../../../engine/array/mirror-pad.ts';
import { nd } from '../../../engine/array/nd.ts';

const row = nd(Float32Array.of(1, 2, 3), [1, 1, 1, 3]);

test('mirrors about the last place, then repeats the first', () => {
  expect([...mirrorPad(row, 1, 8).data]).toEqual([1, 2, 3, 2, 1, 1, 1, 1]);
  expect([...mirrorPad(row, 2, 4).data]).toEqual([1, 2, 3, 2, 1, 2, 3, 2]);
});

test('what is large enough stays as it is', () => {
  expect(mirrorPad(row, 1, 3)).toBe(row);
});
