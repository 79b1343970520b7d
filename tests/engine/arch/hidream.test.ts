import { describe, expect, test } from 'vitest';
import { hiDream } from '../../../engine/arch/families/hidream.ts';
import { detectHiDream } from '../../../engine/arch/hidream.ts';
import { openWeights } from '../../../engine/tensor/cursor.ts';
import { interpret } from '../../../engine/tensor/interpret.ts';
import { trace } from '../../../engine/tensor/trace.ts';
import { type WeightSource, memorySource } from '../../../engine/weights/source.ts';
import { floatTensor } from '../../../engine/weights/write.ts';
import { randomFloats, randomTensors } from '../../support/random-weights.ts';

const width = 16;
const inner = 8;

type Shapes = Readonly<Record<string, readonly number[]>>;

const joined = (parts: readonly Shapes[]): Shapes =>
  Object.fromEntries(parts.flatMap((part) => Object.entries(part)));

const feed = (at: string): Shapes => ({
  [`${at}.w1.weight`]: [inner, width],
  [`${at}.w2.weight`]: [width, inner],
  [`${at}.w3.weight`]: [inner, width],
});

const dense = (at: string, out: number, from: number): Shapes => ({
  [`${at}.weight`]: [out, from],
  [`${at}.bias`]: [out],
});

const attention = (at: string, end: string): Shapes => ({
  ...joined(
    ['to_q', 'to_k', 'to_v', 'to_out'].map((name) => dense(`${at}.${name}${end}`, width, width)),
  ),
  [`${at}.q_rms_norm${end}.weight`]: [width],
  [`${at}.k_rms_norm${end}.weight`]: [width],
});

const block = (at: string, ends: readonly string[]): Shapes => ({
  ...dense(`${at}.adaLN_modulation.1`, 6 * ends.length * width, width),
  ...joined(ends.map((end) => attention(`${at}.attn1`, end))),
  [`${at}.ff_i.gate.weight`]: [4, width],
  ...feed(`${at}.ff_i.shared_experts`),
  ...joined([0, 1, 2, 3].map((i) => feed(`${at}.ff_i.experts.${i}`))),
  ...(ends.length > 1 ? feed(`${at}.ff_t`) : {}),
});

const shapes: Shapes = {
  ...dense('t_embedder.timestep_embedder.linear_1', width, 256),
  ...dense('t_embedder.timestep_embedder.linear_2', width, width),
  ...dense('p_embedder.pooled_embedder.linear_1', width, 6),
  ...dense('p_embedder.pooled_embedder.linear_2', width, width),
  ...dense('x_embedder.proj', width, 8),
  'caption_projection.0.linear.weight': [width, 5],
  'caption_projection.1.linear.weight': [width, 5],
  'caption_projection.2.linear.weight': [width, 7],
  ...block('double_stream_blocks.0.block', ['', '_t']),
  ...block('single_stream_blocks.0.block', ['']),
  ...dense('final_layer.adaLN_modulation.1', 2 * width, width),
  ...dense('final_layer.linear', 8, width),
};

type Change = (key: string, size: number) => Float32Array | undefined;

function source(change: Change = () => undefined): WeightSource {
  const tensors = randomTensors(shapes);
  for (const [key, shape] of Object.entries(shapes)) {
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
  const config = { ...detectHiDream(openWeights(from))!, heads: 2, axes: [4, 2, 2] };
  const given = new Set(Object.keys(inputs));
  const program = trace('hidream', from, (g) => hiDream.network(g, config, given));
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
