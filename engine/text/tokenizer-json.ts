/**
 * Tokenizers as huggingface's `tokenizer.json` describes them. Two forms are read, those of the text encoders:
 * unigram models with a compiled normalisation (T5), and byte-level merges (Llama 3, Qwen).
 */
import { NoodleError } from '../errors.ts';
import { byteLevelBpe, mergeRanks, wordPattern } from './byte-level-bpe.ts';
import { type CharsMap, readCharsMap } from './charsmap.ts';
import { aroundSpecials } from './special-tokens.ts';
import type { TextTokenizer } from './token-batches.ts';
import { unigramPieces } from './unigram.ts';

interface Description {
  readonly added_tokens?: readonly { readonly id: number; readonly content: string }[];
  readonly normalizer?: unknown;
  readonly pre_tokenizer?: unknown;
  readonly model?: {
    readonly type?: string;
    readonly unk_id?: number;
    readonly vocab?: Readonly<Record<string, number>> | readonly (readonly [string, number])[];
    readonly merges?: readonly (string | readonly [string, string])[];
    readonly ignore_merges?: boolean;
  };
}

/** The tokenizer of a `tokenizer.json`; `subject` names the file. Throws BAD_INPUT when it is none that is read. */
export function tokenizerFromJson(text: string, subject: string): TextTokenizer {
  const description = parse(text, subject);
  const specials = new Map<string, number>();
  for (const { content, id } of description.added_tokens ?? []) specials.set(content, id);
  const vocabulary = description.model?.vocab;
  if (Array.isArray(vocabulary)) return unigram(description, vocabulary, specials, subject);
  if (vocabulary && description.model?.merges) return merges(description, specials);
  throw unreadable(subject, `a model of type ${description.model?.type ?? 'unknown'}`);
}

function parse(text: string, subject: string): Description {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // told below
  }
  throw unreadable(subject, 'something else');
}

const unreadable = (subject: string, got: string): NoodleError =>
  new NoodleError('BAD_INPUT', {
    subject,
    expected: 'a tokenizer.json with a unigram or BPE model',
    got,
  });

function merges(
  { model, pre_tokenizer, normalizer }: Description,
  specials: ReadonlyMap<string, number>,
): TextTokenizer {
  const vocab = model!.vocab as Readonly<Record<string, number>>;
  const lines = model!.merges!.map((pair) => (typeof pair === 'string' ? pair : pair.join(' ')));
  const digits = JSON.stringify(pre_tokenizer ?? null).includes('{1,3}') ? 3 : 1;
  return byteLevelBpe({
    ids: new Map(Object.entries(vocab)),
    rank: mergeRanks(lines),
    specials,
    words: wordPattern(digits),
    wholeWords: model!.ignore_merges ?? false,
    composed: JSON.stringify(normalizer ?? null).includes('"NFC"'),
  });
}

/** What an unknown character counts below the least likely piece. */
const UNKNOWN_PENALTY = 10;

function unigram(
  { model, normalizer }: Description,
  vocabulary: readonly (readonly [string, number])[],
  specials: ReadonlyMap<string, number>,
  subject: string,
): TextTokenizer {
  const ids = new Map(vocabulary.map(([piece], id) => [piece, id]));
  const scores = new Map(vocabulary);
  const least = vocabulary.reduce((score, [, other]) => Math.min(score, other), Infinity);
  const unknown = model?.unk_id ?? 0;
  const block = /"precompiled_charsmap":"([^"]*)"/.exec(JSON.stringify(normalizer ?? null))?.[1];
  const charsMap = readCharsMap(Buffer.from(block ?? '', 'base64'), subject);
  const unigramModel = { scores, unknownScore: least - UNKNOWN_PENALTY, round: (x: number) => x };
  const encode = (part: string, first: boolean): number[] => {
    const normal = byGraphemes(part, charsMap)
      .replace(/\p{White_Space}+$/u, '')
      .replace(/ {2,}/g, '▁')
      .replaceAll(' ', '▁');
    if (normal === '') return [];
    const text = first && !normal.startsWith('▁') ? `▁${normal}` : normal;
    const words = text.match(/▁[^▁]*|^[^▁]+/g) ?? [];
    return words.flatMap((word) =>
      unigramPieces(word, unigramModel).map((piece) => ids.get(piece) ?? unknown),
    );
  };
  return { encode: aroundSpecials(specials, encode) };
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Short graphemes are replaced as one, by their shortest match; of others every character by itself. */
function byGraphemes(text: string, charsMap: CharsMap): string {
  const replace = (part: string): string | undefined => charsMap(Buffer.from(part), 0)[0]?.text;
  let out = '';
  for (const { segment } of graphemes.segment(text)) {
    const whole = Buffer.byteLength(segment) < 6 ? replace(segment) : undefined;
    if (whole !== undefined) out += whole;
    else for (const character of segment) out += replace(character) ?? character;
  }
  return out;
}
