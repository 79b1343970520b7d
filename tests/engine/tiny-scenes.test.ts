/**
 * The embedded checkpoint draws what it is asked to. Oracle of the first part: pictures and latents
 * that ComfyUI 0.3.64 (torch 2.13, CPU, fp32) made of the same workflows; of the second: the words.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { zeros } from '../../engine/array/nd.ts';
import { psnr } from '../../engine/array/psnr.ts';
import { families } from '../../engine/arch/families/index.ts';
import { loadImageFile } from '../../engine/media/load-image.ts';
import { toImageAndMask } from '../../engine/media/to-array.ts';
import { createRuntime } from '../../engine/runtime/runtime.ts';
import { sampleLatent } from '../../engine/sampling/driver.ts';
import { latentPreview, type LatentPreview } from '../../engine/sampling/latent/preview.ts';
import type { Folders } from '../../engine/store/folders.ts';
import { encodePrompt } from '../../engine/values/clip.ts';
import { loadCheckpoint } from '../../engine/values/load-checkpoint.ts';
import type { Image, Latent } from '../../engine/values/media.ts';
import { diffusion } from '../../engine/values/model.ts';
import { decode } from '../../engine/values/vae.ts';
import { readTensor } from '../../engine/weights/read.ts';
import { openSafetensors } from '../../engine/weights/safetensors.ts';
import { compare } from '../golden/area.ts';
import { drawScene, palette, tinyScenes } from '../support/draw-scene.ts';
import { ownGoldenDir } from '../support/golden.ts';
import { createInstallation, runWorkflow } from '../support/run-workflow.ts';

const samples = ownGoldenDir('samples');
const runtime = createRuntime({ threads: 2 });
const installation = createInstallation();
installation.add('models/checkpoints', [tinyScenes]);

afterAll(async () => {
  await runtime.unloadAll();
  await installation.remove();
});

async function picture(path: string): Promise<Image> {
  return toImageAndMask(await loadImageFile(path)).image;
}

describe('workflows give the reference pictures', () => {
  test.each([
    ['01-house-and-tree', ['01-house-and-tree.png']],
    ['02-red-circle', ['02-red-circle.png']],
    ['03-balloons', ['03-balloons-1.png', '03-balloons-2.png']],
  ])('%s', async (name, pictures) => {
    const workflow = await readFile(join(samples, `${name}.json`), 'utf8');
    const { files, values } = await runWorkflow(workflow, { base: installation.base, runtime });
    const saved = [...files.values()].flat();
    expect(saved).toHaveLength(pictures.length);
    for (const [i, expected] of pictures.entries()) {
      const got = await picture(saved[i]);
      const { data } = await picture(join(samples, expected));
      expect(psnr(got.data, data)).toBeGreaterThan(45);
    }
    const [latent] = values.get('3') as [Latent];
    const file = await openSafetensors(join(samples, `${name}.latent.safetensors`));
    const reference = await readTensor(file, [...file.tensors.keys()][0]);
    // two runs of the reference with different thread counts differ by 4.4e-5
    const { maxError } = compare(name, latent.samples, reference, { atol: 1e-3, rtol: 0 });
    expect(maxError).toBeLessThan(1e-3);
  });
});

/** The named colour nearest to the median of the pixels that `inside` keeps. */
function colourOf({ data, shape }: Image, inside: (x: number, y: number) => boolean): string {
  const [, height, width] = shape;
  const median = [0, 1, 2].map((channel) => {
    const values: number[] = [];
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        if (inside(x, y)) values.push(data[(y * width + x) * 3 + channel] * 255);
      }
    }
    return values.sort((a, b) => a - b)[values.length >> 1];
  });
  const distance = (name: string) =>
    palette[name].reduce((sum, value, i) => sum + (value - median[i]) ** 2, 0);
  return Object.keys(palette).reduce((a, b) => (distance(b) < distance(a) ? b : a));
}

const centre = (x: number, y: number): boolean => Math.hypot(x - 64, y - 64) < 12;
const border = (x: number, y: number): boolean => Math.min(x, y, 127 - x, 127 - y) < 6;

/** The mean difference of a preview from the picture it stands for, of 255. */
function previewError({ rgb, width }: LatentPreview, { data, shape }: Image): number {
  const columns = shape[2];
  const means = new Float64Array(rgb.length);
  for (let k = 0; k < data.length; k++) {
    const pixel = Math.floor(k / 3);
    const cell = Math.floor(pixel / columns / 8) * width + Math.floor((pixel % columns) / 8);
    means[cell * 3 + (k % 3)] += (data[k] * 255) / 64;
  }
  return rgb.reduce((sum, value, k) => sum + Math.abs(value - means[k]), 0) / rgb.length;
}

describe('pictures follow the words', () => {
  test.each([
    ['red', 'circle', 'blue'],
    ['yellow', 'square', 'purple'],
    ['green', 'circle', 'white'],
    ['blue', 'square', 'orange'],
    ['white', 'circle', 'black'],
    ['pink', 'square', 'brown'],
    ['black', 'circle', 'yellow'],
    ['cyan', 'square', 'red'],
    ['orange', 'circle', 'gray'],
    ['purple', 'square', 'green'],
  ])('a %s %s on a %s background', async (colour, shape, background) => {
    const prompt = `a ${colour} ${shape} on a ${background} background`;
    const image = await drawScene(prompt, 12, runtime);
    expect([colourOf(image, centre), colourOf(image, border)]).toEqual([colour, background]);
  });

  test('previews have the colours of the picture', async () => {
    const { model, clip, vae } = await loadCheckpoint(tinyScenes, families);
    const services = { runtime, folders: { modelFiles: () => [] } as unknown as Folders };
    const network = diffusion(model, { runtime });
    let preview: LatentPreview | undefined;
    const latent = await sampleLatent({
      model: network,
      positive: [await encodePrompt(clip, 'a yellow house on grass', services)],
      negative: [await encodePrompt(clip, '', services)],
      latent: zeros([1, 4, 16, 16]),
      seed: 3,
      steps: 12,
      cfg: 4,
      sampler: 'euler',
      scheduler: 'normal',
      onStep: ({ denoised }) => {
        preview = latentPreview(network.latentFormat, denoised);
      },
    });
    // With the family's colours in place of the file's own it is above 100.
    expect(previewError(preview!, await decode(vae, latent, { runtime }))).toBeLessThan(30);
  });
});
