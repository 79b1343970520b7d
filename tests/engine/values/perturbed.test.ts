import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { NDArray } from '../../../engine/array/nd.ts';
import { zeros } from '../../../engine/array/nd.ts';
import { families } from '../../../engine/arch/families/index.ts';
import { perturbedAttention } from '../../../engine/patch/perturbed-attention.ts';
import { createRuntime } from '../../../engine/runtime/runtime.ts';
import { sampleCustom } from '../../../engine/sampling/driver.ts';
import { cfgGuider } from '../../../engine/sampling/guidance/cfg.ts';
import { perturbedGuidance } from '../../../engine/sampling/guidance/perturbed.ts';
import { samplerByName } from '../../../engine/sampling/samplers/table.ts';
import { encodePrompt } from '../../../engine/values/clip.ts';
import { loadCheckpoint } from '../../../engine/values/load-checkpoint.ts';
import { type Model, diffusion } from '../../../engine/values/model.ts';

describe('perturbed-attention guidance', async () => {
  const checkpoint = join(
    import.meta.dirname,
    '../../../models/checkpoints/tiny-scenes.safetensors',
  );
  const runtime = createRuntime({ threads: 2 });
  const { model, clip } = await loadCheckpoint(checkpoint, families);
  const run = { runtime, folders: { embedding: () => undefined } as never };
  const positive = [await encodePrompt(clip, 'a red boat', run)];

  /** One step from noise to the prediction itself. */
  const predicted = async (on: Model): Promise<NDArray> => {
    const { samples } = await sampleCustom({
      model: diffusion(on, { runtime }),
      guider: cfgGuider({ positive, cfg: 1 }),
      sampler: samplerByName('euler'),
      sigmas: Float32Array.of(3, 0),
      latent: zeros([1, 4, 8, 8]),
      seed: 5,
    });
    return samples;
  };
  const guidedBy = (scale: number): Model => ({
    ...model,
    guidance: { after: [perturbedGuidance(perturbedAttention, scale)] },
  });

  it('asks the same picture of the changed network and leads away from it', async () => {
    const plain = await predicted(model);
    const worse = await predicted({ ...model, patches: [perturbedAttention] });
    const guided = await predicted(guidedBy(3));
    const distance = plain.data.reduce((sum, value, i) => sum + Math.abs(value - worse.data[i]), 0);
    expect(distance / plain.data.length).toBeGreaterThan(1e-3);
    guided.data.forEach((value, i) =>
      expect(value).toBeCloseTo(plain.data[i] + 3 * (plain.data[i] - worse.data[i]), 3),
    );
  });

  it('does nothing at scale 0', async () => {
    expect((await predicted(guidedBy(0))).data).toEqual((await predicted(model)).data);
  });
});
