/** Guidance by two models, against ComfyUI 0.33's numbers on the tiny model. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { zeros } from '../../engine/array/nd.ts';
import { families } from '../../engine/arch/families/index.ts';
import type { Context } from '../../engine/node.ts';
import { createRuntime } from '../../engine/runtime/runtime.ts';
import { loadCheckpoint } from '../../engine/values/load-checkpoint.ts';
import type { Latent } from '../../engine/values/media.ts';
import type { Model } from '../../engine/values/model.ts';
import { builtinNodes } from '../../nodes/index.ts';
import { compare } from '../golden/area.ts';
import { openCase } from '../golden/open-case.ts';
import { contextWith, runNode } from '../golden/pictures/run-node.ts';

const root = join(import.meta.dirname, '../..');
const golden = await openCase(join(root, 'tests/fixtures/dual-model.safetensors'));
const nodes = builtinNodes();
const checkpoint = join(root, 'models/checkpoints/tiny-scenes.safetensors');
const { model } = await loadCheckpoint(checkpoint, families);
const runtime = createRuntime({ threads: 2 });
const context = {
  ...contextWith(),
  services: { runtime, log: () => undefined, options: { previewMethod: 'none' } },
} as unknown as Context;

const run = async <T>(name: string, inputs: Record<string, unknown>): Promise<T> =>
  ((await runNode(nodes.get(name)!, inputs, context)) as readonly T[])[0];
const conditioning = (name: string) => [{ cross: golden.array(name) }];
const changed = (model: Model, name: string, inputs: Record<string, unknown>) =>
  run<Model>(name, { model, ...inputs });

const freeu = (on: Model) => changed(on, 'FreeU', { b1: 1.3, b2: 1.4, s1: 0.9, s2: 0.2 });
const v = () => changed(model, 'ModelSamplingDiscrete', { sampling: 'v_prediction', zsnr: false });
const weaker = () =>
  run<Model>('ModelMergeSubtract', { model1: model, model2: model, multiplier: 0.3 });
const rescaled = async () => changed(await freeu(model), 'RescaleCFG', { multiplier: 0.7 });

test.each([
  ['two models', async () => model, weaker, 4],
  ['another sampling', async () => model, v, 3],
  // what reaches into the network is the first model's, for both
  ['sites of the first', rescaled, weaker, 3],
  ['sites of the second', async () => model, async () => freeu(await v()), 3],
  ['cfg 1', async () => model, weaker, 1],
] as const)('%s', async (name, first, second, cfg) => {
  const guider = await run('DualModelGuider', {
    model: await first(),
    model_negative: await second(),
    positive: conditioning('positive'),
    negative: conditioning('negative'),
    cfg,
  });
  const range = { steps: 3, sigma_max: 14.6, sigma_min: 0.03, rho: 7 };
  const { samples } = await run<Latent>('SamplerCustomAdvanced', {
    guider,
    noise: await run('RandomNoise', { noise_seed: 5 }),
    sampler: await run('KSamplerSelect', { sampler_name: 'euler' }),
    sigmas: await run('KarrasScheduler', range),
    latent_image: { samples: zeros([2, 4, 8, 8]) },
  });
  const wanted = golden.array(name);
  const largest = wanted.data.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
  const { maxError } = compare('samples', samples, wanted, { atol: 0, rtol: 0 });
  expect(maxError / largest).toBeLessThan(2e-4);
});

test('without a second model, or without a negative side', async () => {
  const inputs = { model, positive: conditioning('positive'), cfg: 4 };
  const single = await run<object>('DualModelGuider', {
    ...inputs,
    negative: conditioning('negative'),
  });
  expect(single).not.toHaveProperty('second');
  await expect(run('DualModelGuider', inputs)).rejects.toThrow('negative of DualModelGuider');
  expect(await run('DualModelGuider', { ...inputs, cfg: 1 })).toHaveProperty('guider');
});
