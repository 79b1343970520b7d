/**
 * Tokens by a SentencePiece model, as the reference program of Kudo & Richardson (2018) makes them: texts are
 * normalised byte by byte, spaces written as `▁`, then cut by unigram likelihood or by merges.
 */
import { type CharsMap, readCharsMap } from './charsmap.ts';
import { mergePairs } from './merge-pairs.ts';
import {
  type Piece,
  type SentencePieceModel,
  pieceKinds,
  readSentencePieceModel,
} from './sentence-piece-model.ts';
import type { TextTokenizer } from './token-batches.ts';
import { unigramPieces } from './unigram.ts';

const SPACE = '▁';
/** What an unknown character counts below the least likely piece. */
const UNKNOWN_PENALTY = 10;

/** The tokenizer in a model file's bytes; `subject` names the file. Throws BAD_INPUT when it is none. */
export function sentencePiece(bytes: Uint8Array, subject: string): TextTokenizer {
  const model = readSentencePieceModel(bytes, subject);
  const charsMap = readCharsMap(model.charsMap, subject);
  const { pieces } = model;
  const is = (kind: keyof typeof pieceKinds) => (piece: Piece) => piece.kind === pieceKinds[kind];
  const userDefined = longestFirst(pieces.filter(is('userDefined')).map(({ text }) => text));
  const ids = new Map<string, number>();
  pieces.forEach(({ text, kind }, id) => {
    const usable = kind === pieceKinds.normal || kind === pieceKinds.userDefined;
    if (usable && !ids.has(text)) ids.set(text, id);
  });
  const unknown = pieces.findIndex(is('unknown'));
  const byteIds = new Map<number, number>();
  pieces.forEach((piece, id) => {
    const byte = /^<0x([0-9A-F]{2})>$/.exec(piece.text);
    if (is('byte')(piece) && byte) byteIds.set(parseInt(byte[1], 16), id);
  });
  const cut = model.algorithm === 1 ? byUnigram(pieces) : byMerges(pieces, userDefined);
  return {
    encode: (text) => {
      const found: number[] = [];
      let afterUnknown = false;
      for (const piece of cut(normalise(text, model, charsMap, userDefined))) {
        const id = ids.get(piece);
        if (id !== undefined) found.push(id);
        else if (model.byteFallback) {
          for (const byte of Buffer.from(piece)) found.push(byteIds.get(byte) ?? unknown);
        } else if (!afterUnknown) found.push(unknown);
        afterUnknown = id === undefined;
      }
      return found;
    },
  };
}

/** Strings by their first character, the longest first. */
type ByFirst = ReadonlyMap<string, readonly string[]>;

function longestFirst(texts: readonly string[]): ByFirst {
  const byFirst = new Map<string, string[]>();
  for (const text of texts.filter((text) => text !== '')) {
    const list = byFirst.get(text[0]) ?? [];
    list.push(text);
    byFirst.set(text[0], list);
  }
  for (const list of byFirst.values()) list.sort((a, b) => b.length - a.length);
  return byFirst;
}

const startsAt = (byFirst: ByFirst, text: string, at: number): string | undefined =>
  byFirst.get(text[at])?.find((start) => text.startsWith(start, at));

/** The text under the model's normalisation, with `▁` for spaces. */
function normalise(
  text: string,
  { dummyPrefix, removeExtraSpaces }: SentencePieceModel,
  charsMap: CharsMap,
  userDefined: ByFirst,
): string {
  const out: string[] = [];
  let afterSpace = removeExtraSpaces;
  for (const part of normalParts(text, charsMap, userDefined)) {
    const kept = afterSpace ? part.replace(/^ +/, '') : part;
    if (kept === '') continue;
    out.push(kept);
    afterSpace = removeExtraSpaces && kept.endsWith(' ');
  }
  const joined = out.join('');
  const trimmed = removeExtraSpaces ? joined.replace(/[ ▁]+$/, '') : joined;
  if (trimmed === '') return '';
  return (dummyPrefix ? SPACE : '') + trimmed.replaceAll(' ', SPACE);
}

/** What each bit of the text becomes; pieces that users defined stay as they are. */
function* normalParts(text: string, charsMap: CharsMap, userDefined: ByFirst): Generator<string> {
  const bytes = Buffer.from(text);
  let at = 0; // in bytes; `place` is the same in the text
  for (let place = 0; at < bytes.length;) {
    const defined = startsAt(userDefined, text, place);
    const replaced = defined === undefined ? charsMap(bytes, at).at(-1) : undefined;
    const single = text.codePointAt(place)! > 0xffff ? 2 : 1;
    const source = replaced
      ? bytes.toString('utf8', at, at + replaced.length)
      : (defined ?? text.slice(place, place + single));
    yield replaced?.text ?? source;
    at += replaced?.length ?? Buffer.byteLength(source);
    place += source.length;
  }
}

function byUnigram(pieces: readonly Piece[]): (text: string) => string[] {
  const normal = pieces.filter(({ kind }) => kind === pieceKinds.normal);
  const least = normal.reduce((score, piece) => Math.min(score, piece.score), Infinity);
  const most = normal.reduce((score, piece) => Math.max(score, piece.score), -Infinity);
  const scores = new Map<string, number>();
  for (const { text, score, kind } of pieces) {
    if (kind === pieceKinds.normal) scores.set(text, score);
    else if (kind === pieceKinds.userDefined) {
      scores.set(text, Math.fround(Buffer.byteLength(text) * most - 0.1));
    }
  }
  const unknownScore = Math.fround(least - UNKNOWN_PENALTY);
  return (text) => unigramPieces(text, { scores, unknownScore, round: Math.fround });
}

function byMerges(pieces: readonly Piece[], userDefined: ByFirst): (text: string) => string[] {
  const sorted = [...new Set(pieces.map(({ score }) => score))].sort((a, b) => b - a);
  const ranks = new Map(sorted.map((score, rank) => [score, rank]));
  const rankOf = new Map<string, number>();
  for (const { text, score, kind } of pieces) {
    const usable = kind === pieceKinds.normal || kind === pieceKinds.userDefined;
    if (usable) rankOf.set(text, ranks.get(score)!);
  }
  const whole = (text: string): boolean => startsAt(userDefined, text, 0) === text;
  return (text) => {
    const start: string[] = [];
    for (let at = 0; at < text.length;) {
      const single = text.codePointAt(at)! > 0xffff ? 2 : 1;
      const piece = startsAt(userDefined, text, at) ?? text.slice(at, at + single);
      start.push(piece);
      at += piece.length;
    }
    return mergePairs(start, (left, right) =>
      whole(left) || whole(right) ? undefined : rankOf.get(left + right),
    );
  };
}
