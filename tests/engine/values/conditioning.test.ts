import { describe, expect, test } from 'vitest';
import { nd } from '../../../engine/array/nd.ts';
import {
  averageConditioning,
  concatConditioning,
  withValues,
  zeroOut,
} from '../../../engine/values/conditioning.ts';

const entry = (cross: readonly number[], width: number, pooled?: readonly number[]) => ({
  cross: nd(Float32Array.from(cross), [1, cross.length / width, width]),
  ...(pooled && { pooled: nd(Float32Array.from(pooled), [1, pooled.length]) }),
});

describe('conditioning', () => {
  test('concat joins tokens and keeps the pooled output of the first', () => {
    const [joined] = concatConditioning([entry([1, 2], 2, [9])], [entry([3, 4, 5, 6], 2, [8])]);
    expect(joined.cross).toEqual(nd(Float32Array.of(1, 2, 3, 4, 5, 6), [1, 3, 2]));
    expect([...joined.pooled!.data]).toEqual([9]);
  });

  test('average pads or cuts the second to the first', () => {
    const long = entry([2, 2, 4, 4], 2, [4]);
    const short = entry([0, 8], 2, [0]);
    const [padded] = averageConditioning([long], [short], 0.5);
    expect([...padded.cross.data]).toEqual([1, 5, 2, 2]);
    expect([...padded.pooled!.data]).toEqual([2]);
    const [cut] = averageConditioning([short], [long], 0.75);
    expect([...cut.cross.data]).toEqual([0.5, 6.5]);
  });

  test('average takes the pooled output that is there', () => {
    const [mixed] = averageConditioning([entry([1, 1], 2)], [entry([0, 0], 2, [4])], 0.5);
    expect([...mixed.pooled!.data]).toEqual([4]);
  });

  test('embeddings of different encoders do not mix', () => {
    expect(() => concatConditioning([entry([1, 2], 2)], [entry([1, 2, 3], 3)])).toThrow(
      'expected text width 2, got 3',
    );
    expect(() => concatConditioning([entry([1, 2], 2)], [])).toThrow('at least one entry');
  });

  test('zero out and set values change copies', () => {
    const original = [entry([1, 2], 2, [3])];
    const [zeroed] = zeroOut(original);
    expect([...zeroed.cross.data, ...zeroed.pooled!.data]).toEqual([0, 0, 0]);
    expect(withValues(original, { strength: 2 })[0].strength).toBe(2);
    expect([...original[0].cross.data]).toEqual([1, 2]);
    expect(original[0]).not.toHaveProperty('strength');
  });
});
