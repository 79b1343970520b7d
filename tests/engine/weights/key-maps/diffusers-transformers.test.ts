import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fromDiffusersTransformer } from '../../../../engine/weights/key-maps/diffusers-transformers.ts';
import { readFloats } from '../../../../engine/weights/read.ts';
import {
  type Modules,
  auraFlow,
  flux,
  sd3,
} from '../../../../engine/weights/key-maps/transformer-modules.ts';
import {
  type WeightEntry,
  type WeightSource,
  memorySource,
  rowsOf,
  joinedRows,
} from '../../../../engine/weights/source.ts';
import { encodeFloats } from '../../../../engine/weights/write.ts';
import { goldenDir } from '../../../support/golden.ts';
import { manifestSource, readManifest, sourceOfShapes } from '../../../support/manifest.ts';

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

const shapesOf = ({ tensors }: WeightSource): Map<string, readonly number[]> =>
  new Map(
    [...tensors].map(([key, { shape }]) => [
      key.replace(/^model\.(diffusion_model\.)?/, ''),
      shape,
    ]),
  );

/** A single file's layers under diffusers' names, each part of a matrix for itself. */
function* savedByDiffusers(
  ours: ReadonlyMap<string, readonly number[]>,
  modules: Modules,
): Generator<readonly [string, readonly number[]]> {
  for (const [key, shape] of ours) {
    const [, module = '', end = ''] = /^(.*)\.(weight|bias)$/.exec(key) ?? [];
    const number = /\.(\d+)\./.exec(key)?.[1] ?? '';
    const row = modules.find(([name]) => name.replace('$1', number) === module);
    if (!row) {
      yield [key, shape];
      continue;
    }
    const matrix = ours.get(`${module}.weight`)!;
    const named = (name: string): string => `${name.replace('$1', number)}.${end}`;
    const parts = row[1].filter((name) => typeof name !== 'string').slice(0, 4);
    const own = parts.filter(([name]) => !name.startsWith('single_blocks'));
    if (own.length === 0) yield [named(String(row[1][0])), shape];
    for (const [name, rows] of own) {
      const [start, stop] = rows(matrix);
      yield [named(name), [stop - start, ...shape.slice(1)]];
    }
  }
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

  // a released file's keys and shapes, as diffusers would have saved them
  for (const [name, modules] of Object.entries({
    flux_dev: flux,
    sd35_large: sd3,
    auraflow: auraFlow,
  })) {
    const manifest = readManifest(name);
    test.skipIf(!manifest)(`${name}: all of a release`, () => {
      const ours = shapesOf(manifestSource(manifest!));
      const theirs = sourceOfShapes(name, savedByDiffusers(ours, modules));
      expect([...theirs.tensors.keys()]).not.toEqual([...ours.keys()]);
      expect(shapesOf(fromDiffusersTransformer(theirs))).toEqual(ours);
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
