/** Linear layers on weights in codes on an adapter. Oracle: the host interpreter, on weights read number by number. */
import { expect, it } from 'vitest';
import { lower } from '../../engine/onnx/lower.ts';
import { estimateMemory } from '../../engine/runtime/memory.ts';
import { openSession } from '../../engine/runtime/session.ts';
import { interpret } from '../../engine/tensor/interpret.ts';
import { linear } from '../../engine/tensor/layers.ts';
import { add, chunk } from '../../engine/tensor/nn.ts';
import { trace } from '../../engine/tensor/trace.ts';
import { type BlockName, blockTypes } from '../../engine/weights/blocks.ts';
import type { Scales, WeightEntry } from '../../engine/weights/source.ts';
import { randomBlocks } from '../support/gguf.ts';
import { randomFloats } from '../support/random-weights.ts';
import { onAdapter } from './adapter.ts';

const [outputs, width] = [64, 512];

const entry = (
  dtype: string,
  shape: readonly number[],
  bytes: Uint8Array,
  scales?: Scales,
): WeightEntry => ({
  name: 'stored',
  dtype,
  shape,
  byteLength: bytes.byteLength,
  bytes: { kind: 'memory', bytes },
  ...(scales && { scales }),
});

const reals = (values: Float32Array, shape: readonly number[]): WeightEntry =>
  entry('F32', shape, new Uint8Array(values.buffer));

const stored = (dtype: string, bytes: Uint8Array, scales?: Scales): WeightEntry =>
  entry(dtype, [outputs, width], bytes, scales);

const scale = (shape: readonly number[]): WeightEntry =>
  reals(
    randomFloats(shape[0] ?? 1, 9).map((v) => (2 + v) / 1000),
    shape,
  );

const codes = Uint8Array.from({ length: outputs * width }, (_, i) => (i * 37) % 256);

const weights: Readonly<Record<string, WeightEntry>> = {
  ...Object.fromEntries(
    (Object.keys(blockTypes) as BlockName[]).map((name) => [
      name,
      stored(name, randomBlocks(name, outputs * width)),
    ]),
  ),
  'eight bits, one scale': stored('I8', codes, { by: scale([]) }),
  'eight bits, a scale for each row': stored('I8', codes, { by: scale([outputs]) }),
};

/** A whole layer of rows, the second half of the same, and a layer of a row. */
const layers = (weight: WeightEntry) =>
  trace(
    'layers',
    {
      label: 'codes',
      identity: 'codes',
      tensors: new Map([
        ['layer.weight', weight],
        ['layer.bias', reals(randomFloats(outputs, 3), [outputs])],
      ]),
    },
    ({ weights: w, input }) => {
      const x = input('x', 'f32', ['batch', 'rows', width]);
      const at = w.at('layer');
      const [, half] = chunk(linear(at, x), 2, -1);
      return {
        half,
        row: linear(at, input('row', 'f32', ['batch', width])),
        all: add(linear(at, x), 0),
      };
    },
  );

/** Root of the mean square of the difference, as a share of that of the answer. */
const tolerances = { fp32: 1e-5, fp16: 4e-3 } as const;

onAdapter((precision, provider) => {
  it.each(Object.keys(weights))('%s', async (name) => {
    const program = layers(weights[name]);
    const inputs = {
      x: { data: randomFloats(2 * 33 * width, 5), shape: [2, 33, width] },
      row: { data: randomFloats(2 * width, 6), shape: [2, width] },
    };
    const { nodes } = lower(program, provider);
    const products = nodes.filter(({ op }) => op === 'MatMulNBits');
    expect(products.length).toBe(3);
    expect(estimateMemory(program, provider)).toBeLessThan(outputs * width * 1.35 + 4 * outputs);
    const session = await openSession(program, { provider });
    const got = await session.run(inputs);
    await session.release();
    for (const [output, { data }] of Object.entries(await interpret(program, inputs))) {
      const power = (values: Float32Array): number => values.reduce((sum, v) => sum + v ** 2, 0);
      const expected = Float32Array.from(data);
      const off = power(got[output].data.map((v, i) => v - expected[i])) / power(expected);
      expect(Math.sqrt(off), output).toBeLessThan(tolerances[precision]);
    }
  });
});
