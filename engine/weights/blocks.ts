/**
 * Weights in blocks, as GGUF files keep them (ggml's quants): each block of an output's numbers is whole
 * numbers, what a step of each group of them is worth, and what is taken off it. All types are told by the
 * same three: number = step * code - off, each product in f32. Names, sizes and numbers of the types are ggml's.
 */
import { f16Value } from './float.ts';

/** What a run of blocks holds, code by code and group by group. */
export interface Codes {
  readonly codes: Int8Array;
  /** What one step of each group is worth. */
  readonly steps: Float32Array;
  /** What is taken off each number of a group; zeros where the type has none. */
  readonly offs: Float32Array;
}

/** Reads the block that begins at byte `at` into the block-th place of `to`. */
type Split = (bytes: Uint8Array, at: number, to: Codes, block: number) => void;

export interface BlockType {
  /** ggml's number for the type. */
  readonly id: number;
  /** Numbers in a block. */
  readonly numbers: number;
  /** Bytes of a block. */
  readonly bytes: number;
  /** Numbers that share a step. */
  readonly group: number;
  /** In what whole numbers its codes fit: four bits with or without sign, or eight with. */
  readonly codes: 'i4' | 'u4' | 'i8';
  /** Whether anything is taken off. */
  readonly hasOffs: boolean;
  readonly split: Split;
}

const half = (bytes: Uint8Array, at: number): number => f16Value(bytes[at] | (bytes[at + 1] << 8));

/** 32 nibbles: the low ones, then the high ones of 16 bytes. */
function nibbles(
  bytes: Uint8Array,
  at: number,
  codes: Int8Array,
  to: number,
  code: (nibble: number) => number,
): void {
  for (let i = 0; i < 16; i++) {
    codes[to + i] = code(bytes[at + i] & 15);
    codes[to + 16 + i] = code(bytes[at + i] >> 4);
  }
}

const asItIs = (nibble: number): number => nibble;
const about8 = (nibble: number): number => nibble - 8;

/** Blocks of 32 nibbles behind a half, or two: the step and, negated, what is taken off. */
const plainNibbles =
  (hasOffs: boolean): Split =>
  (bytes, at, { codes, steps, offs }, block) => {
    steps[block] = half(bytes, at);
    if (hasOffs) offs[block] = -half(bytes, at + 2);
    nibbles(bytes, at + (hasOffs ? 4 : 2), codes, block * 32, hasOffs ? asItIs : about8);
  };

/** The same with a fifth bit of each number in 4 bytes before the nibbles. */
const fiveBits =
  (hasOffs: boolean): Split =>
  (bytes, at, to, block) => {
    const { codes, steps, offs } = to;
    steps[block] = half(bytes, at);
    if (hasOffs) offs[block] = -half(bytes, at + 2);
    const high = at + (hasOffs ? 4 : 2);
    nibbles(bytes, high + 4, codes, block * 32, asItIs);
    const about = hasOffs ? 0 : 16;
    for (let i = 0; i < 32; i++) {
      const bit = (bytes[high + (i >> 3)] >> (i & 7)) & 1;
      codes[block * 32 + i] += bit * 16 - about;
    }
  };

const q8: Split = (bytes, at, { codes, steps }, block) => {
  steps[block] = half(bytes, at);
  for (let i = 0; i < 32; i++) codes[block * 32 + i] = (bytes[at + 2 + i] << 24) >> 24;
};

/** Numbers of two bits: 32 bytes hold 128 of them, those at the lowest bits first. */
function twoBits(bytes: Uint8Array, at: number, codes: Int8Array, to: number): void {
  for (let part = 0; part < 2; part++) {
    for (let i = 0; i < 128; i++) {
      codes[to + part * 128 + i] = (bytes[at + part * 32 + (i & 31)] >> (2 * (i >> 5))) & 3;
    }
  }
}

const q2K: Split = (bytes, at, { codes, steps, offs }, block) => {
  const step = half(bytes, at + 80);
  const off = half(bytes, at + 82);
  for (let g = 0; g < 16; g++) {
    steps[block * 16 + g] = step * (bytes[at + g] & 15);
    offs[block * 16 + g] = off * (bytes[at + g] >> 4);
  }
  twoBits(bytes, at + 16, codes, block * 256);
};

const q3K: Split = (bytes, at, { codes, steps }, block) => {
  const to = block * 256;
  twoBits(bytes, at + 32, codes, to);
  for (let i = 0; i < 256; i++) {
    if (((bytes[at + (i & 31)] >> (i >> 5)) & 1) === 0) codes[to + i] -= 4;
  }
  const scales = at + 96;
  const step = half(bytes, at + 108);
  for (let g = 0; g < 16; g++) {
    const low = (bytes[scales + (g & 7)] >> (g < 8 ? 0 : 4)) & 15;
    const high = (bytes[scales + 8 + (g & 3)] >> (2 * (g >> 2))) & 3;
    steps[block * 16 + g] = step * ((low | (high << 4)) - 32);
  }
};

/** Eight steps and what is taken off, in six bits each, times a half for each of the two kinds. */
function sixBitScales(bytes: Uint8Array, at: number, { steps, offs }: Codes, block: number): void {
  const step = half(bytes, at);
  const off = half(bytes, at + 2);
  const scales = at + 4;
  for (let g = 0; g < 8; g++) {
    const low = bytes[scales + (g & 3)];
    const next = bytes[scales + 4 + (g & 3)];
    const last = bytes[scales + 8 + (g & 3)];
    const inFirst = g < 4;
    steps[block * 8 + g] = step * (inFirst ? low & 63 : (last & 15) | ((low >> 6) << 4));
    offs[block * 8 + g] = off * (inFirst ? next & 63 : (last >> 4) | ((next >> 6) << 4));
  }
}

/** 256 nibbles: of each 32 bytes the low ones, then the high ones. */
function longNibbles(bytes: Uint8Array, at: number, codes: Int8Array, to: number): void {
  for (let pair = 0; pair < 4; pair++) {
    for (let i = 0; i < 32; i++) {
      const byte = bytes[at + pair * 32 + i];
      codes[to + pair * 64 + i] = byte & 15;
      codes[to + pair * 64 + 32 + i] = byte >> 4;
    }
  }
}

const q4K: Split = (bytes, at, to, block) => {
  sixBitScales(bytes, at, to, block);
  longNibbles(bytes, at + 16, to.codes, block * 256);
};

const q5K: Split = (bytes, at, to, block) => {
  sixBitScales(bytes, at, to, block);
  longNibbles(bytes, at + 48, to.codes, block * 256);
  for (let i = 0; i < 256; i++) {
    to.codes[block * 256 + i] += ((bytes[at + 16 + (i & 31)] >> (i >> 5)) & 1) * 16;
  }
};

const q6K: Split = (bytes, at, { codes, steps }, block) => {
  const step = half(bytes, at + 208);
  for (let g = 0; g < 16; g++) {
    steps[block * 16 + g] = step * ((bytes[at + 192 + g] << 24) >> 24);
  }
  for (let i = 0; i < 256; i++) {
    const [part, quarter] = [i >> 7, (i >> 5) & 3];
    const low = bytes[at + part * 64 + (i & 63)] >> (quarter < 2 ? 0 : 4);
    const high = bytes[at + 128 + part * 32 + (i & 31)] >> (2 * quarter);
    codes[block * 256 + i] = ((low & 15) | ((high & 3) << 4)) - 32;
  }
};

/** What the nibbles of the types IQ4 stand for. */
const unevenSteps = Int8Array.of(
  ...[-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113],
);
const uneven = (nibble: number): number => unevenSteps[nibble];

const iq4nl: Split = (bytes, at, { codes, steps }, block) => {
  steps[block] = half(bytes, at);
  nibbles(bytes, at + 2, codes, block * 32, uneven);
};

const iq4xs: Split = (bytes, at, { codes, steps }, block) => {
  const step = half(bytes, at);
  const high = bytes[at + 2] | (bytes[at + 3] << 8);
  for (let g = 0; g < 8; g++) {
    const low = (bytes[at + 4 + (g >> 1)] >> (4 * (g & 1))) & 15;
    steps[block * 8 + g] = step * ((low | (((high >> (2 * g)) & 3) << 4)) - 32);
    nibbles(bytes, at + 8 + g * 16, codes, block * 256 + g * 32, uneven);
  }
};

/** A number of base 3 in a byte: its digit is the upper part of the byte times 3 to the place. */
const digit = (byte: number, place: number): number => ((((byte * 3 ** place) & 255) * 3) >> 8) - 1;

const tq1: Split = (bytes, at, { codes, steps }, block) => {
  steps[block] = half(bytes, at + 52);
  let to = block * 256;
  const digits = (from: number, count: number, places: number): void => {
    for (let place = 0; place < places; place++) {
      for (let i = 0; i < count; i++) codes[to++] = digit(bytes[at + from + i], place);
    }
  };
  digits(0, 32, 5);
  digits(32, 16, 5);
  digits(48, 4, 4);
};

const tq2: Split = (bytes, at, { codes, steps }, block) => {
  steps[block] = half(bytes, at + 64);
  twoBits(bytes, at, codes, block * 256);
  for (let i = 0; i < 256; i++) codes[block * 256 + i] -= 1;
};

/** Twice what the 4-bit floats of OCP's microscaling formats stand for (E2M1). */
export const doubleE2m1 = Int8Array.of(
  ...[0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12],
);

const mxfp4: Split = (bytes, at, { codes, steps }, block) => {
  steps[block] = 2 ** (bytes[at] - 128); // half a power of two, as codes are doubled
  nibbles(bytes, at + 1, codes, block * 32, (nibble) => doubleE2m1[nibble]);
};

const type = (
  id: number,
  [numbers, bytes, group]: readonly [number, number, number],
  codes: BlockType['codes'],
  hasOffs: boolean,
  split: Split,
): BlockType => ({ id, numbers, bytes, group, codes, hasOffs, split });

/** The types by ggml's names. */
export const blockTypes = {
  Q4_0: type(2, [32, 18, 32], 'i4', false, plainNibbles(false)),
  Q4_1: type(3, [32, 20, 32], 'u4', true, plainNibbles(true)),
  Q5_0: type(6, [32, 22, 32], 'i8', false, fiveBits(false)),
  Q5_1: type(7, [32, 24, 32], 'i8', true, fiveBits(true)),
  Q8_0: type(8, [32, 34, 32], 'i8', false, q8),
  Q2_K: type(10, [256, 84, 16], 'i4', true, q2K),
  Q3_K: type(11, [256, 110, 16], 'i4', false, q3K),
  Q4_K: type(12, [256, 144, 32], 'u4', true, q4K),
  Q5_K: type(13, [256, 176, 32], 'i8', true, q5K),
  Q6_K: type(14, [256, 210, 16], 'i8', false, q6K),
  IQ4_NL: type(20, [32, 18, 32], 'i8', false, iq4nl),
  IQ4_XS: type(23, [256, 136, 32], 'i8', false, iq4xs),
  TQ1_0: type(34, [256, 54, 256], 'i4', false, tq1),
  TQ2_0: type(35, [256, 66, 256], 'i4', false, tq2),
  MXFP4: type(39, [32, 17, 32], 'i8', false, mxfp4),
} satisfies Readonly<Record<string, BlockType>>;

export type BlockName = keyof typeof blockTypes;

/** The type of that name, where it is one. */
export const blockTypeOf = (name: string): BlockType | undefined =>
  Object.hasOwn(blockTypes, name) ? blockTypes[name as BlockName] : undefined;

/** Whole blocks, code by code. */
export function splitBlocks(type: BlockType, bytes: Uint8Array): Codes {
  const blocks = bytes.byteLength / type.bytes;
  const numbers = blocks * type.numbers;
  const groups = numbers / type.group;
  const codes = {
    codes: new Int8Array(numbers),
    steps: new Float32Array(groups),
    offs: new Float32Array(groups),
  };
  for (let block = 0; block < blocks; block++) type.split(bytes, block * type.bytes, codes, block);
  return codes;
}

/** Whole blocks as f32, into `out` when it is given. */
export function blocksToFloat(
  type: BlockType,
  bytes: Uint8Array,
  out: Float32Array = new Float32Array((bytes.byteLength / type.bytes) * type.numbers),
): Float32Array {
  const { group } = type;
  const { codes, steps, offs } = splitBlocks(type, bytes);
  for (let g = 0, i = 0; g < steps.length; g++) {
    const step = steps[g];
    const off = offs[g];
    for (const end = i + group; i < end; i++) out[i] = Math.fround(step * codes[i]) - off;
  }
  return out;
}
