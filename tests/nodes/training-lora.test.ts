/** Nodes around trained LoRAs; tests/protocol/training-nodes.test.ts trains one on a server. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { families } from '../../engine/arch/families/index.ts';
import { nd } from '../../engine/array/nd.ts';
import type { NodeContext } from '../../engine/graph/definition.ts';
import { createFolders } from '../../engine/store/folders.ts';
import type { LoraModel } from '../../engine/training/lora-model.ts';
import { readFloats } from '../../engine/weights/read.ts';
import { openSafetensors } from '../../engine/weights/safetensors.ts';
import { loraModelLoader, saveLora, trainingLoraNodes } from '../../nodes/training-lora.ts';
import { assertLikeReference } from '../support/object-info.ts';

const base = mkdtempSync(join(tmpdir(), 'noodle-training-lora-'));
afterAll(() => rmSync(base, { recursive: true }));
const folders = createFolders({ base });
const context = { services: { folders, options: {} } } as unknown as NodeContext;

test.each(trainingLoraNodes.map((node) => [node.name, node] as const))(
  '%s prints like the reference',
  (_, node) => assertLikeReference(node),
);

const name = 'diffusion_model.out.2.lora_up.weight';
const lora: LoraModel = {
  tensors: new Map([[name, nd(Float32Array.of(1.001, -2), [2, 1])]]),
  type: 'BF16',
  facts: {
    model: {
      family: families.find((family) => family.name === 'sd2')!,
      config: {},
      sampling: { prediction: 'eps' } as LoraModel['facts']['model']['sampling'],
    },
    step: 12,
    network: { module: 'networks.lora', dim: 1, alpha: 1 },
  },
};
const save = (inputs: Record<string, unknown>) => saveLora.run({ lora, ...inputs }, context);

test('numbers files behind the largest number that follows their name', async () => {
  await save({ prefix: 'loras/a' });
  await save({ prefix: 'loras/a' });
  await save({ prefix: 'loras/a', steps: 30 });
  await save({ prefix: 'loras/a', steps: 30 });
  expect(readdirSync(join(base, 'output/loras')).sort()).toEqual([
    'a_00001_.safetensors',
    'a_00002_.safetensors',
    'a_30_steps_00003_.safetensors',
    'a_30_steps_00031_.safetensors',
  ]);
  const read = (file: string) => openSafetensors(join(base, 'output/loras', file));
  const { tensors, metadata } = await read('a_00001_.safetensors');
  expect([...tensors.keys()]).toEqual([name]);
  expect(tensors.get(name)).toMatchObject({ dtype: 'BF16', shape: [2, 1] });
  expect(await readFloats(tensors.get(name)!)).toEqual(Float32Array.of(1, -2));
  const said = { training_info: '{"step":12,"epoch":0}', ss_output_name: 'a', ss_network_dim: '1' };
  expect(metadata).toMatchObject(said);
  const later = await read('a_30_steps_00003_.safetensors');
  expect(later.metadata.training_info).toBe('{"step":30,"epoch":0}');
});

test('writes nothing outside the output folder', async () => {
  await expect(save({ prefix: '../a' })).rejects.toThrow('outside the output folder');
  const problem = (prefix: string) => saveLora.validate!.check({ prefix }, {}, folders);
  expect(saveLora.validate!.inputs).toEqual(['prefix']);
  expect(problem('../a')).toContain('outside the output folder');
  expect(problem('loras/a')).toBe(true);
});

test('a strength of 0 leaves the model', async () => {
  const model = {};
  expect(await loraModelLoader.run({ model, lora, strength_model: 0 }, context)).toEqual([model]);
});
