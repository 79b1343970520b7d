import { expect, test } from 'vitest';
import { linear } from '../../../engine/tensor/layers.ts';
import { add, mul, relu, reshape, settle } from '../../../engine/tensor/nn.ts';
import { peakMemory } from '../../../engine/tensor/peak-memory.ts';
import { trace } from '../../../engine/tensor/trace.ts';
import { randomSource } from '../../support/random-weights.ts';

const source = randomSource({ weight: { shape: [8, 4], dtype: 'F32' } });

test('counts what is alive at once: not weights, not what has been read, not views', () => {
  const program = trace('p', source, ({ input, weights }) => {
    const x = input('x', 'f32', ['n', 4]);
    const wide = linear(weights, x); // [n, 8]
    const flat = reshape(relu(wide), [-1]);
    return { y: mul(add(flat, 1), 2) };
  });
  const rows = 100;
  // x and its wide result; then never more than two wide ones
  expect(peakMemory(program, { x: { shape: [rows, 4] } })).toBe(2 * rows * 8 * 4);
});

test('what is read later stays', () => {
  const program = trace('p', source, ({ input }) => {
    const x = input('x', 'f32', ['n']);
    const [a, b, c] = [add(x, 1), add(x, 2), add(x, 3)];
    return { y: add(add(a, b), c) };
  });
  expect(peakMemory(program, { x: { shape: [10] } })).toBe(4 * 10 * 4);
});

test('what comes back late stays until the program settles, and may take more', () => {
  const program = trace('p', source, ({ input }) => {
    const x = input('x', 'f32', ['n']);
    const first = settle(relu(relu(relu(x))));
    return { y: relu(relu(first)) };
  });
  const shapes = { x: { shape: [10] } };
  expect(peakMemory(program, shapes)).toBe(2 * 10 * 4);
  // x and three results until it settles; then the last of them with two more
  expect(peakMemory(program, shapes, { isLate: (bytes) => bytes >= 40 })).toBe(4 * 10 * 4);
  const options = { isLate: () => true, taken: (bytes: number) => 2 * bytes };
  expect(peakMemory(program, shapes, options)).toBe(2 * 4 * 10 * 4);
  expect(peakMemory(program, shapes, { isLate: (bytes) => bytes > 40 })).toBe(2 * 10 * 4);
});
