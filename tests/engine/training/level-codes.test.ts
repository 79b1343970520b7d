import { describe, expect, it } from 'vitest';
import { TorchGenerator } from '../../../engine/sampling/noise/torch-generator.ts';
import { levelCodes } from '../../../engine/training/optimizers/level-codes.ts';
import { dynamicLevels, unsignedDynamicLevels } from '../../../engine/weights/code-tables.ts';

/** The level nearest to a share, by looking at all. */
const nearest = (levels: Float32Array, share: number): number =>
  levels.reduce((best, level) => (Math.abs(level - share) < Math.abs(best - share) ? level : best));

describe.each([
  ['signed', dynamicLevels, (x: number) => x],
  ['unsigned', unsignedDynamicLevels, (x: number) => x * x],
])('%s levels', (_, levels, of) => {
  const type = levelCodes(levels);

  it('are 256 in rising order with 0 and 1', () => {
    expect(new Set(levels).size).toBe(256);
    expect(levels).toEqual(levels.slice().sort());
    expect(levels.includes(0)).toBe(true);
    expect(levels[255]).toBe(1);
  });

  it('come back from their own codes', () => {
    const codes = new Uint8Array(256);
    expect(type.pack(levels, codes)).toBe(1);
    expect(codes).toEqual(Uint8Array.from({ length: 256 }, (_, i) => i));
  });

  it('are the nearest, at every magnitude', () => {
    const normals = new TorchGenerator(1n).randn([256]).data;
    const numbers = normals.map((x, i) => of(x * 10 ** -(i % 8)));
    const codes = new Uint8Array(256);
    const largest = type.pack(numbers, codes);
    expect(largest).toBe(Math.max(...numbers.map(Math.abs)));
    const got = new Float32Array(256);
    type.unpack(codes, largest, got);
    const expected = numbers.map((x) => nearest(levels, Math.fround(x / largest)) * largest);
    expect(got).toEqual(expected);
  });

  it('stand for 0 in a block of zeros', () => {
    const codes = new Uint8Array(3).fill(9);
    expect(type.pack(new Float32Array(3), codes)).toBe(0);
    const got = new Float32Array(3).fill(1);
    type.unpack(codes, 0, got);
    expect(got.every((x) => x === 0)).toBe(true);
  });
});
