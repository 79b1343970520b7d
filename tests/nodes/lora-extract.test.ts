import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRuntime } from '../../engine/runtime/runtime.ts';
import { readFloats } from '../../engine/weights/read.ts';
import { openSafetensors } from '../../engine/weights/safetensors.ts';
import { floatTensor, writeSafetensors } from '../../engine/weights/write.ts';
import { loraExtractNodes } from '../../nodes/lora-extract.ts';
import { modelComputeNodes } from '../../nodes/model-compute.ts';
import { assertLikeReference } from '../support/object-info.ts';
import { type Installation, createInstallation, runWorkflow } from '../support/run-workflow.ts';

const checkpoint = join(import.meta.dirname, '../../models/checkpoints/tiny-scenes.safetensors');
const file = 'output/loras/extracted_00001_.safetensors';
let place: Installation;
beforeAll(() => {
  place = createInstallation();
  place.add('models/checkpoints', [checkpoint]);
});
afterAll(() => place.remove());

test.each([...loraExtractNodes, ...modelComputeNodes].map((node) => [node.name, node] as const))(
  '%s prints like the reference',
  (_, node) => assertLikeReference(node),
);

const node = (class_type: string, inputs: Record<string, unknown>) => ({ class_type, inputs });

/** A LoRA of rank 2 on one layer of each network. */
const [unet, text] = [
  'diffusion_model.input_blocks.1.0.emb_layers.1',
  'text_encoders.clip_l.transformer.text_model.encoder.layers.0.mlp.fc1',
];
const numbers = (count: number, seed: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => Math.fround(Math.sin(i * 7.13 + seed) / 8));

test('what a LoRA put on is what is extracted', { timeout: 120_000 }, async () => {
  const { tensors } = await openSafetensors(checkpoint);
  const stored = {
    [unet]: tensors.get(`model.${unet}.weight`)!.shape,
    [text]: tensors.get(`cond_stage_model.${text.slice(21)}.weight`)!.shape,
  };
  const lora = Object.entries(stored).flatMap(([name, [out, inputs]]) => [
    [`${name}.lora_up.weight`, floatTensor(numbers(out * 2, 1), [out, 2])] as const,
    [`${name}.lora_down.weight`, floatTensor(numbers(2 * inputs, 2), [2, inputs])] as const,
  ]);
  place.add('models/loras', []);
  await writeSafetensors(join(place.base, 'models/loras/known.safetensors'), new Map(lora));
  const [strength_model, strength_clip] = [0.5, 2];
  const workflow = {
    1: node('CheckpointLoaderSimple', { ckpt_name: 'tiny-scenes.safetensors' }),
    2: node('LoraLoader', {
      model: ['1', 0],
      clip: ['1', 1],
      lora_name: 'known.safetensors',
      strength_model,
      strength_clip,
    }),
    3: node('ModelMergeSubtract', { model1: ['2', 0], model2: ['1', 0], multiplier: 1 }),
    4: node('CLIPMergeSubtract', { clip1: ['2', 1], clip2: ['1', 1], multiplier: 1 }),
    5: node('LoraSave', {
      filename_prefix: 'loras/extracted',
      rank: 2,
      lora_type: 'standard',
      bias_diff: true,
      model_diff: ['3', 0],
      text_encoder_diff: ['4', 0],
    }),
  };
  await runWorkflow(JSON.stringify(workflow), { base: place.base, runtime: createRuntime() });
  const saved = await openSafetensors(join(place.base, file));
  expect(saved.tensors.get('diffusion_model.out.0.diff')!.dtype).toBe('F16');
  expect(saved.tensors.has('diffusion_model.out.0.diff_b')).toBe(true);
  for (const [name, strength] of [
    [unet, strength_model],
    [text, strength_clip],
  ] as const) {
    const given = new Map(lora);
    const [out, inputs] = stored[name];
    const read = (part: string) => readFloats(saved.tensors.get(`${name}.${part}.weight`)!);
    const [up, down] = [await read('lora_up'), await read('lora_down')];
    const was = (part: 'lora_up' | 'lora_down') =>
      new Float32Array(given.get(`${name}.${part}.weight`)!.bytes.slice().buffer);
    const [knownUp, knownDown] = [was('lora_up'), was('lora_down')];
    let [error, size] = [0, 0];
    for (let o = 0; o < out; o++) {
      for (let i = 0; i < inputs; i++) {
        const at = (x: Float32Array, y: Float32Array) =>
          x[o * 2] * y[i] + x[o * 2 + 1] * y[inputs + i];
        const expected = strength * at(knownUp, knownDown);
        error += (at(up, down) - expected) ** 2;
        size += expected ** 2;
      }
    }
    // the outermost hundredth of the factors' numbers is cut off, as in ComfyUI
    expect(Math.sqrt(error / size)).toBeLessThan(0.05);
  }
});
