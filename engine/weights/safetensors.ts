/**
 * The safetensors header: 8 bytes of length, a JSON directory, then the tensors' bytes. Only the
 * header is read. Everything in it is checked against the real size of the file, because the ranges
 * it states are later mapped into native memory.
 */
import { open, realpath } from 'node:fs/promises';
import { NoodleError } from '../errors.ts';
import { isStorageDtype, sizeInBytes } from './dtypes.ts';
import { seemsToBe } from './foreign-files.ts';
import { type WeightEntry, type WeightSource, identityOf } from './source.ts';

/** An opened file: its tensors under the keys of its header. */
export interface SafetensorsFile extends WeightSource {
  /** Real path: symbolic links are resolved. */
  readonly path: string;
  readonly headerLength: number;
  readonly metadata: Readonly<Record<string, string>>;
}

/** A file that is being read: its real path, what tells its version, its bytes in all. */
export interface FileFacts {
  readonly path: string;
  readonly identity: string;
  readonly size: number;
}

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
      const start = Buffer.alloc(64);
      await handle.read(start, 0, start.length, 0);
      const seems = seemsToBe(start);
      const reason = `header of ${stated} bytes; at most ${maxHeaderLength} are allowed`;
      throw headerError(real, seems ? `it is ${seems}` : reason);
    }
    const headerLength = Number(stated);
    if (8 + headerLength > size) {
      throw headerError(
        real,
        `header of ${headerLength} bytes in a file of ${size} bytes: it is not whole`,
      );
    }
    const bytes = Buffer.alloc(headerLength);
    const { bytesRead } = await handle.read(bytes, 0, headerLength, 8);
    if (bytesRead < headerLength) throw headerError(real, 'the header cannot be read to its end');
    const file = { path: real, identity: identityOf(real, stat), size };
    const { metadata, tensors } = parseHeader(file, bytes);
    return { path: real, label: real, identity: file.identity, headerLength, metadata, tensors };
  } finally {
    await handle.close();
  }
}

/** Checks a header's JSON against the file size; shared by every reader of the format. */
export function parseHeader(
  file: FileFacts,
  header: Uint8Array,
): Pick<SafetensorsFile, 'metadata' | 'tensors'> {
  const directory = parseDirectory(file.path, header);
  const dataStart = 8 + header.byteLength;
  const tensors = new Map<string, FileEntry>();
  for (const [key, value] of Object.entries(directory)) {
    if (key !== '__metadata__') tensors.set(key, checkedTensor(file, key, value, dataStart));
  }
  checkRanges(file, tensors, dataStart);
  return { metadata: checkedMetadata(file.path, directory['__metadata__']), tensors };
}

/** An entry whose bytes are a range of the file. */
type FileEntry = WeightEntry & { readonly bytes: { readonly kind: 'file' } };

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

/**
 * One line of the directory. A type that is not known here has elements of unknown size: its range is
 * taken as stated, and it is refused when somebody wants its numbers.
 */
function checkedTensor(
  { path, identity }: FileFacts,
  key: string,
  value: unknown,
  dataStart: number,
): FileEntry {
  const fail = (reason: string): never => {
    throw headerError(path, `tensor '${key}': ${reason}`);
  };
  if (!isRecord(value)) return fail('its entry is not an object');
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string') return fail(`dtype ${JSON.stringify(dtype)} is no name`);
  if (!isSizes(shape)) return fail(`shape ${JSON.stringify(shape)} is no list of sizes`);
  if (!isSizes(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    return fail(`data_offsets ${JSON.stringify(offsets)} are no range`);
  }
  const [begin, end] = offsets;
  const byteLength = isStorageDtype(dtype) ? sizeInBytes(dtype, shape) : end - begin;
  if (!Number.isSafeInteger(byteLength)) return fail(`shape [${shape.join(', ')}] overflows`);
  if (end - begin !== byteLength) {
    return fail(
      `${dtype} [${shape.join(', ')}] takes ${byteLength} bytes, its range ${end - begin}`,
    );
  }
  const bytes = { kind: 'file', path, offset: dataStart + begin, identity } as const;
  return { name: key, dtype, shape, byteLength, bytes };
}

/** The ranges must follow each other without holes or overlaps up to the end of the file. */
function checkRanges(
  { path, size }: FileFacts,
  tensors: ReadonlyMap<string, FileEntry>,
  dataStart: number,
): void {
  const byOffset = [...tensors].sort(
    ([, a], [, b]) => a.bytes.offset - b.bytes.offset || a.byteLength - b.byteLength,
  );
  let position = dataStart;
  for (const [key, { bytes, byteLength }] of byOffset) {
    const { offset } = bytes;
    if (offset + byteLength > size) {
      const reason = `tensor '${key}' ends at byte ${offset + byteLength} of a file of ${size} bytes: it is not whole`;
      throw headerError(path, reason);
    }
    if (offset !== position) {
      const problem =
        offset < position ? 'overlaps the tensor before it' : 'leaves a hole before it';
      throw headerError(path, `tensor '${key}' ${problem}`);
    }
    position += byteLength;
  }
  if (position !== size) {
    throw headerError(path, `the tensors end at byte ${position} of a file of ${size} bytes`);
  }
}

function checkedMetadata(file: string, value: unknown): Record<string, string> {
  if (value === undefined || value === null) return {};
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
