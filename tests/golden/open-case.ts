/** Reading golden cases: a safetensors file whose metadata key `case` holds the parameters. */
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { NDArray } from '../../engine/array/nd.ts';
import { readBytesSync } from '../../engine/weights/read.ts';
import { openSafetensors } from '../../engine/weights/safetensors.ts';
import type { WeightEntry } from '../../engine/weights/source.ts';

export type GoldenData = Float32Array | Float64Array | BigInt64Array | Int32Array | Uint8Array;

export interface GoldenTensor {
  readonly data: GoldenData;
  readonly shape: readonly number[];
}

/** A case: its parameters and its tensors. `C` is what its area knows about the parameters. */
export interface GoldenCase<C = Record<string, unknown>> {
  readonly params: C;
  readonly names: readonly string[];
  readonly has: (name: string) => boolean;
  /** Any tensor as stored. */
  readonly tensor: (name: string) => GoldenTensor;
  /** A float32 tensor; throws when it is missing or of another type. */
  readonly array: (name: string) => NDArray;
  /** The same, or undefined when the case has no such tensor. */
  readonly optional: (name: string) => NDArray | undefined;
  /** Any tensor as JS numbers (64-bit integers must be safe). */
  numbers(name: string): { data: readonly number[]; shape: readonly number[] };
  /** The case's tolerances. */
  readonly tolerance: { readonly atol: number; readonly rtol: number };
}

/** Opens `<dir>/<name>.safetensors`. */
export async function openCase<C = Record<string, unknown>>(path: string): Promise<GoldenCase<C>> {
  const file = await openSafetensors(path);
  const text = file.metadata['case'];
  if (text === undefined) throw new Error(`${basename(path)}: no metadata key 'case'`);
  const params = JSON.parse(text) as C & { atol?: number; rtol?: number };
  const tensor = (name: string): GoldenTensor => {
    const stored = file.tensors.get(name);
    if (!stored) throw new Error(`${basename(path)}: no tensor '${name}'`);
    return { data: decode(stored), shape: stored.shape };
  };
  const array = (name: string): NDArray => {
    const { data, shape } = tensor(name);
    if (!(data instanceof Float32Array)) throw new Error(`'${name}' is not a float32 tensor`);
    return { data, shape };
  };
  return {
    params,
    names: [...file.tensors.keys()].sort(),
    has: (name) => file.tensors.has(name),
    tensor,
    array,
    optional: (name) => (file.tensors.has(name) ? array(name) : undefined),
    numbers(name) {
      const { data, shape } = tensor(name);
      return { data: Array.from<number | bigint, number>(data, Number), shape };
    },
    tolerance: { atol: params.atol ?? 0, rtol: params.rtol ?? 0 },
  };
}

function decode(entry: WeightEntry): GoldenData {
  const copy = readBytesSync(entry);
  switch (entry.dtype) {
    case 'F32':
      return new Float32Array(copy.buffer);
    case 'F64':
      return new Float64Array(copy.buffer);
    case 'I64':
      return new BigInt64Array(copy.buffer);
    case 'I32':
      return new Int32Array(copy.buffer);
    case 'BOOL':
    case 'U8':
      return copy;
    default:
      throw new Error(`'${entry.name}': golden tensors of type ${entry.dtype} are not read here`);
  }
}

const unpacked = new Map<string, Promise<string>>();

/**
 * The path itself, or for a `.gz` file the path of an unpacked copy (same name without `.gz`) in a
 * temporary folder that goes away with the process. Unpacks each file once.
 */
export function gunzipped(path: string): Promise<string> {
  if (!path.endsWith('.gz')) return Promise.resolve(path);
  let copy = unpacked.get(path);
  if (!copy) {
    copy = unpack(path);
    unpacked.set(path, copy);
  }
  return copy;
}

async function unpack(path: string): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'noodle-golden-'));
  temporary.push(dir);
  const target = join(dir, basename(path, '.gz'));
  await pipeline(createReadStream(path), createGunzip(), createWriteStream(target));
  return target;
}

const temporary: string[] = [];

/** A fresh folder that `removeUnpacked` removes. */
export async function temporaryFolder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'noodle-golden-'));
  temporary.push(dir);
  return dir;
}

/** Removes the unpacked copies and temporary folders; the runner and test files call it at the end. */
export async function removeUnpacked(): Promise<void> {
  unpacked.clear();
  await Promise.all(temporary.splice(0).map((dir) => rm(dir, { recursive: true, force: true })));
}
