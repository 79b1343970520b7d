/**
 * A weight source is a directory of tensors: a map from key to where its bytes lie. Views (a
 * prefix, renamed keys, slices of a fused tensor) are new maps over the same bytes, so a foreign
 * checkpoint layout costs no copy and no conversion step.
 */
import { NoodleError } from '../errors.ts';
import type { StorageDtype } from './dtypes.ts';

/** W = first·W1 + second·W2. */
export interface Factors {
  readonly first: number;
  readonly second: number;
}

/**
 * How a weight's numbers come from stored ones, as plain data that other threads can follow
 * (engine/weights/recipe.ts): as they are, as a sum, or rounded to a narrow type.
 */
export type Recipe =
  | { readonly kind: 'stored'; readonly entry: WeightEntry }
  | {
      readonly kind: 'sum';
      readonly first: Recipe;
      readonly second?: Recipe | undefined;
      readonly factors: Factors;
    }
  | { readonly kind: 'rounded'; readonly of: Recipe; readonly to: 'F8_E4M3' | 'F8_E5M2' };

/**
 * Where the bytes of an entry lie: a range of a file (absolute offset), memory, or other entries whose rows
 * follow one another; or how its f32 numbers are computed (merged models), each time they are read. Computed
 * ones are stored in the entry's type.
 */
export type WeightBytes =
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly offset: number;
      /** The file's identity when its header was read. */
      readonly identity: string;
    }
  | { readonly kind: 'memory'; readonly bytes: Uint8Array }
  | { readonly kind: 'parts'; readonly parts: readonly WeightEntry[] }
  | {
      readonly kind: 'computed';
      readonly compute: () => Promise<Float32Array>;
      /** The same for other threads, where it is plain data. */
      readonly recipe?: Recipe | undefined;
      /** The type it had where it was stored, and is saved as again. */
      readonly savedAs: StorageDtype;
    };

/** What tells one version of a file from the next: path, size, time of change and inode. */
export function identityOf(
  path: string,
  stat: { readonly size: bigint; readonly mtimeNs: bigint; readonly ino: bigint },
): string {
  return `${path}:${stat.size}:${stat.mtimeNs}:${stat.ino}`;
}

/**
 * What stored numbers are multiplied by, where a file says it in tensors of their own (8-bit floats and whole
 * numbers with scales; scales.ts computes it).
 */
export interface Scales {
  /** One number, one for each row, or one for each `over` numbers of a row. */
  readonly by: WeightEntry;
  /** Left out: `by` counts for whole rows, or for all. */
  readonly over?: number;
  /** They lie in tiles of 128 rows and 4 columns, as cuBLAS reads scales of blocks. */
  readonly tiled?: boolean;
  /** One number that all are multiplied by besides. */
  readonly all?: WeightEntry;
  /** A number that is added to all afterwards. */
  readonly plus?: number;
  /** Numbers of a row that lie rotated together, by a Hadamard matrix. */
  readonly rotated?: number;
}

/** One tensor of a source. */
export interface WeightEntry {
  /** Its name where it is stored, for messages. */
  readonly name: string;
  /** Its storage type as the file states it; `storageOf` knows whether that can be read. */
  readonly dtype: string;
  /** The shape its reader sees. */
  readonly shape: readonly number[];
  readonly byteLength: number;
  readonly bytes: WeightBytes;
  /** The bytes hold the tensor with its two axes swapped. */
  readonly transposed?: boolean;
  /**
   * Heads of q or k whose rows lie as llama.cpp's converter lays them: a row of a head's first half, then one
   * of its second, in turn. Readers see the halves one after the other.
   */
  readonly interleaved?: number;
  readonly scales?: Scales;
}

export interface WeightSource {
  /** Names the source in messages: usually the file's path. */
  readonly label: string;
  /** Changes whenever the bytes behind any entry may have changed (path, size, time, views). */
  readonly identity: string;
  readonly tensors: ReadonlyMap<string, WeightEntry>;
  /** What a file's author wrote into its header (`__metadata__`); views of the file keep it. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** The bytes of an entry in memory. Computed ones are stored first (engine/runtime/stored-source.ts). */
export function memoryOf({ bytes }: Pick<WeightEntry, 'bytes'>): Uint8Array {
  if (bytes.kind === 'memory') return bytes.bytes;
  throw new NoodleError('UNSUPPORTED', { what: `bytes in memory of a ${bytes.kind} weight` });
}

/** The tensors whose keys start with `prefix` (such as `model.diffusion_model.`), with it removed. */
export function sub(source: WeightSource, prefix: string): WeightSource {
  return rename(source, (key) => (key.startsWith(prefix) ? key.slice(prefix.length) : undefined), {
    tag: `sub:${prefix}`,
  });
}

/**
 * The same tensors under other keys; `to` returns undefined to leave a tensor out. `tag` tells two
 * renamings of one file apart in the identity.
 */
export function rename(
  source: WeightSource,
  to: (key: string) => string | undefined,
  { tag }: { tag: string },
): WeightSource {
  const tensors = new Map<string, WeightEntry>();
  for (const [key, entry] of source.tensors) {
    const renamed = to(key);
    if (renamed !== undefined) tensors.set(renamed, entry);
  }
  const { label, identity, metadata } = source;
  return { label, identity: `${identity}|${tag}`, tensors, metadata };
}

/** Several sources as one; on equal keys the later source wins. */
export function mergeSources(sources: readonly WeightSource[]): WeightSource {
  return {
    label: [...new Set(sources.map((source) => source.label))].join(' + '),
    identity: sources.map((source) => source.identity).join('+'),
    tensors: new Map(sources.flatMap((source) => [...source.tensors])),
  };
}

/** A source of tensors that are made in memory (test weights, baked patches, converted files). */
export function memorySource(
  label: string,
  identity: string,
  tensors: Iterable<
    readonly [string, { dtype: StorageDtype; shape: readonly number[]; bytes: Uint8Array }]
  >,
): WeightSource {
  const entries = new Map<string, WeightEntry>();
  for (const [key, { dtype, shape, bytes }] of tensors) {
    const { byteLength } = bytes;
    entries.set(key, { name: key, dtype, shape, byteLength, bytes: { kind: 'memory', bytes } });
  }
  return { label, identity, tensors: entries };
}

/** Whether rows of an entry are an entry of their own: they lie one after the other, and so do their scales. */
export function hasRows({
  transposed,
  interleaved,
  bytes,
  shape,
  byteLength,
  scales,
}: WeightEntry): boolean {
  const lies = bytes.kind === 'file' || bytes.kind === 'memory';
  const isPlain = !transposed && interleaved === undefined && lies;
  const isWhole = shape[0] === 0 || Number.isInteger(byteLength / shape[0]);
  return isPlain && isWhole && (scales === undefined || haveRows(scales, shape));
}

const haveRows = ({ by, tiled }: Scales, [rows]: readonly number[]): boolean =>
  tiled !== true && (isOne(by) || (by.shape[0] === rows && hasRows(by)));

/**
 * Rows [start, end) of an entry's first axis as an entry of its own. Rows of a row-major tensor are
 * contiguous, so q, k and v of a fused projection stay where they lie in the file. Throws UNSUPPORTED for
 * one without such rows (`hasRows`).
 */
export function rowsOf(entry: WeightEntry, start: number, end: number): WeightEntry {
  if (!hasRows(entry)) {
    throw new NoodleError('UNSUPPORTED', { what: `rows of '${entry.name}' as they are stored` });
  }
  const { shape, scales } = entry;
  const rowBytes = shape[0] === 0 ? 0 : entry.byteLength / shape[0];
  const byteLength = (end - start) * rowBytes;
  const bytes: WeightBytes =
    entry.bytes.kind === 'file'
      ? { ...entry.bytes, offset: entry.bytes.offset + start * rowBytes }
      : { kind: 'memory', bytes: memoryOf(entry).subarray(start * rowBytes, end * rowBytes) };
  const rows = { ...entry, shape: [end - start, ...shape.slice(1)], byteLength, bytes };
  if (!scales || isOne(scales.by)) return rows;
  return { ...rows, scales: { ...scales, by: rowsOf(scales.by, start, end) } };
}

/**
 * The rows of several entries, one below the other, as one entry: q, k and v of a fused projection stay the
 * three that a file has. Throws BAD_INPUT, naming them, where their rows are of several widths.
 */
export function joinedRows(parts: readonly WeightEntry[]): WeightEntry {
  const [first, ...others] = parts;
  const [, ...row] = first.shape;
  const stray = others.find(({ shape }) => shape.slice(1).join() !== row.join());
  if (stray) {
    const subject = `'${stray.name}', which belongs with '${first.name}'`;
    const got = `${stray.shape.slice(1).join('x')}`;
    throw new NoodleError('BAD_INPUT', { subject, expected: `rows of ${row.join('x')}`, got });
  }
  return {
    name: parts.map(({ name }) => name).join(' + '),
    dtype: first.dtype,
    shape: [parts.reduce((sum, { shape }) => sum + shape[0], 0), ...row],
    byteLength: parts.reduce((sum, { byteLength }) => sum + byteLength, 0),
    bytes: { kind: 'parts', parts },
  };
}

/** Whether an entry is a single number. */
export const isOne = ({ shape }: WeightEntry): boolean => shape.every((size) => size === 1);

/** The same bytes under another shape of equal size (a 1x1 convolution read as a matrix). */
export function reshapedEntry(entry: WeightEntry, shape: readonly number[]): WeightEntry {
  return { ...entry, shape };
}

/** A 2-D entry seen with its axes swapped (OpenCLIP's text projection); the bytes stay as they are. */
export function transposedEntry(entry: WeightEntry): WeightEntry {
  return { ...entry, shape: [...entry.shape].reverse(), transposed: !entry.transposed };
}
