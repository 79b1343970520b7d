/** Golden training data sets: JSON files, every value exact. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { pythonRandom } from '../../../engine/sampling/noise/python-random.ts';
import { inBuckets, sliceBuckets } from '../../../engine/training/data/batches.ts';
import { captionFor } from '../../../engine/training/data/captions.ts';
import type { Size } from '../../../engine/training/data/buckets.ts';
import { place } from '../../../engine/training/data/placement.ts';
import { type WithWords, datasetDefaults } from '../../../engine/training/data/settings.ts';
import { readCaption, sidecarOf } from '../../../engine/training/data/sidecars.ts';
import type { CaseResult, Comparison } from '../area.ts';

type Pair = readonly [number, number];

const exactly = (name: string, got: unknown, expected: unknown): Comparison => {
  const pass = isDeepStrictEqual(got, expected);
  return {
    name: pass ? name : `${name}: got ${JSON.stringify(got)}, not ${JSON.stringify(expected)}`,
    maxError: pass ? 0 : Infinity,
    tolerance: 0,
    pass,
  };
};

const sizeOf = ([width, height]: Pair): Size => ({ width, height });
const pairOf = ({ width, height }: Size): Pair => [width, height];
const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** The keys of a YAML file in camel case, over the defaults. */
function settingsOf(config: Readonly<Record<string, unknown>>): WithWords {
  const camel = (key: string): string => key.replace(/_(\w)/g, (_, c: string) => c.toUpperCase());
  const given = Object.entries(config).map(([key, value]) => [camel(key), value] as const);
  return { ...datasetDefaults, folderPath: '', ...Object.fromEntries(given) };
}

interface BucketRow extends Record<string, unknown> {
  readonly size: Pair;
  readonly resolution: number;
  readonly unit: number;
  readonly bucket: Pair;
  readonly resize: Pair;
  readonly crop: Pair;
}

function buckets({ rows }: { rows: readonly BucketRow[] }): Comparison[] {
  return rows.map(({ size, unit, bucket, resize, crop: expected, ...config }) => {
    const { scaled, crop } = place(sizeOf(size), settingsOf(config), unit, pythonRandom(0));
    const got = { bucket: pairOf(crop), resize: pairOf(scaled), crop: [crop.x, crop.y] };
    return exactly(`${size.join('x')} ${JSON.stringify({ unit, ...config })}`, got, {
      bucket,
      resize,
      crop: expected,
    });
  });
}

interface BatchCase {
  readonly python_seed: number;
  readonly batch_size: number;
  readonly resolution: number;
  readonly unit: number;
  readonly sizes: readonly Pair[];
  readonly random_crop: readonly Pair[];
  readonly buckets_in_file_order: Readonly<Record<string, readonly number[]>>;
  readonly batches: readonly (readonly number[])[];
}

function batches({ cases }: { cases: readonly BatchCase[] }): Comparison[] {
  return cases.flatMap((golden) => {
    const random = pythonRandom(golden.python_seed);
    const settings = settingsOf({ resolution: golden.resolution, random_crop: true });
    const crops = golden.sizes.map(
      (size) => place(sizeOf(size), settings, golden.unit, random).crop,
    );
    const names = crops.map((crop) => pairOf(crop).join('x'));
    const grouped = Object.fromEntries(inBuckets(names));
    const label = `seed ${golden.python_seed}`;
    return [
      exactly(
        `${label} crops`,
        crops.map(({ x, y }) => [x, y]),
        golden.random_crop,
      ),
      exactly(`${label} buckets`, grouped, golden.buckets_in_file_order),
      exactly(`${label} batches`, sliceBuckets(names, golden.batch_size, random), golden.batches),
    ];
  });
}

interface CaptionCase {
  readonly python_seed: number;
  readonly config: Readonly<Record<string, unknown>>;
  readonly captions: readonly { readonly raw: string; readonly caption: string }[];
}

function captions({ cases }: { cases: readonly CaptionCase[] }): Comparison[] {
  return cases.flatMap(({ python_seed: seed, config, captions: rows }) => {
    const random = pythonRandom(seed);
    return rows.map(({ raw, caption }, i) =>
      exactly(`seed ${seed} caption ${i}`, captionFor(raw, settingsOf(config), random), caption),
    );
  });
}

interface FileRow {
  readonly file: string;
  readonly sidecar: Readonly<Record<string, string>>;
  readonly config: Readonly<Record<string, unknown>>;
  readonly caption: string;
}

function captionFiles({ rows }: { rows: readonly FileRow[] }): Comparison[] {
  return rows.map(({ file, sidecar, config, caption }, i) => {
    const folder = mkdtempSync(join(tmpdir(), 'noodle-captions-'));
    try {
      for (const [name, text] of Object.entries(sidecar)) writeFileSync(join(folder, name), text);
      const settings = settingsOf(config);
      const name = sidecarOf(file, settings.captionExt);
      const text = readCaption(join(folder, name), name, settings);
      return exactly(`row ${i}`, captionFor(text, settings, pythonRandom(0)), caption);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}

interface RandomCase {
  readonly seed: number;
  readonly random: readonly number[];
  readonly getrandbits: readonly Pair[];
  readonly randint: readonly (readonly [low: number, high: number, value: number])[];
  readonly shuffle_5: readonly number[];
  readonly shuffle_12: readonly number[];
  readonly sample_10_3: readonly number[];
  readonly sample_100_4: readonly number[];
  readonly choices_5_of_4: readonly number[];
  readonly choice_7: readonly number[];
}

function pythonsRandom(golden: RandomCase): Comparison[] {
  const random = pythonRandom(golden.seed);
  const bits = ([count]: Pair): Pair => [count, Number(random.getrandbits(count))];
  const between = ([low, high]: readonly number[]): number[] => [
    low,
    high,
    Number(random.randint(BigInt(low), BigInt(high))),
  ];
  return [
    exactly('random', golden.random.map(random.random), golden.random),
    exactly('getrandbits', golden.getrandbits.map(bits), golden.getrandbits),
    exactly('randint', golden.randint.map(between), golden.randint),
    exactly('shuffle 5', random.shuffled(upTo(5)), golden.shuffle_5),
    exactly('shuffle 12', random.shuffled(upTo(12)), golden.shuffle_12),
    exactly('sample 3 of 10', random.sample(upTo(10), 3), golden.sample_10_3),
    exactly('sample 4 of 100', random.sample(upTo(100), 4), golden.sample_100_4),
    exactly('choices', random.choices([10, 20, 30, 40], 5), golden.choices_5_of_4),
    exactly(
      'choice',
      golden.choice_7.map(() => random.choice(upTo(7))),
      golden.choice_7,
    ),
  ];
}

const checks: Readonly<Record<string, (golden: never) => Comparison[]>> = {
  buckets,
  buckets_scale_square: buckets,
  batches,
  captions,
  caption_files: captionFiles,
  python_random: pythonsRandom,
};

export function run(dir: string, name: string): Promise<CaseResult> {
  const golden = JSON.parse(readFileSync(join(dir, `${name}.json`), 'utf8')) as never;
  return Promise.resolve({ comparisons: checks[name](golden) });
}
