import { describe, expect, it } from 'vitest';
import { type NDArray, full, zeros } from '../../../engine/array/nd.ts';
import { evaluate } from '../../../engine/sampling/evaluate.ts';
import { latentFormat } from '../../../engine/sampling/latent/formats.ts';
import type { CondTensor, DiffusionModel, ModelInput } from '../../../engine/sampling/model.ts';
import { createModelSampling } from '../../../engine/sampling/model-sampling.ts';
import type { NetworkChange } from '../../../engine/sampling/conditioning.ts';
import { runMemory } from '../../support/run-memory.ts';
import type { PreparedEntry } from '../../../engine/sampling/prepared.ts';

const cell = (value: number, shape: readonly number[]): NDArray => full(shape, value);

/** A network that writes down what it was asked and answers 0. */
function listening(): { model: DiffusionModel; calls: ModelInput[] } {
  const calls: ModelInput[] = [];
  const model: DiffusionModel = {
    modelSampling: createModelSampling({ prediction: 'eps', schedule: {} }),
    latentFormat: latentFormat('SD15'),
    encodeConditioning: () => Promise.resolve({}),
    apply(input) {
      calls.push(input);
      return Promise.resolve(zeros(input.x.shape));
    },
    bestBatch: () => 16,
  };
  return { model, calls };
}

const entry = (
  encoded: Record<string, CondTensor>,
  more: Partial<PreparedEntry> & { hooks?: NetworkChange } = {},
): PreparedEntry => ({
  entry: { cross: cell(0, [1, 1, 1]), ...(more.hooks && { changes: { hooks: more.hooks } }) },
  encoded,
  startSigma: Infinity,
  endSigma: -Infinity,
  ...(more.box && { box: more.box }),
});

const x = zeros([1, 4, 16, 16]);
const ask = (model: DiffusionModel, lists: PreparedEntry[][]): Promise<NDArray[]> =>
  evaluate(model, lists, x, {
    sigma: 1,
    signal: undefined,
    run: runMemory(),
  });

describe('evaluate', () => {
  it('repeats what lies along tokens, whatever its name, and keeps apart what does not fit', async () => {
    const along = (tokens: number, kind: CondTensor['along']): PreparedEntry =>
      entry({ text: { value: cell(1, [1, tokens, 3]), along: kind } });
    const joined = listening();
    await ask(joined.model, [[along(2, 'tokens')], [along(3, 'tokens')]]);
    expect(joined.calls.map(({ cond }) => cond['text'].shape)).toEqual([[2, 6, 3]]);
    const apart = listening();
    await ask(apart.model, [[along(2, 'row')], [along(3, 'row')]]);
    expect(apart.calls).toHaveLength(2);
  });

  it('cuts what lies on the grid with the area of its entry, and nothing else', async () => {
    const { model, calls } = listening();
    const box = { sizes: [8, 8], offsets: [4, 0] };
    const grid: CondTensor = { value: zeros([1, 5, 16, 16]), along: 'grid' };
    const row: CondTensor = { value: zeros([1, 5, 16, 16]), along: 'row' };
    await ask(model, [[entry({ control: grid, other: row }, { box })]]);
    expect(calls[0].x.shape).toEqual([1, 4, 8, 8]);
    expect(calls[0].cond['control'].shape).toEqual([1, 5, 8, 8]);
    expect(calls[0].cond['other'].shape).toEqual([1, 5, 16, 16]);
  });

  it('shares no call between entries with different hooks', async () => {
    const { model, calls } = listening();
    const hooks: NetworkChange = {};
    const text: Record<string, CondTensor> = { c: { value: zeros([1, 1, 1]), along: 'tokens' } };
    await ask(model, [[entry(text, { hooks }), entry(text, { hooks }), entry(text)]]);
    expect(calls.map(({ parts }) => parts.length)).toEqual([2, 1]);
  });
});
