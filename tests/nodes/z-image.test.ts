/** Prompts about pictures for Z-Image Omni: a tiny Qwen3 and a small vocabulary. */
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { NDArray } from '../../engine/array/nd.ts';
import { createRuntime } from '../../engine/runtime/runtime.ts';
import type { ConditioningEntry } from '../../engine/sampling/conditioning.ts';
import { writeSafetensors } from '../../engine/weights/write.ts';
import { textEncodeZImageOmni } from '../../nodes/z-image.ts';
import { assertLikeReference } from '../support/object-info.ts';
import { randomTensors } from '../support/random-weights.ts';
import { createInstallation, runWorkflow } from '../support/run-workflow.ts';

test('TextEncodeZImageOmni prints like the reference', () =>
  assertLikeReference(textEncodeZImageOmni));

const installation = createInstallation();
const WIDTH = 8;

const languageModel = () => {
  const layer = 'model.layers.0';
  return randomTensors({
    'model.embed_tokens.weight': { shape: [151669, WIDTH], dtype: 'F16' },
    'model.norm.weight': [WIDTH],
    [`${layer}.input_layernorm.weight`]: [WIDTH],
    [`${layer}.post_attention_layernorm.weight`]: [WIDTH],
    [`${layer}.self_attn.q_proj.weight`]: [128, WIDTH],
    [`${layer}.self_attn.k_proj.weight`]: [128, WIDTH],
    [`${layer}.self_attn.v_proj.weight`]: [128, WIDTH],
    [`${layer}.self_attn.q_norm.weight`]: [128],
    [`${layer}.self_attn.k_norm.weight`]: [128],
    [`${layer}.self_attn.o_proj.weight`]: [WIDTH, 128],
    [`${layer}.mlp.gate_proj.weight`]: [16, WIDTH],
    [`${layer}.mlp.up_proj.weight`]: [16, WIDTH],
    [`${layer}.mlp.down_proj.weight`]: [WIDTH, 16],
  });
};

beforeAll(async () => {
  const encoders = join(installation.base, 'models/text_encoders');
  const vocabulary = join(encoders, 'qwen');
  mkdirSync(vocabulary, { recursive: true });
  for (const name of ['vocab.json', 'merges.txt']) {
    copyFileSync(join(import.meta.dirname, '../fixtures/tokenizers', name), join(vocabulary, name));
  }
  await writeSafetensors(join(encoders, 'qwen3.safetensors'), languageModel());
});
afterAll(() => installation.remove());

test('words before each picture and behind all, pictures at a million pixels', async () => {
  const runtime = createRuntime({ threads: 1 });
  const size = { batch_size: 1, color: 255 };
  const clip = ['clip', 0];
  const prompt = {
    clip: {
      class_type: 'CLIPLoader',
      inputs: { clip_name: 'qwen3.safetensors', type: 'lumina2' },
    },
    pixels: { class_type: 'VAELoader', inputs: { vae_name: 'pixel_space' } },
    wide: { class_type: 'EmptyImage', inputs: { width: 30, height: 20, ...size } },
    tall: { class_type: 'EmptyImage', inputs: { width: 32, height: 40, ...size } },
    plain: {
      class_type: 'TextEncodeZImageOmni',
      inputs: { clip, prompt: 'red', auto_resize_images: true },
    },
    out: {
      class_type: 'TextEncodeZImageOmni',
      inputs: {
        clip,
        vae: ['pixels', 0],
        prompt: 'red',
        auto_resize_images: true,
        image1: ['wide', 0],
        image3: ['tall', 0],
      },
    },
    end: { class_type: 'PreviewAny', inputs: { source: ['out', 0] } },
    other: { class_type: 'PreviewAny', inputs: { source: ['plain', 0] } },
  };
  const { values } = await runWorkflow(JSON.stringify(prompt), {
    base: installation.base,
    runtime,
  });
  const entry = (name: string) => (values.get(name)![0] as ConditioningEntry[])[0];
  expect(Object.keys(entry('plain').extra!)).toEqual(['attention_mask']);
  const { reference_latents: latents, reference_latents_text_embeds: pieces } = entry('out')
    .extra as Record<string, readonly NDArray[]>;
  expect(latents.map(({ shape }) => shape)).toEqual([
    [1, 3, 840, 1256],
    [1, 3, 1144, 912],
  ]);
  expect(pieces).toHaveLength(3);
  expect(pieces.every(({ shape }) => shape[2] === WIDTH)).toBe(true);
}, 60_000);
