/** GGUF files made for tests. */
import { blockTypes } from '../../engine/weights/blocks.ts';

/** A tensor of a file's directory. */
export interface GgufTensorInfo {
  readonly name: string;
  /** ggml's order: the innermost axis first. */
  readonly sizes: readonly number[];
  readonly type: number;
  readonly byteLength: number;
  /** Where the directory says that it lies; left out: behind the one before. */
  readonly offset?: number;
}

export interface GgufTensor extends Omit<GgufTensorInfo, 'byteLength'> {
  readonly bytes: Uint8Array;
}

/** A value of the head by its type's number (8: text, 4: u32, 5: list of i32). */
export type GgufValue = string | number | readonly number[];

/** The bytes of a file. */
export const ggufBytes = (
  values: Readonly<Record<string, GgufValue>>,
  tensors: readonly GgufTensor[],
): Buffer =>
  Buffer.concat([
    ggufHead(
      values,
      tensors.map(({ bytes, ...info }) => ({ ...info, byteLength: bytes.byteLength })),
    ),
    ...tensors.map(({ bytes }) => padded(bytes)),
  ]);

/** To where the next tensor may begin. */
export const padded = (bytes: Uint8Array): Buffer =>
  Buffer.concat([bytes, Buffer.alloc((32 - (bytes.byteLength % 32)) % 32)]);

/** What stands before the tensors' bytes, each of which is `padded`. */
export function ggufHead(
  values: Readonly<Record<string, GgufValue>>,
  tensors: readonly GgufTensorInfo[],
): Buffer {
  const out: Buffer[] = [];
  const u32 = (value: number): void => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    out.push(bytes);
  };
  const u64 = (value: number): void => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt(value));
    out.push(bytes);
  };
  const text = (value: string): void => {
    u64(Buffer.byteLength(value));
    out.push(Buffer.from(value));
  };
  out.push(Buffer.from('GGUF'));
  u32(3);
  u64(tensors.length);
  u64(Object.keys(values).length);
  for (const [key, value] of Object.entries(values)) {
    text(key);
    if (typeof value === 'string') {
      u32(8);
      text(value);
    } else if (typeof value === 'number') {
      u32(4);
      u32(value);
    } else {
      u32(9);
      u32(5);
      u64(value.length);
      value.forEach(u32);
    }
  }
  let offset = 0;
  const places = tensors.map(({ byteLength, offset: stated }) => {
    const at = stated ?? offset;
    offset += Math.ceil(byteLength / 32) * 32;
    return at;
  });
  tensors.forEach(({ name, sizes, type }, i) => {
    text(name);
    u32(sizes.length);
    sizes.forEach(u64);
    u32(type);
    u64(places[i]);
  });
  return padded(Buffer.concat(out));
}

/** Bytes of blocks whose numbers are small: halves in them are between 0 and 1. */
export function randomBlocks(name: keyof typeof blockTypes, count: number, seed = 1): Uint8Array {
  const type = blockTypes[name];
  const blocks = count / type.numbers;
  const bytes = new Uint8Array(blocks * type.bytes);
  let state = seed;
  for (let i = 0; i < bytes.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    bytes[i] = state >>> 24;
  }
  const halves = halvesAt[name];
  for (let block = 0; block < blocks; block++) {
    const at = block * type.bytes;
    // an exponent below that of 1
    for (const half of halves) bytes[at + half + 1] = 0x20 | (bytes[at + half + 1] & 7);
    if (name === 'MXFP4') bytes[at] = 120 + (bytes[at] & 7);
  }
  return bytes;
}

/** Where halves lie in blocks. */
const halvesAt: Readonly<Record<keyof typeof blockTypes, readonly number[]>> = {
  Q4_0: [0],
  Q4_1: [0, 2],
  Q5_0: [0],
  Q5_1: [0, 2],
  Q8_0: [0],
  Q2_K: [80, 82],
  Q3_K: [108],
  Q4_K: [0, 2],
  Q5_K: [0, 2],
  Q6_K: [208],
  IQ4_NL: [0],
  IQ4_XS: [0],
  TQ1_0: [52],
  TQ2_0: [64],
  MXFP4: [],
};
