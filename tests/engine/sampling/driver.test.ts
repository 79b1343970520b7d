import { describe, expect, it } from 'vitest';
import { full, zeros } from '../../../engine/array/nd.ts';
import type { ConditioningEntry } from '../../../engine/sampling/conditioning.ts';
import { fitLatent, sampleLatent } from '../../../engine/sampling/driver.ts';
import { latentFormat } from '../../../engine/sampling/latent/formats.ts';
import type { DiffusionModel, ModelInput } from '../../../engine/sampling/model.ts';
import { createModelSampling } from '../../../engine/sampling/model-sampling.ts';

const entry = (tokens: number): ConditioningEntry => ({ cross: full([1, tokens, 2], tokens) });

/** A network that predicts no noise and writes down what it was called with. */
function silentModel(options: { rows?: number } = {}): {
  model: DiffusionModel;
  calls: ModelInput[];
} {
  const calls: ModelInput[] = [];
  const model: DiffusionModel = {
    modelSampling: createModelSampling({ prediction: 'eps', schedule: {} }),
    latentFormat: latentFormat('SD15'),
    encodeConditioning: ({ cross }) =>
      Promise.resolve({ cross: { value: cross, along: 'tokens' } }),
    apply(input) {
      calls.push(input);
      return Promise.resolve(zeros(input.x.shape));
    },
    bestBatch: () => options.rows ?? 16,
  };
  return { model, calls };
}

const settings = {
  positive: [entry(77)],
  negative: [entry(154)],
  cfg: 7,
  sampler: 'euler',
  scheduler: 'normal',
  steps: 3,
  latent: zeros([1, 4, 4, 4]),
  seed: 1,
};

describe('sampleLatent', () => {
  it('reports every step and yields to the event loop once a step', async () => {
    const { model } = silentModel();
    const seen: string[] = [];
    const run = sampleLatent({
      model,
      ...settings,
      onStep: ({ step, steps, x }) => {
        seen.push(`${step} of ${steps} [${x.shape.join()}]`);
        setImmediate(() => seen.push('turn'));
      },
    });
    await run;
    const step = (i: number): string[] => [`${i} of 3 [1,4,4,4]`, 'turn'];
    expect(seen).toEqual([...step(0), ...step(1), ...step(2)]);
  });

  it('stops between model calls when its signal is aborted', async () => {
    const { model, calls } = silentModel();
    const controller = new AbortController();
    const run = sampleLatent({
      model,
      ...settings,
      signal: controller.signal,
      onStep: ({ step }) => {
        if (step === 1) controller.abort();
      },
    });
    await expect(run).rejects.toMatchObject({ code: 'INTERRUPTED' });
    expect(calls).toHaveLength(2);
  });

  it('evaluates both sides in one call, negative rows first, contexts repeated to one length', async () => {
    const { model, calls } = silentModel();
    await sampleLatent({ model, ...settings, steps: 1 });
    expect(calls).toHaveLength(1);
    expect(calls[0].x.shape).toEqual([2, 4, 4, 4]);
    expect(calls[0].cond.cross.shape).toEqual([2, 154, 2]);
    expect(calls[0].parts.map(({ list }) => list)).toEqual([1, 0]);
    expect([...calls[0].timesteps]).toEqual([999, 999]);
  });

  it('evaluates one side after the other when the model asks for single rows', async () => {
    const { model, calls } = silentModel({ rows: 1 });
    await sampleLatent({ model, ...settings, steps: 1 });
    expect(calls.map(({ x }) => x.shape[0])).toEqual([1, 1]);
  });

  it('leaves the negative side out at cfg 1', async () => {
    const { model, calls } = silentModel();
    await sampleLatent({ model, ...settings, steps: 1, cfg: 1 });
    expect(calls[0].parts.map(({ list }) => list)).toEqual([0]);
  });

  it.each([
    ['sampler', { sampler: 'eulers' }],
    ['scheduler', { scheduler: 'abnormal' }],
  ])('names an unknown %s', async (subject, wrong) => {
    const { model } = silentModel();
    const run = sampleLatent({ model, ...settings, ...wrong });
    await expect(run).rejects.toMatchObject({ code: 'BAD_INPUT', details: { subject } });
  });

  it('refuses a denoise that would need a schedule of millions of steps', async () => {
    const { model } = silentModel();
    const run = sampleLatent({ model, ...settings, steps: 10000, denoise: 1e-6 });
    await expect(run).rejects.toMatchObject({ code: 'BAD_INPUT' });
  });

  it('returns the latent when no step is left', async () => {
    const { model, calls } = silentModel();
    const latent = full([1, 4, 4, 4], 2);
    const same = await sampleLatent({ model, ...settings, latent, startStep: 3 });
    expect(same).toBe(latent);
    expect(calls).toHaveLength(0);
  });
});

describe('fitLatent', () => {
  it('gives empty latents the channels and the time axis of the model', () => {
    const format = latentFormat('Wan21');
    expect(fitLatent(format, zeros([2, 4, 6, 5])).shape).toEqual([2, 16, 1, 6, 5]);
  });

  it('keeps latents with content as they are', () => {
    const latent = full([1, 4, 6, 5], 1);
    expect(fitLatent(latentFormat('SDXL'), latent)).toBe(latent);
  });

  it("names the channels of another model's latent", () => {
    expect(() => fitLatent(latentFormat('Flux'), full([1, 4, 6, 5], 1))).toThrow(
      'latent: expected 16 channels (Flux), got 4',
    );
  });
});
