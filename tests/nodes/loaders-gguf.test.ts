import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { families } from '../../engine/arch/families/index.ts';
import type { Context, NodeDefinition } from '../../engine/node.ts';
import { createFolders } from '../../engine/store/folders.ts';
import type { Model } from '../../engine/values/model.ts';
import {
  clipLoaderGguf,
  ggufLoaderNodes,
  unetLoaderGguf,
  unetLoaderGgufAdvanced,
} from '../../nodes/loaders-gguf.ts';
import { contextWith, runNode } from '../golden/pictures/run-node.ts';
import { ownGoldenDir } from '../support/golden.ts';

const base = mkdtempSync(join(tmpdir(), 'noodle-gguf-nodes-'));
afterAll(() => rmSync(base, { recursive: true }));
for (const folder of ['unet', 'text_encoders']) {
  mkdirSync(join(base, 'models', folder), { recursive: true });
  copyFileSync(
    join(ownGoldenDir('quant'), 'flux_tiny_q8.gguf'),
    join(base, 'models', folder, 'flux.gguf'),
  );
}
writeFileSync(join(base, 'models/unet/other.safetensors'), '');

const folders = createFolders({ base });
const context = { ...contextWith(), services: { families, folders } } as unknown as Context;

/** What a node's input may be. */
const choices = ({ inputs }: NodeDefinition, name: string): unknown =>
  (inputs[name] as { choices: (source: typeof folders) => readonly string[] }).choices(folders);

it('lists GGUF files where diffusion models and text encoders lie', () => {
  expect(folders.modelFiles('unet_gguf')).toEqual(['flux.gguf']);
  expect(folders.modelFiles('diffusion_models')).toEqual(['other.safetensors']);
  expect(folders.modelFiles('clip_gguf')).toEqual(['flux.gguf']);
  expect(choices(unetLoaderGguf, 'unet_name')).toEqual(['flux.gguf']);
  expect(ggufLoaderNodes.map(({ name }) => name)).toEqual([
    'UnetLoaderGGUF',
    'UnetLoaderGGUFAdvanced',
    'CLIPLoaderGGUF',
    'DualCLIPLoaderGGUF',
    'TripleCLIPLoaderGGUF',
  ]);
});

it('opens a diffusion model', async () => {
  const [model] = (await runNode(unetLoaderGguf, { unet_name: 'flux.gguf' }, context)) as Model[];
  expect(model.family.name).toBe('flux');
  const chosen = { dequant_dtype: 'float16', patch_dtype: 'target', patch_on_device: true };
  const inputs = { unet_name: 'flux.gguf', ...chosen };
  const [same] = (await runNode(unetLoaderGgufAdvanced, inputs, context)) as Model[];
  expect(same.source.identity).toBe(model.source.identity);
});

it('says what a file is that is no text encoder', async () => {
  const inputs = { clip_name: 'flux.gguf', type: 'stable_diffusion' };
  await expect(runNode(clipLoaderGguf, inputs, context)).rejects.toThrow(
    "but seems to be a diffusion model, Flux (models/diffusion_models or checkpoints): it is a GGUF file of the architecture 'flux'",
  );
});
