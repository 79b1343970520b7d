import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openSource } from '../../../engine/weights/open.ts';
import { readTensor } from '../../../engine/weights/read.ts';
import { rowsOf } from '../../../engine/weights/source.ts';
import { type GgufTensor, type GgufValue, ggufBytes, randomBlocks } from '../../support/gguf.ts';

const folder = mkdtempSync(join(tmpdir(), 'noodle-gguf-'));
afterAll(() => rmSync(folder, { recursive: true }));

let count = 0;
function file(bytes: Uint8Array): string {
  const path = join(folder, `${count++}.gguf`);
  writeFileSync(path, bytes);
  return path;
}

const floats = (name: string, sizes: readonly number[], first = 0): GgufTensor => {
  const values = Float32Array.from(
    { length: sizes.reduce((n, size) => n * size, 1) },
    (_, i) => first + i,
  );
  return { name, sizes, type: 0, bytes: new Uint8Array(values.buffer) };
};

const open = (values: Readonly<Record<string, GgufValue>>, tensors: readonly GgufTensor[]) =>
  openSource(file(ggufBytes(values, tensors)));

describe('a GGUF file', () => {
  it('has its tensors in the order of axes that torch has', async () => {
    const source = await open({ 'general.architecture': 'flux' }, [
      floats('img_in.weight', [3, 2]),
    ]);
    expect(source.metadata).toEqual({ 'general.architecture': 'flux' });
    const { data, shape } = await readTensor(source, 'img_in.weight');
    expect(shape).toEqual([2, 3]);
    expect([...data]).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('says what shape tensors had that were folded', async () => {
    const key = 'comfy.gguf.orig_shape.conv.weight';
    const source = await open({ [key]: [2, 2, 2, 1, 3] }, [floats('conv.weight', [24])]);
    expect(source.tensors.get('conv.weight')?.shape).toEqual([2, 2, 2, 1, 3]);
    await expect(open({ [key]: [2, 2] }, [floats('conv.weight', [24])])).rejects.toThrow(
      "tensor 'conv.weight': its shape before, [2,2], is none of [24]",
    );
  });

  it('of a T5 has the names that the reference knows', async () => {
    const names = [
      'token_embd',
      'enc.blk.3.attn_rel_b',
      'enc.blk.0.attn_norm',
      'enc.blk.11.ffn_gate',
    ];
    const source = await open(
      { 'general.architecture': 't5encoder' },
      [...names, 'enc.output_norm'].map((name) => floats(`${name}.weight`, [2])),
    );
    expect([...source.tensors.keys()]).toEqual([
      'shared.weight',
      'encoder.block.3.layer.0.SelfAttention.relative_attention_bias.weight',
      'encoder.block.0.layer.0.layer_norm.weight',
      'encoder.block.11.layer.1.DenseReluDense.wi_0.weight',
      'encoder.final_layer_norm.weight',
    ]);
  });

  it('of a Llama has rows of q and k in the order that the reference puts them back to', async () => {
    const rows = [0, 1, 2, 3, 4, 5, 6, 7];
    const heads = { 'llama.attention.head_count': 2, 'llama.attention.head_count_kv': 1 };
    const source = await open({ 'general.architecture': 'llama', ...heads }, [
      floats('blk.0.attn_q.weight', [1, 8]),
      floats('blk.0.attn_k.weight', [1, 8]),
      floats('blk.0.attn_v.weight', [1, 8]),
    ]);
    const read = async (name: string) => [
      ...(await readTensor(source, `model.layers.0.self_attn.${name}_proj.weight`)).data,
    ];
    expect(await read('q')).toEqual([0, 2, 1, 3, 4, 6, 5, 7]);
    expect(await read('k')).toEqual([0, 2, 4, 6, 1, 3, 5, 7]);
    expect(await read('v')).toEqual(rows);
    const q = source.tensors.get('model.layers.0.self_attn.q_proj.weight')!;
    expect(() => rowsOf(q, 0, 4)).toThrow("rows of 'blk.0.attn_q.weight' as they are stored");
  });

  it('reads heads larger than the first bytes', async () => {
    const source = await open({ long: 'x'.repeat(3 << 20) }, [floats('a', [1])]);
    expect(source.metadata?.['long']).toHaveLength(3 << 20);
  });
});

describe('what is no whole GGUF file', () => {
  const weight = (name: string, more: Partial<GgufTensor> = {}): GgufTensor => ({
    name,
    sizes: [256, 2],
    type: 12,
    bytes: randomBlocks('Q4_K', 512),
    ...more,
  });

  it.each([
    [Buffer.from('GGML, not that'), 'it does not begin with GGUF'],
    [Buffer.concat([Buffer.from('GGUF'), Buffer.alloc(20)]), 'version 0; 2 and 3 can be read'],
    [Buffer.from('GGU'), 'it ends within its head, at byte 3: it is not whole'],
    [ggufBytes({ text: 'abc' }, []).subarray(0, 40), 'it ends within its head, at byte 40'],
    [ggufBytes({}, [weight('a', { type: 21 })]), "tensor 'a' is of type IQ3_S; F32, F16"],
    [ggufBytes({}, [weight('a', { type: 99 })]), "tensor 'a' is of type 99, which is not known"],
    [ggufBytes({}, [weight('a', { sizes: [100, 2] })]), 'rows of 100 numbers are no whole blocks'],
    [ggufBytes({}, [weight('a', { sizes: [1, 1, 1, 1, 1] })]), "tensor 'a' has 5 axes"],
    [ggufBytes({}, [weight('a', { sizes: [2 ** 40, 2 ** 40] })]), 'overflows'],
    [ggufBytes({}, [weight('a'), weight('a')]), "the tensor 'a' is there twice"],
    [
      ggufBytes({}, [weight('a'), weight('b', { offset: 32 })]),
      "'b' overlaps the tensor before it",
    ],
    [ggufBytes({}, [weight('a', { offset: 7 })]), "tensor 'a' lies at 7, not aligned"],
    [ggufBytes({}, [weight('a', { offset: 2 ** 50 })]), 'it is not whole'],
    [ggufBytes({ 'general.alignment': 3 }, []), 'general.alignment is 3'],
  ])('is refused, with the reason (%#)', async (bytes, reason) => {
    const path = file(bytes);
    await expect(openSource(path)).rejects.toThrow(`${path}: not a GGUF file that can be used: `);
    await expect(openSource(path)).rejects.toThrow(reason);
  });

  it('says where a file ends that was not downloaded whole', async () => {
    const path = file(ggufBytes({}, [weight('a'), weight('b')]));
    truncateSync(path, 400);
    await expect(openSource(path)).rejects.toThrow(
      /tensor 'a' ends at byte 416 of a file of 400 bytes: it is not whole$/,
    );
  });
});
