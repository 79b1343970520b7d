/**
 * The safetensors header: 8 bytes of length, a JSON directory, then the tensors' bytes. Only the
 * header is read. Everything in it is checked against the real size of the file, because the ranges
 * it states are later mapped into native memory.
 */
import { open, realpath } from 'node:fs/promises';
import { NoodleError } from '../errors.ts';
import type { StorageDtype } from './source.ts';

export interface StoredTensor {
  readonly dtype: StorageDtype;
  readonly shape: readonly number[];
  /** Absolute position of the first byte in the file. */
  readonly offset: number;
  readonly byteLength: number;
}

export interface SafetensorsFile {
  /** Real path: symbolic links are resolved. */
  readonly path: string;
  /** Path, size and modification time: changes when the file is replaced. */
  readonly identity: string;
  readonly headerLength: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/** Bytes per element of each storage type. */
export const elementSize: Readonly<Record<StorageDtype, number>> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  F8_E4M3: 1,
  F8_E5M2: 1,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
};

/** The format's own limit: a larger header is refused before it is read. */
const maxHeaderLength = 100_000_000;

/**
 * Reads and checks the header of a file. Throws SAFETENSORS_HEADER for anything that is not a whole,
 * consistent safetensors file, FILE_NOT_FOUND when it cannot be opened.
 */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  const real = await realpath(path).catch((cause: unknown) => {
    throw new NoodleError('FILE_NOT_FOUND', { kind: 'file', name: path }, { cause });
  });
  const handle = await open(real, 'r');
  try {
    const stat = await handle.stat({ bigint: true });
    if (!stat.isFile()) throw headerError(real, 'it is not a regular file');
    const size = Number(stat.size);
    const head = Buffer.alloc(8);
    if (size < 8 || (await handle.read(head, 0, 8, 0)).bytesRead < 8) {
      throw headerError(real, `the file has ${size} bytes, fewer than the 8 of the header length`);
    }
    const stated = head.readBigUInt64LE();
    if (stated > BigInt(maxHeaderLength)) {
      throw headerError(real, `header of ${stated} bytes; at most ${maxHeaderLength} are allowed`);
    }
    const headerLength = Number(stated);
    if (8 + headerLength > size) {
      throw headerError(real, `header of ${headerLength} bytes in a file of ${size} bytes`);
    }
    const bytes = Buffer.alloc(headerLength);
    const { bytesRead } = await handle.read(bytes, 0, headerLength, 8);
    if (bytesRead < headerLength) throw headerError(real, 'the header cannot be read to its end');
    return {
      path: real,
      identity: identityOf(real, stat),
      headerLength,
      ...parseHeader(real, bytes, size),
    };
  } finally {
    await handle.close();
  }
}

/** What tells one version of a file from the next: path, size, time of change and inode. */
export function identityOf(
  path: string,
  stat: { readonly size: bigint; readonly mtimeNs: bigint; readonly ino: bigint },
): string {
  return `${path}:${stat.size}:${stat.mtimeNs}:${stat.ino}`;
}

/** Checks a header's JSON against the file size; shared by every reader of the format. */
export function parseHeader(
  file: string,
  header: Uint8Array,
  fileSize: number,
): Pick<SafetensorsFile, 'metadata' | 'tensors'> {
  const directory = parseDirectory(file, header);
  const dataStart = 8 + header.byteLength;
  const tensors = new Map<string, StoredTensor>();
  for (const [key, value] of Object.entries(directory)) {
    if (key !== '__metadata__') tensors.set(key, checkedTensor(file, key, value, dataStart));
  }
  checkRanges(file, tensors, dataStart, fileSize);
  return { metadata: checkedMetadata(file, directory['__metadata__']), tensors };
}

function parseDirectory(file: string, header: Uint8Array): Record<string, unknown> {
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(header);
    value = JSON.parse(text);
  } catch (cause) {
    throw headerError(file, 'the header is not UTF-8 JSON', cause);
  }
  if (!isRecord(value)) throw headerError(file, 'the header is not a JSON object');
  const twice = duplicateKey(text);
  if (twice !== undefined) throw headerError(file, `the key ${twice} appears twice`);
  return value;
}

function checkedTensor(file: string, key: string, value: unknown, dataStart: number): StoredTensor {
  const fail = (reason: string): never => {
    throw headerError(file, `tensor '${key}': ${reason}`);
  };
  if (!isRecord(value)) return fail('its entry is not an object');
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string' || !Object.hasOwn(elementSize, dtype)) {
    return fail(`unknown dtype ${JSON.stringify(dtype)}`);
  }
  if (!isSizes(shape)) return fail(`shape ${JSON.stringify(shape)} is no list of sizes`);
  if (!isSizes(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    return fail(`data_offsets ${JSON.stringify(offsets)} are no range`);
  }
  const byteLength = shape.reduce((n, dim) => n * dim, elementSize[dtype as StorageDtype]);
  if (!Number.isSafeInteger(byteLength)) return fail(`shape [${shape.join(', ')}] overflows`);
  const [begin, end] = offsets;
  if (end - begin !== byteLength) {
    return fail(
      `${dtype} [${shape.join(', ')}] takes ${byteLength} bytes, its range ${end - begin}`,
    );
  }
  return { dtype: dtype as StorageDtype, shape, offset: dataStart + begin, byteLength };
}

/** The ranges must follow each other without holes or overlaps up to the end of the file. */
function checkRanges(
  file: string,
  tensors: ReadonlyMap<string, StoredTensor>,
  dataStart: number,
  fileSize: number,
): void {
  const byOffset = [...tensors].sort(
    ([, a], [, b]) => a.offset - b.offset || a.byteLength - b.byteLength,
  );
  let position = dataStart;
  for (const [key, { offset, byteLength }] of byOffset) {
    if (offset + byteLength > fileSize) {
      throw headerError(
        file,
        `tensor '${key}' ends at byte ${offset + byteLength} of a file of ${fileSize} bytes`,
      );
    }
    if (offset !== position) {
      const problem =
        offset < position ? 'overlaps the tensor before it' : 'leaves a hole before it';
      throw headerError(file, `tensor '${key}' ${problem}`);
    }
    position += byteLength;
  }
  if (position !== fileSize) {
    throw headerError(file, `the tensors end at byte ${position} of a file of ${fileSize} bytes`);
  }
}

function checkedMetadata(file: string, value: unknown): Record<string, string> {
  if (value === undefined) return {};
  if (!isRecord(value)) throw headerError(file, '__metadata__ is not an object');
  const metadata: Record<string, string> = {};
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string') throw headerError(file, `__metadata__ '${key}' is not a string`);
    metadata[key] = text;
  }
  return metadata;
}

/**
 * The first key (as written) that occurs twice in one object; JSON.parse silently keeps the last.
 * The text is known to be valid JSON.
 */
function duplicateKey(text: string): string | undefined {
  const open: Set<string>[] = [];
  const token = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}]/gs;
  for (let match = token.exec(text); match; match = token.exec(text)) {
    if (match[0] === '{') open.push(new Set());
    else if (match[0] === '}') open.pop();
    else if (match[1] !== undefined) {
      const literal = match[0].slice(0, -match[1].length);
      const key = literal.includes('\\') ? (JSON.parse(literal) as string) : literal.slice(1, -1);
      const keys = open.at(-1)!;
      if (keys.has(key)) return literal;
      keys.add(key);
    }
  }
  return undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && (n as number) >= 0);
}

function headerError(file: string, reason: string, cause?: unknown): NoodleError {
  return new NoodleError('SAFETENSORS_HEADER', { file, reason }, { cause });
}
