import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, it } from 'vitest';
import { providers } from '../../../engine/runtime/providers.ts';
import { createRuntime } from '../../../engine/runtime/runtime.ts';
import { linear } from '../../../engine/tensor/layers.ts';
import { type Program, trace } from '../../../engine/tensor/trace.ts';
import { memorySource } from '../../../engine/weights/source.ts';
import { randomBlocks } from '../../support/gguf.ts';

const preparedFiles = (): string[] =>
  [tmpdir(), '/dev/shm']
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder))
    .filter((name) => name.startsWith(`noodle-weights-${process.pid}-`));

it('packs codes of four bits in large models, for a second copy where memory suffices', async () => {
  const bytes = randomBlocks('Q4_K', 8 * 512);
  const source = memorySource('blocks', 'blocks', [
    ['weight', { dtype: 'Q4_K', shape: [8, 512], bytes }],
  ]);
  const build = (): Program =>
    trace('blocks', source, ({ input, weights }) => ({
      y: linear(weights, input('x', 'f32', ['n', 512])),
    }));
  const codes = (8 * 512 * 6) / 8; // with what steps are worth and what is taken off
  const provider = { ...providers.cpu, widestBytes: 0 };
  for (const [memoryBudget, taken] of [
    [1e9, 2 * codes],
    [2 * codes - 1, codes],
  ]) {
    const runtime = createRuntime({ threads: 1, provider, memoryBudget });
    await runtime.session('a', build);
    expect(runtime.stats().bytes).toBe(taken);
    await runtime.unloadAll();
  }
});

it('runs in parts that are packed whenever they are opened, from files that go with the model', async () => {
  const layers = ['1', '2', '3', '4'];
  const source = memorySource(
    'chain',
    'chain',
    layers.map((name, i) => {
      const bytes = randomBlocks('Q4_K', 256 * 256, i + 1);
      return [`${name}.weight`, { dtype: 'Q4_K', shape: [256, 256], bytes }] as const;
    }),
  );
  const build = (): Program =>
    trace('chain', source, ({ input, weights }) => ({
      y: layers.reduce(
        (x, name) => weights.at(name).site({ x }, ({ x }) => linear(weights.at(name), x)),
        input('x', 'f32', ['n', 256]),
      ),
    }));
  const x = {
    data: Float32Array.from({ length: 3 * 256 }, (_, i) => Math.sin(i)),
    shape: [3, 256],
  };
  const wide = createRuntime({ threads: 1 });
  const { y: expected } = await (await wide.session('a', build)).run({ x });
  const most = expected.data.reduce((max, v) => Math.max(max, Math.abs(v)), 0);
  const codes = (256 * 256 * 6) / 8;
  const runtime = createRuntime({ threads: 1, memoryBudget: 3.5 * codes });
  const model = await runtime.session('a', build);
  for (let run = 0; run < 2; run++) {
    const { y } = await model.run({ x });
    const error = y.data.reduce((max, v, i) => Math.max(max, Math.abs(v - expected.data[i])), 0);
    expect(error).toBeLessThan(most * 1e-5);
  }
  const [{ bytes, streamed }] = runtime.stats().sessions;
  expect([bytes, streamed]).toEqual([3 * codes, 3 * codes]);
  await Promise.all([wide.unloadAll(), runtime.unloadAll()]);
  expect(preparedFiles()).toEqual([]);
});
