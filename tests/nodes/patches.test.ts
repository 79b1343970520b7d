import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import type { NDArray } from '../../engine/array/nd.ts';
import { fitAdapters, loraPatch } from '../../engine/patch/lora/lora.ts';
import { unetNames } from '../../engine/patch/lora/names.ts';
import { openLora, withLora } from '../../engine/values/lora.ts';
import type { Model } from '../../engine/values/model.ts';
import { encodeSafetensors, floatTensor } from '../../engine/weights/write.ts';
import { freeuNodes } from '../../nodes/freeu.ts';
import { guidanceNodes } from '../../nodes/guidance.ts';
import { loraNodes } from '../../nodes/lora.ts';
import { unetPatchNodes } from '../../nodes/unet-patches.ts';
import { assertLikeReference } from '../support/object-info.ts';
import { randomFloats, randomSource } from '../support/random-weights.ts';

test.each(
  [...loraNodes, ...freeuNodes, ...unetPatchNodes, ...guidanceNodes].map(
    (node) => [node.name, node] as const,
  ),
)('%s prints like the reference', (_, node) => assertLikeReference(node));

describe('a LoRA file on a model', () => {
  const source = randomSource({
    'input_blocks.1.1.transformer_blocks.0.attn1.to_q.weight': [8, 8],
    'input_blocks.1.1.transformer_blocks.0.attn1.to_k.weight': [8, 8],
    'middle_block.0.in_layers.2.weight': [8, 8, 3, 3],
  });
  const model = { source, patches: [] } as unknown as Model;
  const base = 'lora_unet_input_blocks_1_1_transformer_blocks_0_attn1_to_q';
  let folder: string;
  let path: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'noodle-lora-'));
    path = join(folder, 'style.safetensors');
    const tensor = (...shape: number[]) =>
      floatTensor(randomFloats(shape.reduce((n, size) => n * size, 1)), shape, 'F16');
    const tensors = new Map([
      [`${base}.lora_up.weight`, tensor(8, 2)],
      [`${base}.lora_down.weight`, tensor(2, 8)],
      [`${base.replace('to_q', 'to_k')}.lora_up.weight`, tensor(8, 2)],
      [`${base.replace('to_q', 'to_k')}.lora_down.weight`, tensor(2, 4)],
      ['lora_unet_other_layer.lora_up.weight', tensor(8, 2)],
      ['lora_unet_other_layer.lora_down.weight', tensor(2, 8)],
      ['first_stage_model.thing', tensor(1)],
    ]);
    await writeFile(path, encodeSafetensors(tensors));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('is put on what it names and fits, and says what it leaves out', async () => {
    const warnings: string[] = [];
    const file = await openLora(path);
    const strengths = { model: 1, clip: 1 };
    const changed = withLora({ model, clip: null }, file, strengths, (text) => warnings.push(text));
    expect([...changed.model.patches[0].keys!]).toEqual([
      'input_blocks.1.1.transformer_blocks.0.attn1.to_q.weight',
    ]);
    expect(warnings).toEqual([
      `${path}: left out, for no weight of this model has these names: first_stage_model.thing, lora_unet_other_layer`,
      `${path}: left out, for the weights of these names have other shapes: ${base.replace('to_q', 'to_k')}`,
    ]);
  });

  it('needs the same program at every strength, and another one on another place in a row', async () => {
    const file = await openLora(path);
    const on = (value: Model, strength: number): Model =>
      withLora(
        { model: value, clip: undefined },
        file,
        { model: strength, clip: 0 },
        () => undefined,
      ).model;
    const [weak, strong] = [on(model, 0.3), on(model, -2)];
    expect(weak.patches[0].identity).toBe(strong.patches[0].identity);
    expect(on(weak, 1).patches.map(({ identity }) => identity.split(' ')[0])).toEqual([
      'lora0',
      'lora1',
    ]);
    expect(on(model, 0)).toBe(model);
  });

  it('feeds its factors and a strength for every row', async () => {
    const { entries } = await openLora(path);
    const patch = loraPatch(
      'lora0',
      fitAdapters(entries, unetNames(source.tensors.keys()), source),
      0.5,
    );
    const feeds = await patch.feeds!({ rows: 3 });
    expect(Array.from((feeds['lora0/strength'] as NDArray).data)).toEqual([0.5, 0.5, 0.5]);
    const shapes = Object.entries(feeds).map(([name, { shape }]) => [
      name.split('/').at(-1),
      shape,
    ]);
    expect(shapes).toEqual([
      ['up', [8, 2]],
      ['down', [2, 8]],
      ['strength', [3]],
      ['scale', []],
    ]);
  });
});
