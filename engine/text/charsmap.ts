/**
 * SentencePiece's compiled normalisation (Kudo & Richardson 2018): a double-array trie (Darts-clone's layout)
 * from byte sequences to their replacements, behind each other in one block of text.
 */
import { NoodleError } from '../errors.ts';

/** A replacement for the first `length` bytes at some place. */
export interface Replacement {
  readonly length: number;
  readonly text: string;
}

/** What the bytes at a place may be replaced by, the shortest match first. */
export type CharsMap = (bytes: Uint8Array, start: number) => Replacement[];

/** Most matches that are looked at, as in SentencePiece. */
const MOST = 32;

/** Reads the block that model files carry; an empty one replaces nothing. Throws BAD_INPUT when it is cut short. */
export function readCharsMap(block: Uint8Array, subject: string): CharsMap {
  if (block.length === 0) return () => [];
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const size = block.length >= 4 ? view.getUint32(0, true) : Infinity;
  if (4 + size > block.length || size % 4 !== 0) {
    throw new NoodleError('BAD_INPUT', {
      subject,
      expected: 'a whole normalisation map',
      got: 'one that is cut short',
    });
  }
  const units = Uint32Array.from({ length: size / 4 }, (_, i) => view.getUint32(4 + 4 * i, true));
  const texts = block.subarray(4 + size);
  const textAt = (start: number): string => {
    const end = texts.indexOf(0, start);
    return Buffer.from(texts.subarray(start, end < 0 ? texts.length : end)).toString();
  };
  return (bytes, start) => {
    const found: Replacement[] = [];
    let place = units.length > 0 ? offset(units[0]) : 0;
    for (let i = start; i < bytes.length && found.length < MOST; i++) {
      place ^= bytes[i];
      if (place >= units.length) break;
      const unit = units[place];
      if ((unit & 0x800000ff) >>> 0 !== bytes[i]) break;
      place ^= offset(unit);
      if (((unit >>> 8) & 1) === 0 || place >= units.length) continue;
      found.push({ length: i + 1 - start, text: textAt(units[place] & 0x7fffffff) });
    }
    return found;
  };
}

/** Where a unit's children lie, relative to itself. */
const offset = (unit: number): number => (unit >>> 10) << ((unit & (1 << 9)) >>> 6);
