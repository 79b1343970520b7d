/** Reading the numbers of weights: bytes as stored, or widened to f32. */
import { closeSync, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { NoodleError } from '../errors.ts';
import { decode, storageOf } from './dtypes.ts';
import { scaler } from './scales.ts';
import type { WeightBytes, WeightEntry, WeightSource } from './source.ts';
import { encodeAs } from './write.ts';

/** A tensor on the host: fp32 numbers with the shape that the file states. */
export interface HostWeights {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

/** One tensor of a source as f32. Throws WEIGHTS_MISSING when it has no such tensor. */
export async function readTensor(source: WeightSource, name: string): Promise<HostWeights> {
  const entry = source.tensors.get(name);
  if (!entry) throw new NoodleError('WEIGHTS_MISSING', { file: source.label, key: name });
  return { data: await readFloats(entry), shape: entry.shape };
}

/** An entry's bytes as they are stored (a copy for files, the memory itself otherwise). */
export async function readBytes(entry: WeightEntry): Promise<Uint8Array> {
  if (entry.bytes.kind === 'memory') return entry.bytes.bytes;
  if (entry.bytes.kind === 'computed') return encodeAs(await entry.bytes.compute(), entry.dtype);
  if (entry.bytes.kind === 'parts') return Buffer.concat(await eachOf(entry.bytes, readBytes));
  const { path, offset } = entry.bytes;
  const bytes = new Uint8Array(entry.byteLength);
  const handle = await open(path, 'r');
  try {
    // one read call stops at 2 GiB
    for (let done = 0; done < bytes.length;) {
      const length = Math.min(bytes.length - done, 1 << 30);
      const { bytesRead } = await handle.read(bytes, done, length, offset + done);
      if (bytesRead === 0) throw new NoodleError('WEIGHTS_CHANGED', { file: path });
      done += bytesRead;
    }
  } finally {
    await handle.close();
  }
  return bytes;
}

/** The same at once, for small tensors. */
export function readBytesSync(entry: WeightEntry): Uint8Array {
  if (entry.bytes.kind === 'memory') return entry.bytes.bytes;
  if (entry.bytes.kind === 'computed') {
    throw new NoodleError('UNSUPPORTED', { what: `'${entry.name}' at once, which is computed` });
  }
  if (entry.bytes.kind === 'parts') return Buffer.concat(entry.bytes.parts.map(readBytesSync));
  const { path, offset } = entry.bytes;
  const bytes = new Uint8Array(entry.byteLength);
  const file = openSync(path, 'r');
  try {
    for (let done = 0; done < bytes.length;) {
      const length = Math.min(bytes.length - done, 1 << 30);
      const count = readSync(file, bytes, done, length, offset + done);
      if (count === 0) throw new NoodleError('WEIGHTS_CHANGED', { file: path });
      done += count;
    }
  } finally {
    closeSync(file);
  }
  return bytes;
}

/**
 * An entry's numbers as f32, in the order its reader sees (other views are put in order). Throws
 * UNSUPPORTED for a storage type that cannot be read.
 */
export async function readFloats(entry: WeightEntry): Promise<Float32Array> {
  if (entry.bytes.kind === 'parts') return joined(await eachOf(entry.bytes, readFloats));
  return decoded(entry, await readBytes(entry));
}

/** The same at once, for small tensors. */
export const readFloatsSync = (entry: WeightEntry): Float32Array =>
  entry.bytes.kind === 'parts'
    ? joined(entry.bytes.parts.map(readFloatsSync))
    : decoded(entry, readBytesSync(entry));

/** One part after the other. */
async function eachOf<T>(
  { parts }: Extract<WeightBytes, { kind: 'parts' }>,
  read: (part: WeightEntry) => Promise<T>,
): Promise<T[]> {
  const all: T[] = [];
  for (const part of parts) all.push(await read(part));
  return all;
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function decoded(entry: WeightEntry, bytes: Uint8Array): Float32Array {
  const { scales, shape, transposed, interleaved } = entry;
  const values = decode(bytes, storageOf(entry).storage);
  if (scales) scaler(scales, shape, readFloatsSync)(values, 0);
  if (interleaved !== undefined) return halvesApart(values, shape, interleaved);
  if (!transposed) return values;
  const [rows, columns] = shape;
  const swapped = new Float32Array(values.length);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) swapped[r * columns + c] = values[c * rows + r];
  }
  return swapped;
}

/** Rows of each head's two halves in turn, as those of one half and then of the other. */
function halvesApart(values: Float32Array, [rows]: readonly number[], heads: number): Float32Array {
  const out = new Float32Array(values.length);
  const width = values.length / rows;
  const inHead = rows / heads;
  for (let row = 0; row < rows; row++) {
    const [head, at] = [Math.floor(row / inHead), row % inHead];
    const to = head * inHead + (at % 2) * (inHead / 2) + (at >> 1);
    out.set(values.subarray(row * width, (row + 1) * width), to * width);
  }
  return out;
}
