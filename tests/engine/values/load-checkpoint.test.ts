import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { families } from '../../../engine/arch/families/index.ts';
import { type Runtime, createRuntime } from '../../../engine/runtime/runtime.ts';
import type { Folders } from '../../../engine/store/folders.ts';
import { encodePrompt } from '../../../engine/values/clip.ts';
import {
  loadCheckpoint,
  loadDiffusionModel,
  loadTextEncoders,
  loadVae,
} from '../../../engine/values/load-checkpoint.ts';
import { decode, requireVae } from '../../../engine/values/vae.ts';
import { readBytes, readFloats } from '../../../engine/weights/read.ts';
import { openSafetensors } from '../../../engine/weights/safetensors.ts';
import { type PlainTensor, writeTorchFile } from '../../support/torch-file.ts';
import type { Family, TextSetup } from '../../../engine/arch/family.ts';
import { sd1 } from '../../../engine/arch/families/sd1.ts';
import { umt5xxl } from '../../../engine/arch/families/sequence-encoders.ts';
import { alone } from '../../../engine/arch/families/text-encoders.ts';
import { fluxText, sd3Text } from '../../../engine/arch/families/text-sides.ts';

const checkpoint = join(import.meta.dirname, '../../../models/checkpoints/tiny-scenes.safetensors');
const noFiles = { modelFiles: () => [] } as unknown as Folders;
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'noodle-load-'));
});
afterAll(() => rm(dir, { recursive: true }));

type Shapes = Record<string, readonly number[]>;

/** A safetensors file of zeros. */
async function zerosFile(name: string, shapes: Shapes): Promise<string> {
  let offset = 0;
  const header: Record<string, unknown> = {};
  for (const [key, shape] of Object.entries(shapes)) {
    const bytes = shape.reduce((size, dim) => size * dim, 2);
    header[key] = { dtype: 'F16', shape, data_offsets: [offset, (offset += bytes)] };
  }
  return writeParts(name, header, [Buffer.alloc(offset)]);
}

/** The tensors of the checkpoint whose keys `to` keeps, under the keys it gives. */
async function extract(name: string, to: (key: string) => string | undefined): Promise<string> {
  let offset = 0;
  const header: Record<string, unknown> = {};
  const parts: Uint8Array[] = [];
  for (const [key, entry] of (await openSafetensors(checkpoint)).tensors) {
    const renamed = to(key);
    if (renamed === undefined) continue;
    const { dtype, shape, byteLength } = entry;
    header[renamed] = { dtype, shape, data_offsets: [offset, (offset += byteLength)] };
    parts.push(await readBytes(entry));
  }
  return writeParts(name, header, parts);
}

async function writeParts(
  name: string,
  header: Record<string, unknown>,
  parts: readonly Uint8Array[],
): Promise<string> {
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const path = join(dir, name);
  await writeFile(path, Buffer.concat([length, text, ...parts]));
  return path;
}

const without = (prefix: string) => (key: string) =>
  key.startsWith(prefix) ? key.slice(prefix.length) : undefined;

describe('the embedded checkpoint', () => {
  test('is Stable Diffusion 1 with its sizes read from shapes', async () => {
    const { model, clip, vae } = await loadCheckpoint(checkpoint, families);
    expect(model.family.name).toBe('sd1');
    expect(model.config).toMatchObject({ inChannels: 4, modelChannels: 64, contextWidth: 128 });
    expect(clip!.encoders.map(({ config }) => config)).toEqual([
      { width: 128, layers: 2, positions: 77, vocabulary: 49408 },
    ]);
    expect(requireVae(vae)).toMatchObject({ factor: { space: 8 }, latentChannels: 4 });
    // its family's autoencoders hold in half precision, what a file alone does not tell
    expect(vae!.fullPrecision).toBeUndefined();
    expect((await loadVae(checkpoint)).fullPrecision).toBe(true);
  });

  test('tells the runtime what each of its networks is', async () => {
    const runtime = createRuntime({ threads: 2 });
    const needs: unknown[] = [];
    const recording: Runtime = {
      ...runtime,
      session: (key, build, need) => {
        needs.push(need);
        return runtime.session(key, build, need);
      },
    };
    const { clip } = await loadCheckpoint(checkpoint, families);
    await encodePrompt(clip, 'a star', { runtime: recording, folders: noFiles });
    const latent = { data: new Float32Array(4 * 4), shape: [1, 4, 2, 2] };
    await decode(await loadVae(checkpoint), latent, { runtime: recording });
    expect(needs).toEqual([
      { role: 'text-encoder', fullPrecision: undefined },
      { role: 'vae', fullPrecision: true },
    ]);
    await runtime.unloadAll();
  });

  test('prompts share one session', async () => {
    const runtime = createRuntime({ threads: 2 });
    const { clip } = await loadCheckpoint(checkpoint, families);
    const services = { runtime, folders: noFiles };
    const first = await encodePrompt(clip, 'a red circle', services);
    await encodePrompt(clip, 'a (blue:1.4) square', services);
    expect(first.cross.shape).toEqual([1, 77, 128]);
    expect(first.pooled!.shape).toEqual([1, 128]);
    expect(runtime.stats().sessions).toHaveLength(1);
    await runtime.unloadAll();
  });
});

describe('parts of a checkpoint in files of their own', () => {
  test('diffusion model with and without its prefix', async () => {
    const bare = await extract('unet.safetensors', without('model.diffusion_model.'));
    expect((await loadDiffusionModel(bare, families)).family.name).toBe('sd1');
    expect((await loadDiffusionModel(checkpoint, families)).family.name).toBe('sd1');
    const { clip, vae } = await loadCheckpoint(bare, families);
    expect([clip, vae]).toEqual([null, null]);
    expect(() => requireVae(vae)).toThrow('does not contain a valid VAE');
  });

  test('autoencoder', async () => {
    const bare = await extract('vae.safetensors', without('first_stage_model.'));
    expect((await loadVae(bare)).latentChannels).toBe(4);
    expect((await loadVae(checkpoint)).latentChannels).toBe(4);
    await expect(loadDiffusionModel(bare, families)).rejects.toThrow(
      'seems to be a picture autoencoder (models/vae)',
    );
  });

  test('files of torch.save', async () => {
    const { tensors } = await openSafetensors(checkpoint);
    const state: Record<string, PlainTensor> = {};
    for (const [key, entry] of tensors) {
      if (!key.startsWith('first_stage_model.')) continue;
      state[key] = { shape: entry.shape, data: await readFloats(entry) };
    }
    const path = join(dir, 'vae.pt');
    writeTorchFile(path, { state_dict: state, epoch: 'three' });
    expect((await loadVae(path)).latentChannels).toBe(4);
    const { source } = await loadVae(path);
    const key = 'decoder.conv_in.weight';
    expect(await readFloats(source.tensors.get(key)!)).toEqual(
      state[`first_stage_model.${key}`].data,
    );
  });

  test('text encoder, also under the names old SD1 files use', async () => {
    const prefix = 'cond_stage_model.transformer.';
    for (const start of [prefix, `${prefix}text_model.`]) {
      const path = await extract(`clip-${start.length}.safetensors`, without(start));
      const clip = await loadTextEncoders([path], 'stable_diffusion');
      expect(clip.encoders[0].config).toMatchObject({ width: 128 });
      expect(clip.encoders[0].spec.name).toBe('clip_l');
    }
  });
});

describe('text encoder files and the type of the loader', () => {
  /** A CLIP with so many layers that it is one of the released ones. */
  const clipFile = (name: string, layers: number) => {
    const norms = Array.from({ length: layers }, (_, i) => [
      `text_model.encoder.layers.${i}.layer_norm1.weight`,
      [8],
    ]);
    return zerosFile(name, {
      'text_model.embeddings.token_embedding.weight': [16, 8],
      'text_model.embeddings.position_embedding.weight': [4, 8],
      ...(Object.fromEntries(norms) as Shapes),
    });
  };

  test('one file: what it holds decides, and the type where that leaves a choice', async () => {
    const files = {
      l: await clipFile('l12.safetensors', 12),
      g: await clipFile('g32.safetensors', 32),
    };
    const specOf = async (file: string, type: string) =>
      (await loadTextEncoders([file], type)).encoders[0].spec;
    expect(await specOf(files.l, 'stable_diffusion')).toMatchObject({ name: 'clip_l', layer: -1 });
    expect(await specOf(await clipFile('h24.safetensors', 24), 'stable_diffusion')).toMatchObject({
      name: 'clip_h',
      finalNorm: true,
    });
    expect(await specOf(files.g, 'stable_diffusion')).toMatchObject({ layer: -2, pad: 'zero' });
    expect(await specOf(files.g, 'stable_cascade')).toMatchObject({ layer: -1, maskPadding: true });
    // ComfyUI takes a CLIP for Stable Diffusion's under the types of most other families
    expect(await specOf(files.l, 'wan')).toMatchObject({ name: 'clip_l', layer: -1 });
    expect(await specOf(files.g, 'pixart')).toMatchObject({ layer: -2, pad: 'zero' });
  });

  test('two files in any order, as SDXL uses them', async () => {
    const [l, g] = [join(dir, 'l12.safetensors'), join(dir, 'g32.safetensors')];
    for (const paths of [
      [l, g],
      [g, l],
    ]) {
      const { encoders } = await loadTextEncoders(paths, 'sdxl');
      expect(encoders.map(({ spec }) => [spec.name, spec.kind === 'clip' && spec.layer])).toEqual([
        ['clip_l', -2],
        ['clip_g', -2],
      ]);
      expect(encoders.map(({ source }) => source.label)).toEqual([l, g]);
    }
  });
});

describe('text encoders inside a checkpoint', () => {
  const t5 = (prefix: string): Shapes => ({
    [`${prefix}shared.weight`]: [8, 8],
    [`${prefix}encoder.block.0.layer.0.SelfAttention.k.weight`]: [8, 8],
  });
  const holding = (text: TextSetup, prefixes: readonly string[]): Family => ({
    ...sd1,
    detect: () => ({}),
    sampling: async () => ({ prediction: 'eps', schedule: {} }),
    text,
    textPrefixes: prefixes.map((prefix) => [prefix]),
  });

  test('the vocabulary lies in front of the encoder', async () => {
    const prefix = 'text_encoders.umt5xxl.transformer.';
    const path = await zerosFile('inside.safetensors', {
      ...t5(prefix),
      'text_encoders.spiece_model': [4],
    });
    const { clip } = await loadCheckpoint(path, [holding(alone(umt5xxl), [prefix])]);
    expect(clip!.encoders[0].source.tensors.has('spiece_model')).toBe(true);
  });

  test('a family that can do without some of them', async () => {
    const names = ['clip_l', 'clip_g', 't5xxl'];
    const prefixes = names.map((name) => `text_encoders.${name}.transformer.`);
    const path = await zerosFile('part.safetensors', t5(prefixes[2]));
    const { clip } = await loadCheckpoint(path, [holding(sd3Text(names), prefixes)]);
    expect(clip!.setup.encoders.map(({ name }) => name)).toEqual(['t5xxl']);
    const other = await loadCheckpoint(path, [holding(fluxText, [prefixes[0], prefixes[2]])]);
    expect(other.clip).toBeNull();
  });
});

describe('files that cannot be loaded say why', () => {
  test('a text encoder of another kind, and a type that is not supported', async () => {
    const t5 = await zerosFile('t5.safetensors', {
      'encoder.block.0.layer.0.SelfAttention.k.weight': [8, 8],
    });
    await expect(loadTextEncoders([t5], 'stable_diffusion')).rejects.toThrow(
      'seems to be a T5, of which parts are missing; supported text encoders are CLIP-L, CLIP-G,',
    );
    const path = await extract('l.safetensors', without('cond_stage_model.transformer.'));
    await expect(loadTextEncoders([path, path], 'hunyuan_image')).rejects.toThrow(
      'expected qwen25_7b and byt5_small, got clip_l (l.safetensors) and clip_l (l.safetensors)',
    );
    await expect(loadTextEncoders([path], 'music')).rejects.toThrow("of type 'music'");
    await expect(loadTextEncoders([path, path], 'sdxl')).rejects.toThrow(
      'expected clip_l and clip_g, got clip_l (l.safetensors) and clip_l (l.safetensors)',
    );
    const whole = await zerosFile('t5xxl.safetensors', {
      'shared.weight': [8, 8],
      'encoder.block.0.layer.0.SelfAttention.k.weight': [8, 8],
      'encoder.block.0.layer.1.DenseReluDense.wi_1.weight': [8, 8],
    });
    await expect(loadTextEncoders([path, whole], 'sdxl')).rejects.toThrow(
      'expected clip_l and clip_g, got clip_l (l.safetensors) and t5xxl (t5xxl.safetensors)',
    );
  });

  test('a video autoencoder', async () => {
    const path = await zerosFile('wan.safetensors', { 'decoder.middle.0.residual.0.gamma': [4] });
    await expect(loadVae(path)).rejects.toThrow('seems to be the autoencoder of Wan');
  });

  test('a pickle that wants code to run', async () => {
    const hostile = join(import.meta.dirname, '../text/data/hostile.pt');
    await expect(loadCheckpoint(hostile, families)).rejects.toThrow('it needs posix.system');
  });
});
