/** ComfyUI's node's training on a small UNet; its numbers are held against the reference's by the golden area `training`. */
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { families } from '../../../engine/arch/families/index.ts';
import { createRuntime } from '../../../engine/runtime/runtime.ts';
import type { TorchGenerator } from '../../../engine/sampling/noise/torch-generator.ts';
import { stepsDone } from '../../../engine/training/lora-model.ts';
import { picksOf } from '../../../engine/training/picks.ts';
import {
  type TrainLoraSettings,
  type TrainedLora,
  trainLora,
} from '../../../engine/training/train-lora.ts';
import { diffusionModelOf } from '../../../engine/values/load-checkpoint.ts';
import { type Model, diffusion } from '../../../engine/values/model.ts';
import { openSafetensors } from '../../../engine/weights/safetensors.ts';
import { hashedArray } from '../../support/hashed-model.ts';
import { runMemory } from '../../support/run-memory.ts';

const file = join(import.meta.dirname, '../../golden/data/unet/models/sd2.safetensors');
const runtime = createRuntime({});
const latent = hashedArray('latent', [1, 4, 4, 4], 4);
const entry = { cross: hashedArray('text', [1, 3, 64], 2) };

const settings = {
  ...{ batchSize: 1, accumulation: 1, steps: 6, rate: 0.005, rank: 2 },
  ...{ optimizer: 'AdamW', loss: 'MSE', algorithm: 'LoRA', seed: 5, recompute: true },
} as const satisfies TrainLoraSettings;

let model: Model;
beforeAll(async () => {
  model = await diffusionModelOf(await openSafetensors(file), families);
});

const train = (changed: Partial<TrainLoraSettings> = {}): Promise<TrainedLora> =>
  trainLora(
    model,
    { latents: [latent], positive: [entry] },
    { ...settings, ...changed },
    { runtime },
  );

/** What the untrained network says. */
async function plain(): Promise<Float32Array> {
  const network = diffusion(model, { runtime });
  const about = { latentShape: latent.shape, noise: latent };
  const conditions = await network.encodeConditioning(entry, about);
  const cond = Object.entries(conditions).map(([key, { value }]) => [key, value] as const);
  const { data } = await network.apply({
    ...{ x: latent, sigma: 1, timesteps: Float32Array.of(400), cond: Object.fromEntries(cond) },
    ...{ parts: [{ list: 0, entry }], run: runMemory() },
  });
  return data;
}

describe('training on a small UNet', () => {
  it('learns, twice the same, whether blocks are computed anew or not, and leaves the model', async () => {
    const before = await plain();
    const first = await train();
    expect(await train()).toEqual(first);
    expect(await train({ recompute: false })).toEqual(first);
    expect(await plain()).toEqual(before);

    const long = { steps: 40, rate: 0.0005 };
    const { losses: trained } = await train(long);
    const { losses: untrained } = await train({ ...long, rate: 1e-30 });
    expect(trained[0]).toBe(untrained[0]);
    const late = (losses: readonly number[]): number =>
      losses.slice(20).reduce((sum, loss) => sum + loss);
    expect(late(trained)).toBeLessThan(0.95 * late(untrained));
    expect((await train({ seed: 6 })).losses).not.toEqual(first.losses);
  }, 120_000);

  it('says what does not go together', async () => {
    const two = { latents: [latent], positive: [entry, entry] };
    await expect(trainLora(model, two, settings, { runtime })).rejects.toThrow(
      'Number of positive conditions (2) does not match number of images (1).',
    );
    const none = { latents: [], positive: [entry] };
    await expect(trainLora(model, none, settings, { runtime })).rejects.toThrow('latents');
  });
});

describe('what a pass looks at', () => {
  /** The order is that of the list, and every draw says 0.5. */
  const generator = {
    rand: () => Float32Array.of(0.5),
    randperm: (n: number) => Uint32Array.from({ length: n }, (_, i) => i),
  } as unknown as TorchGenerator;
  const small = hashedArray('small', [2, 4, 2, 2], 1);
  const large = hashedArray('large', [3, 4, 4, 4], 1);

  it('looks at latents of one size together', () => {
    const { latents, next } = picksOf([small, small], 3, false);
    expect(latents.map(({ shape }) => shape)).toEqual(Array(4).fill([1, 4, 2, 2]));
    expect(next(generator)).toEqual([{ items: [0, 1, 2], share: 1 }]);
  });

  it('looks at latents of several sizes one by one', () => {
    const { next } = picksOf([small, large], 4, false);
    const items = [[0], [1], [2], [3]];
    expect(next(generator)).toEqual(items.map((items) => ({ items, share: 0.25 })));
  });

  it('looks at those of one bucket', () => {
    const { next } = picksOf([small, large], 4, true);
    expect(next(generator)).toEqual([{ items: [2, 3, 4], share: 1 }]);
  });
});

it.each([
  ['{"step":7,"epoch":1}', 'a_10_steps_00001_.safetensors', 7],
  [undefined, 'sub/a_10_steps_00001_.safetensors', 10],
  [undefined, '10_steps_00001_.safetensors', 10],
  ['not JSON', 'other.safetensors', 0],
])('a file with training_info %s called %s holds %d steps', (info, name, steps) => {
  const metadata: Record<string, string> = info === undefined ? {} : { training_info: info };
  expect(stepsDone({ metadata }, name)).toBe(steps);
});
