import { expect, it } from 'vitest';
import { providers } from '../../../engine/runtime/providers.ts';
import { createRuntime } from '../../../engine/runtime/runtime.ts';
import { linear } from '../../../engine/tensor/layers.ts';
import { type Program, trace } from '../../../engine/tensor/trace.ts';
import { memorySource } from '../../../engine/weights/source.ts';
import { randomBlocks } from '../../support/gguf.ts';

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
