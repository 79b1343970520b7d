import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { families } from '../../../engine/arch/families/index.ts';
import { createFolders } from '../../../engine/store/folders.ts';
import { configured, readConfig } from '../../../engine/values/checkpoint-config.ts';
import { loadCheckpoint } from '../../../engine/values/load-checkpoint.ts';
import { diffusersIndex, loadDiffusers } from '../../../engine/values/load-diffusers.ts';
import { diffusersModules } from '../../../engine/weights/key-maps/diffusers-unet.ts';
import { readBytes } from '../../../engine/weights/read.ts';
import { openSafetensors } from '../../../engine/weights/safetensors.ts';
import { type WeightEntry, sub } from '../../../engine/weights/source.ts';
import { type TensorToWrite, writeSafetensors } from '../../../engine/weights/write.ts';

const checkpoint = join(import.meta.dirname, '../../../models/checkpoints/tiny-scenes.safetensors');
let base: string;

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'noodle-diffusers-'));
  const file = await openSafetensors(checkpoint);
  const unet = [...sub(file, 'model.diffusion_model.').tensors];
  const names = diffusersModules(unet.map(([key]) => key));
  const theirs = ([key, entry]: [string, WeightEntry]): [string, WeightEntry] => {
    const dot = key.lastIndexOf('.');
    return [`${names.get(key.slice(0, dot))![0]}${key.slice(dot)}`, entry];
  };
  const renamed = unet.map(theirs);
  const half = renamed.length >> 1;
  await write('unet/a.safetensors', renamed.slice(0, half));
  await write('unet/b.safetensors', renamed.slice(half));
  const map = renamed.map(([key], i) => [key, i < half ? 'a.safetensors' : 'b.safetensors']);
  put(
    'unet/diffusion_pytorch_model.safetensors.index.json',
    JSON.stringify({ weight_map: Object.fromEntries(map) as unknown }),
  );
  await write('vae/diffusion_pytorch_model.safetensors', [
    ...sub(file, 'first_stage_model.').tensors,
  ]);
  await write('text_encoder/model.safetensors', [
    ...sub(file, 'cond_stage_model.transformer.').tensors,
  ]);
  put(diffusersIndex, '{}');
});
afterAll(() => rmSync(base, { recursive: true }));

const folder = (): string => join(base, 'models/diffusers/some/model');

function put(name: string, content: string): void {
  const path = join(folder(), name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

async function write(name: string, entries: [string, WeightEntry][]): Promise<void> {
  const path = join(folder(), name);
  mkdirSync(dirname(path), { recursive: true });
  const tensors = entries.map(([key, entry]): [string, TensorToWrite] => [
    key,
    { dtype: entry.dtype as 'F16', shape: entry.shape, bytes: () => readBytes(entry) },
  ]);
  await writeSafetensors(path, new Map(tensors));
}

describe('a diffusers folder', () => {
  const name = join('some', 'model');

  test('is listed, and what it holds is that of the whole checkpoint', async () => {
    const folders = createFolders({ base });
    expect(folders.modelDirectories!('diffusers', diffusersIndex)).toEqual([name]);
    const opened = await loadDiffusers(name, folders, families);
    const whole = await loadCheckpoint(checkpoint, families);
    expect(opened.model.family).toBe(whole.model.family);
    expect(opened.model.config).toEqual(whole.model.config);
    expect(opened.clip!.encoders[0].spec).toEqual(whole.clip!.encoders[0].spec);
    expect(opened.vae!.config).toEqual(whole.vae!.config);
    const key = 'output_blocks.0.0.in_layers.2.weight';
    const [ours, theirs] = [opened, whole].map(({ model }) => model.source.tensors.get(key)!);
    expect(await readBytes(ours)).toEqual(await readBytes(theirs));
    expect(opened.model.source.tensors.size).toBe(whole.model.source.tensors.size);
  });

  test('says which part is missing', async () => {
    const folders = createFolders({ base });
    rmSync(join(folder(), 'vae'), { recursive: true });
    await expect(loadDiffusers(name, folders, families)).rejects.toThrow(
      'some/model/vae/diffusion_pytorch_model.safetensors',
    );
  });

  test('an index that lies about its shards leads nowhere', async () => {
    const index = 'unet/diffusion_pytorch_model.safetensors.index.json';
    const load = () => loadDiffusers(name, createFolders({ base }), families);
    put(index, '{"weight_map": {"a": "../../../../../../outside.safetensors"}}');
    await expect(load()).rejects.toMatchObject({ code: 'PATH_OUTSIDE' });
    put(index, '{"weight_map": {"a": 1}}');
    await expect(load()).rejects.toThrow('a weight_map of tensors to files');
  });
});

describe('a checkpoint with a configuration', () => {
  test('takes clip skip and v-prediction from it', async () => {
    const folders = createFolders({ base });
    const opened = await loadCheckpoint(checkpoint, families);
    const skip = configured(opened, await readConfig('v1-inference_clip_skip_2.yaml', folders));
    expect(skip.clip!.encoders[0].lastLayer).toBe(-2);
    expect(skip.model.sampling.prediction).toBe('eps');
    const v = configured(opened, await readConfig('v2-inference-v.yaml', folders));
    expect(v.model.sampling.prediction).toBe('v');
    expect(v.clip).toBe(opened.clip);
  });

  test('a user’s own file', async () => {
    const configs = join(base, 'models/configs');
    mkdirSync(configs, { recursive: true });
    writeFileSync(
      join(configs, 'v2-inference.yaml'),
      'model:\n  params:\n    parameterization: "v"\n    cond_stage_config:\n      params:\n        layer_idx: -3\n',
    );
    writeFileSync(join(configs, 'broken.yaml'), 'model: [');
    const folders = createFolders({ base });
    const config = await readConfig('v2-inference.yaml', folders);
    expect(config).toEqual({ predictsV: true, lastLayer: -3 });
    await expect(readConfig('broken.yaml', folders)).rejects.toThrow('configs/broken.yaml');
    await expect(readConfig('../secret.yaml', folders)).rejects.toThrow();
  });
});
