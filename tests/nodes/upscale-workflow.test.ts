/** A workflow that compares upscale models, with tiny networks in files as training scripts save them. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadImageFile } from '../../engine/media/load-image.ts';
import { toImageAndMask } from '../../engine/media/to-array.ts';
import { createRuntime } from '../../engine/runtime/runtime.ts';
import { readFloats } from '../../engine/weights/read.ts';
import { openSafetensors } from '../../engine/weights/safetensors.ts';
import { sub } from '../../engine/weights/source.ts';
import { gunzipped, removeUnpacked } from '../golden/open-case.ts';
import { createInstallation, runWorkflow } from '../support/run-workflow.ts';
import { type PlainDict, writeTorchFile } from '../support/torch-file.ts';

const here = import.meta.dirname;
const picture = join(here, '../golden/data/samples/02-red-circle.png');
const installation = createInstallation();
const models = join(installation.base, 'models/upscale_models');

/** The tensors of a fixture, their names changed. */
async function dictOf(name: string, rename = (key: string): string => key): Promise<PlainDict> {
  const file = join(here, `../fixtures/upscale/${name}.safetensors.gz`);
  const { tensors } = sub(await openSafetensors(await gunzipped(file)), 'params.');
  const dict: Record<string, PlainDict[string]> = {};
  for (const [key, entry] of tensors) {
    dict[rename(key)] = { shape: entry.shape, data: await readFloats(entry) };
  }
  return dict;
}

/** File names and what is in them; the first holds weights of an earlier moment of training too. */
const files: readonly (readonly [name: string, make: () => Promise<PlainDict>, scale: number])[] = [
  [
    'RealESRGAN_x4plus.pth',
    async () => ({
      params: { 'conv_first.weight': { shape: [1], data: new Float32Array(1) } },
      params_ema: await dictOf('esrgan-bsrgan-x4'),
    }),
    4,
  ],
  ['4x-UltraSharp.pth', () => dictOf('esrgan-plus-x2'), 2],
  ['SwinIR.pth', async () => ({ params: await dictOf('swinir-direct-x3') }), 3],
  ['HAT.pth', async () => ({ params_ema: await dictOf('hat-x4') }), 4],
  ['DAT.pth', async () => ({ net: await dictOf('dat-x2', (key) => `module.${key}`) }), 2],
];

beforeAll(async () => {
  installation.add('input', [picture]);
  mkdirSync(models, { recursive: true });
  for (const [name, make] of files) writeTorchFile(join(models, name), await make());
});
afterAll(async () => {
  await removeUnpacked();
  await installation.remove();
});

test('every model makes its picture', async () => {
  const image = ['small', 0];
  const [width, height] = [48, 32];
  const nodes = files.flatMap(([model_name], i) => [
    [`load${i}`, 'UpscaleModelLoader', { model_name }],
    [`up${i}`, 'ImageUpscaleWithModel', { upscale_model: [`load${i}`, 0], image }],
    [`save${i}`, 'SaveImage', { images: [`up${i}`, 0], filename_prefix: model_name }],
  ]);
  const load = ['input', 'LoadImage', { image: '02-red-circle.png' }];
  const size = { width, height, upscale_method: 'area', crop: 'center' };
  const small = ['small', 'ImageScale', { image: ['input', 0], ...size }];
  const workflow = Object.fromEntries(
    [load, small, ...nodes].map(([id, class_type, inputs]) => [id, { class_type, inputs }]),
  ) as object;
  const { base } = installation;
  const runtime = createRuntime({ threads: 2 });
  const run = await runWorkflow(JSON.stringify(workflow), { base, runtime });
  for (const [i, [, , scale]] of files.entries()) {
    const [file] = run.files.get(`save${i}`)!;
    const { image } = toImageAndMask(await loadImageFile(file));
    expect(image.shape).toEqual([1, height * scale, width * scale, 3]);
    expect(new Set(image.data).size).toBeGreaterThan(10); // not black, not constant
  }
});
