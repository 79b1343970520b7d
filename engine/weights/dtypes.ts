/**
 * The element types, in one table: their names in safetensors files and in tensor programs, their size,
 * ONNX's number for them, and how their bytes become numbers on the host.
 */
import { NoodleError } from '../errors.ts';
import { bf16ToFloat, f16ToFloat, f8ToFloat } from './float.ts';

interface DtypeRow {
  /** The type's name in tensor programs. */
  readonly dtype: string;
  /** Bytes of one element. */
  readonly bytes: number;
  /** `TensorProto.DataType` of onnx.proto. */
  readonly onnx: number;
  /** `narrow`: real numbers at less than f32's precision. */
  readonly kind: 'real' | 'narrow' | 'integer' | 'flag';
  /**
   * Stored bytes as f32; wide integers and doubles round to the nearest f32. Narrow floats are written
   * into `out` (of the right length) when it is given; other types come back in an array of their own.
   */
  readonly decode: (bytes: Uint8Array, out?: Float32Array) => Float32Array;
}

const words = aligned(Uint16Array, 2);

/** Storage types by their names in a safetensors header. */
export const storageDtypes = {
  F64: row('f64', 8, 11, 'real', (b) => Float32Array.from(aligned(Float64Array, 8)(b))),
  F32: row('f32', 4, 1, 'real', aligned(Float32Array, 4)),
  F16: row('f16', 2, 10, 'narrow', (b, out) => f16ToFloat(words(b), out)),
  BF16: row('bf16', 2, 16, 'narrow', (b, out) => bf16ToFloat(words(b), out)),
  F8_E4M3: row('f8e4m3', 1, 17, 'narrow', (b, out) => f8ToFloat(b, 'F8_E4M3', out)),
  F8_E5M2: row('f8e5m2', 1, 19, 'narrow', (b, out) => f8ToFloat(b, 'F8_E5M2', out)),
  I64: row('i64', 8, 7, 'integer', (b) => Float32Array.from(aligned(BigInt64Array, 8)(b), Number)),
  I32: row('i32', 4, 6, 'integer', (b) => Float32Array.from(aligned(Int32Array, 4)(b))),
  I16: row('i16', 2, 5, 'integer', (b) => Float32Array.from(aligned(Int16Array, 2)(b))),
  I8: row('i8', 1, 3, 'integer', (b) => Float32Array.from(aligned(Int8Array, 1)(b))),
  U64: row('u64', 8, 13, 'integer', (b) =>
    Float32Array.from(aligned(BigUint64Array, 8)(b), Number),
  ),
  U32: row('u32', 4, 12, 'integer', (b) => Float32Array.from(aligned(Uint32Array, 4)(b))),
  U16: row('u16', 2, 4, 'integer', (b) => Float32Array.from(words(b))),
  U8: row('u8', 1, 2, 'integer', (b) => Float32Array.from(b)),
  BOOL: row('bool', 1, 9, 'flag', (b) => Float32Array.from(b)),
} satisfies Readonly<Record<string, DtypeRow>>;

/** A storage type that can be read, by its name in a safetensors header. */
export type StorageDtype = keyof typeof storageDtypes;

/** An element type of tensor programs. */
export type Dtype = (typeof storageDtypes)[StorageDtype]['dtype'];

/** The same rows by the types' names in tensor programs. */
export const dtypes = Object.fromEntries(
  Object.values(storageDtypes).map((facts) => [facts.dtype, facts]),
) as Readonly<Record<Dtype, DtypeRow>>;

export const isStorageDtype = (name: string): name is StorageDtype =>
  Object.hasOwn(storageDtypes, name);

/**
 * The storage type of a tensor whose numbers are wanted. Throws UNSUPPORTED, naming both, for a type
 * that is not in the table: files may hold such tensors as long as nothing reads them.
 */
export function storageOf({ name, dtype }: { readonly name: string; readonly dtype: string }): {
  storage: StorageDtype;
  dtype: Dtype;
} {
  if (isStorageDtype(dtype)) return { storage: dtype, dtype: storageDtypes[dtype].dtype };
  const what = `tensor '${name}': numbers of type ${dtype} cannot be read`;
  throw new NoodleError('UNSUPPORTED', { what });
}

/** Stored bytes as f32, as the type's row says. */
export function decode(bytes: Uint8Array, dtype: StorageDtype, out?: Float32Array): Float32Array {
  return storageDtypes[dtype].decode(bytes, out);
}

/** Bytes that a dense tensor takes. */
export const sizeInBytes = (dtype: StorageDtype, shape: readonly number[]): number =>
  shape.reduce((size, dim) => size * dim, storageDtypes[dtype].bytes);

function row<D extends string>(
  dtype: D,
  bytes: number,
  onnx: number,
  kind: DtypeRow['kind'],
  decode: DtypeRow['decode'],
): DtypeRow & { readonly dtype: D } {
  return { dtype, bytes, onnx, kind, decode };
}

/** Copies where the bytes do not lie at a multiple of the element size, as typed arrays need. */
function aligned<T>(
  view: new (buffer: ArrayBufferLike, offset: number, length: number) => T,
  size: number,
): (bytes: Uint8Array) => T {
  return (bytes) => {
    const at = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
    return new view(at.buffer, at.byteOffset, at.byteLength / size);
  };
}
