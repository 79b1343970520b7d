/** Pictures of the bundled model: the whole way from text to pixels, on any runtime. */
import { join } from 'node:path';
import { zeros } from '../../engine/array/nd.ts';
import { families } from '../../engine/arch/families/index.ts';
import type { Provider } from '../../engine/runtime/provider.ts';
import { type Runtime, createRuntime } from '../../engine/runtime/runtime.ts';
import { sampleLatent } from '../../engine/sampling/driver.ts';
import type { Folders } from '../../engine/store/folders.ts';
import { encodePrompt } from '../../engine/values/clip.ts';
import { loadCheckpoint } from '../../engine/values/load-checkpoint.ts';
import type { Image } from '../../engine/values/media.ts';
import { diffusion } from '../../engine/values/model.ts';
import { decode } from '../../engine/values/vae.ts';

export const tinyScenes = join(
  import.meta.dirname,
  '../../models/checkpoints/tiny-scenes.safetensors',
);

/** What the bundled model's words for colours mean, as sRGB. */
export const palette: Readonly<Record<string, readonly [number, number, number]>> = {
  red: [220, 40, 40],
  orange: [245, 140, 30],
  yellow: [250, 215, 40],
  green: [50, 160, 70],
  blue: [45, 95, 215],
  purple: [130, 60, 180],
  pink: [250, 145, 190],
  brown: [125, 80, 45],
  black: [20, 20, 20],
  white: [250, 250, 250],
  gray: [130, 130, 130],
  cyan: [60, 200, 215],
};

/** The picture for some words, [1, 128, 128, 3], always from the same noise. */
export async function drawScene(words: string, steps: number, runtime: Runtime): Promise<Image> {
  const { model, clip, vae } = await loadCheckpoint(tinyScenes, families);
  const services = { runtime, folders: { modelFiles: () => [] } as unknown as Folders };
  const latent = await sampleLatent({
    model: diffusion(model, { runtime }),
    positive: [await encodePrompt(clip, words, services)],
    negative: [await encodePrompt(clip, '', services)],
    latent: zeros([1, 4, 16, 16]),
    seed: 7,
    steps,
    cfg: 4,
    sampler: 'euler',
    scheduler: 'normal',
  });
  return decode(vae, latent, { runtime });
}

/** A house and a tree, computed by one provider. */
export async function drawHouse(provider: Provider, steps: number): Promise<Image> {
  const runtime = createRuntime({ threads: 2, provider });
  const image = await drawScene('a house and a tree on grass', steps, runtime);
  await runtime.unloadAll();
  return image;
}
