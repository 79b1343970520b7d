import { expect, test } from 'vitest';
import type { Folders } from '../../../engine/store/folders.ts';
import { findEmbedding } from '../../../engine/values/find-embedding.ts';

const folders = {
  modelFiles: () => ['a.pt', 'a.safetensors', 'deep/er/b.bin', 'deep/c.safetensors'],
  modelFile: (_: string, name: string) => `/embeddings/${name}`,
} as unknown as Folders;

test.each([
  ['a', '/embeddings/a.safetensors'],
  ['a.pt', '/embeddings/a.pt'],
  ['b', '/embeddings/deep/er/b.bin'],
  ['er/b', '/embeddings/deep/er/b.bin'],
  ['c', '/embeddings/deep/c.safetensors'],
  ['../a', undefined],
  ['d', undefined],
])('%s', (name, expected) => {
  expect(findEmbedding(folders, name)).toBe(expected);
});
