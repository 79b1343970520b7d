/** Weights in whole numbers, with what their steps are worth, as models read them (layout.ts). */
import { type Codes, splitBlocks } from './blocks.ts';
import { type StorageDtype, storageDtypes } from './dtypes.ts';
import { floatToF16 } from './float.ts';
import type { CodesLayout } from './layout.ts';

/** What comes after another in a file. */
export interface LaidCodes {
  readonly codes: Int8Array | Uint8Array;
  readonly steps: Float32Array | Uint16Array;
  readonly offs: Float32Array | Uint16Array;
}

/** The code of 0 where products read codes. */
const zeros: Readonly<Partial<Record<CodesLayout['codes'], number>>> = {
  about8: 8,
  about128: 128,
};

/**
 * Whole blocks of ggml's, or whole groups of 8-bit numbers, as a layout has them; `scale` multiplies ones by what
 * the latter's groups are worth.
 */
export function laidCodes(
  bytes: Uint8Array,
  dtype: StorageDtype,
  { group, codes: form, halves }: CodesLayout,
  scale: (steps: Float32Array) => void,
): LaidCodes {
  const { blocks } = storageDtypes[dtype];
  const parts = blocks ? splitBlocks(blocks, bytes) : scaledCodes(bytes, group, scale);
  const zero = zeros[form];
  const { codes, steps, offs } =
    zero === undefined ? parts : codesAbout(parts, zero, blocks?.codes === 'u4');
  const isPaired = form === 'about8' || form === 'i4' || form === 'u4';
  const laid = (values: Float32Array): Float32Array | Uint16Array =>
    halves === true ? floatToF16(values) : values;
  return { codes: isPaired ? pairs(codes) : codes, steps: laid(steps), offs: laid(offs) };
}

/**
 * The same numbers with codes that are `zero` more than they count, without sign; those that have no sign stay,
 * and less is taken off.
 */
function codesAbout({ codes, steps, offs }: Codes, zero: number, isUnsigned: boolean): Codes {
  return isUnsigned
    ? { codes, steps, offs: offs.map((off, i) => off - zero * steps[i]) }
    : { codes: codes.map((code) => code + zero), steps, offs };
}

/** Codes of four bits, two a byte, the first one in the lower bits. */
function pairs(codes: Int8Array): Uint8Array {
  const out = new Uint8Array(codes.length / 2);
  for (let i = 0; i < out.length; i++) {
    out[i] = (codes[2 * i] & 15) | ((codes[2 * i + 1] & 15) << 4);
  }
  return out;
}

/** Numbers of 8 bits, each group in the steps of its row. */
function scaledCodes(
  bytes: Uint8Array,
  group: number,
  scale: (steps: Float32Array) => void,
): Codes {
  const codes = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const steps = new Float32Array(codes.length / group).fill(1);
  scale(steps);
  return { codes, steps, offs: new Float32Array(steps.length) };
}
