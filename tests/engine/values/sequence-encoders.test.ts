/** Text encoders of any length against numbers of the reference (tests/fixtures/text-encoders, its own tiny networks). */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  chineseRoberta,
  gemma3,
  languageModelByShape,
} from '../../../engine/arch/families/sequence-encoders.ts';
import type { SequenceSpec } from '../../../engine/arch/sequence-spec.ts';
import { createRuntime } from '../../../engine/runtime/runtime.ts';
import { openWeights } from '../../../engine/tensor/cursor.ts';
import { identifyTextEncoder, openTextEncoder } from '../../../engine/values/text-encoders.ts';
import { readFloats, readTensor } from '../../../engine/weights/read.ts';
import { openSafetensors } from '../../../engine/weights/safetensors.ts';
import { compare } from '../../golden/area.ts';
import { randomSource } from '../../support/random-weights.ts';

const runtime = createRuntime({ threads: 2 });
const tolerance = { atol: 2e-5, rtol: 1e-4 };

async function encoded(name: string, spec: SequenceSpec) {
  const source = await openSafetensors(
    join(import.meta.dirname, `../../fixtures/text-encoders/${name}.safetensors`),
  );
  const encoder = openTextEncoder(source, spec)!;
  const ids = [...(await readFloats(source.tensors.get('in.ids')!))];
  const batch = { ids, weights: ids.map(() => 1), wordIds: ids.map(() => 0) };
  const { hidden, mask } = await encoder.kind.encode(encoder, [batch], { runtime });
  return { source, hidden, mask };
}

test('Gemma 3: norms of q and k, and every sixth layer that looks far', async () => {
  const facts = { ...gemma3.facts, headSize: 8 };
  const { source, hidden, mask } = await encoded('gemma3', { ...gemma3, facts });
  expect(compare('states', hidden, await readTensor(source, 'out.states'), tolerance).pass).toBe(
    true,
  );
  expect([...mask!.data]).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0]);
  const last = await encoded('gemma3', { ...gemma3, facts, states: 'last' });
  expect(compare('last', last.hidden, await readTensor(source, 'out.last'), tolerance).pass).toBe(
    true,
  );
});

test('BERT: positions, norms behind the sums, padding hidden', async () => {
  const spec = { ...chineseRoberta, end: 22 };
  const { source, hidden, mask } = await encoded('bert', spec);
  expect(compare('last', hidden, await readTensor(source, 'out.last'), tolerance).pass).toBe(true);
  expect([...mask!.data]).toEqual([1, 1, 1, 1, 1, 1, 0, 0]);
  expect(identifyTextEncoder(source).spec.name).toBe('hydit_clip');
});

test('BERT: a prompt that is longer than its positions becomes several rows', async () => {
  const source = await openSafetensors(
    join(import.meta.dirname, '../../fixtures/text-encoders/bert.safetensors'),
  );
  const encoder = openTextEncoder(source, { ...chineseRoberta, end: 22 })!;
  const rows = [6, 4].map((count) => {
    const ids = Array.from({ length: count }, (_, i) => i + 1);
    return { ids, weights: ids.map(() => 1), wordIds: ids.map(() => 0) };
  });
  const run = { runtime };
  const { hidden, mask } = await encoder.kind.encode(encoder, rows, run);
  const apart = await Promise.all(rows.map((row) => encoder.kind.encode(encoder, [row], run)));
  expect(hidden.shape).toEqual([1, 10, apart[0].hidden.shape[2]]);
  expect([...hidden.data]).toEqual(apart.flatMap((one) => [...one.hidden.data]));
  expect(mask!.shape).toEqual([1, 10]);
});

test('files are told apart by keys and shapes', () => {
  const t5 = (width: number, more: Readonly<Record<string, readonly number[]>>) => {
    const shapes = {
      'shared.weight': [10, width],
      'encoder.block.0.layer.0.SelfAttention.k.weight': [64, width],
      ...more,
    };
    return identifyTextEncoder(randomSource(shapes)).spec.name;
  };
  const gate = { 'encoder.block.0.layer.1.DenseReluDense.wi_1.weight': [4, 8] };
  const table = { 'encoder.block.1.layer.0.SelfAttention.relative_attention_bias.weight': [32, 2] };
  const piece = { spiece_model: [1] };
  expect(t5(8, gate)).toBe('t5xxl');
  expect(t5(8, {})).toBe('t5xxl_old');
  expect(t5(768, {})).toBe('t5base');
  expect(t5(8, { ...gate, ...table })).toBe('umt5xxl');
  expect(t5(768, { ...gate, ...table, ...piece })).toBe('umt5base');
  expect(t5(2048, { ...gate, ...table })).toBe('pile_t5xl');
  expect(t5(2048, gate)).toBe('mt5xl');
  const model = (width: number, more: Readonly<Record<string, readonly number[]>> = {}) => {
    const layer = 'model.layers.0';
    const shapes = {
      'model.embed_tokens.weight': [4, width],
      [`${layer}.post_attention_layernorm.weight`]: [width],
      [`${layer}.self_attn.k_proj.weight`]: [4, 8],
      ...Object.fromEntries(Object.entries(more).map(([key, shape]) => [`${layer}.${key}`, shape])),
    };
    return languageModelByShape(openWeights(randomSource(shapes)))?.name;
  };
  const norm = { 'self_attn.q_norm.weight': [4] };
  expect(model(8)).toBe('llama');
  expect(model(5120)).toBe('mistral3_24b');
  expect(model(8, { 'post_feedforward_layernorm.weight': [8] })).toBe('gemma2_2b');
  expect(model(8, { 'post_feedforward_layernorm.weight': [8], ...norm })).toBe('gemma3_4b');
  expect(model(8, { 'self_attn.k_proj.bias': [256] })).toBe('qwen25_3b');
  expect(model(8, { 'self_attn.k_proj.bias': [512] })).toBe('qwen25_7b');
  expect([1024, 2048, 2560, 4096].map((width) => model(width, norm))).toEqual([
    'qwen3_06b',
    'qwen3_2b',
    'qwen3_4b',
    'qwen3_8b',
  ]);
});
