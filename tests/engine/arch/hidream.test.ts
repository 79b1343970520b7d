import { describe, expect, test } from 'vitest';
import { interpret } from '../../../engine/tensor/interpret.ts';
import { type WeightSource, memorySource } from '../../../engine/weights/source.ts';
import { floatTensor } from '../../../engine/weights/write.ts';
import { randomFloats, randomTensors } from '../../support/random-weights.ts';
import { hidreamShapes, tinyHiDream } from '../../support/tiny-hidream.ts';

type Change = (key: string, size: number) => Float32Array | undefined;

function source(change: Change = () => undefined): WeightSource {
  const tensors = randomTensors(hidreamShapes);
  for (const [key, shape] of Object.entries(hidreamShapes)) {
    const size = shape.reduce((n, dim) => n * dim, 1);
    const other = change(key, size);
    if (other) tensors.set(key, floatTensor(other, shape, 'F32'));
  }
  return memorySource('hidream', 'hidream', tensors);
}

const array = (shape: readonly number[], seed: number) => ({
  shape,
  data: randomFloats(
    shape.reduce((n, dim) => n * dim, 1),
    seed,
  ),
});

async function run(from: WeightSource, inputs: Readonly<Record<string, ReturnType<typeof array>>>) {
  const given = new Set(Object.keys(inputs));
  const program = tinyHiDream(from, given);
  return (await interpret(program, inputs)).out;
}

const told = {
  timesteps: { shape: [1], data: Float32Array.of(400) },
  cross: array([1, 3, 7], 2),
  pooled: array([1, 6], 3),
  states: array([1, 2, 2, 5], 4),
};

describe('HiDream', () => {
  test('a picture to change stands to the right of the one that is made', async () => {
    const [rows, own, other] = [4, 4, 6];
    const [x, beside] = [array([1, 2, rows, own], 5), array([1, 2, rows, other], 6)];
    const wide = new Float32Array(2 * rows * (own + other));
    for (let row = 0; row < 2 * rows; row++) {
      wide.set(x.data.subarray(row * own, (row + 1) * own), row * (own + other));
      wide.set(beside.data.subarray(row * other, (row + 1) * other), row * (own + other) + own);
    }
    const from = source();
    const changed = await run(from, { ...told, x, beside });
    const whole = await run(from, {
      ...told,
      x: { shape: [1, 2, rows, own + other], data: wide },
    });
    const left = Array.from(whole.data).filter((_, i) => i % (own + other) < own);
    expect(changed.shape).toEqual([1, 2, rows, own]);
    expect(Array.from(changed.data)).toEqual(left);
  });

  test('the two best experts count, of equal ones the first, whatever the others say', async () => {
    const gates: Change = (key, size) =>
      key.endsWith('gate.weight') ? new Float32Array(size) : undefined;
    const x = array([1, 2, 4, 4], 5);
    const expected = await run(source(gates), { ...told, x });
    const filled = (experts: RegExp, value: number) =>
      source((key, size) =>
        experts.test(key) ? new Float32Array(size).fill(value) : gates(key, size),
      );
    const others = await run(filled(/experts\.[23]\.w2/, NaN), { ...told, x });
    expect(others.data).toEqual(expected.data);
    const own = await run(filled(/experts\.1\.w2/, 0), { ...told, x });
    expect(own.data).not.toEqual(expected.data);
  });
});
