/** Reading the numbers of weights: bytes as stored, or widened to f32. */
import { open } from 'node:fs/promises';
import { NoodleError } from '../errors.ts';
import { bf16ToFloat, f16ToFloat, f8ToFloat } from './float.ts';
import type { SafetensorsFile } from './safetensors.ts';
import { type StorageDtype, type WeightEntry, fileSource } from './source.ts';

/** A tensor on the host: fp32 numbers with the shape that the file states. */
export interface HostWeights {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

/** One tensor of a file as f32. Throws WEIGHTS_MISSING when the file has no such tensor. */
export async function readTensor(file: SafetensorsFile, name: string): Promise<HostWeights> {
  const entry = fileSource(file).tensors.get(name);
  if (!entry) throw new NoodleError('WEIGHTS_MISSING', { file: file.path, key: name });
  return { data: await readFloats(entry), shape: entry.shape };
}

/** An entry's bytes as they are stored (a copy for files, the memory itself otherwise). */
export async function readBytes(entry: WeightEntry): Promise<Uint8Array> {
  if (entry.bytes.kind === 'memory') return entry.bytes.bytes;
  const { path, offset } = entry.bytes;
  const bytes = new Uint8Array(entry.byteLength);
  const handle = await open(path, 'r');
  try {
    // one read call stops at 2 GiB
    for (let done = 0; done < bytes.length;) {
      const length = Math.min(bytes.length - done, 1 << 30);
      const { bytesRead } = await handle.read(bytes, done, length, offset + done);
      if (bytesRead === 0) {
        throw new NoodleError('SAFETENSORS_HEADER', {
          file: path,
          reason: `it ends before byte ${offset + bytes.length}; was it changed while in use?`,
        });
      }
      done += bytesRead;
    }
  } finally {
    await handle.close();
  }
  return bytes;
}

/** An entry's numbers as f32, in the order its reader sees (a transposed view is put in order). */
export async function readFloats(entry: WeightEntry): Promise<Float32Array> {
  const values = decode(await readBytes(entry), entry.dtype);
  if (!entry.transposed) return values;
  const [rows, columns] = entry.shape;
  const swapped = new Float32Array(values.length);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) swapped[r * columns + c] = values[c * rows + r];
  }
  return swapped;
}

/**
 * Stored bytes as f32; wide integers and doubles round to the nearest f32. Narrow floats are written
 * into `out` (of the right length) when it is given; other types come back in an array of their own.
 */
export function decode(bytes: Uint8Array, dtype: StorageDtype, out?: Float32Array): Float32Array {
  return decoders[dtype](bytes, out);
}

/** Copies where the bytes do not lie at a multiple of the element size, as typed arrays need. */
function aligned<T>(
  view: new (buffer: ArrayBufferLike, offset: number, length: number) => T,
  size: number,
): (bytes: Uint8Array) => T {
  return (bytes) => {
    // not slice(): a Buffer's is a view of the same place
    const at = bytes.byteOffset % size === 0 ? bytes : Uint8Array.from(bytes);
    return new view(at.buffer, at.byteOffset, at.byteLength / size);
  };
}

const words = aligned(Uint16Array, 2);

type Decoder = (bytes: Uint8Array, out?: Float32Array) => Float32Array;

const decoders: Readonly<Record<StorageDtype, Decoder>> = {
  F64: (bytes) => Float32Array.from(aligned(Float64Array, 8)(bytes)),
  F32: aligned(Float32Array, 4),
  F16: (bytes, out) => f16ToFloat(words(bytes), out),
  BF16: (bytes, out) => bf16ToFloat(words(bytes), out),
  F8_E4M3: (bytes, out) => f8ToFloat(bytes, 'F8_E4M3', out),
  F8_E5M2: (bytes, out) => f8ToFloat(bytes, 'F8_E5M2', out),
  I64: (bytes) => Float32Array.from(aligned(BigInt64Array, 8)(bytes), Number),
  U64: (bytes) => Float32Array.from(aligned(BigUint64Array, 8)(bytes), Number),
  I32: (bytes) => Float32Array.from(aligned(Int32Array, 4)(bytes)),
  U32: (bytes) => Float32Array.from(aligned(Uint32Array, 4)(bytes)),
  I16: (bytes) => Float32Array.from(aligned(Int16Array, 2)(bytes)),
  U16: (bytes) => Float32Array.from(words(bytes)),
  I8: (bytes) => Float32Array.from(aligned(Int8Array, 1)(bytes)),
  U8: (bytes) => Float32Array.from(bytes),
  BOOL: (bytes) => Float32Array.from(bytes),
};
