/** Golden area `prompt-text`: emphasis, CLIP tokens, string nodes; JSON files, exact. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SequenceSpec } from '../../../engine/arch/sequence-spec.ts';
import * as specs from '../../../engine/arch/families/sequence-encoders.ts';
import { NoodleError } from '../../../engine/errors.ts';
import { findEmbedding } from '../../../engine/store/embedding-files.ts';
import { CLIP_END, CLIP_START, clipTokenizer } from '../../../engine/text/clip-bpe.ts';
import { embeddingLookup } from '../../../engine/text/embeddings.ts';
import { parseEmphasis } from '../../../engine/text/prompt-weights.ts';
import {
  type Token,
  type TokenBatch,
  type TokenizeOptions,
  tokenize,
} from '../../../engine/text/token-batches.ts';
import { tokenizeSequence } from '../../../engine/values/sequence-encoder.ts';
import type { PromptOptions } from '../../../engine/values/text-encoder.ts';
import type { NodeContext } from '../../../engine/graph/definition.ts';
import { stringNodes } from '../../../nodes/strings.ts';
import { goldenFiles } from '../../support/golden.ts';
import type { CaseResult, Comparison, GoldenArea } from '../area.ts';
import { embeddingFolder } from '../embedding-folder.ts';
import { findGoldenVocabulary, tokensOnly } from '../sequence-tokens.ts';

type GoldenId = number | { embedding_value: number; dim: number };
interface GoldenBatch {
  ids: GoldenId[];
  weights: (number | string)[];
  word_ids: number[];
  padded_to?: number;
}
interface TokenCase {
  prompt: string;
  batches: GoldenBatch[] | { error: string };
  batches_transformers5?: GoldenBatch[];
}
interface GoldenFile {
  op: string;
  tokenizer?: string;
  meta?: { embeddings?: Record<string, string> };
  prompts?: Record<string, unknown>;
  prompt_texts?: Record<string, string>;
  long_clip_248?: Record<string, GoldenBatch[]>;
  disable_weights_clip_l?: Record<string, GoldenBatch[]>;
  min_length_option?: Record<string, GoldenBatch[]>;
  t5_padding?: Record<string, unknown>;
  cases?: readonly StringCase[];
}
interface StringCase {
  node: string;
  inputs: Record<string, unknown>;
  output: unknown;
}

/** Widths and padding of the three CLIP encoders. */
const CLIPS: Readonly<Record<string, { width: number; pad: number }>> = {
  clip_l: { width: 768, pad: CLIP_END },
  clip_g: { width: 1280, pad: 0 },
  clip_h: { width: 1024, pad: 0 },
};

/** Encoders of other kinds, by the files' names for them. */
const SEQUENCES: Readonly<Record<string, SequenceSpec>> = {
  t5_unpadded: specs.t5xxlOfPixart,
  pile_t5: specs.pileT5xl,
  hydit_bert: specs.chineseRoberta,
  t5_sd3: specs.t5xxlOfSd3,
  t5_flux: specs.t5xxlOfFlux,
  t5_ltxv: specs.t5xxlOfLtxv,
  t5_cosmos: specs.t5xxlOld,
};

export const area: GoldenArea = {
  name: 'prompt-text',

  async list(dir) {
    return goldenFiles(dir, '.json').flatMap((file) => {
      const stem = file.slice(0, -'.json'.length);
      return Object.keys(casesOf(load(dir, stem))).map((key) => `${stem}/${key}`);
    });
  },

  async run(dir, name) {
    const slash = name.indexOf('/');
    const file = load(dir, name.slice(0, slash));
    const run = casesOf(file)[name.slice(slash + 1)];
    return run(await embeddingFolder(file.meta?.embeddings ?? {}));
  },
};

type Run = (embeddings: string) => CaseResult;

const loaded = new Map<string, GoldenFile>();

function load(dir: string, stem: string): GoldenFile {
  const path = join(dir, `${stem}.json`);
  let file = loaded.get(path);
  if (file === undefined) {
    file = JSON.parse(readFileSync(path, 'utf8')) as GoldenFile;
    loaded.set(path, file);
  }
  return file;
}

/** The cases of a file by its `op`. */
function casesOf(file: GoldenFile): Record<string, Run> {
  if (file.op === 'prompt weight parsing') return map(file.prompts, emphasisCase);
  if (file.op === 'tokenize_with_weights') {
    const kind = file.tokenizer ?? '';
    if (Object.hasOwn(SEQUENCES, kind)) {
      return map(file.prompts, (_, entry) => sequenceCase(kind, entry as TokenCase));
    }
    if (!Object.hasOwn(CLIPS, kind)) return map(file.prompts, skip(`nothing runs '${kind}'`));
    return map(file.prompts, (_, entry) => tokenCase(kind, entry as TokenCase));
  }
  if (file.op === 'padding and options') return optionCases(file);
  if (file.op === 'string nodes') {
    return Object.fromEntries(
      (file.cases ?? []).map((entry, i) => [`${i}_${entry.node}`, stringCase(entry)]),
    );
  }
  return { all: skip(`nothing runs the operation '${file.op}'`)() };
}

function map<T>(
  entries: Record<string, T> | undefined,
  run: (key: string, entry: T) => Run,
): Record<string, Run> {
  return Object.fromEntries(Object.entries(entries ?? {}).map(([key, e]) => [key, run(key, e)]));
}

const skip =
  (reason: string): (() => Run) =>
  () =>
  () => ({ skip: reason });

function emphasisCase(_: string, entry: unknown): Run {
  const { prompt, segments } = entry as { prompt: string; segments: [string, number | string][] };
  return () => {
    const got = parseEmphasis(prompt).map(({ text, weight }) => [text, plainWeight(weight)]);
    return { comparisons: [same('segments', got, segments)] };
  };
}

function tokenCase(kind: string, entry: TokenCase): Run {
  return (embeddings) => {
    let got: GoldenBatch[] | { error: string };
    try {
      got = tokenize(entry.prompt, clipOptions(kind, embeddings)).map(plainBatch);
    } catch {
      // The reference fails with Python's IndexError where the name of an embedding is missing.
      got = { error: 'IndexError' };
    }
    // Where the two versions of the tokenizer library differ, ours is the newer one.
    return { comparisons: [same('batches', got, entry.batches_transformers5 ?? entry.batches)] };
  };
}

/** A prompt as another encoder cuts it. */
function sequenceBatches(
  kind: string,
  prompt: string,
  embeddings: string,
  options?: PromptOptions,
): GoldenBatch[] {
  const files = {
    find: (name: string) => findEmbedding([embeddings], name),
    warn: () => undefined,
    vocabulary: findGoldenVocabulary,
  };
  const encoder = tokensOnly({ ...SEQUENCES[kind], embeddings: kind.startsWith('t5') });
  return (tokenizeSequence(encoder, prompt, files, options) ?? []).map(plainBatch);
}

/** Runs what needs a vocabulary; without it there is nothing to compare. */
function withVocabulary(run: () => CaseResult): CaseResult {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof NoodleError) || error.code !== 'VOCABULARY_MISSING') throw error;
    return { skip: error.message };
  }
}

function sequenceCase(kind: string, entry: TokenCase): Run {
  return (embeddings) =>
    withVocabulary(() => {
      let got: GoldenBatch[] | { error: string };
      try {
        got = sequenceBatches(kind, entry.prompt, embeddings).map((batch, b) => {
          const bare = Array.isArray(entry.batches) && 'padded_to' in entry.batches[b];
          return bare ? withoutPadding(batch, SEQUENCES[kind].pad) : batch;
        });
      } catch (error) {
        if (error instanceof NoodleError && error.code === 'VOCABULARY_MISSING') throw error;
        got = { error: 'IndexError' };
      }
      const either = [entry.batches, entry.batches_transformers5].filter((batches) => batches);
      const fits = either.find((batches) => same('batches', got, batches).pass);
      return { comparisons: [same('batches', got, fits ?? entry.batches)] };
    });
}

/** As the file has batches without their padding. */
function withoutPadding({ ids, weights, word_ids }: GoldenBatch, pad: number): GoldenBatch {
  let end = ids.length;
  while (end > 0 && ids[end - 1] === pad && word_ids[end - 1] === 0) end--;
  return {
    ids: ids.slice(0, end),
    weights: weights.slice(0, end),
    word_ids: word_ids.slice(0, end),
    padded_to: ids.length,
  };
}

/** Lengths and last tokens by encoder. */
function paddingCase(file: GoldenFile, prompt: string, entry: unknown): Run {
  const expected = entry as Readonly<Record<string, unknown>>;
  return (embeddings) =>
    withVocabulary(() => ({
      comparisons: Object.entries(expected).map(([kind, lengths]) => {
        const batches = sequenceBatches(kind, file.prompt_texts![prompt], embeddings);
        const got = {
          total_length: batches.map(({ ids }) => ids.length),
          last_ids: batches.map(({ ids }) => ids.slice(-3)),
        };
        return same(kind, got, lengths);
      }),
    }));
}

/** A node by its name; an exception is compared by the name of its Python class. */
function stringCase({ node, inputs, output }: StringCase): Run {
  const definition = stringNodes.find(({ name }) => name === node);
  if (definition === undefined) return () => ({ skip: `no node ${node}` });
  return () => {
    let got: unknown;
    try {
      const result = definition.run(inputs, {} as NodeContext);
      got = (result as readonly unknown[])[0];
    } catch (error) {
      got = { error: (error as Error).name };
    }
    return { comparisons: [same('output', got, output)] };
  };
}

function optionCases(file: GoldenFile): Record<string, Run> {
  const texts = file.prompt_texts ?? {};
  const compareWith =
    (prompt: string, expected: GoldenBatch[], options: Partial<TokenizeOptions>): Run =>
    (embeddings) => ({
      comparisons: [
        same(
          'batches',
          tokenize(texts[prompt], { ...clipOptions('clip_l', embeddings), ...options }).map(
            plainBatch,
          ),
          expected,
        ),
      ],
    });
  const prefixed = (prefix: string, cases: Record<string, Run>): [string, Run][] =>
    Object.entries(cases).map(([key, run]) => [`${prefix}/${key}`, run]);
  return Object.fromEntries([
    ...prefixed(
      'disable_weights',
      map(file.disable_weights_clip_l, (key, b) => compareWith(key, b, { disableWeights: true })),
    ),
    ...prefixed(
      'long_clip',
      map(file.long_clip_248, (key, b) => compareWith(key, b, { capacity: 248 })),
    ),
    ...prefixed(
      'option',
      map(file.min_length_option, (key, b) => {
        const match = /^(clip_[lgh])_min_(length|padding)_(\d+)_(.+)$/.exec(key);
        if (match === null) return t5Option(file, key, b);
        const option = match[2] === 'length' ? 'minLength' : 'minPadding';
        const options = { pad: CLIPS[match[1]].pad, [option]: Number(match[3]) };
        return compareWith(match[4], b, options);
      }),
    ),
    ...prefixed(
      't5_padding',
      map(file.t5_padding, (prompt, entry) => paddingCase(file, prompt, entry)),
    ),
  ]);
}

/** `t5xxl_min_length_20_simple` and the like: T5 without padding, but for what a node asks. */
function t5Option(file: GoldenFile, key: string, expected: GoldenBatch[]): Run {
  const match = /^(t5\w*?)_min_(length|padding)_(\d+)_(.+)$/.exec(key);
  if (match === null) return skip(`nothing runs '${key}'`)();
  const [, name, what, count, prompt] = match;
  const kind = Object.hasOwn(SEQUENCES, name) ? name : 't5_unpadded';
  const options = { [what === 'length' ? 'minLength' : 'minPadding']: Number(count) };
  return (embeddings) =>
    withVocabulary(() => ({
      comparisons: [
        same(
          'batches',
          sequenceBatches(kind, file.prompt_texts![prompt], embeddings, options),
          expected,
        ),
      ],
    }));
}

function clipOptions(kind: string, embeddings: string): TokenizeOptions {
  const { width, pad } = CLIPS[kind];
  return {
    tokenizer: clipTokenizer(),
    start: CLIP_START,
    end: CLIP_END,
    pad,
    embeddings: embeddingLookup((name) => findEmbedding([embeddings], name), { key: kind, width }),
  };
}

function plainBatch({ ids, weights, wordIds }: TokenBatch): GoldenBatch {
  return { ids: ids.map(plainId), weights: weights.map(plainWeight), word_ids: wordIds };
}

const plainId = (id: Token): GoldenId =>
  typeof id === 'number' ? id : { embedding_value: id.vector[0], dim: id.vector.length };

/** NaN and infinities are texts in the files, in Python's spelling. */
function plainWeight(weight: number): number | string {
  if (Number.isNaN(weight)) return 'nan';
  return Number.isFinite(weight) ? weight : weight > 0 ? 'inf' : '-inf';
}

/** Equal as JSON, whatever the order of keys in the file. */
function same(name: string, got: unknown, expected: unknown): Comparison {
  const pass = canonical(got) === canonical(expected);
  return { name, maxError: pass ? 0 : Infinity, tolerance: 0, pass };
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}
