/** The bundled model's picture on an adapter, beside the CPU's: the whole way from text to pixels. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { zeros } from '../../engine/array/nd.ts';
import { families } from '../../engine/arch/families/index.ts';
import { type Provider, providers } from '../../engine/runtime/providers.ts';
import { createRuntime } from '../../engine/runtime/runtime.ts';
import { sampleLatent } from '../../engine/sampling/driver.ts';
import type { Folders } from '../../engine/store/folders.ts';
import { encodePrompt } from '../../engine/values/clip.ts';
import { loadCheckpoint } from '../../engine/values/load-checkpoint.ts';
import type { Image } from '../../engine/values/media.ts';
import { diffusion } from '../../engine/values/model.ts';
import { decode } from '../../engine/values/vae.ts';
import { onAdapter } from './adapter.ts';

const bundled = join(import.meta.dirname, '../../models/checkpoints/tiny-scenes.safetensors');

/** In decibels, at least. */
const least = { fp32: 80, fp16: 40 } as const;

async function draw(provider: Provider): Promise<Image> {
  const { model, clip, vae } = await loadCheckpoint(bundled, families);
  const runtime = createRuntime({ threads: 2, provider });
  const services = { runtime, folders: { modelFiles: () => [] } as unknown as Folders };
  const latent = await sampleLatent({
    model: diffusion(model, { runtime }),
    positive: [await encodePrompt(clip, 'a house and a tree on grass', services)],
    negative: [await encodePrompt(clip, '', services)],
    latent: zeros([1, 4, 16, 16]),
    seed: 7,
    steps: 4,
    cfg: 4,
    sampler: 'euler',
    scheduler: 'normal',
  });
  const image = await decode(vae, latent, { runtime });
  await runtime.unloadAll();
  return image;
}

let onCpu: Promise<Image> | undefined;

onAdapter((precision, provider) => {
  it('is near the picture of the CPU', async () => {
    const { data } = await draw(provider);
    const expected = await (onCpu ??= draw(providers.cpu));
    const squares = data.reduce((sum, v, i) => sum + (v - expected.data[i]) ** 2, 0);
    expect(10 * Math.log10(data.length / squares)).toBeGreaterThan(least[precision]);
  });
});
