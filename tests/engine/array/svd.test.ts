import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { truncatedSvd } from '../../../engine/array/svd.ts';
import { createRuntime } from '../../../engine/runtime/runtime.ts';
import { factor } from '../../../engine/values/extract-lora.ts';

/** Small differences, their best approximations (torch.linalg.svd) and ComfyUI's factors multiplied. */
const cases = JSON.parse(
  readFileSync(join(import.meta.dirname, 'data/extract-lora.json'), 'utf8'),
) as readonly {
  readonly shape: readonly number[];
  readonly rank: number;
  readonly weight: number[];
  readonly best: number[];
}[];

function product(
  left: Float32Array,
  right: Float32Array,
  [rows, rank, columns]: readonly [number, number, number],
): Float32Array {
  const out = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let r = 0; r < rank; r++) {
      for (let c = 0; c < columns; c++) {
        out[i * columns + c] += left[i * rank + r] * right[r * columns + c];
      }
    }
  }
  return out;
}

const worst = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i])));

describe('truncatedSvd', () => {
  it.each(cases.map((one) => [one.shape.join('x'), one] as const))(
    'is the best approximation: %s',
    async (_, { shape, rank: wanted, weight, best }) => {
      const [rows, inputs] = shape;
      const columns = weight.length / rows;
      const rank = Math.min(wanted, rows, inputs);
      const { left, right } = await truncatedSvd(Float32Array.from(weight), [rows, columns], rank);
      expect(worst(product(left, right, [rows, rank, columns]), best)).toBeLessThan(1e-5);
    },
  );

  it('finds a matrix of low rank exactly, and directions of length 1', async () => {
    const [rows, rank, columns] = [300, 4, 200];
    const noise = (n: number, seed: number) =>
      Float32Array.from({ length: n }, (_, i) => Math.sin(i * 12.9898 + seed) * 2);
    const a = product(noise(rows * rank, 1), noise(rank * columns, 2), [rows, rank, columns]);
    const { left, right } = await truncatedSvd(a, [rows, columns], rank);
    expect(worst(product(left, right, [rows, rank, columns]), a)).toBeLessThan(1e-4);
    for (let r = 0; r < rank; r++) {
      const row = right.subarray(r * columns, (r + 1) * columns);
      expect(row.reduce((sum, x) => sum + x * x, 0)).toBeCloseTo(1, 5);
    }
  });

  it('of nothing is nothing', async () => {
    const { left, right } = await truncatedSvd(new Float32Array(12), [3, 4], 2);
    expect([...left, ...right].every((x) => x === 0)).toBe(true);
  });
});

describe('factors of a LoRA', () => {
  it('are cut off at the quantile of their numbers', async () => {
    const { shape, weight } = cases[0];
    const whole = await truncatedSvd(Float32Array.from(weight), [shape[0], shape[1]], 2);
    const runtime = createRuntime({ threads: 1 });
    const { up, down } = await factor(Float32Array.from(weight), shape, 2, runtime);
    const all = [...whole.left, ...whole.right].sort((a, b) => a - b);
    const place = 0.99 * (all.length - 1);
    const low = all[Math.floor(place)];
    const most = low + (all[Math.ceil(place)] - low) * (place % 1);
    const cut = (x: number) => Math.min(most, Math.max(-most, x));
    expect(worst(up, [...whole.left].map(cut))).toBeLessThan(1e-6);
    expect(worst(down, [...whole.right].map(cut))).toBeLessThan(1e-6);
  });
});
