/** A prompt as batches of weighted tokens, ready for a text encoder. */
import type { NDArray } from '../array/nd.ts';
import { NoodleError } from '../errors.ts';
import { parseEmphasis, plainSegment } from './prompt-weights.ts';

/** Bare token ids of a piece of text: no start, end or padding tokens. */
export interface TextTokenizer {
  readonly encode: (text: string) => number[];
}

/** An id of the vocabulary, or a row of an embedding file (any width). */
export type Token = number | { readonly vector: Float32Array };

/** One row for the encoder; the three lists are of equal length. */
export interface TokenBatch {
  readonly ids: Token[];
  readonly weights: number[];
  /** Number of the text or embedding that a token came from, from 1; 0 for special tokens. */
  readonly wordIds: number[];
  /** What stands at a token in its place: pictures [1, height, width, 3], for encoders that see them. */
  readonly pictures?: ReadonlyMap<number, NDArray>;
}

export interface TokenizeOptions {
  readonly tokenizer: TextTokenizer;
  /** Tokens a batch with start and end; Infinity never splits. */
  readonly capacity?: number;
  /** Left out: the encoder has no such token. */
  readonly start?: number;
  readonly end?: number;
  readonly pad: number;
  /** Fill every batch to the capacity (default: when the capacity is finite). */
  readonly padToCapacity?: boolean;
  /** The last batch is padded to at least this length. */
  readonly minLength?: number;
  /** Padding that is always appended to the last batch. */
  readonly minPadding?: number;
  /** Brackets mean nothing to this encoder. */
  readonly disableWeights?: boolean;
  /** Rows of a named embedding; left out: `embedding:` is plain text. */
  readonly embeddings?: (name: string) => readonly Float32Array[] | undefined;
  /** Called with each name that `embeddings` does not know. */
  readonly onMissing?: (name: string) => void;
}

/** Groups of at least this many tokens are cut at the end of a batch; shorter ones move on whole. */
const LONG_GROUP = 8;

interface Group {
  readonly tokens: readonly Token[];
  readonly weight: number;
}

/**
 * Parses emphasis and embeddings and fills batches in order: a whole segment, not a word, is a
 * group. Always gives at least one batch. Throws BAD_INPUT for `embedding:` without a name.
 */
export function tokenize(text: string, options: TokenizeOptions): TokenBatch[] {
  const segments = options.disableWeights ? plainSegment(text) : parseEmphasis(text);
  const groups = segments.flatMap((segment) =>
    segmentGroups(segment.text, options).map((tokens) => ({ tokens, weight: segment.weight })),
  );
  return fillBatches(groups, options);
}

/** A segment as groups of tokens: each embedding is one, each text between them is one. */
function segmentGroups(segment: string, options: TokenizeOptions): Token[][] {
  const groups: Token[][] = [];
  const [first, ...rest] = segment.split(/[ \n]embedding:/);
  const items = [first, ...rest.map((item) => `embedding:${item}`)].filter((item) => item !== '');
  for (const item of items) {
    if (options.embeddings === undefined || !item.startsWith('embedding:')) {
      groups.push(options.tokenizer.encode(item));
      continue;
    }
    const { rows, left } = findEmbedding(item.slice('embedding:'.length), options);
    if (rows !== undefined) groups.push(rows.map((vector) => ({ vector })));
    if (left !== '') groups.push(options.tokenizer.encode(left));
  }
  return groups;
}

/** The rows of `NAME rest` and the text that is left; commas around a name belong to the text. */
function findEmbedding(
  item: string,
  { embeddings, onMissing }: TokenizeOptions,
): { rows?: readonly Float32Array[]; left: string } {
  const [name, ...rest] = item.split(/[\p{White_Space}]+/u).filter((word) => word !== '');
  if (name === undefined) {
    throw new NoodleError('BAD_INPUT', {
      subject: 'prompt',
      expected: "a name after 'embedding:'",
      got: 'none',
    });
  }
  const left = rest.join(' ');
  const rows = embeddings?.(name);
  if (rows !== undefined) return { rows, left };
  const stripped = name.replace(/^,+|,+$/g, '');
  if (stripped.length === name.length) {
    onMissing?.(name);
    return { left };
  }
  const found = embeddings?.(stripped);
  if (found === undefined) onMissing?.(stripped);
  return { rows: found, left: `${name.slice(stripped.length)} ${left}` };
}

function fillBatches(groups: readonly Group[], options: TokenizeOptions): TokenBatch[] {
  const { capacity = 77, start, end, pad, minLength = 0, minPadding = 0 } = options;
  const padToCapacity = options.padToCapacity ?? Number.isFinite(capacity);
  const ends = end === undefined ? 0 : 1;
  const batches: TokenBatch[] = [];

  const add = (token: Token, weight = 1, wordId = 0): void => {
    const batch = batches[batches.length - 1];
    batch.ids.push(token);
    batch.weights.push(weight);
    batch.wordIds.push(wordId);
  };
  const length = (): number => batches[batches.length - 1].ids.length;
  const open = (): void => {
    batches.push({ ids: [], weights: [], wordIds: [] });
    if (start !== undefined) add(start);
  };
  const close = (): void => {
    if (end !== undefined) add(end);
  };
  const padTo = (size: number): void => {
    while (length() < size) add(pad);
  };

  open();
  groups.forEach(({ tokens, weight }, index) => {
    let done = 0;
    while (done < tokens.length) {
      const room = capacity - ends - length();
      const rest = tokens.length - done;
      const take = rest <= room ? rest : tokens.length >= LONG_GROUP ? room : 0;
      for (let i = 0; i < take; i++) add(tokens[done + i], weight, index + 1);
      done += take;
      if (rest > room) {
        close();
        if (padToCapacity) padTo(capacity);
        open();
      }
    }
  });
  close();
  for (let i = 0; i < minPadding; i++) add(pad);
  if (padToCapacity) padTo(capacity);
  padTo(minLength);
  return batches;
}
