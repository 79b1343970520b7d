import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findEmbedding } from '../../../engine/store/embedding-files.ts';
import { embeddingLookup, readEmbedding } from '../../../engine/text/embeddings.ts';
import { writeSafetensors } from '../../../engine/weights/write.ts';

// Written by torch.save of PyTorch 2.13.
const data = join(import.meta.dirname, 'data');
const kind = { key: 'clip_l', width: 3 };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'noodle-emb-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const rows = (file: string): number[][] =>
  readEmbedding(join(data, file), kind).map((row) => [...row]);

describe('readEmbedding of torch files', () => {
  it('reads webui, diffusers and list files', () => {
    expect(rows('a1111.pt')).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ]);
    expect(rows('half-view.bin')).toEqual([[3, 4, 5]]);
    expect(rows('list.pt')).toEqual([
      [1, 1, 1],
      [2, 2, 2],
      [2, 2, 2],
    ]);
  });

  it('runs no code and says what it cannot read', () => {
    expect(() => rows('hostile.pt')).toThrow('it needs posix.system');
    expect(existsSync('/tmp/noodle-hostile-pickle')).toBe(false);
  });

  it('reads files of older PyTorch, and matrices that lie by columns', () => {
    expect(rows('legacy.pt')).toEqual([[1, 1, 1]]);
    expect(rows('transposed.pt')).toEqual(Array.from({ length: 3 }, () => [1, 1]));
  });
});

describe('readEmbedding of safetensors', () => {
  const write = async (
    tensors: Record<string, { shape: number[]; value: number }>,
  ): Promise<string> => {
    const path = join(folder, 'e.safetensors');
    const entries = Object.entries(tensors).map(([key, { shape, value }]) => {
      const values = new Float32Array(shape.reduce((n, dim) => n * dim, 1)).fill(value);
      return [key, { dtype: 'F32' as const, shape, bytes: new Uint8Array(values.buffer) }] as const;
    });
    await writeSafetensors(path, new Map(entries));
    return path;
  };

  it('chooses the encoder’s tensor, bundles, else the first', async () => {
    const both = await write({
      clip_g: { shape: [1, 5], value: 1 },
      clip_l: { shape: [2, 3], value: 2 },
    });
    expect(readEmbedding(both, kind)).toEqual(Array(2).fill(new Float32Array([2, 2, 2])));
    expect(readEmbedding(both, { key: 'clip_h', width: 4 })).toEqual([
      new Float32Array([1, 1, 1, 1, 1]),
    ]);
    const bundle = await write({
      lora: { shape: [3], value: 9 },
      'bundle_emb.a.string_to_param.*': { shape: [1, 3], value: 1 },
      'bundle_emb.b.string_to_param.*': { shape: [1, 3], value: 2 },
    });
    expect(readEmbedding(bundle, kind).map(([first]) => first)).toEqual([1, 2]);
    const vector = await write({ emb_params: { shape: [3], value: 7 } });
    expect(readEmbedding(vector, kind)).toEqual([new Float32Array([7, 7, 7])]);
  });

  it.each([0, 1, 2, 3])(
    'reads files whose numbers lie at any byte (header padded by %i)',
    (pad) => {
      const tensors = { clip_l: { dtype: 'F32', shape: [1, 3], data_offsets: [0, 12] } };
      const header = Buffer.from(JSON.stringify(tensors) + ' '.repeat(pad));
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(header.length));
      const path = join(folder, 'odd.safetensors');
      const numbers = new Uint8Array(Float32Array.of(1, 2, 3).buffer);
      writeFileSync(path, Buffer.concat([length, header, numbers]));
      expect(readEmbedding(path, kind)).toEqual([Float32Array.of(1, 2, 3)]);
    },
  );

  it('leaves out broken files with a warning', () => {
    const path = join(folder, 'bad.safetensors');
    writeFileSync(path, 'not a file');
    const warnings: string[] = [];
    const look = embeddingLookup(
      () => path,
      kind,
      (message) => warnings.push(message),
    );
    expect(look('bad')).toBeUndefined();
    expect(warnings.join()).toContain("embedding 'bad' could not be read");
  });
});

describe('findEmbedding', () => {
  it('looks in sub-folders and tries endings, and never outside', () => {
    const root = join(folder, 'embeddings');
    mkdirSync(join(root, 'sub'), { recursive: true });
    writeFileSync(join(root, 'a.pt'), '');
    writeFileSync(join(root, 'sub', 'b.safetensors'), '');
    writeFileSync(join(folder, 'secret.safetensors'), '');
    const find = (name: string): string | undefined => findEmbedding([root], name);
    expect(find('a')).toMatch(/a\.pt$/);
    expect(find('b')).toMatch(/sub.b\.safetensors$/);
    expect(find('sub/b.safetensors')).toMatch(/sub.b\.safetensors$/);
    expect(find('../secret')).toBeUndefined();
    expect(find('')).toBeUndefined();
  });
});
