/** The x4 upscaler from its node to sampled latents. Oracle: ComfyUI 0.3.64 on the golden data's small network. */
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { families } from '../../engine/arch/families/index.ts';
import { full, zeros } from '../../engine/array/nd.ts';
import type { Conditioning } from '../../engine/node.ts';
import { createRuntime } from '../../engine/runtime/runtime.ts';
import { sampleLatent } from '../../engine/sampling/driver.ts';
import { openVae } from '../../engine/values/autoencoders.ts';
import { loadCheckpoint } from '../../engine/values/load-checkpoint.ts';
import type { Latent } from '../../engine/values/media.ts';
import { diffusion } from '../../engine/values/model.ts';
import { upscaleConditioning } from '../../nodes/model-conditioning.ts';
import { compare } from '../golden/area.ts';
import { openCase } from '../golden/open-case.ts';
import { runNode } from '../golden/pictures/run-node.ts';
import { randomSource } from '../support/random-weights.ts';

interface Case {
  readonly name: string;
  readonly scale_ratio: number;
  readonly noise_augmentation: number;
  readonly seed: number;
  readonly steps: number;
  readonly cfg: number;
  readonly sampler_name: string;
  readonly scheduler: string;
}

const golden = await openCase<readonly Case[]>(
  join(import.meta.dirname, '../fixtures/x4-upscaler.safetensors'),
);
const { model } = await loadCheckpoint(
  join(import.meta.dirname, '../golden/data/unet/models/x4_upscaler.safetensors'),
  families,
);
const runtime = createRuntime({ threads: 1 });
afterAll(() => runtime.unloadAll());

const entries = (name: string): Conditioning => [{ cross: golden.array(name) }];

describe('the x4 upscaler', () => {
  test('is told by its keys; its VAE has cells of 4 pixels', () => {
    expect(model.family.name).toBe('sd-x4-upscaler');
    expect(model.sampling.prediction).toBe('v');
    const vae = randomSource({
      'decoder.conv_in.weight': [32, 4, 3, 3],
      'decoder.mid.attn_1.q.weight': [32, 32, 1, 1],
      'decoder.up.0.block.0.norm1.weight': [32],
      'decoder.up.1.block.0.norm1.weight': [32],
      'decoder.up.2.block.0.norm1.weight': [32],
    });
    expect(openVae(vae).factor).toEqual({ space: 4 });
  });

  test.each(golden.params.map((each) => [each.name, each] as const))('%s', async (name, each) => {
    const { scale_ratio, noise_augmentation } = each;
    const [positive, negative, latent] = (await runNode(upscaleConditioning, {
      images: golden.array('image'),
      positive: entries('positive'),
      negative: entries('negative'),
      scale_ratio,
      noise_augmentation,
    })) as [Conditioning, Conditioning, Latent];
    const shown = positive[0].extra!.concat_image as Latent['samples'];
    const picture = golden.array(`${name}.picture`);
    expect(compare('picture', shown, picture, { atol: 1e-6, rtol: 0 }).pass).toBe(true);

    const { samples } = latent;
    const run = { ...each, model: diffusion(model, { runtime }), sampler: each.sampler_name };
    const got = await sampleLatent({ ...run, positive, negative, latent: samples, denoise: 1 });
    const tolerance = { atol: 1e-3, rtol: 1e-4 };
    expect(compare('samples', got, golden.array(name), tolerance)).toMatchObject({ pass: true });
  });

  test('a picture that is not of three colours, and a size of nothing, are refused', async () => {
    const inputs = { positive: entries('positive'), negative: entries('negative') };
    const options = { ...inputs, noise_augmentation: 0 };
    const small = { ...options, images: full([1, 9, 7, 3], 0), scale_ratio: 0.3 };
    await expect(runNode(upscaleConditioning, small)).rejects.toThrow(
      /at least 4 x 4 pixels.*scale_ratio of 0.3 for 7 x 9 pixels/,
    );
    const clear = { ...options, images: full([1, 8, 8, 4], 0), scale_ratio: 4 };
    const [[entry]] = (await runNode(upscaleConditioning, clear)) as [Conditioning];
    const run = { latentShape: [1, 4, 8, 8], noise: zeros([1, 4, 8, 8]), seed: 0 };
    await expect(diffusion(model, { runtime }).encodeConditioning(entry, run)).rejects.toThrow(
      /picture to upscale.*3 colour channels.*got 4/,
    );
  });
});
