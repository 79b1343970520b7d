/** Prompts about pictures: a tiny Qwen2.5-VL with eyes, and a small vocabulary. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { NDArray } from '../../engine/array/nd.ts';
import { createRuntime } from '../../engine/runtime/runtime.ts';
import type { ConditioningEntry } from '../../engine/sampling/conditioning.ts';
import { writeSafetensors } from '../../engine/weights/write.ts';
import { qwenImageNodes } from '../../nodes/qwen-image.ts';
import { assertLikeReference } from '../support/object-info.ts';
import { randomTensors } from '../support/random-weights.ts';
import { createInstallation, runWorkflow } from '../support/run-workflow.ts';
import {
  QWEN_TOKENS,
  languageModel,
  placeVocabularies,
  qwenEyes,
} from '../support/tiny-encoders.ts';

test.each(qwenImageNodes.map((node) => [node.name, node] as const))(
  '%s prints like the reference',
  (_, node) => assertLikeReference(node),
);

const installation = createInstallation();
const WIDTH = 8;

/** One layer that reads, one that sees. */
const languageModelWithEyes = () =>
  randomTensors({
    ...languageModel({ width: WIDTH, tokens: QWEN_TOKENS, biased: true }),
    ...qwenEyes(WIDTH),
    'model.embed_tokens.weight': { shape: [QWEN_TOKENS, WIDTH], dtype: 'F16' },
  });

beforeAll(async () => {
  const encoders = join(installation.base, 'models/text_encoders');
  placeVocabularies(encoders);
  await writeSafetensors(join(encoders, 'qwen.safetensors'), languageModelWithEyes());
});
afterAll(() => installation.remove());

const runtime = createRuntime({ threads: 2 });
const pictures = {
  clip: { class_type: 'CLIPLoader', inputs: { clip_name: 'qwen.safetensors', type: 'qwen_image' } },
  pixels: { class_type: 'VAELoader', inputs: { vae_name: 'pixel_space' } },
  wide: { class_type: 'EmptyImage', inputs: { width: 60, height: 40, batch_size: 1, color: 255 } },
  tall: { class_type: 'EmptyImage', inputs: { width: 30, height: 60, batch_size: 1, color: 9 } },
};

async function encoded(class_type: string, inputs: object): Promise<ConditioningEntry> {
  const prompt = {
    ...pictures,
    out: { class_type, inputs: { clip: ['clip', 0], prompt: 'make it (red:1.4)', ...inputs } },
    end: { class_type: 'PreviewAny', inputs: { source: ['out', 0] } },
  };
  const { values } = await runWorkflow(JSON.stringify(prompt), {
    base: installation.base,
    runtime,
  });
  return (values.get('out')![0] as ConditioningEntry[])[0];
}

test('Edit-Plus: each picture stands in the place of its token, at 384 pixels squared', async () => {
  const plus = 'TextEncodeQwenImageEditPlus';
  const none = await encoded(plus, {});
  const one = await encoded(plus, { image1: ['wide', 0] });
  const two = await encoded(plus, { image1: ['wide', 0], image3: ['tall', 0] });
  const length = ({ cross }: ConditioningEntry): number => cross.shape[1];
  // 470 x 314 pixels are 17 x 11 rows of patches, 272 x 543 are 10 x 19; `Picture n: ` and the marks beside them
  const before = length(one) - length(none) - 17 * 11;
  expect(before).toBeGreaterThan(2);
  expect(length(two) - length(one)).toBe(before + 10 * 19);
  expect(none.cross.shape[2]).toBe(WIDTH);
  expect([...two.cross.data].every(Number.isFinite)).toBe(true);
  expect([one.extra, one.pooled]).toEqual([undefined, undefined]);
  // brackets mean nothing here
  const plain = await encoded(plus, { prompt: 'make it red' });
  expect(length(plain)).toBeLessThan(length(none));
}, 60_000);

test('Edit: a picture of a million pixels for words and network alike', async () => {
  const inputs = { image: ['tall', 0], vae: ['pixels', 0] };
  const { cross, extra } = await encoded('TextEncodeQwenImageEdit', inputs);
  const [latent] = (extra as { reference_latents: readonly NDArray[] }).reference_latents;
  expect(latent.shape).toEqual([1, 3, 1448, 724]);
  // 724 x 1448 pixels: 26 x 52 rows
  expect(cross.shape[1]).toBeGreaterThan(26 * 52);
}, 60_000);
