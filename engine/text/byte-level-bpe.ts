/**
 * Byte-level BPE (Radford et al. 2019) as Llama 3, Qwen and Mistral use it: a text is cut into words, the UTF-8
 * bytes of each are written as symbols and merged in the order of the vocabulary's merges.
 */
import { byteSymbols } from './byte-symbols.ts';
import { mergePairs } from './merge-pairs.ts';
import { aroundSpecials } from './special-tokens.ts';
import type { TextTokenizer } from './token-batches.ts';

export interface ByteLevelVocabulary {
  /** Ids by the pieces' spelling in byte symbols. */
  readonly ids: ReadonlyMap<string, number>;
  /** In which order pairs merge; undefined: never. */
  readonly rank: (left: string, right: string) => number | undefined;
  readonly specials: ReadonlyMap<string, number>;
  /** What merges may not cross. */
  readonly words: RegExp;
  /** A whole word that the vocabulary has is not put together from merges. */
  readonly wholeWords?: boolean;
  /** Composed first (NFC). */
  readonly composed?: boolean;
}

/** Contractions, letters with one mark before them, up to `digits` digits, marks, line ends, spaces. */
export const wordPattern = (digits: number): RegExp =>
  new RegExp(
    `'(?:[sS\\u017ftTmMdD]|[rR][eE]|[vV][eE]|[lL][lL])|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,${digits}}` +
      '| ?[^\\p{White_Space}\\p{L}\\p{N}]+[\\r\\n]*|\\p{White_Space}*[\\r\\n]+' +
      '|\\p{White_Space}+(?!\\P{White_Space})|\\p{White_Space}+',
    'gu',
  );

const CACHED_WORDS = 20_000;

/** A tokenizer over a vocabulary. Bytes that the vocabulary lacks are left out. */
export function byteLevelBpe(vocabulary: ByteLevelVocabulary): TextTokenizer {
  const { ids, rank, specials, words, wholeWords, composed } = vocabulary;
  const symbols = byteSymbols();
  const cache = new Map<string, readonly number[]>();
  const encodeWord = (word: string): readonly number[] => {
    const known = cache.get(word);
    if (known) return known;
    const spelled = Array.from(Buffer.from(word), (byte) => symbols[byte].text);
    const whole = wholeWords ? ids.get(spelled.join('')) : undefined;
    const found =
      whole !== undefined
        ? [whole]
        : mergePairs(spelled, rank).flatMap((piece) => ids.get(piece) ?? []);
    if (cache.size >= CACHED_WORDS) cache.clear();
    cache.set(word, found);
    return found;
  };
  return {
    encode: aroundSpecials(specials, (part) => {
      const text = composed ? part.normalize('NFC') : part;
      return (text.match(words) ?? []).flatMap(encodeWord);
    }),
  };
}

/** Ranks of merges that are given one after the other, as `left right`. */
export function mergeRanks(lines: Iterable<string>): ByteLevelVocabulary['rank'] {
  const ranks = new Map<string, number>();
  for (const line of lines) if (!ranks.has(line)) ranks.set(line, ranks.size);
  return (left, right) => ranks.get(`${left} ${right}`);
}
