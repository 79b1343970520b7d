/** BERT's tokens (Devlin et al. 2019): words and marks in lower case, each cut into the longest known pieces. */
import { aroundSpecials } from './special-tokens.ts';
import type { TextTokenizer } from './token-batches.ts';

const SPECIALS = ['[UNK]', '[SEP]', '[PAD]', '[CLS]', '[MASK]'];
/** Longer words are unknown as a whole. */
const LONGEST_WORD = 100;

/** The tokenizer of a `vocab.txt`: a piece a line, `##` in front of those that go on a word. */
export function wordPiece(vocabulary: string): TextTokenizer {
  const ids = new Map(vocabulary.split('\n').map((line, id) => [line.replace(/\r$/, ''), id]));
  const unknown = ids.get('[UNK]') ?? 0;
  const specials = new Map(
    SPECIALS.flatMap((text): [string, number][] => (ids.has(text) ? [[text, ids.get(text)!]] : [])),
  );
  const pieces = (word: string): number[] => {
    const characters = [...word];
    if (characters.length > LONGEST_WORD) return [unknown];
    const found: number[] = [];
    for (let start = 0; start < characters.length;) {
      let end = characters.length;
      let id: number | undefined;
      for (; end > start && id === undefined; end--) {
        id = ids.get((start > 0 ? '##' : '') + characters.slice(start, end).join(''));
      }
      if (id === undefined) return [unknown];
      found.push(id);
      start = end + 1;
    }
    return found;
  };
  return { encode: aroundSpecials(specials, (part) => basicWords(part).flatMap(pieces)) };
}

const IDEOGRAPHS =
  '\\u4e00-\\u9fff\\u3400-\\u4dbf\\u{20000}-\\u{2a6df}\\u{2a700}-\\u{2b73f}\\u{2b740}-\\u{2b81f}' +
  '\\u{2b820}-\\u{2ceaf}\\uf900-\\ufaff\\u{2f800}-\\u{2fa1f}';
const IDEOGRAPH = new RegExp(`[${IDEOGRAPHS}]`, 'gu');
const HIDDEN = /(?![\t\n\r])[\0\ufffd\p{C}]/gu;
/** ASCII's marks count as punctuation, whatever Unicode says of them. */
const WORDS = /[\p{P}!-/:-@[-`{-~]|[^\p{White_Space}\p{P}!-/:-@[-`{-~]+/gu;

/** Words in lower case without accents; punctuation and ideographs stand alone, what is hidden is left out. */
function basicWords(text: string): string[] {
  const spaced = text.replace(HIDDEN, '').replace(IDEOGRAPH, ' $& ').normalize('NFC');
  return spaced.split(/\p{White_Space}+/u).flatMap((word) => plain(word).match(WORDS) ?? []);
}

// One character after the other: a final sigma is a sigma.
const plain = (word: string): string =>
  Array.from(word, (character) => character.toLowerCase())
    .join('')
    .normalize('NFD')
    .replace(/\p{Mn}/gu, '');
