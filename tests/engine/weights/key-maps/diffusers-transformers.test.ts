import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fromDiffusersTransformer } from '../../../../engine/weights/key-maps/diffusers-transformers.ts';
import { readFloats } from '../../../../engine/weights/read.ts';
import {
  type WeightEntry,
  memorySource,
  rowsOf,
  joinedRows,
} from '../../../../engine/weights/source.ts';
import { encodeFloats } from '../../../../engine/weights/write.ts';
import { goldenDir } from '../../../support/golden.ts';
import { sourceOfShapes } from '../../../support/manifest.ts';

type Target = readonly [
  ours: string,
  range?: readonly [axis: number, start: number, length: number] | null,
  change?: string,
];

/** Every stored entry that an entry has rows of, and from which of its rows on. */
function placesIn({ name, bytes }: WeightEntry): [stored: string, start: number][] {
  if (bytes.kind !== 'parts') return [[name, 0]];
  let start = 0;
  return bytes.parts.map((part) => {
    const place: [string, number] = [part.name, start];
    start += part.shape[0];
    return place;
  });
}

describe('diffusers names of transformers', () => {
  // oracle: the complete tables of ComfyUI 0.3.64 for small models of these layouts
  const path = join(goldenDir('model-detection'), 'diffusers-name-maps.json');
  for (const family of ['flux', 'sd3', 'auraflow', 'pixart']) {
    test.skipIf(!existsSync(path))(`${family}: every key`, () => {
      const { maps } = JSON.parse(readFileSync(path, 'utf8')) as {
        maps: Readonly<Record<string, Readonly<Record<string, Target>>>>;
      };
      const targets = Object.entries(maps[family]);
      const source = fromDiffusersTransformer(
        sourceOfShapes(
          family,
          targets.map(([theirs, [, range]]) => [theirs, [range?.[2] ?? 128, 4]]),
        ),
      );
      const named = targets.map(([, [ours]]) => ours);
      expect(new Set(source.tensors.keys())).toEqual(new Set(named));
      for (const [theirs, [ours, range, change]] of targets) {
        const places = placesIn(source.tensors.get(ours)!);
        if (change === undefined) expect(places).toContainEqual([theirs, range?.[1] ?? 0]);
        else expect(places.map(([name]) => name)).toEqual([theirs, theirs]);
      }
    });
  }

  test('a matrix without one of its parts is named', () => {
    const keys = ['x_embedder.weight', 'transformer_blocks.0.attn.add_q_proj.weight'];
    const source = sourceOfShapes(
      'broken',
      keys.map((key) => [key, [4, 4]]),
    );
    expect(() => fromDiffusersTransformer(source)).toThrow(/attn\.add_k_proj\.weight' is missing/);
  });
});

test('joined rows are read in their order', async () => {
  const stored = (start: number, dtype: 'F32' | 'F16') => ({
    dtype,
    shape: [2, 2],
    bytes: encodeFloats(Float32Array.of(start, start + 1, start + 2, start + 3), dtype),
  });
  const { tensors } = memorySource('m', 'm', [
    ['a', stored(0, 'F32')],
    ['b', stored(4, 'F16')],
  ]);
  const [a, b] = ['a', 'b'].map((key) => tensors.get(key)!);
  const both = joinedRows([b, rowsOf(a, 1, 2), rowsOf(a, 0, 1)]);
  expect(both.shape).toEqual([4, 2]);
  expect([...(await readFloats(both))]).toEqual([4, 5, 6, 7, 2, 3, 0, 1]);
  const wide = { ...a, shape: [1, 4] };
  expect(() => joinedRows([b, wide])).toThrow(expect.objectContaining({ code: 'BAD_INPUT' }));
});
