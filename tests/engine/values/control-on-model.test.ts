/**
 * Control-LoRAs and difference files on a model with a LoRA on it, and a ControlNet on one with deep shrink,
 * against ComfyUI 0.3.64. The first two's files are made here from the shared golden data, by the same
 * numbers as for the reference.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sub as minus } from '../../../engine/array/elementwise.ts';
import type { NDArray } from '../../../engine/array/nd.ts';
import { readFloats } from '../../../engine/weights/read.ts';
import { openSafetensors } from '../../../engine/weights/safetensors.ts';
import { type WeightSource, sub } from '../../../engine/weights/source.ts';
import { encodeSafetensors, floatTensor } from '../../../engine/weights/write.ts';
import { area, removeInstallations } from '../../golden/areas/end-to-end.ts';
import { gunzipped, removeUnpacked, temporaryFolder } from '../../golden/open-case.ts';
import { goldenDir, ownGoldenDir } from '../../support/golden.ts';
import { randomFloats } from '../../support/random-weights.ts';

const checkpoint = join(goldenDir('end-to-end'), 'models/checkpoints/tiny_sd15.safetensors.gz');
const controlNet = join(goldenDir('controlnet'), 'models/controlnet/control_sd15.safetensors');

/** Layers that get a product of rank 2. */
const layers = [
  'input_blocks.1.1.transformer_blocks.0.attn1.to_q',
  'input_blocks.1.0.in_layers.2',
  'input_blocks.3.0.skip_connection',
  'time_embed.0',
  'middle_block.1.proj_in',
  'input_blocks.2.0.op',
];
const replaced = 'input_blocks.1.1.norm.weight';

const one: NDArray = { data: Float32Array.of(0), shape: [1] };

async function tensors({ tensors: entries }: WeightSource): Promise<Map<string, NDArray>> {
  const arrays = new Map<string, NDArray>();
  for (const [key, entry] of entries) {
    arrays.set(key, { data: await readFloats(entry), shape: entry.shape });
  }
  return arrays;
}

const save = (path: string, arrays: ReadonlyMap<string, NDArray>): void =>
  writeFileSync(
    path,
    encodeSafetensors(
      new Map([...arrays].map(([key, { data, shape }]) => [key, floatTensor(data, shape, 'F32')])),
    ),
  );

function controlLora(
  base: ReadonlyMap<string, NDArray>,
  control: ReadonlyMap<string, NDArray>,
): Map<string, NDArray> {
  const whole = [...control].filter(([key]) => !base.has(key) || key === replaced);
  const file = new Map([['lora_controlnet', one], ...whole]);
  layers.forEach((layer, i) => {
    const [out, ...rest] = base.get(`${layer}.weight`)!.shape;
    const size = rest.reduce((product, dim) => product * dim, 1);
    const up = randomFloats(out * 2, 2 * i + 1).map((value) => value * 0.125);
    const kernel = rest.length === 3 ? [1, 1] : [];
    file.set(`${layer}.up`, { data: up, shape: [out, 2, ...kernel] });
    file.set(`${layer}.down`, { data: randomFloats(2 * size, 2 * i + 2), shape: [2, ...rest] });
  });
  return file;
}

function difference(
  base: ReadonlyMap<string, NDArray>,
  control: ReadonlyMap<string, NDArray>,
): Map<string, NDArray> {
  const tensorOf = ([key, value]: [string, NDArray]): [string, NDArray] => {
    const own = base.get(key);
    return [`control_model.${key}`, own ? minus(value, own) : value];
  };
  return new Map([['difference', one], ...[...control].map(tensorOf)]);
}

describe.skipIf(!existsSync(checkpoint) || !existsSync(controlNet))('control on a model', () => {
  let dir: string;
  beforeAll(async () => {
    dir = await temporaryFolder();
    const own = ownGoldenDir('control-on-model');
    for (const file of readdirSync(own)) copyFileSync(join(own, file), join(dir, file));
    const models = join(dir, 'models/controlnet');
    mkdirSync(models, { recursive: true });
    const unet = sub(await openSafetensors(await gunzipped(checkpoint)), 'model.diffusion_model.');
    const base = await tensors(unet);
    const control = await tensors(sub(await openSafetensors(controlNet), 'control_model.'));
    save(join(models, 'lora_tiny.safetensors'), controlLora(base, control));
    save(join(models, 'diff_tiny.safetensors'), difference(base, control));
  });
  afterAll(async () => {
    await removeInstallations();
    await removeUnpacked();
  });

  test.each(['control_lora', 'control_difference', 'control_deep_shrink'])(
    '%s gives the pictures of the reference',
    async (name) => {
      const result = await area.run(dir, name);
      if ('skip' in result) throw new Error(result.skip);
      expect(result.comparisons.length).toBeGreaterThan(0);
      expect(result.comparisons.filter(({ pass }) => !pass)).toEqual([]);
    },
  );
});
