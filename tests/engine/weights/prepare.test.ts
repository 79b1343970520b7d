import { describe, expect, it } from 'vitest';
import { blocked, cutTasks, preparedSize } from '../../../engine/weights/prepare.ts';

describe('blocked filters', () => {
  it.each([
    [4, [8, 4, 3, 3]],
    [2, [4, 6, 1, 1]],
    [2, [2, 2, 1, 3]],
  ])('blocks of %i: %j lies as [o/B, i/B, ...kernel, B(i), B(o)]', (block, shape) => {
    const [outputs, inputs, h, w] = shape;
    const values = Float32Array.from({ length: outputs * inputs * h * w }, (_, i) => i);
    const result = blocked(values, shape, block);
    let to = 0;
    for (let ob = 0; ob < outputs; ob += block)
      for (let ib = 0; ib < inputs; ib += block)
        for (let tap = 0; tap < h * w; tap++)
          for (let i = ib; i < ib + block; i++)
            for (let o = ob; o < ob + block; o++) {
              expect(result[to++]).toBe((o * inputs + i) * h * w + tap);
            }
  });
});

describe('pieces', () => {
  it('cover every element once, blocked filters in whole rows of blocks', () => {
    const bytes = { kind: 'memory', bytes: new Uint8Array(0) } as const;
    const tasks = [
      { dtype: 'F16', shape: [1000, 1000], bytes, layout: { kind: 'float32' }, target: 0 },
      {
        dtype: 'F16',
        shape: [64, 640, 3, 3],
        bytes,
        layout: { kind: 'blocked', block: 16 },
        target: 0,
      },
      { dtype: 'F16', shape: [0, 3], bytes, layout: { kind: 'stored' }, target: 0 },
    ] as const;
    const pieces = cutTasks(tasks);
    for (const [index, { shape }] of tasks.entries()) {
      const own = pieces.filter(({ task }) => task === index);
      let at = 0;
      for (const { start, count } of own) {
        expect(start).toBe(at);
        at += count;
        if (index === 1) expect(count % (16 * 640 * 9)).toBe(0);
      }
      expect(at).toBe(shape.reduce<number>((n, dim) => n * dim, 1));
    }
    expect(tasks.map(preparedSize)).toEqual([4_000_000, 64 * 640 * 9 * 4, 0]);
  });
});
