/** Key/shape manifests of released models (golden/model-detection) as weight sources without bytes. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { memorySource, type WeightSource } from '../../engine/weights/source.ts';
import { goldenDir, ownGoldenDir } from './golden.ts';

export interface Manifest {
  readonly name: string;
  /** In front of every key; files of a diffusion model alone have none. */
  readonly prefix?: string | null;
  readonly detected_family: string;
  readonly detected_config: Readonly<Record<string, unknown>>;
  readonly keys: readonly (readonly [string, number[], ([number, number] | { list: number[] })?])[];
}

/** A manifest by name; undefined when neither the shared nor the own selection has it. */
export function readManifest(name: string): Manifest | undefined {
  const folders = [
    goldenDir('model-detection'),
    join(goldenDir('dit-2026'), 'manifests'),
    ownGoldenDir('model-detection'),
  ];
  const path = folders.map((dir) => join(dir, `${name}.json`)).find((file) => existsSync(file));
  return path === undefined ? undefined : (JSON.parse(readFileSync(path, 'utf8')) as Manifest);
}

/** The manifest's tensors with their full-size shapes and no bytes behind them. */
export function manifestSource(manifest: Manifest): WeightSource {
  return sourceOfShapes(manifest.name, manifestShapes(manifest));
}

/** Tensors that have a shape and no bytes. */
export function sourceOfShapes(
  name: string,
  shapes: Iterable<readonly [string, readonly number[]]>,
): WeightSource {
  const tensors = [...shapes].map(
    ([key, shape]) => [key, { dtype: 'F16' as const, shape, bytes: new Uint8Array(0) }] as const,
  );
  return memorySource(name, `shapes:${name}`, tensors);
}

function* manifestShapes(manifest: Manifest): Generator<readonly [string, readonly number[]]> {
  for (const [pattern, shape, numbers] of manifest.keys) {
    if (numbers === undefined) {
      yield [pattern, shape];
      continue;
    }
    const list = Array.isArray(numbers)
      ? Array.from({ length: numbers[1] - numbers[0] + 1 }, (_, i) => numbers[0] + i)
      : numbers.list;
    for (const n of list) yield [pattern.replace('*', String(n)), shape];
  }
}
