/**
 * GGUF files (ggml's format, version 2 and 3): a head of named values and a directory of tensors, then the
 * tensors' bytes. Only the head is read. Everything in it is checked against the real size of the file,
 * because the ranges it states are later mapped into native memory.
 */
import { open, realpath } from 'node:fs/promises';
import { NoodleError } from '../errors.ts';
import { blockTypes } from './blocks.ts';
import { type StorageDtype, sizeInBytes, storageDtypes } from './dtypes.ts';
import { type Field, type HeadReader, OutOfBytes, headReader } from './gguf-head.ts';
import { fromGgufNames } from './key-maps/gguf.ts';
import { type WeightEntry, type WeightSource, identityOf } from './source.ts';

/** An opened file: its tensors under the names that the rest of the world knows them by. */
export interface GgufFile extends WeightSource {
  /** Real path: symbolic links are resolved. */
  readonly path: string;
  /** The named values (`tokenizer.ggml.tokens` …); plain texts and numbers are in `metadata` too. */
  readonly fields: ReadonlyMap<string, Field>;
}

/** A head beyond this is refused; vocabularies of a quarter of a million words take some 10 MB. */
const largestHead = 256 << 20;
/** Bytes that are read at first; most heads of diffusion models fit. */
const firstRead = 1 << 20;
/** ggml's own limits. */
const mostAxes = 4;
const mostTensors = 1 << 20;

/**
 * Reads and checks the head of a file; a text encoder's tensors come under huggingface's names. Throws
 * GGUF_FILE for anything that is not a whole, consistent GGUF file or holds a type that is not known here,
 * FILE_NOT_FOUND when it cannot be opened.
 */
export async function openGguf(path: string): Promise<GgufFile> {
  const real = await realpath(path).catch((cause: unknown) => {
    throw new NoodleError('FILE_NOT_FOUND', { kind: 'file', name: path }, { cause });
  });
  const handle = await open(real, 'r');
  try {
    const stat = await handle.stat({ bigint: true });
    if (!stat.isFile()) throw fileError(real, 'it is not a regular file');
    const file = { path: real, identity: identityOf(real, stat), size: Number(stat.size) };
    for (let length = firstRead; ; length *= 4) {
      const bytes = Buffer.alloc(Math.min(length, file.size, largestHead));
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0);
      try {
        return fromGgufNames(parseHead(file, bytes.subarray(0, bytesRead)));
      } catch (error) {
        if (!(error instanceof OutOfBytes)) throw error;
        if (bytesRead < bytes.length || bytes.length === file.size)
          throw fileError(real, `it ends within its head, at byte ${bytesRead}: it is not whole`);
        if (bytes.length === largestHead) throw fileError(real, 'its head is larger than 256 MB');
      }
    }
  } finally {
    await handle.close();
  }
}

interface FileFacts {
  readonly path: string;
  readonly identity: string;
  readonly size: number;
}

function parseHead(file: FileFacts, bytes: Buffer): GgufFile {
  const fail = (reason: string): never => {
    throw fileError(file.path, reason);
  };
  const reader = headReader(bytes, fail);
  if (reader.magic() !== 'GGUF') fail('it does not begin with GGUF');
  const version = reader.u32();
  if (version !== 2 && version !== 3) fail(`version ${version}; 2 and 3 can be read`);
  const tensorCount = reader.size('the number of tensors');
  const fieldCount = reader.size('the number of values');
  if (tensorCount > mostTensors || fieldCount > mostTensors)
    fail(`it states ${tensorCount} tensors and ${fieldCount} values`);
  const fields = new Map<string, Field>();
  for (let i = 0; i < fieldCount; i++) {
    const key = reader.text();
    if (fields.has(key)) fail(`the value '${key}' is there twice`);
    fields.set(key, reader.field());
  }
  const stated = Array.from({ length: tensorCount }, () => readTensor(reader, fields, fail));
  const alignment = alignmentOf(fields, fail);
  const dataStart = Math.ceil(reader.position() / alignment) * alignment;
  const tensors = new Map<string, WeightEntry>();
  for (const tensor of stated) {
    if (tensors.has(tensor.name)) fail(`the tensor '${tensor.name}' is there twice`);
    tensors.set(tensor.name, placed(tensor, { file, dataStart, alignment, fail }));
  }
  checkOverlaps(stated, fail);
  const { path, identity } = file;
  return { path, label: path, identity, metadata: textsOf(fields), fields, tensors };
}

/** A tensor as the directory states it. */
interface Stated {
  readonly name: string;
  readonly dtype: StorageDtype;
  /** torch's order: the innermost axis last. */
  readonly shape: readonly number[];
  readonly byteLength: number;
  /** From the beginning of the data. */
  readonly offset: number;
}

type Fail = (reason: string) => never;

function readTensor(reader: HeadReader, fields: ReadonlyMap<string, Field>, fail: Fail): Stated {
  const name = reader.text();
  const axes = reader.u32();
  if (axes > mostAxes) fail(`tensor '${name}' has ${axes} axes; at most ${mostAxes} are allowed`);
  const sizes = Array.from({ length: axes }, () => reader.size(`a size of '${name}'`));
  const type = reader.u32();
  const dtype = plainTypes[type] ?? fail(`tensor '${name}' is of type ${typeText(type)}`);
  const offset = reader.size(`the place of '${name}'`);
  const { block } = storageDtypes[dtype];
  if (block > 1 && (sizes[0] ?? 1) % block !== 0)
    fail(
      `tensor '${name}': rows of ${sizes[0]} numbers are no whole blocks of ${dtype} (${block})`,
    );
  const shape = originalShape(name, sizes.toReversed(), fields, fail);
  const byteLength = sizeInBytes(dtype, shape);
  if (!Number.isSafeInteger(byteLength)) fail(`tensor '${name}': [${shape.join(', ')}] overflows`);
  return { name, dtype, shape, byteLength, offset };
}

/** Types by ggml's numbers. */
const plainTypes: Readonly<Record<number, StorageDtype>> = {
  0: 'F32',
  1: 'F16',
  24: 'I8',
  25: 'I16',
  26: 'I32',
  27: 'I64',
  28: 'F64',
  30: 'BF16',
  ...Object.fromEntries(Object.entries(blockTypes).map(([name, { id }]) => [id, name])),
};

/** Names of ggml's types that cannot be read here, for messages. */
const otherTypes: Readonly<Record<number, string>> = {
  9: 'Q8_1',
  15: 'Q8_K',
  16: 'IQ2_XXS',
  17: 'IQ2_XS',
  18: 'IQ3_XXS',
  19: 'IQ1_S',
  21: 'IQ3_S',
  22: 'IQ2_S',
  29: 'IQ1_M',
  31: 'Q4_0_4_4',
  32: 'Q4_0_4_8',
  33: 'Q4_0_8_8',
  40: 'NVFP4',
};

function typeText(type: number): string {
  const name = otherTypes[type] ?? `${type}, which is not known`;
  return `${name}; ${Object.values(plainTypes).join(', ')} can be read`;
}

/** What files say of tensors whose axes were folded for ggml, which has at most four. */
function originalShape(
  name: string,
  folded: readonly number[],
  fields: ReadonlyMap<string, Field>,
  fail: Fail,
): readonly number[] {
  const shape = fields.get(`comfy.gguf.orig_shape.${name}`);
  if (shape === undefined) return folded;
  const count = (sizes: readonly number[]): number => sizes.reduce((n, size) => n * size, 1);
  const isShape =
    Array.isArray(shape) &&
    shape.every((size) => typeof size === 'number' && Number.isInteger(size) && size > 0);
  if (!isShape || count(shape as number[]) !== count(folded)) {
    const stated = JSON.stringify(shape);
    return fail(`tensor '${name}': its shape before, ${stated}, is none of [${folded.join(', ')}]`);
  }
  return shape as number[];
}

function alignmentOf(fields: ReadonlyMap<string, Field>, fail: Fail): number {
  const alignment = fields.get('general.alignment') ?? 32;
  const isPower =
    typeof alignment === 'number' && alignment >= 1 && Number.isInteger(Math.log2(alignment));
  return isPower ? alignment : fail(`general.alignment is ${JSON.stringify(alignment)}`);
}

interface Placing {
  readonly file: FileFacts;
  readonly dataStart: number;
  readonly alignment: number;
  readonly fail: Fail;
}

function placed(
  { name, dtype, shape, byteLength, offset: relative }: Stated,
  { file: { path, identity, size }, dataStart, alignment, fail }: Placing,
): WeightEntry {
  if (relative % alignment !== 0) fail(`tensor '${name}' lies at ${relative}, not aligned`);
  const offset = dataStart + relative;
  if (!Number.isSafeInteger(offset) || offset + byteLength > size) {
    const end = `tensor '${name}' ends at byte ${offset + byteLength}`;
    fail(`${end} of a file of ${size} bytes: it is not whole`);
  }
  return { name, dtype, shape, byteLength, bytes: { kind: 'file', path, offset, identity } };
}

function checkOverlaps(tensors: readonly Stated[], fail: Fail): void {
  let end = 0;
  for (const { name, offset, byteLength } of tensors.toSorted((a, b) => a.offset - b.offset)) {
    if (offset < end) fail(`tensor '${name}' overlaps the tensor before it`);
    end = offset + byteLength;
  }
}

/** Texts and numbers of the head as texts. */
function textsOf(fields: ReadonlyMap<string, Field>): Record<string, string> {
  const plain = [...fields].filter(([, value]) => !Array.isArray(value));
  return Object.fromEntries(plain.map(([key, value]) => [key, String(value)]));
}

function fileError(file: string, reason: string): NoodleError {
  return new NoodleError('GGUF_FILE', { file, reason });
}
