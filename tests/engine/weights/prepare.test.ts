import { describe, expect, it } from 'vitest';
import { f16ToFloat } from '../../../engine/weights/float.ts';
import { layoutSize } from '../../../engine/weights/layout.ts';
import { floatTensor } from '../../../engine/weights/write.ts';
import { cutTask } from '../../../engine/weights/prepare.ts';
import { firstDifference, prepareInMemory, preparedFloats } from '../../support/prepare.ts';

describe('blocked filters', () => {
  it.each([
    [4, [8, 4, 3, 3]],
    [8, [16, 24, 1, 1]],
    [16, [32, 16, 1, 3]],
    [16, [32, 1024, 3, 3]],
  ])('blocks of %i: %j lies as [o/B, i/B, ...kernel, B(i), B(o)]', (block, shape) => {
    const [outputs, inputs, h, w] = shape;
    const values = Float32Array.from({ length: outputs * inputs * h * w }, (_, i) => i);
    const task = { dtype: 'F32', shape, layout: { kind: 'blocked', block } } as const;
    const result = preparedFloats(task, new Uint8Array(values.buffer));
    const expected = new Float32Array(values.length);
    let to = 0;
    for (let ob = 0; ob < outputs; ob += block)
      for (let ib = 0; ib < inputs; ib += block)
        for (let tap = 0; tap < h * w; tap++)
          for (let i = ib; i < ib + block; i++)
            for (let o = ob; o < ob + block; o++) {
              expected[to++] = (o * inputs + i) * h * w + tap;
            }
    expect(firstDifference(result, expected)).toBe(-1);
  });

  it.each(['F16', 'BF16'] as const)('stay %s where they are to lie narrow', (dtype) => {
    const shape = [32, 48, 3, 3];
    const codes = Uint16Array.from({ length: 32 * 48 * 9 }, (_, i) => (i * 7919) & 0xffff);
    const layout = { kind: 'blocked', block: 16 } as const;
    const narrow = { ...layout, narrow: true } as const;
    const result = prepareInMemory({ dtype, shape, layout: narrow }, bytesOf(codes));
    expect(result.byteLength).toBe(codes.byteLength);
    const moved = new Uint16Array(result.buffer, result.byteOffset, codes.length);
    const places = Float32Array.from(codes, (_, i) => i);
    const order = preparedFloats({ dtype: 'F32', shape, layout }, new Uint8Array(places.buffer));
    const expected = Uint16Array.from(order, (place) => codes[place]);
    expect(firstDifference(moved, expected)).toBe(-1);
  });
});

describe('transposed matrices', () => {
  it.each([
    ['F32', 'f32', [70, 45]],
    ['F32', 'f16', [70, 45]],
    ['F16', 'f16', [70, 45]],
    ['BF16', 'f32', [70, 45]],
    ['F16', 'f16', [100, 9001]], // more than one piece
    ['F8_E4M3', 'f16', [500, 1030]],
  ] as const)('of %s lie as [i, o] in %s (%j)', (dtype, type, shape) => {
    const [rows, columns] = shape;
    // exact in all types
    const values = Float32Array.from({ length: rows * columns }, (_, i) =>
      dtype === 'F8_E4M3' ? i % 15 : i % 251,
    );
    const { bytes } = floatTensor(values, shape, dtype);
    const layout = { kind: 'transposed', type } as const;
    const laid = prepareInMemory({ dtype, shape, layout }, bytes);
    const result =
      type === 'f32' ? new Float32Array(laid.buffer) : f16ToFloat(new Uint16Array(laid.buffer));
    const expected = Float32Array.from(
      values,
      (_, at) => values[(at % rows) * columns + Math.floor(at / rows)],
    );
    expect(firstDifference(result, expected)).toBe(-1);
  });
});

describe('blocks of whole numbers', () => {
  it('are within half a step of each block, with the steps apart', () => {
    const shape = [70, 4096]; // more than one piece
    const values = Float32Array.from(
      { length: 70 * 4096 },
      (_, i) => Math.sin(i * i) / (1 + (i % 97)),
    );
    values.fill(0, 64, 96);
    const { bytes } = floatTensor(values, shape, 'F32');
    const prepared = (kind: 'int8Blocks' | 'int8BlockSteps'): Uint8Array =>
      prepareInMemory({ dtype: 'F32', shape, layout: { kind } }, bytes);
    const numbers = prepared('int8Blocks');
    const steps = f16ToFloat(new Uint16Array(prepared('int8BlockSteps').buffer));
    expect([numbers.length, steps.length]).toEqual([values.length, values.length / 32]);
    const worst = values.reduce((most, value, i) => {
      const step = steps[Math.floor(i / 32)];
      return Math.max(most, Math.abs(value - step * (numbers[i] - 128)) / (step || 1));
    }, 0);
    expect(worst).toBeLessThan(0.57); // a step that was rounded down may not reach the largest number
  });
});

describe('filters with their channels last', () => {
  it.each(['f16', 'f32'] as const)('lie as [o, ...kernel, i] in %s', (type) => {
    const shape = [640, 64, 3, 3]; // more than one piece
    const [, inputs, h, w] = shape;
    const values = Float32Array.from({ length: 640 * inputs * h * w }, (_, i) => i % 2003);
    const task = { dtype: 'F32', shape, layout: { kind: 'channelsLast', type } } as const;
    const bytes = prepareInMemory(task, new Uint8Array(values.buffer));
    const result =
      type === 'f32' ? new Float32Array(bytes.buffer) : f16ToFloat(new Uint16Array(bytes.buffer));
    const expected = Float32Array.from(values, (_, at) => {
      const i = at % inputs;
      const tap = Math.floor(at / inputs) % (h * w);
      const o = Math.floor(at / (inputs * h * w));
      return values[(o * inputs + i) * h * w + tap];
    });
    expect(firstDifference(result, expected)).toBe(-1);
    expect(layoutSize(task.layout, 'f32', shape)).toBe(bytes.byteLength);
  });

  it('are moved as they are where they are halves already', () => {
    const shape = [2, 3, 1, 2];
    const codes = Uint16Array.from({ length: 12 }, (_, i) => 0x3c00 + i);
    const task = { dtype: 'F16', shape, layout: { kind: 'channelsLast', type: 'f16' } } as const;
    const result = new Uint16Array(prepareInMemory(task, bytesOf(codes)).buffer);
    const order = [0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11];
    expect(result).toEqual(Uint16Array.from(order, (from) => codes[from]));
  });
});

describe('pieces', () => {
  it.each([
    [{ shape: [1000, 1000], layout: { kind: 'float32' } }, 1],
    [{ shape: [64, 640, 3, 3], layout: { kind: 'blocked', block: 16 } }, 16 * 640 * 9],
    [{ shape: [640, 64, 3, 3], layout: { kind: 'channelsLast', type: 'f16' } }, 64 * 9],
    [{ shape: [300, 9001], layout: { kind: 'transposed', type: 'f16' } }, 9001],
    [{ shape: [0, 3], layout: { kind: 'stored' } }, 1],
  ] as const)('of %j cover every element once, in whole units', (task, unit) => {
    let at = 0;
    for (const { start, count } of cutTask({ dtype: 'F32', ...task })) {
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

describe('widened numbers', () => {
  const every = Uint16Array.from({ length: 65536 }, (_, code) => code);
  const layout = { kind: 'float32' } as const;

  it('are those of every half float', () => {
    const floats = preparedFloats({ dtype: 'F16', shape: [256, 256], layout }, bytesOf(every));
    expect(firstDifference(floats, f16ToFloat(every))).toBe(-1);
  });

  it('are those of every bfloat16, to the bit', () => {
    const floats = prepareInMemory({ dtype: 'BF16', shape: [65536], layout }, bytesOf(every));
    const bits = new Uint32Array(floats.buffer);
    expect(
      firstDifference(
        bits,
        Uint32Array.from(every, (code) => code << 16),
      ),
    ).toBe(-1);
  });

  it.each([1, 2, 3, 5, 2 ** 18 + 3])('of %i halves are written, and no more', (size) => {
    const codes = Uint16Array.from({ length: size }, (_, i) => (i * 7919) & 0x7bff);
    const task = { dtype: 'F16', shape: [size], layout } as const;
    const floats = preparedFloats(task, bytesOf(codes));
    expect(firstDifference(floats, f16ToFloat(codes))).toBe(-1);
  });

  it.each([
    ['F64', Float64Array.of(1.5, -2, 1e-3), [1.5, -2, 1e-3]],
    ['I64', BigInt64Array.of(3n, -4n, 5n), [3, -4, 5]],
    ['U8', Uint8Array.of(3, 255, 0), [3, 255, 0]],
    ['F8_E4M3', Uint8Array.of(0x38, 0xb8, 0x7e), [1, -1, 448]],
  ] as const)('of %s', (dtype, stored, expected) => {
    const floats = preparedFloats({ dtype, shape: [3], layout }, bytesOf(stored));
    expect(floats).toEqual(Float32Array.from(expected));
  });
});

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);
