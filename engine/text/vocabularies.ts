/**
 * Tokenizers of text encoders by name: where each vocabulary lies (in the encoder's own file, in a folder of
 * models, or nowhere) and how it is read.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { NoodleError } from '../errors.ts';
import { readBytesSync } from '../weights/read.ts';
import type { WeightSource } from '../weights/source.ts';
import { byt5Tokenizer } from './byt5.ts';
import { qwenTokenizer } from './qwen-tokens.ts';
import { sentencePiece } from './sentence-piece.ts';
import { tekken } from './tekken.ts';
import type { TextTokenizer } from './token-batches.ts';
import { tokenizerFromJson } from './tokenizer-json.ts';
import { wordPiece } from './word-piece.ts';

/** Finds a file of a vocabulary in one of the named folders of the models folders. */
export type FindVocabulary = (folders: readonly string[], file: string) => string | undefined;

interface Vocabulary {
  /** The tensor of the encoder's own file that holds it. */
  readonly tensor?: keyof typeof readers;
  /** Sets of files that are enough, the preferred one first. */
  readonly files: readonly (readonly (keyof typeof readers)[])[];
  /** Folders it is looked for in: our name for it, then ComfyUI's. */
  readonly folders: readonly string[];
  /** The model on huggingface.co that has the files. */
  readonly from: string;
}

type Reader = (parts: readonly Uint8Array[], subject: string) => TextTokenizer;

const utf8 = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

/** How a tensor or a set of files is read, by the name of the (first) part. */
const readers = {
  spiece_model: ([bytes], subject) => sentencePiece(bytes, subject),
  'spiece.model': ([bytes], subject) => sentencePiece(bytes, subject),
  'tokenizer.model': ([bytes], subject) => sentencePiece(bytes, subject),
  tekken_model: ([bytes], subject) => tekken(bytes, subject),
  'tekken.json': ([bytes], subject) => tekken(bytes, subject),
  'tokenizer.json': ([bytes], subject) => tokenizerFromJson(utf8(bytes), subject),
  'vocab.json': ([vocab, merges], subject) => qwenTokenizer(utf8(vocab), utf8(merges), subject),
  'merges.txt': ([merges, vocab], subject) => qwenTokenizer(utf8(vocab), utf8(merges), subject),
  'vocab.txt': ([bytes]) => wordPiece(utf8(bytes)),
} satisfies Record<string, Reader>;

const vocabularies = {
  t5: {
    files: [['tokenizer.json'], ['spiece.model']],
    folders: ['t5', 't5_tokenizer'],
    from: 'google/t5-v1_1-xxl',
  },
  'pile-t5': {
    files: [['tokenizer.model']],
    folders: ['pile-t5', 't5_pile_tokenizer'],
    from: 'EleutherAI/pile-t5-xl',
  },
  umt5: {
    tensor: 'spiece_model',
    files: [['spiece.model']],
    folders: ['umt5'],
    from: 'google/umt5-xxl',
  },
  mt5: {
    tensor: 'spiece_model',
    files: [['spiece.model']],
    folders: ['mt5'],
    from: 'google/mt5-xl',
  },
  llama3: {
    files: [['tokenizer.json']],
    folders: ['llama3', 'llama_tokenizer'],
    from: 'meta-llama/Llama-3.1-8B-Instruct',
  },
  gemma2: {
    tensor: 'spiece_model',
    files: [['tokenizer.model']],
    folders: ['gemma2'],
    from: 'google/gemma-2-2b',
  },
  gemma3: {
    tensor: 'spiece_model',
    files: [['tokenizer.model']],
    folders: ['gemma3'],
    from: 'google/gemma-3-4b-it',
  },
  qwen: {
    files: [['vocab.json', 'merges.txt'], ['tokenizer.json']],
    folders: ['qwen', 'qwen25_tokenizer'],
    from: 'Qwen/Qwen2.5-VL-7B-Instruct',
  },
  mistral3: {
    tensor: 'tekken_model',
    files: [['tekken.json']],
    folders: ['mistral3'],
    from: 'mistralai/Mistral-Small-3.2-24B-Instruct-2506',
  },
  'chinese-bert': {
    files: [['vocab.txt']],
    folders: ['chinese-bert', 'hydit_clip_tokenizer'],
    from: 'hfl/chinese-roberta-wwm-ext',
  },
} satisfies Record<string, Vocabulary>;

/** Tensors that hold a vocabulary. */
export const vocabularyTensors: readonly string[] = ['spiece_model', 'tekken_model'];

/** The vocabularies that encoders name. */
export type VocabularyName = keyof typeof vocabularies | 'byt5';

/**
 * The tokenizer of a name for the encoder in `source`; read once. Throws VOCABULARY_MISSING, which says where
 * its files go, and BAD_INPUT for files that are no vocabulary.
 */
export function openVocabulary(
  name: VocabularyName,
  source: WeightSource,
  find: FindVocabulary,
): TextTokenizer {
  if (name === 'byt5') return byt5Tokenizer;
  const { tensor, files, folders, from }: Vocabulary = vocabularies[name];
  const inside = tensor && source.tensors.get(tensor);
  if (inside) return once(source, () => readers[tensor]([readBytesSync(inside)], source.label));
  for (const set of files) {
    const paths = set.map((file) => find(folders, file));
    if (!paths.every((path) => path !== undefined)) continue;
    const read = (): TextTokenizer =>
      readers[set[0]](
        paths.map((path) => readFileSync(path)),
        paths.map((path) => basename(path)).join(' and '),
      );
    return once(paths.join('\n'), read);
  }
  throw new NoodleError('VOCABULARY_MISSING', {
    vocabulary: name,
    files: files.map((set) => set.join(' and ')).join(', or '),
    folder: `text_encoders/${folders[0]}`,
    from,
  });
}

const byPath = new Map<string, TextTokenizer>();
const bySource = new WeakMap<WeightSource, TextTokenizer>();

function once(key: WeightSource | string, read: () => TextTokenizer): TextTokenizer {
  const known = typeof key === 'string' ? byPath.get(key) : bySource.get(key);
  if (known) return known;
  const tokenizer = read();
  if (typeof key === 'string') byPath.set(key, tokenizer);
  else bySource.set(key, tokenizer);
  return tokenizer;
}
