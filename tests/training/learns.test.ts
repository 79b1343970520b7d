/**
 * The embedded checkpoint learns a word: a LoRA trained on twenty pictures of a shape that it does not know draws the
 * shape in other colours, where the word says so and only there. Oracle: the pictures' own pixels.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { concat } from '../../engine/array/batch.ts';
import type { NDArray } from '../../engine/array/nd.ts';
import { families } from '../../engine/arch/families/index.ts';
import { createRuntime } from '../../engine/runtime/runtime.ts';
import type { Folders } from '../../engine/store/folders.ts';
import { encodeAdapter } from '../../engine/training/files/write.ts';
import { trainLora } from '../../engine/training/train-lora.ts';
import { encodePrompt } from '../../engine/values/clip.ts';
import { loadCheckpoint } from '../../engine/values/load-checkpoint.ts';
import type { Image, Latent } from '../../engine/values/media.ts';
import { encode } from '../../engine/values/vae.ts';
import { palette, tinyScenes } from '../support/draw-scene.ts';
import { createInstallation, runWorkflow } from '../support/run-workflow.ts';

const runtime = createRuntime({ threads: 2 });
const installation = createInstallation();
installation.add('models/checkpoints', [tinyScenes]);
installation.add('models/loras', []);
afterAll(async () => {
  await runtime.unloadAll();
  await installation.remove();
});

const side = 128;
const colours = Object.keys(palette);

/** A shape in a colour on another, as prompts have them. */
interface Scene {
  readonly shape: string;
  readonly colour: string;
  readonly ground: string;
}

const article = (word: string): string => (/^[aeiou]/.test(word) ? 'an' : 'a');
const wordsFor = ({ shape, colour, ground }: Scene): string =>
  `${article(colour)} ${colour} ${shape} on ${article(ground)} ${ground} background`;

/** The new shape: two triangles, tip to tip in the middle. */
const isInside = (x: number, y: number): boolean =>
  Math.abs(x - 64) <= 40 && Math.abs(y - 64) <= Math.abs(x - 64);

/** Twenty pairs of colours, none of which is asked for below. */
const lessons: readonly Scene[] = Array.from({ length: 20 }, (_, n) => ({
  shape: 'zorp',
  colour: colours[n % 12],
  ground: colours[(n * 5 + 7 + 4 * Math.floor(n / 12)) % 12],
}));

/** What the model knows stands beside, as it draws it itself, so that it is not forgotten (Ruiz et al. 2022). */
const known: readonly Scene[] = [
  ['red', 'circle', 'green'],
  ['cyan', 'circle', 'orange'],
  ['yellow', 'circle', 'black'],
  ['blue', 'circle', 'white'],
  ['orange', 'circle', 'blue'],
  ['black', 'circle', 'pink'],
  ['pink', 'circle', 'brown'],
  ['gray', 'circle', 'cyan'],
  ['purple', 'square', 'yellow'],
  ['white', 'square', 'red'],
  ['pink', 'heart', 'blue'],
  ['green', 'star', 'gray'],
].map(([colour, shape, ground]) => ({ colour, shape, ground }));

const asked: readonly (readonly [colour: string, ground: string])[] = [
  ['red', 'blue'],
  ['yellow', 'green'],
  ['white', 'purple'],
];

/** A batch of pictures of the new shape. */
function pictures(scenes: readonly Scene[]): Image {
  const data = new Float32Array(scenes.length * side * side * 3);
  scenes.forEach(({ colour, ground }, n) => {
    for (let p = 0; p < side * side; p++) {
      const rgb = palette[isInside(p % side, Math.floor(p / side)) ? colour : ground];
      rgb.forEach((v, k) => (data[(n * side * side + p) * 3 + k] = v / 255));
    }
  });
  return { data, shape: [scenes.length, side, side, 3] };
}

/** What the ordinary nodes make of a prompt, with a file of `loras` or none. */
async function drawn(words: string, seed: number, lora?: string) {
  const [model, clip] = lora === undefined ? ['checkpoint', 'checkpoint'] : ['lora', 'lora'];
  const nodes = {
    checkpoint: {
      class_type: 'CheckpointLoaderSimple',
      inputs: { ckpt_name: 'tiny-scenes.safetensors' },
    },
    ...(lora !== undefined && {
      lora: {
        class_type: 'LoraLoader',
        inputs: {
          model: ['checkpoint', 0],
          clip: ['checkpoint', 1],
          lora_name: lora,
          strength_model: 1,
          strength_clip: 1,
        },
      },
    }),
    words: { class_type: 'CLIPTextEncode', inputs: { text: words, clip: [clip, 1] } },
    none: { class_type: 'CLIPTextEncode', inputs: { text: '', clip: [clip, 1] } },
    empty: { class_type: 'EmptyLatentImage', inputs: { width: side, height: side, batch_size: 1 } },
    sampled: {
      class_type: 'KSampler',
      inputs: {
        seed,
        steps: 12,
        cfg: 4,
        sampler_name: 'euler',
        scheduler: 'normal',
        denoise: 1,
        model: [model, 0],
        positive: ['words', 0],
        negative: ['none', 0],
        latent_image: ['empty', 0],
      },
    },
    decoded: {
      class_type: 'VAEDecode',
      inputs: { samples: ['sampled', 0], vae: ['checkpoint', 2] },
    },
    shown: { class_type: 'PreviewImage', inputs: { images: ['decoded', 0] } },
  };
  const { values } = await runWorkflow(JSON.stringify(nodes), { base: installation.base, runtime });
  const [latent] = values.get('sampled') as [Latent];
  const [image] = values.get('decoded') as [Image];
  return { latent: latent.samples, image };
}

/** The share of pixels in a part of a picture that are of the shape's colour rather than of the ground's. */
function share(
  { data }: Image,
  { colour, ground }: Scene,
  part: (dx: number, dy: number) => boolean,
): number {
  const distance = (p: number, name: string): number =>
    palette[name].reduce((sum, v, k) => sum + (v / 255 - data[p * 3 + k]) ** 2, 0);
  let [count, all] = [0, 0];
  for (let p = 0; p < side * side; p++) {
    if (!part(Math.abs((p % side) - 64), Math.abs(Math.floor(p / side) - 64))) continue;
    all++;
    if (distance(p, colour) < distance(p, ground)) count++;
  }
  return count / all;
}

/** 1 where the triangles are there and nothing is between them, above and below; 0 where both are alike. */
const likeness = (image: Image, scene: Scene): number =>
  share(image, scene, (dx, dy) => dx >= 14 && dx <= 34 && dy <= dx - 6) -
  share(image, scene, (dx, dy) => dx <= 12 && dy >= 22 && dy <= 32);

const file = 'zorp.safetensors';

beforeAll(async () => {
  const run = { runtime };
  const { model, clip, vae } = await loadCheckpoint(tinyScenes, families);
  const services = { runtime, folders: { modelFiles: () => [] } as unknown as Folders };
  const latents: NDArray[] = [await encode(vae, pictures(lessons), run)];
  for (const [i, scene] of known.entries()) {
    const { latent } = await drawn(wordsFor(scene), 100 + i);
    latents.push(latent);
  }
  const positive = [];
  for (const scene of [...lessons, ...known]) {
    positive.push(await encodePrompt(clip, wordsFor(scene), services));
  }
  const { tensors } = await trainLora(
    model,
    { latents: [concat(latents)], positive },
    {
      algorithm: 'LoRA',
      rank: 4,
      optimizer: 'AdamW',
      rate: 0.001,
      loss: 'MSE',
      steps: 300,
      batchSize: 1,
      accumulation: 1,
      seed: 5,
      recompute: false,
    },
    run,
  );
  const path = join(installation.base, 'models/loras', file);
  await writeFile(path, encodeAdapter(tensors, {}, 'F16'));
}, 600_000);

test.each(asked)('a %s zorp on %s', { timeout: 120_000 }, async (colour, ground) => {
  const scene: Scene = { shape: 'zorp', colour, ground };
  const [before, after] = [
    await drawn(wordsFor(scene), 7),
    await drawn(wordsFor(scene), 7, file),
  ].map(({ image }) => likeness(image, scene));
  expect(before).toBeLessThan(0.4);
  expect(after).toBeGreaterThan(0.7);
});

test.each(asked)('a %s circle on %s stays one', { timeout: 120_000 }, async (colour, ground) => {
  const scene: Scene = { shape: 'circle', colour, ground };
  const { image } = await drawn(wordsFor(scene), 7, file);
  expect(likeness(image, scene)).toBeLessThan(0.3);
  expect(share(image, scene, (dx, dy) => Math.hypot(dx, dy) < 24)).toBeGreaterThan(0.9);
});
