/** Textual-inversion embeddings: which numbers of a file a text encoder gets as token rows. */
import { readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { NoodleError } from '../errors.ts';
import { isSafetensors } from '../weights/open.ts';
import { readFloatsSync } from '../weights/read.ts';
import { parseHeader } from '../weights/safetensors.ts';
import { type WeightEntry, identityOf } from '../weights/source.ts';
import { isEntry, openTorchFile } from '../weights/torch-file.ts';
import type { TokenizeOptions } from './token-batches.ts';

/** What a file holds: named tensors in file order, or (some trainers) a list of such. */
type Content =
  | { readonly kind: 'named'; readonly tensors: ReadonlyMap<string, WeightEntry> }
  | { readonly kind: 'list'; readonly tensors: readonly WeightEntry[] }
  | { readonly kind: 'param'; readonly tensor: WeightEntry };

export interface EmbeddingKind {
  /** The encoder's key in files for several encoders: `clip_l`, `clip_g`, `clip_h`, `t5xxl`. */
  readonly key: string;
  /** Width of the encoder's tokens. */
  readonly width: number;
}

/** Embeddings are a few kilobytes; a file of this size is something else. */
const MAX_BYTES = 256 << 20;

/** Where the embeddings of a prompt lie, and who hears of those that are left out. */
export interface EmbeddingFiles {
  readonly find: (name: string) => string | undefined;
  readonly warn: (message: string) => void;
}

/** What `tokenize` needs to know of an encoder's embeddings. */
export function embeddingTokens(
  { find, warn }: EmbeddingFiles,
  kind: EmbeddingKind,
): Pick<TokenizeOptions, 'embeddings' | 'onMissing'> {
  const lookup = embeddingLookup(find, kind, warn);
  return {
    embeddings(name) {
      const rows = lookup(name);
      const other = rows?.find(({ length }) => length !== kind.width)?.length;
      if (other !== undefined) {
        const both = `of width ${other}, ${kind.key} takes ${kind.width}`;
        warn(`embedding '${name}' is for another text encoder (${both}) and is left out`);
      }
      return rows;
    },
    onMissing(name) {
      // of a file that is there, the lookup has told why it is not used
      if (find(name) === undefined) warn(`embedding '${name}' does not exist and is left out`);
    },
  };
}

/**
 * A lookup for one prompt: finds the file, chooses the tensor, reads each file once. A file that
 * cannot be read counts as missing, as in ComfyUI; `warn` says why.
 */
export function embeddingLookup(
  find: (name: string) => string | undefined,
  kind: EmbeddingKind,
  warn: (message: string) => void = () => {},
): (name: string) => readonly Float32Array[] | undefined {
  const known = new Map<string, readonly Float32Array[]>();
  return (name) => {
    const path = find(name);
    if (path === undefined) return undefined;
    try {
      const rows = known.get(path) ?? readEmbedding(path, kind);
      known.set(path, rows);
      return rows;
    } catch (error) {
      // artists see this: the name of the file, not where it lies
      const reason = (error as Error).message.replaceAll(path, basename(path));
      warn(`embedding '${name}' could not be read and is left out: ${reason}`);
      return undefined;
    }
  };
}

/**
 * The rows that a file holds for an encoder; rows of another width are returned as they are (the
 * encoder drops them). Throws NoodleError when the file is neither safetensors nor plain torch data.
 */
export function readEmbedding(path: string, kind: EmbeddingKind): Float32Array[] {
  const { size } = statSync(path);
  if (size > MAX_BYTES) {
    throw new NoodleError('UNSUPPORTED', { what: `${path}: too large for an embedding` });
  }
  const content = isSafetensors(path) ? safetensorsContent(path) : torchContent(path);
  return choose(content, kind).flatMap(tensorRows);
}

function choose(content: Content, { key, width }: EmbeddingKind): readonly WeightEntry[] {
  if (content.kind === 'param') return [content.tensor];
  if (content.kind === 'list') return content.tensors.filter(({ shape }) => shape.at(-1) === width);
  const { tensors } = content;
  const own = tensors.get(key);
  if (own !== undefined) return [own];
  for (const suffix of ['.string_to_param.*', `.${key}`]) {
    const bundled = [...tensors]
      .filter(([name]) => name.startsWith('bundle_emb.') && name.endsWith(suffix))
      .map(([, tensor]) => tensor);
    if (bundled.length > 0) return bundled;
  }
  return [...tensors.values()].slice(0, 1);
}

function tensorRows(tensor: WeightEntry): Float32Array[] {
  const width = tensor.shape.at(-1) ?? 0;
  if (width === 0) return [];
  const values = readFloatsSync(tensor);
  return Array.from({ length: values.length / width }, (_, row) =>
    values.slice(row * width, (row + 1) * width),
  );
}

function safetensorsContent(path: string): Content {
  const bytes = readFileSync(path);
  const headerLength = bytes.length >= 8 ? Number(bytes.readBigUInt64LE()) : Infinity;
  if (8 + headerLength > bytes.length) {
    throw new NoodleError('SAFETENSORS_HEADER', { file: path, reason: 'it is cut short' });
  }
  const file = {
    path,
    identity: identityOf(path, statSync(path, { bigint: true })),
    size: bytes.length,
  };
  const { tensors } = parseHeader(file, bytes.subarray(8, 8 + headerLength));
  const position = ({ bytes }: WeightEntry): number => (bytes.kind === 'file' ? bytes.offset : 0);
  const inFileOrder = [...tensors].sort(([, a], [, b]) => position(a) - position(b));
  return { kind: 'named', tensors: new Map(inFileOrder) };
}

function torchContent(path: string): Content {
  const { root } = openTorchFile(path);
  const named = (value: unknown): [string, WeightEntry][] =>
    value instanceof Map
      ? [...value].flatMap(([name, tensor]): [string, WeightEntry][] =>
          isEntry(tensor) ? [[String(name), { ...tensor, name: String(name) }]] : [],
        )
      : [];
  if (Array.isArray(root)) {
    return {
      kind: 'list',
      tensors: root.flatMap((item) => named(item).map(([, tensor]) => tensor)),
    };
  }
  const param = root instanceof Map ? named(root.get('string_to_param'))[0] : undefined;
  if (param !== undefined) return { kind: 'param', tensor: param[1] };
  return { kind: 'named', tensors: new Map(named(root)) };
}
