import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sizeOf } from '../../engine/array/nd.ts';
import { families } from '../../engine/arch/families/index.ts';
import { sdxl } from '../../engine/arch/families/sdxl.ts';
import type { NodeDefinition } from '../../engine/graph/definition.ts';
import { createRuntime } from '../../engine/runtime/runtime.ts';
import { createFolders } from '../../engine/store/folders.ts';
import { loadCheckpoint } from '../../engine/values/load-checkpoint.ts';
import { checkpointTensors, saveTensors } from '../../engine/values/save-model.ts';
import { clipNames, toOpenClip } from '../../engine/weights/key-maps/open-clip.ts';
import { readBytes, readFloats } from '../../engine/weights/read.ts';
import { openSafetensors } from '../../engine/weights/safetensors.ts';
import { memorySource, sub } from '../../engine/weights/source.ts';
import { encodeSafetensors, floatTensor } from '../../engine/weights/write.ts';
import { modelSavingNodes } from '../../nodes/model-saving.ts';
import { assertLikeReference } from '../support/object-info.ts';
import { randomFloats, randomSource } from '../support/random-weights.ts';
import { type Installation, createInstallation, runWorkflow } from '../support/run-workflow.ts';

const checkpoint = join(import.meta.dirname, '../../models/checkpoints/tiny-scenes.safetensors');
let place: Installation;
beforeAll(() => {
  place = createInstallation();
  place.add('models/checkpoints', [checkpoint]);
});
afterAll(() => place.remove());

test.each(modelSavingNodes.map((node): [string, NodeDefinition] => [node.name, node]))(
  '%s prints like the reference',
  (_, node) => assertLikeReference(node),
);

const node = (class_type: string, inputs: Record<string, unknown>) => ({ class_type, inputs });

/** Asserts that a saved file holds these tensors of the checkpoint, and nothing else. */
async function expectSaved(name: string, prefix: string): Promise<Record<string, string>> {
  const saved = await openSafetensors(join(place.base, 'output', name));
  const { tensors } = sub(await openSafetensors(checkpoint), prefix);
  expect([...saved.tensors.keys()].sort()).toEqual([...tensors.keys()].sort());
  for (const [key, entry] of tensors) {
    const { dtype, shape } = saved.tensors.get(key)!;
    expect([key, dtype, shape]).toEqual([key, entry.dtype, entry.shape]);
    const [ours, theirs] = [saved.tensors.get(key)!, entry].map(readBytes);
    expect(Buffer.compare(await ours, await theirs), key).toBe(0);
  }
  return saved.metadata;
}

test('saved models are what was loaded, mixed with itself', { timeout: 60_000 }, async () => {
  const workflow = {
    1: node('CheckpointLoaderSimple', { ckpt_name: 'tiny-scenes.safetensors' }),
    2: node('ModelMergeSimple', { model1: ['1', 0], model2: ['1', 0], ratio: 0.25 }),
    3: node('CLIPMergeSimple', { clip1: ['1', 1], clip2: ['1', 1], ratio: 0.5 }),
    4: node('CheckpointSave', {
      model: ['2', 0],
      clip: ['3', 0],
      vae: ['1', 2],
      filename_prefix: 'checkpoints/all',
    }),
    5: node('ModelSave', { model: ['1', 0], filename_prefix: 'unet' }),
    6: node('CLIPSave', { clip: ['1', 1], filename_prefix: 'clip/text' }),
    7: node('VAESave', { vae: ['1', 2], filename_prefix: 'vae' }),
  };
  await runWorkflow(JSON.stringify(workflow), { base: place.base, runtime: createRuntime() });
  const metadata = await expectSaved('checkpoints/all_00001_.safetensors', '');
  expect(metadata['modelspec.predict_key']).toBe('epsilon');
  expect(JSON.parse(metadata.prompt)).toEqual(workflow);
  await expectSaved('clip/text_clip_l_00001_.safetensors', 'cond_stage_model.transformer.');
  await expectSaved('vae_00001_.safetensors', 'first_stage_model.');
  const unet = await openSafetensors(join(place.base, 'output/unet_00001_.safetensors'));
  expect([...unet.tensors.keys()].every((key) => key.startsWith('model.diffusion_model.'))).toBe(
    true,
  );
  const again = await loadCheckpoint(
    join(place.base, 'output/checkpoints/all_00001_.safetensors'),
    families,
  );
  expect([again.model.family.name, again.clip === null, again.vae === null]).toEqual([
    'sd1',
    false,
    false,
  ]);
});

interface Saved {
  readonly tensors: number;
  /** SHA-256 of the lines "name type shape", sorted. */
  readonly listing: string;
  /** Of every tensor that is not as it was loaded: the sum of its sizes, and its first four numbers. */
  readonly changed: Readonly<Record<string, readonly number[]>>;
}

/** What ComfyUI 0.3.64 writes for the workflow below, with weights kept as fp16. */
const reference = JSON.parse(
  readFileSync(join(import.meta.dirname, '../fixtures/saved-checkpoint.json'), 'utf8'),
) as {
  readonly adapter: Readonly<Record<string, readonly number[]>>;
  readonly files: Readonly<Record<'all' | 'model' | 'clip_clip_l', Saved>>;
};

async function expectAsReference(name: keyof typeof reference.files): Promise<void> {
  const { tensors } = await openSafetensors(
    join(place.base, 'output/patched', `${name}_00001_.safetensors`),
  );
  const { tensors: count, listing, changed } = reference.files[name];
  const lines = [...tensors].map(([key, { dtype, shape }]) => `${key} ${dtype} ${shape.join()}\n`);
  expect(lines).toHaveLength(count);
  expect(createHash('sha256').update(lines.sort().join('')).digest('hex')).toBe(listing);
  for (const [key, [sum, ...first]] of Object.entries(changed)) {
    const values = await readFloats(tensors.get(key)!);
    const ours = values.reduce((total, v) => total + Math.abs(v), 0);
    expect(Math.abs(ours / sum - 1), key).toBeLessThan(1e-5);
    first.forEach((v, i) => {
      // a number of fp16 that lies between two may be rounded to the other one
      expect(Math.abs(values[i] - v), key).toBeLessThanOrEqual(Math.abs(v) * 2 ** -10);
    });
  }
}

test(
  'adapters and multiplied layers are saved as the reference saves them',
  { timeout: 60_000 },
  async () => {
    const adapter = Object.entries(reference.adapter).map(([key, shape], i) => {
      const values = randomFloats(sizeOf(shape), i + 1).map((v) => v / 8);
      return [key, floatTensor(values, shape)] as const;
    });
    const loras = join(place.base, 'models/loras');
    mkdirSync(loras, { recursive: true });
    writeFileSync(join(loras, 'drawn.safetensors'), encodeSafetensors(new Map(adapter)));
    const factors = { q: 1.1, k: 0.9, v: 1.25, out: 0.8 };
    const workflow = {
      1: node('CheckpointLoaderSimple', { ckpt_name: 'tiny-scenes.safetensors' }),
      2: node('UNetSelfAttentionMultiply', { model: ['1', 0], ...factors }),
      3: node('LoraLoader', {
        model: ['2', 0],
        clip: ['1', 1],
        lora_name: 'drawn.safetensors',
        strength_model: 0.8,
        strength_clip: 0.6,
      }),
      4: node('CLIPAttentionMultiply', { clip: ['3', 1], q: 1.2, k: 1, v: 0.75, out: 1.1 }),
      5: node('CheckpointSave', {
        model: ['3', 0],
        clip: ['4', 0],
        vae: ['1', 2],
        filename_prefix: 'patched/all',
      }),
      6: node('ModelSave', { model: ['3', 0], filename_prefix: 'patched/model' }),
      7: node('CLIPSave', { clip: ['4', 0], filename_prefix: 'patched/clip' }),
    };
    await runWorkflow(JSON.stringify(workflow), { base: place.base, runtime: createRuntime() });
    for (const name of ['all', 'model', 'clip_clip_l'] as const) await expectAsReference(name);
  },
);

test('a stopped save leaves nothing behind, and progress counts bytes', async () => {
  const folders = createFolders({ base: place.base });
  const { model } = await loadCheckpoint(checkpoint, families);
  const target = folders.saveTarget('stopped/model', 'output');
  const stop = new AbortController();
  const seen: number[] = [];
  const run = {
    services: { folders },
    signal: stop.signal,
    progress: (value: number, max: number) => {
      seen.push(value / max);
      if (seen.length === 3) stop.abort();
    },
  };
  await expect(saveTensors(checkpointTensors(model), target, {}, run)).rejects.toMatchObject({
    code: 'INTERRUPTED',
  });
  expect(seen).toHaveLength(3);
  expect(readdirSync(target.directory)).toEqual([]);
});

test('OpenCLIP’s names are those that are read back', () => {
  const names = [
    'text_model.embeddings.position_embedding.weight',
    'text_model.embeddings.token_embedding.weight',
    'text_model.final_layer_norm.bias',
    'text_projection.weight',
    'logit_scale',
    ...['q', 'k', 'v'].map((p) => `text_model.encoder.layers.0.self_attn.${p}_proj.bias`),
    'text_model.encoder.layers.0.self_attn.out_proj.weight',
    'text_model.encoder.layers.0.layer_norm1.weight',
    'text_model.encoder.layers.0.mlp.fc2.weight',
  ];
  const theirs = toOpenClip(['text_model.embeddings.position_ids', ...names]);
  expect(theirs.get('transformer.resblocks.0.attn.in_proj_bias')!.keys).toHaveLength(3);
  expect(theirs.get('text_projection')).toEqual({ keys: [names[3]], transposed: true });
  const tensors = [...theirs.keys(), 'transformer.resblocks.0.ln_1.weight'].map(
    (key) => [key, { dtype: 'F32', shape: [3, 1], bytes: new Uint8Array(12) }] as const,
  );
  const back = clipNames(memorySource('saved', 'saved', tensors));
  expect([...back.tensors.keys()].sort()).toEqual([...names].sort());
});

test('SDXL’s text encoders have numbered positions and a temperature in fp32', async () => {
  const positions = { 'text_model.embeddings.position_embedding.weight': [3, 2] };
  const scale = { shape: [], dtype: 'F16' } as const;
  const encoder = (name: string, tensors: Parameters<typeof randomSource>[0]) => ({
    spec: { name },
    source: randomSource(tensors),
    patches: [],
  });
  const model = {
    family: sdxl,
    source: randomSource(),
    patches: [],
    sampling: { prediction: 'eps' },
  };
  const encoders = [
    encoder('clip_l', { ...positions, logit_scale: scale }),
    encoder('clip_g', { ...positions, logit_scale: scale }),
  ];
  const tensors = checkpointTensors(model as never, { clip: { encoders } as never });
  const [l, g] = ['conditioner.embedders.0.transformer.', 'conditioner.embedders.1.model.'];
  expect([...tensors].map(([key, { dtype, shape }]) => [key, dtype, shape])).toEqual([
    [`${l}text_model.embeddings.position_embedding.weight`, 'F32', [3, 2]],
    [`${l}text_model.embeddings.position_ids`, 'I64', [1, 3]],
    [`${g}positional_embedding`, 'F32', [3, 2]],
    [`${g}logit_scale`, 'F32', []],
  ]);
  const bytes = async (key: string): Promise<Uint8Array> => {
    const { bytes: made } = tensors.get(key)!;
    return typeof made === 'function' ? made() : made;
  };
  const numbers = await bytes(`${l}text_model.embeddings.position_ids`);
  expect([...new BigInt64Array(numbers.buffer)]).toEqual([0n, 1n, 2n]);
  expect(await bytes(`${g}logit_scale`)).toHaveLength(4);
});
