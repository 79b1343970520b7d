/** The values in the head of a GGUF file, one after the other (ggml's docs/gguf.md). */

/** A named value; 64-bit integers beyond what doubles hold come rounded. */
export type Field = string | number | boolean | readonly (string | number | boolean)[];

/** The bytes at hand do not reach: there may be more in the file. */
export class OutOfBytes extends Error {}

export interface HeadReader {
  readonly magic: () => string;
  readonly u32: () => number;
  /** A 64-bit size; `what` names it where it is too large to be one. */
  readonly size: (what: string) => number;
  readonly text: () => string;
  readonly field: () => Field;
  readonly position: () => number;
}

/** Longer names, texts and lists are hostile. */
const longest = 1 << 26;

/** Reads from the beginning; throws OutOfBytes at the end of the bytes, and what `fail` throws. */
export function headReader(bytes: Buffer, fail: (reason: string) => never): HeadReader {
  let at = 0;
  const take = (count: number): number => {
    if (at + count > bytes.length) throw new OutOfBytes();
    at += count;
    return at - count;
  };
  const u32 = (): number => bytes.readUInt32LE(take(4));
  const u64 = (): number => Number(bytes.readBigUInt64LE(take(8)));
  const length = (what: string): number => {
    const size = u64();
    return size <= longest ? size : fail(`${what} has ${size} parts`);
  };
  const text = (): string => {
    const count = length('a text');
    const from = take(count);
    return bytes.toString('utf8', from, from + count);
  };
  const plain: Readonly<Record<number, () => string | number | boolean>> = {
    0: () => bytes.readUInt8(take(1)),
    1: () => bytes.readInt8(take(1)),
    2: () => bytes.readUInt16LE(take(2)),
    3: () => bytes.readInt16LE(take(2)),
    4: u32,
    5: () => bytes.readInt32LE(take(4)),
    6: () => bytes.readFloatLE(take(4)),
    7: () => bytes.readUInt8(take(1)) !== 0,
    8: text,
    10: u64,
    11: () => Number(bytes.readBigInt64LE(take(8))),
    12: () => bytes.readDoubleLE(take(8)),
  };
  const listType = 9;
  const plainOf = (type: number): (() => string | number | boolean) =>
    plain[type] ?? fail(`a value of type ${type}, which is not known`);
  return {
    magic: () => bytes.toString('latin1', take(4), at),
    u32,
    size: (what) => {
      const size = u64();
      return Number.isSafeInteger(size) ? size : fail(`${what} is ${size}`);
    },
    text,
    field: () => {
      const type = u32();
      if (type !== listType) return plainOf(type)();
      const read = plainOf(u32());
      const count = length('a list');
      const items: (string | number | boolean)[] = [];
      // pushed one by one: a list that is only stated takes no memory
      for (let i = 0; i < count; i++) items.push(read());
      return items;
    },
    position: () => at,
  };
}
