/** Writing safetensors files: under a temporary name, flushed, then renamed, so no half file is seen. */
import { randomUUID } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { NoodleError } from '../errors.ts';
import { type StorageDtype, sizeInBytes } from './dtypes.ts';
import { floatToBf16, floatToF16, floatToF8 } from './float.ts';
import { writeAll } from './write-bytes.ts';

export interface TensorToWrite {
  readonly dtype: StorageDtype;
  readonly shape: readonly number[];
  /** The bytes, or a function that makes them when their turn comes (for files larger than memory). */
  readonly bytes: Uint8Array | (() => Uint8Array | Promise<Uint8Array>);
}

/**
 * Writes tensors in the given order with string metadata. The same input gives the same bytes.
 * Throws BAD_INPUT when a tensor's bytes do not fit its dtype and shape.
 */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, TensorToWrite>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const temporary = `${path}.${randomUUID()}.part`;
  try {
    await writeTensors(temporary, tensors, metadata);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** The same into `path` itself, which must not exist, for callers that name it themselves. */
export async function writeTensors(
  path: string,
  tensors: ReadonlyMap<string, TensorToWrite>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const handle = await open(path, 'wx');
  try {
    await writeAll(handle, encodeHeader(tensors, metadata));
    for (const [name, tensor] of tensors) {
      const bytes = typeof tensor.bytes === 'function' ? await tensor.bytes() : tensor.bytes;
      const size = sizeInBytes(tensor.dtype, tensor.shape);
      if (bytes.byteLength !== size) {
        const details = { subject: `tensor '${name}'`, expected: `${size} bytes` };
        throw new NoodleError('BAD_INPUT', { ...details, got: bytes.byteLength });
      }
      await writeAll(handle, bytes);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The whole file in memory, for small ones. */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, TensorToWrite & { readonly bytes: Uint8Array }>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const parts = [...tensors.values()].map(({ bytes }) => bytes);
  return Buffer.concat([encodeHeader(tensors, metadata), ...parts]);
}

/** fp32 numbers as stored bytes, rounded to `dtype`. */
export const encodeFloats = (values: Float32Array, dtype: keyof typeof encoders): Uint8Array =>
  bytesOf(encoders[dtype](values));

/** The same for a type by its name; throws UNSUPPORTED for one that floats are not written as. */
export function encodeAs(values: Float32Array, dtype: string): Uint8Array {
  if (Object.hasOwn(encoders, dtype)) return encodeFloats(values, dtype as keyof typeof encoders);
  throw new NoodleError('UNSUPPORTED', { what: `numbers stored as ${dtype}` });
}

/** fp32 numbers as a tensor to write, rounded to `dtype`. */
export function floatTensor(
  values: Float32Array,
  shape: readonly number[],
  dtype: 'F32' | 'F16' | 'BF16' | 'F8_E4M3' | 'F8_E5M2' = 'F32',
): TensorToWrite & { readonly bytes: Uint8Array } {
  return { dtype, shape, bytes: encodeFloats(values, dtype) };
}

const encoders = {
  F32: (values: Float32Array) => values,
  F16: floatToF16,
  BF16: floatToBf16,
  F8_E4M3: (values: Float32Array) => floatToF8(values, 'F8_E4M3'),
  F8_E5M2: (values: Float32Array) => floatToF8(values, 'F8_E5M2'),
} satisfies Partial<Record<StorageDtype, (values: Float32Array) => ArrayBufferView>>;

const bytesOf = (view: ArrayBufferView): Uint8Array =>
  new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

/** Length and JSON directory, padded with spaces so that the data starts at a multiple of 8. */
function encodeHeader(
  tensors: ReadonlyMap<string, TensorToWrite>,
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const directory = new Map<string, unknown>();
  if (Object.keys(metadata).length > 0) directory.set('__metadata__', metadata);
  let position = 0;
  for (const [name, tensor] of tensors) {
    const { dtype, shape } = tensor;
    const end = position + sizeInBytes(dtype, shape);
    directory.set(name, { dtype, shape, data_offsets: [position, end] });
    position = end;
  }
  const entries = [...directory].map(([k, v]) => `${JSON.stringify(k)}:${JSON.stringify(v)}`);
  const json = Buffer.from(`{${entries.join(',')}}`);
  const length = Math.ceil(json.byteLength / 8) * 8;
  const header = Buffer.alloc(8 + length, ' ');
  header.writeBigUInt64LE(BigInt(length));
  json.copy(header, 8);
  return header;
}
