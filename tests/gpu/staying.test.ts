/** Results that stay on the device: fed from there, they give what the way over the host gives. */
import { expect, it } from 'vitest';
import { createRuntime } from '../../engine/runtime/runtime.ts';
import { add, matmul, mul } from '../../engine/tensor/nn.ts';
import { trace } from '../../engine/tensor/trace.ts';
import { randomFloats, randomSource } from '../support/random-weights.ts';
import { onAdapter } from './adapter.ts';

const source = randomSource({ weight: [8, 8] });
const first = () =>
  trace('first', source, ({ input, weights }) => {
    const x = input('x', 'f32', ['n', 8]);
    return { doubled: mul(x, 2), product: matmul(x, weights.param('weight')) };
  });
const second = () =>
  trace('second', source, ({ input }) => ({
    sum: add(input('doubled', 'f32', ['n', 8]), input('product', 'f32', ['n', 8])),
  }));

onAdapter((_, provider) => {
  it('feeds one session with what another left there', async () => {
    const runtime = createRuntime({ provider });
    const [plain, feeder, reader] = [
      await runtime.session('a', first),
      await runtime.feeder('a', first),
      await runtime.session('b', second),
    ];
    // in another size each time: a session serves all
    for (const n of [3, 5, 3]) {
      const x = { data: randomFloats(n * 8, n), shape: [n, 8] };
      const staying = await feeder.run({ x });
      const shapes = Object.values(staying).map(({ shape }) => shape);
      expect(shapes).toEqual([
        [n, 8],
        [n, 8],
      ]);
      expect(Object.values(staying).every((value) => 'tensor' in value)).toBe(true);
      const { sum } = await reader.run(staying);
      for (const value of Object.values(staying)) if ('release' in value) value.release();
      expect(sum).toEqual((await reader.run(await plain.run({ x }))).sum);
      await expect(reader.run(staying)).rejects.toThrow();
    }
    await runtime.unloadAll();
  });

  it('keeps a session until nothing of it is left, though it was released', async () => {
    const runtime = createRuntime({ provider });
    const x = { data: randomFloats(24, 1), shape: [3, 8] };
    const expected = (await (await runtime.session('a', first)).run({ x })).doubled;
    const { doubled, product } = await (await runtime.feeder('a', first)).run({ x });
    await runtime.unloadAll();
    const twice = () =>
      trace('twice', source, ({ input }) => ({ y: mul(input('x', 'f32', ['n', 8]), 1) }));
    const reader = await runtime.session('c', twice);
    expect((await reader.run({ x: doubled })).y).toEqual(expected);
    for (const value of [doubled, product]) if ('release' in value) value.release();
    expect((await reader.run({ x })).y).toEqual(x);
    await runtime.unloadAll();
  });
});
