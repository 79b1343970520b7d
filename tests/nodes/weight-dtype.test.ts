/** UNETLoader's weight_dtype, against ComfyUI's numbers on the tiny model. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { zeros } from '../../engine/array/nd.ts';
import { families } from '../../engine/arch/families/index.ts';
import type { Context } from '../../engine/node.ts';
import { createRuntime } from '../../engine/runtime/runtime.ts';
import { sampleLatent } from '../../engine/sampling/driver.ts';
import { type Model, diffusion } from '../../engine/values/model.ts';
import { networkTensors } from '../../engine/values/save-model.ts';
import { unetLoader } from '../../nodes/loaders.ts';
import { compare } from '../golden/area.ts';
import { openCase } from '../golden/open-case.ts';
import { contextWith, runNode } from '../golden/pictures/run-node.ts';

const root = join(import.meta.dirname, '../..');
const golden = await openCase(join(root, 'tests/fixtures/fp8.safetensors'));
const runtime = createRuntime({ threads: 2 });
const folders = {
  modelFile: () => join(root, 'models/checkpoints/tiny-scenes.safetensors'),
};
const context = {
  ...contextWith(),
  services: { families, folders, runtime },
} as unknown as Context;
const conditioning = (name: string) => [{ cross: golden.array(name) }];

const loaded = async (weight_dtype: string): Promise<Model> => {
  const inputs = { unet_name: 'tiny', weight_dtype };
  return ((await runNode(unetLoader, inputs, context)) as readonly Model[])[0];
};

test.each([
  ['default', 'default'],
  ['fp8_e4m3fn', 'fp8_e4m3fn'],
  ['fp8_e4m3fn_fast', 'fp8_e4m3fn'],
  ['fp8_e5m2', 'fp8_e5m2'],
])('%s', async (dtype, name) => {
  const samples = await sampleLatent({
    model: diffusion(await loaded(dtype), { runtime }),
    positive: conditioning('positive'),
    negative: conditioning('negative'),
    latent: zeros([1, 4, 8, 8]),
    steps: 2,
    cfg: 3,
    sampler: 'euler',
    scheduler: 'normal',
    seed: 7,
  });
  const wanted = golden.array(name);
  const largest = wanted.data.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
  const { maxError } = compare('samples', samples, wanted, { atol: 0, rtol: 0 });
  expect(maxError / largest).toBeLessThan(2e-4);
});

test('such a model is saved in its type', async () => {
  const model = await loaded('fp8_e5m2');
  const { dtype, shape, bytes } = networkTensors(model).get('out.2.weight')!;
  const written = typeof bytes === 'function' ? await bytes() : bytes;
  expect(dtype).toBe('F8_E5M2');
  expect(written.byteLength).toBe(shape.reduce((size, dim) => size * dim, 1));
});
