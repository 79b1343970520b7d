/** Files of Stable Cascade as they are released, made small: what loaders find in them, and what is saved. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nd, zeros } from '../../../engine/array/nd.ts';
import { families } from '../../../engine/arch/families/index.ts';
import { clipNames, unetNames } from '../../../engine/patch/lora/names.ts';
import type { ConditioningEntry } from '../../../engine/sampling/conditioning.ts';
import {
  loadCheckpoint,
  loadDiffusionModel,
  loadVae,
} from '../../../engine/values/load-checkpoint.ts';
import { createRuntime } from '../../../engine/runtime/runtime.ts';
import { diffusion } from '../../../engine/values/model.ts';
import { checkpointTensors } from '../../../engine/values/save-model.ts';
import { readFloats } from '../../../engine/weights/read.ts';
import { openSafetensors } from '../../../engine/weights/safetensors.ts';
import { writeSafetensors } from '../../../engine/weights/write.ts';
import * as tiny from '../../support/tiny-cascade.ts';

const told = { text: 64, pictures: 24 };
const shapes = tiny.checkpoints(told);
const runtime = createRuntime({ threads: 1 });
let dir: string;
const at = (name: string): string => join(dir, `${name}.safetensors`);

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'noodle-cascade-'));
  const files = { ...shapes, 'unet-c': tiny.stageC(told), effnet: {}, 'stage-a': tiny.stageA() };
  files.effnet = Object.fromEntries(
    Object.entries(tiny.stageCCoder()).flatMap(([key, shape]) =>
      key.startsWith('encoder.') ? [[key.slice('encoder.'.length), shape]] : [],
    ),
  );
  for (const [name, each] of Object.entries(files)) {
    await writeSafetensors(at(name), tiny.tensorsOf(each));
  }
});
afterAll(() => rm(dir, { recursive: true }));

describe('Stable Cascade', () => {
  test('the file of stage C has all parts, q, k and v in one matrix', async () => {
    const { model, clip, vae, vision } = await loadCheckpoint(at('stageC'), families);
    expect(model.family.name).toBe('cascade-c');
    expect(model.config).toEqual({
      inChannels: 16,
      heads: [1, 1],
      contextWidth: 64,
      pooledWidth: 64,
      pictureWidth: 24,
    });
    const part = (name: string) =>
      model.source.tensors.get(`down_blocks.0.2.attention.attn.${name}`)!;
    const { tensors } = await openSafetensors(at('stageC'));
    const attention = 'model.diffusion_model.down_blocks.0.2.attention.attn';
    const whole = await readFloats(tensors.get(`${attention}.in_proj_weight`)!);
    expect(await readFloats(part('to_k.weight'))).toEqual(whole.slice(64 * 64, 2 * 64 * 64));
    expect(part('to_v.bias').shape).toEqual([64]);
    expect(clip!.encoders[0].spec).toMatchObject({ name: 'clip_g', layer: -1, pad: 'end' });
    const projection = clip!.encoders[0].source.tensors.get('text_projection.weight')!;
    expect(projection.transposed).toBe(true);
    expect(vae).toMatchObject({ latentChannels: 16, factor: { space: 32, drawn: 8 } });
    expect(vision).not.toBeNull();
  });

  test('the file of stage B', async () => {
    const { model, clip, vae, vision } = await loadCheckpoint(at('stageB'), families);
    expect(model.family.name).toBe('cascade-b');
    expect(model.config).toEqual({
      inChannels: 4,
      heads: [1, 1],
      pooledWidth: 64,
      priorChannels: 16,
    });
    expect(clip).not.toBeNull();
    expect(vae).toMatchObject({ latentChannels: 4, factor: { space: 4 } });
    expect(vision).toBeNull();
  });

  test('files of one part', async () => {
    expect((await loadDiffusionModel(at('unet-c'), families)).family.name).toBe('cascade-c');
    const encoder = await loadVae(at('effnet'));
    expect(encoder).toMatchObject({ latentChannels: 16, config: { encoder: '' } });
    expect(await loadVae(at('stage-a'))).toMatchObject({ latentChannels: 4 });
  });

  test('what is saved is found again, the projection turned', async () => {
    const { model, clip, vae, vision } = await loadCheckpoint(at('stageC'), families);
    const saved = checkpointTensors(model, { clip, vae, vision });
    expect([...saved.keys()].filter((key) => key.startsWith('text_encoder.clip_g.'))).toContain(
      'text_encoder.clip_g.transformer.text_projection.weight',
    );
    await writeSafetensors(at('saved'), saved);
    const again = await loadCheckpoint(at('saved'), families);
    expect(again.vae).toMatchObject({ latentChannels: 16 });
    expect(again.vision).not.toBeNull();
    expect(again.model.config).toEqual(model.config);
    const key = 'text_projection.weight';
    const [before, after] = [clip, again.clip].map((c) => c!.encoders[0].source.tensors.get(key)!);
    expect(await readFloats(after)).toEqual(await readFloats(before));
  });

  test('trainers call stage C a prior, and its text encoder that of the prior', async () => {
    const { model, clip } = await loadCheckpoint(at('stageC'), families);
    const names = unetNames(model.source.tensors.keys());
    const key = 'down_blocks.0.2.attention.attn.to_q.weight';
    expect(names.get('lora_prior_unet_down_blocks_0_2_attention_attn_to_q')).toBe(key);
    const { model: stageB } = await loadCheckpoint(at('stageB'), families);
    const ofB = [...unetNames(stageB.source.tensors.keys()).keys()];
    expect(ofB.filter((name) => name.startsWith('lora_prior_'))).toEqual([]);
    const text = clipNames('clip_g', clip!.encoders[0].source.tensors.keys(), 'clip_g');
    for (const start of ['lora_prior_te_', 'lora_te_']) {
      expect(text.get(`${start}text_model_encoder_layers_0_mlp_fc1`)).toBe(
        'text_model.encoder.layers.0.mlp.fc1.weight',
      );
    }
  });
});

describe('what the stages are told', () => {
  const run = { latentShape: [1, 4, 84, 168], noise: zeros([1, 4, 84, 168]) };
  const conditions = async (name: string, entry: Partial<ConditioningEntry>) => {
    const { model } = await loadCheckpoint(at(name), families);
    const whole = { cross: zeros([1, 77, 64]), ...entry };
    return diffusion(model, { runtime }).encodeConditioning(whole, run);
  };

  test('pictures follow one another, each times its strength', async () => {
    const picture = (value: number, strength: number, count = 1) => ({
      output: { embeds: nd(new Float32Array(count * 24).fill(value), [count, 24]) },
      strength,
      noiseAugmentation: 0.5,
    });
    const unclip = [picture(1, 0.5, 2), picture(2, 2)];
    const { pictures } = await conditions('stageC', { extra: { unclip } });
    expect(pictures.value.shape).toEqual([1, 3, 24]);
    expect([0, 24, 48].map((i) => pictures.value.data[i])).toEqual([0.5, 0.5, 4]);
    expect((await conditions('stageC', {})).pictures.value).toEqual(zeros([1, 1, 24]));
    const narrow = [{ output: { embeds: zeros([1, 16]) }, strength: 1, noiseAugmentation: 0 }];
    await expect(conditions('stageC', { extra: { unclip: narrow } })).rejects.toThrow(
      'expected embeddings of width 24',
    );
  });

  test('stage B is told what stage C drew and no words', async () => {
    const stage_c = zeros([2, 16, 5, 7]);
    const { prior, cross } = await conditions('stageB', {
      extra: { stable_cascade_prior: stage_c },
    });
    expect(prior.value).toBe(stage_c);
    expect(cross).toBeUndefined();
    expect((await conditions('stageB', {})).prior.value.shape).toEqual([1, 16, 8, 16]);
    const wrong = { stable_cascade_prior: zeros([1, 4, 5, 7]) };
    await expect(conditions('stageB', { extra: wrong })).rejects.toThrow(
      'expected a latent of stage C with 16 channels, got [1, 4, 5, 7]',
    );
  });
});
