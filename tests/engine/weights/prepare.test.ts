import { describe, expect, it } from 'vitest';
import { layoutSize } from '../../../engine/weights/layout.ts';
import { blocked, cutTask } from '../../../engine/weights/prepare.ts';

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
  it.each([
    [{ shape: [1000, 1000], layout: { kind: 'float32' } }, 1],
    [{ shape: [64, 640, 3, 3], layout: { kind: 'blocked', block: 16 } }, 16 * 640 * 9],
    [{ shape: [0, 3], layout: { kind: 'stored' } }, 1],
  ] as const)('of %j cover every element once, in whole units', (task, unit) => {
    let at = 0;
    for (const { start, count } of cutTask(task)) {
      expect(start).toBe(at);
      expect(count % unit).toBe(0);
      at += count;
    }
    expect(at).toBe(task.shape.reduce<number>((n, dim) => n * dim, 1));
  });

  it('take the bytes of their layout', () => {
    expect(layoutSize({ kind: 'stored' }, 'f16', [3, 5])).toBe(30);
    expect(layoutSize({ kind: 'float32' }, 'f16', [3, 5])).toBe(60);
    expect(layoutSize({ kind: 'float16' }, 'f32', [3, 5])).toBe(30);
  });
});
