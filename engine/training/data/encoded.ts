/**
 * Encoded data sets as files: latents and conditionings in shards of so many samples each, and a
 * `metadata.json` that is written last. What ComfyUI's nodes keep as pickles are safetensors files here.
 */
import { existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { NDArray } from '../../array/nd.ts';
import { NoodleError } from '../../errors.ts';
import type { Conditioning, ConditioningEntry } from '../../sampling/conditioning.ts';
import { writeFileAtomic } from '../../store/write.ts';
import type { Latent } from '../../values/media.ts';
import { readTensor } from '../../weights/read.ts';
import { openSafetensors } from '../../weights/safetensors.ts';
import { type TensorToWrite, floatTensor, writeSafetensors } from '../../weights/write.ts';
import { stringifyJson } from '../../workflow/lossless-json.ts';
import { pack, unpack } from './packing.ts';

/** A latent and what it is trained with. */
export interface EncodedSample {
  readonly latent: Latent;
  readonly conditioning: Conditioning;
}

/** What says that a folder is such a data set, with ComfyUI's keys. */
export const METADATA = 'metadata.json';

interface Metadata {
  readonly num_samples: number;
  readonly num_shards: number;
  readonly shard_size: number;
}

const shardName = (index: number): string => `shard_${String(index).padStart(4, '0')}.safetensors`;

/**
 * Writes samples into a folder, which is created. Throws BAD_INPUT where a conditioning holds what no file can
 * keep (ControlNets, hooks); nothing is written then.
 */
export async function writeEncoded(
  folder: string,
  samples: readonly EncodedSample[],
  shardSize: number,
): Promise<void> {
  const shards = Array.from({ length: Math.ceil(samples.length / shardSize) }, (_, i) =>
    packShard(samples.slice(i * shardSize, (i + 1) * shardSize), i * shardSize),
  );
  mkdirSync(folder, { recursive: true });
  for (const [i, { tensors, json }] of shards.entries()) {
    await writeSafetensors(join(folder, shardName(i)), tensors, { [SAMPLES]: json });
  }
  const metadata: Metadata = {
    num_samples: samples.length,
    num_shards: shards.length,
    shard_size: shardSize,
  };
  writeFileAtomic(join(folder, METADATA), stringifyJson(metadata, { indent: 2 }));
}

/** The key of a shard's metadata with its samples in JSON. */
const SAMPLES = 'noodle_samples';

function packShard(samples: readonly EncodedSample[], first: number) {
  const tensors = new Map<string, TensorToWrite>();
  const packed = samples.map(({ latent, conditioning }, i) => {
    const name = `sample ${first + i}`;
    const sample = {
      latent,
      conditioning: conditioning.map((entry) => withoutChanges(entry, name)),
    };
    const json = pack(sample, name, (tensor, { data, shape }) =>
      tensors.set(tensor, floatTensor(data, shape)),
    );
    return isSample(sample) ? json : refuse(name, 'a latent and its conditioning', 'others');
  });
  return { tensors, json: JSON.stringify(packed) };
}

function withoutChanges({ changes = {}, ...entry }: ConditioningEntry, name: string) {
  const kinds = Object.keys(changes).filter((kind) => changes[kind] !== undefined);
  if (kinds.length === 0) return entry;
  return refuse(name, 'conditioning that changes nothing in the model', kinds.join(', '));
}

/**
 * Reads a folder that `writeEncoded` wrote. Throws FILE_NOT_FOUND for missing parts, UNSUPPORTED for shards of
 * ComfyUI itself, BAD_INPUT or SAFETENSORS_HEADER for files that are something else.
 */
export async function readEncoded(folder: string, name: string): Promise<EncodedSample[]> {
  const { num_shards: count, num_samples: total } = readMetadata(folder, name);
  const samples: EncodedSample[] = [];
  for (let i = 0; i < count; i++) {
    const shard = `${name}/${shardName(i)}`;
    if (!existsSync(join(folder, shardName(i)))) {
      throw new NoodleError('FILE_NOT_FOUND', { kind: 'part of a training data set', name: shard });
    }
    samples.push(...(await readShard(join(folder, shardName(i)), shard)));
  }
  if (samples.length === total) return samples;
  return refuse(`${name}/${METADATA}`, `${samples.length} samples, as in the shards`, total);
}

function readMetadata(folder: string, name: string): Metadata {
  const pickled = readdirSync(folder).find((file) => /^shard_.*\.pkl$/.test(file));
  const path = join(folder, METADATA);
  if (pickled !== undefined && !existsSync(join(folder, shardName(0)))) {
    const what = `${name}/${pickled} is a pickle, which may run programs when it is read; encode the data set here and save it anew`;
    throw new NoodleError('UNSUPPORTED', { what });
  }
  if (!existsSync(path)) {
    throw new NoodleError('FILE_NOT_FOUND', { kind: 'training data set', name });
  }
  const metadata = parse(readFileSync(path, 'utf8'), `${name}/${METADATA}`);
  const isCount = (v: unknown): boolean => Number.isSafeInteger(v) && (v as number) >= 0;
  const { num_samples, num_shards, shard_size } = (metadata ?? {}) as Metadata;
  if ([num_samples, num_shards, shard_size].every(isCount)) return metadata as Metadata;
  return refuse(`${name}/${METADATA}`, 'num_samples, num_shards and shard_size', metadata);
}

async function readShard(path: string, name: string): Promise<EncodedSample[]> {
  const file = await openSafetensors(path);
  const arrays = new Map<string, NDArray>();
  for (const key of file.tensors.keys()) arrays.set(key, await readTensor(file, key));
  const find = (key: string): NDArray =>
    arrays.get(key) ?? refuse(name, `a tensor '${key}'`, 'none');
  const samples = unpack(parse(file.metadata[SAMPLES] ?? 'null', name), find);
  const isWhole = Array.isArray(samples) && samples.every(isSample);
  return isWhole ? samples : refuse(name, 'samples that this program saved', 'others');
}

type Check = (value: unknown) => boolean;

const isOf =
  (type: 'number' | 'boolean' | 'object'): Check =>
  (value) =>
    typeof value === type && value !== null && !Array.isArray(value);
const hasNumbers =
  (...keys: readonly string[]): Check =>
  (value) =>
    isOf('object')(value) &&
    keys.every((key) => typeof (value as Record<string, unknown>)[key] === 'number');
/** An array of at least so many axes. */
const array =
  (rank: number): Check =>
  (value) =>
    (value as NDArray | null)?.data instanceof Float32Array &&
    (value as NDArray).shape.length >= rank;

/** What fields of an entry hold; an entry with anything else was not made here. */
const ENTRY: Readonly<Record<Exclude<keyof ConditioningEntry, 'changes'>, Check>> = {
  cross: array(3),
  crossControl: array(3),
  pooled: array(2),
  area: hasNumbers('height', 'width', 'y', 'x'),
  strength: isOf('number'),
  mask: array(3),
  maskStrength: isOf('number'),
  setAreaToBounds: isOf('boolean'),
  startPercent: isOf('number'),
  endPercent: isOf('number'),
  textRange: hasNumbers('start', 'end'),
  isDefault: isOf('boolean'),
  concatLatent: array(4),
  concatMask: array(3),
  extra: isOf('object'),
};

const LATENT: Readonly<Record<keyof Latent, Check>> = {
  samples: array(3),
  noise_mask: array(3),
  batch_index: (value) => Array.isArray(value) && value.every(Number.isSafeInteger),
};

const fits = (value: unknown, checks: Readonly<Record<string, Check>>, needed: string): boolean =>
  isOf('object')(value) &&
  Object.hasOwn(value as object, needed) &&
  Object.entries(value as object).every(
    ([key, field]) => Object.hasOwn(checks, key) && (field === undefined || checks[key](field)),
  );

function isSample(value: unknown): value is EncodedSample {
  const { latent, conditioning } = (value ?? {}) as Partial<EncodedSample>;
  const entries = Array.isArray(conditioning) ? (conditioning as unknown[]) : [undefined];
  return fits(latent, LATENT, 'samples') && entries.every((entry) => fits(entry, ENTRY, 'cross'));
}

function parse(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    return refuse(name, 'JSON', (cause as Error).message);
  }
}

function refuse(subject: string, expected: string, got: unknown): never {
  throw new NoodleError('BAD_INPUT', { subject, expected, got });
}
