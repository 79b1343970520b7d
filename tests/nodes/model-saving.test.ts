import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { families } from '../../engine/arch/families/index.ts';
import type { NodeDefinition } from '../../engine/graph/definition.ts';
import { createRuntime } from '../../engine/runtime/runtime.ts';
import { createFolders } from '../../engine/store/folders.ts';
import { loadCheckpoint } from '../../engine/values/load-checkpoint.ts';
import { checkpointTensors, saveTensors } from '../../engine/values/save-model.ts';
import { clipNames, toOpenClip } from '../../engine/weights/key-maps/open-clip.ts';
import { readBytes } from '../../engine/weights/read.ts';
import { openSafetensors } from '../../engine/weights/safetensors.ts';
import { memorySource, sub } from '../../engine/weights/source.ts';
import { modelSavingNodes } from '../../nodes/model-saving.ts';
import { assertLikeReference } from '../support/object-info.ts';
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
