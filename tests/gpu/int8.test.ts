/** Weights in blocks of whole numbers on an adapter. */
import { describe, expect, inject, it } from 'vitest';
import { psnr } from '../../engine/array/psnr.ts';
import { inSteps } from '../../engine/runtime/provider.ts';
import { deviceKinds, providers } from '../../engine/runtime/providers.ts';
import { openSession } from '../../engine/runtime/session.ts';
import { linear } from '../../engine/tensor/layers.ts';
import { concat, chunk, mul } from '../../engine/tensor/nn.ts';
import { interpret } from '../../engine/tensor/interpret.ts';
import { trace } from '../../engine/tensor/trace.ts';
import { drawHouse } from '../support/draw-scene.ts';
import { randomFloats, randomSource } from '../support/random-weights.ts';

const provider = inSteps(deviceKinds.webgpu.int8.provider);

describe.skipIf(!inject('precisions').includes('fp16'))('int8', () => {
  it('linear layers, whole and in halves, are those of real weights to about a hundredth', async () => {
    const source = randomSource({
      'a.weight': [512, 192],
      'a.bias': [512],
      'b.weight': [256, 192],
    });
    const program = trace('linear', source, ({ input, weights }) => {
      const x = input('x', 'f32', ['n', 'rows', 192]);
      const [value, gate] = chunk(linear(weights.at('a'), x), 2, 2);
      return { y: concat([mul(value, gate), linear(weights.at('b'), x)], 2) };
    });
    const inputs = { x: { data: randomFloats(2 * 77 * 192, 5), shape: [2, 77, 192] } };
    const session = await openSession(program, { provider });
    const { y } = await session.run(inputs);
    await session.release();
    const expected = (await interpret(program, inputs)).y.data;
    const power = (values: Float32Array): number => values.reduce((sum, v) => sum + v ** 2, 0);
    const off = power(y.data.map((v, i) => v - expected[i])) / power(Float32Array.from(expected));
    expect(Math.sqrt(off)).toBeLessThan(1e-2);
    expect(Math.sqrt(off)).toBeGreaterThan(1e-3); // else they are real
  });

  it('the bundled model draws the picture of the CPU', async () => {
    const [got, expected] = [await drawHouse(provider, 4), await drawHouse(providers.cpu, 4)];
    expect(psnr(got.data, expected.data)).toBeGreaterThan(40);
  });
});
