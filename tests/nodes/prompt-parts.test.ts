/** Text encoder loaders and nodes with a text for each encoder: tiny T5 and CLIP files with a small vocabulary. */
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NDArray } from '../../engine/array/nd.ts';
import { createRuntime } from '../../engine/runtime/runtime.ts';
import type { StorageDtype } from '../../engine/weights/dtypes.ts';
import { openSource } from '../../engine/weights/open.ts';
import { sub } from '../../engine/weights/source.ts';
import type { ConditioningEntry } from '../../engine/sampling/conditioning.ts';
import { readBytes } from '../../engine/weights/read.ts';
import { writeSafetensors } from '../../engine/weights/write.ts';
import { promptPartNodes } from '../../nodes/prompt-parts.ts';
import { quadrupleClipLoader, tripleClipLoader } from '../../nodes/loaders.ts';
import { assertLikeReference } from '../support/object-info.ts';
import { randomTensors } from '../support/random-weights.ts';
import { createInstallation, runWorkflow } from '../support/run-workflow.ts';

const nodes = [...promptPartNodes, tripleClipLoader, quadrupleClipLoader];
test.each(nodes.map((node) => [node.name, node] as const))(
  '%s prints like the reference',
  (_, node) => assertLikeReference(node),
);

const installation = createInstallation();
const encoders = join(installation.base, 'models/text_encoders');
const fixtures = join(import.meta.dirname, '../fixtures/tokenizers');
const WIDTH = 8;

/** A T5 of one block under the released names. */
const t5 = (width: number) => {
  const block = 'encoder.block.0.layer';
  return randomTensors({
    'shared.weight': [110, width],
    [`${block}.0.SelfAttention.q.weight`]: [8, width],
    [`${block}.0.SelfAttention.k.weight`]: [8, width],
    [`${block}.0.SelfAttention.v.weight`]: [8, width],
    [`${block}.0.SelfAttention.o.weight`]: [width, 8],
    [`${block}.0.SelfAttention.relative_attention_bias.weight`]: [32, 2],
    [`${block}.0.layer_norm.weight`]: [width],
    [`${block}.1.DenseReluDense.wi_0.weight`]: [16, width],
    [`${block}.1.DenseReluDense.wi_1.weight`]: [16, width],
    [`${block}.1.DenseReluDense.wo.weight`]: [width, 16],
    [`${block}.1.layer_norm.weight`]: [width],
    'encoder.final_layer_norm.weight': [width],
  });
};

beforeAll(async () => {
  mkdirSync(encoders, { recursive: true });
  const checkpoint = await openSource(
    join(import.meta.dirname, '../../models/checkpoints/tiny-scenes.safetensors'),
  );
  const clip = sub(checkpoint, 'cond_stage_model.transformer.');
  const entries = await Promise.all(
    [...clip.tensors].map(async ([key, entry]) => {
      const { shape } = entry;
      return [
        key,
        { dtype: entry.dtype as StorageDtype, shape, bytes: await readBytes(entry) },
      ] as const;
    }),
  );
  await writeSafetensors(join(encoders, 'l.safetensors'), new Map(entries));
  await writeSafetensors(join(encoders, 't5.safetensors'), t5(WIDTH));
});
afterAll(() => installation.remove());

const runtime = createRuntime({ threads: 2 });
const loader = (type: string) => ({
  class_type: 'DualCLIPLoader',
  inputs: { clip_name1: 't5.safetensors', clip_name2: 'l.safetensors', type },
});
const runNodes = async (prompt: Record<string, { class_type: string; inputs: object }>) => {
  const output = { class_type: 'ConditioningZeroOut', inputs: { conditioning: ['out', 0] } };
  const end = { class_type: 'PreviewAny', inputs: { source: ['zero', 0] } };
  const { values } = await runWorkflow(JSON.stringify({ ...prompt, zero: output, end }), {
    base: installation.base,
    runtime,
  });
  return (values.get('out')![0] as ConditioningEntry[])[0];
};
const encodeFlux = (clip: string, clip_l: string, t5xxl: string) => ({
  class_type: 'CLIPTextEncodeFlux',
  inputs: { clip: [clip, 0], clip_l, t5xxl, guidance: 2.5 },
});

test('a vocabulary that is nowhere: which file, from where, and where it goes', async () => {
  const prompt = { clip: loader('flux'), out: encodeFlux('clip', 'a', 'b') };
  await expect(runNodes(prompt)).rejects.toThrow(
    /vocabulary \('?t5'?\) is missing: put tokenizer\.json, or spiece\.model of huggingface\.co\/google\/t5-v1_1-xxl into text_encoders\/t5 /,
  );
});

describe('with a vocabulary', () => {
  beforeAll(() => {
    const folder = join(installation.base, 'models/tokenizers/t5');
    mkdirSync(folder, { recursive: true });
    copyFileSync(join(fixtures, 'unigram.json'), join(folder, 'tokenizer.json'));
  });
  const part = ({ data }: NDArray, from: number, to: number): number[] => [...data.slice(from, to)];

  test('Flux: a text for each, 256 tokens of T5, pooled from CLIP-L, guidance', async () => {
    const both = await runNodes({
      clip: loader('flux'),
      out: encodeFlux('clip', 'a cat', 'a red boat'),
    });
    const plain = {
      class_type: 'CLIPTextEncode',
      inputs: { clip: ['clip', 0], text: 'a red boat' },
    };
    const same = await runNodes({ clip: loader('flux'), out: plain });
    expect(both.cross.shape).toEqual([1, 256, WIDTH]);
    expect(part(both.cross, 0, 256 * WIDTH)).toEqual(part(same.cross, 0, 256 * WIDTH));
    expect(both.pooled!.data).not.toEqual(same.pooled!.data);
    expect(both.extra).toEqual({ guidance: 2.5 });
  });

  test('SD3: the CLIPs on T5 width in front of T5; no text is no prompt', async () => {
    const encode = (l: string, t: string, empty_padding: string) =>
      runNodes({
        clip: loader('sd3'),
        out: {
          class_type: 'CLIPTextEncodeSD3',
          inputs: { clip: ['clip', 0], clip_l: l, clip_g: '', t5xxl: t, empty_padding },
        },
      });
    const whole = await encode('a cat', 'a red boat', 'empty_prompt');
    expect(whole.cross.shape).toEqual([1, 77 + 77, WIDTH]);
    expect(whole.pooled!.shape[1]).toBeGreaterThan(1280);
    // nothing of CLIP-G, and T5 alone: pooled is zeros of the released widths
    const onlyT5 = await encode('', 'a red boat', 'none');
    expect(onlyT5.cross.shape).toEqual([1, 77, WIDTH]);
    expect(part(onlyT5.cross, 0, 77 * WIDTH)).toEqual(part(whole.cross, 77 * WIDTH, 154 * WIDTH));
    expect(onlyT5.pooled).toEqual({ data: new Float32Array(768 + 1280), shape: [1, 2048] });
    // without a text T5 gets the end token alone
    const onlyL = await encode('a cat', '', 'none');
    expect(onlyL.cross.shape).toEqual([1, 77 + 1, WIDTH]);
  });

  test('T5TokenizerOptions: a least length, and padding behind every prompt', async () => {
    const options = (min_length: number, min_padding: number) => ({
      class_type: 'T5TokenizerOptions',
      inputs: { clip: ['clip', 0], min_padding, min_length },
    });
    const length = async (min_length: number, min_padding: number) => {
      const prompt = { clip: loader('flux'), cut: options(min_length, min_padding) };
      return (await runNodes({ ...prompt, out: encodeFlux('cut', 'a', 'a red boat') })).cross
        .shape[1];
    };
    const bare = await length(0, 0);
    expect(bare).toBeLessThan(20);
    expect(await length(40, 0)).toBe(40);
    expect(await length(0, 3)).toBe(bare + 3);
  });

  test('files that do not make the text side say what was expected', async () => {
    const triple = {
      class_type: 'TripleCLIPLoader',
      inputs: {
        clip_name1: 't5.safetensors',
        clip_name2: 'l.safetensors',
        clip_name3: 'l.safetensors',
      },
    };
    await expect(runNodes({ clip: triple, out: encodeFlux('clip', 'a', 'b') })).rejects.toThrow(
      'expected clip_l and clip_g and t5xxl, got t5xxl (t5.safetensors) and clip_l (l.safetensors) and clip_l (l.safetensors)',
    );
    const slot = { clip: loader('sdxl'), out: encodeFlux('clip', 'a', 'b') };
    await expect(runNodes(slot)).rejects.toThrow(
      'expected clip_l and clip_g, got t5xxl (t5.safetensors) and clip_l (l.safetensors)',
    );
  });

  test('emphasis, masks and cuts of a prompt by type', async () => {
    const encode = (type: string, text: string) =>
      runNodes({
        clip: { class_type: 'CLIPLoader', inputs: { clip_name: 't5.safetensors', type } },
        out: { class_type: 'CLIPTextEncode', inputs: { clip: ['clip', 0], text } },
      });
    const ltxv = await encode('ltxv', 'a red boat');
    expect(ltxv.cross.shape).toEqual([1, 128, WIDTH]);
    const mask = (ltxv.extra as { attention_mask: NDArray }).attention_mask;
    const words = mask.data.reduce((sum, seen) => sum + seen, 0);
    const plain = await encode('chroma', 'a red boat');
    expect([plain.cross.shape[1], plain.extra, plain.pooled]).toEqual([
      words,
      undefined,
      undefined,
    ]);
    const strong = await encode('chroma', '(a red boat:1.5)');
    expect(strong.cross.shape).toEqual(plain.cross.shape);
    expect(strong.cross.data).not.toEqual(plain.cross.data);
  });
});
