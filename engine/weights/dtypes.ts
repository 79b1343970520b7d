/**
 * The element types, in one table: their names in safetensors files and in tensor programs, their size,
 * ONNX's number for them, and how their bytes become numbers on the host.
 */
import { NoodleError } from '../errors.ts';
import { type BlockName, type BlockType, blockTypes, blocksToFloat, doubleE2m1 } from './blocks.ts';
import { dynamicLevels, fp4Levels, nf4Levels } from './code-tables.ts';
import { bf16ToFloat, f16ToFloat, f8ToFloat } from './float.ts';

interface DtypeRow {
  /** The type's name in tensor programs. */
  readonly dtype: string;
  /** Bytes of one element; a share of one where elements lie in blocks (blocks.ts), exact in binary. */
  readonly bytes: number;
  /** Elements that lie together and can only be read together; 1 for most types. */
  readonly block: number;
  /** The two numbers that each byte stands for, 256 times two, where bytes are looked up. */
  readonly pairs?: Float32Array;
  /** How blocks of ggml's are made. */
  readonly blocks?: BlockType;
  /** `TensorProto.DataType` of onnx.proto; 0 for types that it does not have. */
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

/** Storage types by their names in a safetensors header, or ggml's. */
export const storageDtypes = {
  F64: row('f64', 8, 11, 'real', (b) => Float32Array.from(aligned(Float64Array, 8)(b))),
  F32: row('f32', 4, 1, 'real', aligned(Float32Array, 4)),
  F16: row('f16', 2, 10, 'narrow', (b, out) => f16ToFloat(words(b), out)),
  BF16: row('bf16', 2, 16, 'narrow', (b, out) => bf16ToFloat(words(b), out)),
  F8_E4M3: row('f8e4m3', 1, 17, 'narrow', (b, out) => f8ToFloat(b, 'F8_E4M3', out)),
  F8_E5M2: row('f8e5m2', 1, 19, 'narrow', (b, out) => f8ToFloat(b, 'F8_E5M2', out)),
  F8_E8M0: row('f8e8m0', 1, 24, 'narrow', (b, out) => lookUp(b, powersOf2, out)),
  F4_E2M1: inPairs(
    'f4e2m1',
    Float32Array.from(doubleE2m1, (twice) => twice / 2),
  ),
  NF4: inPairs('nf4', nf4Levels),
  FP4: inPairs('fp4', fp4Levels),
  DYNAMIC8: row('dynamic8', 1, 0, 'narrow', (b, out) => lookUp(b, (c) => dynamicLevels[c], out)),
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
  I4: row('i4', 0.5, 22, 'integer', (b) => Float32Array.from(nibblesOf(b), (n) => (n ^ 8) - 8)),
  U4: row('u4', 0.5, 21, 'integer', (b) => Float32Array.from(nibblesOf(b))),
  Q4_0: inBlocks('q4_0', 'Q4_0'),
  Q4_1: inBlocks('q4_1', 'Q4_1'),
  Q5_0: inBlocks('q5_0', 'Q5_0'),
  Q5_1: inBlocks('q5_1', 'Q5_1'),
  Q8_0: inBlocks('q8_0', 'Q8_0'),
  Q2_K: inBlocks('q2_k', 'Q2_K'),
  Q3_K: inBlocks('q3_k', 'Q3_K'),
  Q4_K: inBlocks('q4_k', 'Q4_K'),
  Q5_K: inBlocks('q5_k', 'Q5_K'),
  Q6_K: inBlocks('q6_k', 'Q6_K'),
  IQ4_NL: inBlocks('iq4_nl', 'IQ4_NL'),
  IQ4_XS: inBlocks('iq4_xs', 'IQ4_XS'),
  TQ1_0: inBlocks('tq1_0', 'TQ1_0'),
  TQ2_0: inBlocks('tq2_0', 'TQ2_0'),
  MXFP4: inBlocks('mxfp4', 'MXFP4'),
} satisfies Readonly<Record<string, DtypeRow>>;

/** A storage type that can be read, by the name of its row. */
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
  return { dtype, bytes, block: 1, onnx, kind, decode };
}

/** What the codes of E8M0 (OCP's microscaling formats) stand for; the last one is no number. */
function powersOf2(code: number): number {
  return code === 255 ? NaN : 2 ** (code - 127);
}

function lookUp(
  codes: Uint8Array,
  value: (code: number) => number,
  out: Float32Array = new Float32Array(codes.length),
): Float32Array {
  const table = Float32Array.from({ length: 256 }, (_, code) => value(code));
  for (let i = 0; i < codes.length; i++) out[i] = table[codes[i]];
  return out;
}

/** A type with two numbers a byte, the one in the upper bits first, and what its 16 codes stand for. */
function inPairs<D extends string>(
  dtype: D,
  levels: Float32Array,
): DtypeRow & { readonly dtype: D } {
  const pairs = Float32Array.from({ length: 512 }, (_, i) => levels[(i >> (i & 1 ? 1 : 5)) & 15]);
  return {
    ...row(dtype, 0.5, 0, 'narrow', (bytes, out = new Float32Array(2 * bytes.length)) => {
      for (let i = 0; i < bytes.length; i++) {
        out[2 * i] = pairs[2 * bytes[i]];
        out[2 * i + 1] = pairs[2 * bytes[i] + 1];
      }
      return out;
    }),
    block: 2,
    pairs,
  };
}

/** The two numbers of each byte, the low one first. */
const nibblesOf = (bytes: Uint8Array): Uint8Array =>
  Uint8Array.from({ length: 2 * bytes.length }, (_, i) => (bytes[i >> 1] >> (4 * (i & 1))) & 15);

/** A type whose numbers lie in blocks of ggml's. */
function inBlocks<D extends string>(dtype: D, name: BlockName): DtypeRow & { readonly dtype: D } {
  const type = blockTypes[name];
  return {
    dtype,
    bytes: type.bytes / type.numbers,
    block: type.numbers,
    blocks: type,
    onnx: 0,
    kind: 'narrow',
    decode: (bytes, out) => blocksToFloat(type, bytes, out),
  };
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
