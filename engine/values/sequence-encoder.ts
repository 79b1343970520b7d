/** Text encoders whose rows are as long as the prompt: what T5, language models and BERT share. */
import { sliceAxis } from '../array/batch.ts';
import type { NDArray } from '../array/nd.ts';
import type { EncodedText } from '../arch/family.ts';
import type { Crop, SequenceSpec } from '../arch/sequence-spec.ts';
import type { TokenInputs } from '../arch/token-rows.ts';
import { NoodleError } from '../errors.ts';
import type { Graph } from '../tensor/trace.ts';
import { embeddingTokens } from '../text/embeddings.ts';
import {
  type TextTokenizer,
  type Token,
  type TokenBatch,
  tokenize,
} from '../text/token-batches.ts';
import { openVocabulary } from '../text/vocabularies.ts';
import { encodeRows } from './encode-rows.ts';
import type { EncodedRow } from './kept-rows.ts';
import type { NetworkRun } from './network.ts';
import type { PromptFiles, PromptOptions, TextEncoder } from './text-encoder.ts';

export interface SequenceEncoder extends TextEncoder {
  readonly spec: SequenceSpec;
  readonly config: {
    readonly width: number;
    readonly layers: number;
    /** Tokens that it knows. */
    readonly vocabulary: number;
  };
}

/** The prompt in its template as one row of tokens; undefined when the encoder gets nothing of it. */
export function tokenizeSequence(
  { spec, config, source }: SequenceEncoder,
  text: string,
  files: PromptFiles,
  { template, pictures = [], minLength, minPadding }: PromptOptions = {},
): TokenBatch[] | undefined {
  const part = spec.part ? spec.part(text) : text;
  if (part === undefined) return undefined;
  const own = pictures.length > 0 ? (spec.pictureTemplate ?? spec.template) : spec.template;
  const tokenizer = openVocabulary(spec.vocabulary, source, files.vocabulary);
  const isTemplated = spec.templated?.some((start) => part.startsWith(start)) ?? false;
  const { promptLength } = spec;
  if (promptLength !== undefined) {
    const framed = framedPrompt(part, isTemplated ? undefined : own, tokenizer, {
      ...spec,
      promptLength,
    });
    return withPictures([framed], pictures, spec.pictureToken);
  }
  const around = isTemplated ? undefined : (template ?? own);
  const batches = tokenize(around === undefined ? part : around.replace('{}', () => part), {
    tokenizer,
    start: spec.start,
    end: spec.end,
    pad: spec.pad,
    capacity: spec.maxLength ?? Infinity,
    padToCapacity: false,
    minLength: minLength ?? spec.minLength,
    minPadding,
    disableWeights: spec.plain,
    ...(spec.embeddings ? embeddingTokens(files, { key: spec.name, width: config.width }) : {}),
  });
  return pictures.length === 0 ? batches : withPictures(batches, pictures, spec.pictureToken);
}

/** Throws BAD_INPUT for tokens that the encoder does not know: its vocabulary is another one. */
function checkIds({ spec, config, source }: SequenceEncoder, batches: readonly TokenBatch[]): void {
  const ids = batches.flatMap(({ ids }) => ids.filter((id) => typeof id === 'number'));
  const highest = ids.reduce((most, id) => Math.max(most, id), 0);
  if (highest < config.vocabulary) return;
  throw new NoodleError('BAD_INPUT', {
    subject: `tokens of the vocabulary '${spec.vocabulary}' for ${source.label}`,
    expected: `ids below ${config.vocabulary}, for so many does this text encoder know`,
    got: highest,
  });
}

/** A prompt of one length in its template, each part cut into tokens on its own. */
function framedPrompt(
  prompt: string,
  template = '{}',
  { encode }: TextTokenizer,
  {
    promptLength,
    parts = (text) => [text],
    pad,
  }: Pick<SequenceSpec, 'parts' | 'pad'> & { readonly promptLength: number },
): TokenBatch {
  const [before, behind] = template.split('{}').map((text) => encode(text));
  const words = parts(prompt)
    .flatMap((part) => encode(part))
    .slice(0, promptLength);
  const padding = new Array<number>(promptLength - words.length).fill(pad);
  const ids = [...before, ...words, ...padding, ...behind];
  const isWord = (i: number): boolean => i >= before.length && i < before.length + words.length;
  return { ids, weights: ids.map(() => 1), wordIds: ids.map((_, i) => (isWord(i) ? 1 : 0)) };
}

/** Every picture at its token, in order; pictures without one are not seen. */
function withPictures(
  batches: readonly TokenBatch[],
  pictures: readonly NDArray[],
  token: number | undefined,
): TokenBatch[] {
  let next = 0;
  return batches.map((batch) => {
    const placed = new Map<number, NDArray>();
    batch.ids.forEach((id, i) => {
      if (id === token && next < pictures.length) placed.set(i, pictures[next++]);
    });
    return { ...batch, pictures: placed };
  });
}

/** Declares what stands in for tokens: `keep` [b, t, 1] and `rows` [b, t, width]. */
export const insertedInput = (g: Graph, width: number): NonNullable<TokenInputs['inserted']> => ({
  keep: g.input('keep', 'f32', ['batch', 'tokens', 1]),
  rows: g.input('rows', 'f32', ['batch', 'tokens', width]),
});

/** Runs a row of tokens through the encoder's network; what comes of padding is made 0 here. */
export type RunSequence = (row: readonly Token[], batch?: TokenBatch) => Promise<EncodedRow>;

/** All rows with emphasis, the template cut away, and the mask where the network is told of padding. */
export async function encodeSequence(
  encoder: SequenceEncoder,
  batches: readonly TokenBatch[],
  run: NetworkRun,
  runSequence: RunSequence,
): Promise<EncodedText> {
  const { spec } = encoder;
  const used = spec.firstRowOnly ? batches.slice(0, 1) : batches;
  checkIds(encoder, used);
  const encode: RunSequence = async (row, batch) => {
    const encoded = await runSequence(row, batch);
    return spec.zeroed ? withoutPadding(encoded) : encoded;
  };
  const asked = { encoder, empty: (length: number) => emptyRow(spec, length), encode };
  const { hidden, rows } = await encodeRows(asked, used, run.runtime);
  const attended = rows.flatMap((row) => row.attended ?? []);
  const shape = rows[0].shape.with(-2, attended.length);
  const crop = spec.crop?.(used[0]?.ids ?? [], attended.length) ?? { start: 0 };
  const { start, end } = bounds(crop, attended.length);
  const whole = { data: hidden, shape };
  const axis = shape.length - 2;
  const kept = attended.slice(start, end);
  const cut = kept.length < attended.length ? sliceAxis(whole, axis, start, end) : whole;
  const told = spec.mask === 'always' || (spec.mask === 'where-padded' && kept.includes(false));
  return told ? { hidden: cut, mask: maskOf(kept) } : { hidden: cut };
}

/** What emphasis is measured from. */
function emptyRow({ start, end, pad, emptyIsPadding }: SequenceSpec, length: number): number[] {
  const specials = [start, emptyIsPadding ? undefined : end].filter((id) => id !== undefined);
  return [...specials, ...new Array<number>(Math.max(length - specials.length, 0)).fill(pad)];
}

function withoutPadding(row: EncodedRow): EncodedRow {
  const hidden = row.hidden.slice();
  const width = row.shape.at(-1)!;
  row.attended?.forEach((seen, i) => {
    if (!seen) hidden.fill(0, i * width, (i + 1) * width);
  });
  return { ...row, hidden };
}

/** Bounds as Python's slices take them. */
function bounds({ start, end }: Crop, length: number): Required<Crop> {
  const at = (place: number): number =>
    Math.min(Math.max(place < 0 ? place + length : place, 0), length);
  return { start: at(start), end: Math.max(at(start), at(end ?? length)) };
}

const maskOf = (attended: readonly boolean[]): NDArray => ({
  data: Float32Array.from(attended, Number),
  shape: [1, attended.length],
});
