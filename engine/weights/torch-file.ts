/**
 * Files that `torch.save` wrote (the zip form, PyTorch 1.6 and later): where each tensor's bytes
 * lie. Only data is read, through `readPickle`; no code of the file is ever run.
 */
import { closeSync, fstatSync, openSync, readSync, realpathSync } from 'node:fs';
import { NoodleError } from '../errors.ts';
import { type PickleValue, PickleGlobal, readPickle } from './pickle.ts';
import { type StorageDtype, sizeInBytes, storageDtypes } from './dtypes.ts';
import { type WeightEntry, type WeightSource, identityOf } from './source.ts';

export interface TorchFile {
  /** Real path. */
  readonly path: string;
  readonly identity: string;
  /** The saved object: dicts are Maps, lists and tuples arrays, tensors entries (`isEntry`). */
  readonly root: PickleValue;
}

const STORAGE_DTYPES: Readonly<Record<string, StorageDtype>> = {
  'torch.FloatStorage': 'F32',
  'torch.HalfStorage': 'F16',
  'torch.BFloat16Storage': 'BF16',
  'torch.DoubleStorage': 'F64',
  'torch.LongStorage': 'I64',
  'torch.IntStorage': 'I32',
  'torch.ShortStorage': 'I16',
  'torch.CharStorage': 'I8',
  'torch.ByteStorage': 'U8',
  'torch.BoolStorage': 'BOOL',
};

interface Storage {
  readonly dtype: StorageDtype;
  readonly offset: number;
  readonly byteLength: number;
}

/** A directory of tensors has no need to be larger; a bigger one is hostile. */
const MAX_PICKLE = 64 << 20;

/** Opens a file of torch.save. Throws UNSUPPORTED naming what it is instead. */
export function openTorchFile(path: string): TorchFile {
  const real = realpathSync(path);
  const fail = (reason: string): never => {
    throw new NoodleError('UNSUPPORTED', {
      what: `${path}: cannot read this torch file: ${reason}`,
    });
  };
  const file = openSync(real, 'r');
  try {
    const stat = fstatSync(file, { bigint: true });
    const size = Number(stat.size);
    const identity = identityOf(real, stat);
    const read = (offset: number, length: number): Buffer => {
      if (length < 0 || offset < 0 || offset + length > size) fail('it is cut short');
      const bytes = Buffer.alloc(length);
      if (readSync(file, bytes, 0, length, offset) < length) fail('it is cut short');
      return bytes;
    };
    const entries = zipEntries(read, size, fail);
    const pickleName = [...entries.keys()].find((name) => /(?:^|\/)data\.pkl$/.test(name));
    if (pickleName === undefined) return fail('it holds no data.pkl');
    const folder = pickleName.slice(0, -'data.pkl'.length);
    const pickle = entries.get(pickleName) as ZipEntry;
    if (pickle.size > MAX_PICKLE) fail('its data.pkl is too large');

    const persistent = (id: PickleValue): PickleValue => {
      if (!Array.isArray(id) || id[0] !== 'storage') return fail('an unknown persistent id');
      const [, type, key] = id as PickleValue[];
      const dtype = type instanceof PickleGlobal ? STORAGE_DTYPES[type.name] : undefined;
      const entry = typeof key === 'string' ? entries.get(`${folder}data/${key}`) : undefined;
      if (dtype === undefined || entry === undefined) return fail('an unknown kind of storage');
      return { dtype, offset: entry.offset(), byteLength: entry.size } satisfies Storage;
    };
    const call = (name: string, args: readonly PickleValue[]): PickleValue => {
      if (name === 'torch._utils._rebuild_tensor_v2') {
        return rebuildTensor({ path: real, identity }, args, fail);
      }
      if (name === 'torch._utils._rebuild_parameter') return args[0];
      if (name === 'collections.OrderedDict' && args.length === 0) return new Map();
      return undefined;
    };
    const bytes = read(pickle.offset(), pickle.size);
    return { path: real, identity, root: readPickle(path, bytes, { call, persistent }) };
  } finally {
    closeSync(file);
  }
}

/**
 * The tensors of a saved state dict, where they lie in the file: of the dict itself, or of the one it
 * holds as `state_dict` or as its only value (how training scripts wrap it). What is no tensor, such as
 * step counts, is left out. Throws UNSUPPORTED when there is no dict or no tensor in it.
 */
export function openTorchSource(path: string): WeightSource {
  const file = openTorchFile(path);
  const tensors = new Map<string, WeightEntry>();
  for (const [key, value] of stateDict(file.root)) {
    if (isEntry(value)) tensors.set(String(key), { ...value, name: String(key) });
  }
  if (tensors.size > 0) return { label: file.path, identity: file.identity, tensors };
  const what = `${path}: this torch file holds no dictionary of tensors`;
  throw new NoodleError('UNSUPPORTED', { what });
}

function stateDict(root: PickleValue): ReadonlyMap<PickleValue, PickleValue> {
  if (!(root instanceof Map)) return new Map();
  const wrapped: unknown =
    root.get('state_dict') ?? (root.size === 1 ? [...root.values()][0] : root);
  return wrapped instanceof Map ? wrapped : root;
}

/** Whether a value of `openTorchFile` is a tensor: the file's dicts are Maps, its lists arrays. */
export const isEntry = (value: PickleValue): value is WeightEntry =>
  typeof value === 'object' && value !== null && 'shape' in value && 'byteLength' in value;

/** (storage, offset, size, stride, …) with row-major strides only; named by who holds it. */
function rebuildTensor(
  { path, identity }: Pick<TorchFile, 'path' | 'identity'>,
  args: readonly PickleValue[],
  fail: (reason: string) => never,
): WeightEntry {
  const [storage, start, shape, stride] = args;
  if (!isStorage(storage) || !isCount(start) || !isCounts(shape) || !isCounts(stride)) {
    return fail('a tensor it cannot place');
  }
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] > 1 && stride[axis] !== expected) fail('a tensor that is not dense');
    expected *= shape[axis];
  }
  const { dtype } = storage;
  const first = start * storageDtypes[dtype].bytes;
  const byteLength = sizeInBytes(dtype, shape);
  if (!Number.isSafeInteger(byteLength) || first + byteLength > storage.byteLength) {
    fail('a tensor larger than its storage');
  }
  const bytes = { kind: 'file', path, offset: storage.offset + first, identity } as const;
  return { name: '', dtype, shape, byteLength, bytes };
}

interface ZipEntry {
  readonly size: number;
  /** Absolute position of the content; read on demand from the entry's own header. */
  offset(): number;
}

/** The entries of a zip file that are stored without compression, as torch writes them. */
function zipEntries(
  read: (offset: number, length: number) => Buffer,
  size: number,
  fail: (reason: string) => never,
): Map<string, ZipEntry> {
  const tailStart = Math.max(0, size - 65557);
  const tail = read(tailStart, size - tailStart);
  const end = tail.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  if (end < 0 || end + 22 > tail.length) {
    return fail('it is no zip file (older PyTorch, or another format); save it as .safetensors');
  }
  let count = tail.readUInt16LE(end + 10);
  let length = tail.readUInt32LE(end + 12);
  let start = tail.readUInt32LE(end + 16);
  // zip64: the 32-bit fields are all ones and a second record, found through a locator, has the rest.
  if (end >= 20 && tail.readUInt32LE(end - 20) === 0x07064b50) {
    const record = read(Number(tail.readBigUInt64LE(end - 12)), 56);
    if (record.readUInt32LE(0) !== 0x06064b50) fail('a broken zip64 record');
    count = Number(record.readBigUInt64LE(32));
    length = Number(record.readBigUInt64LE(40));
    start = Number(record.readBigUInt64LE(48));
  }
  if (length > MAX_PICKLE) fail('its directory is too large');
  const directory = read(start, length);
  const entries = new Map<string, ZipEntry>();
  for (let at = 0, i = 0; i < count; i++) {
    if (at + 46 > length || directory.readUInt32LE(at) !== 0x02014b50) fail('a broken directory');
    const method = directory.readUInt16LE(at + 10);
    const nameLength = directory.readUInt16LE(at + 28);
    const extraLength = directory.readUInt16LE(at + 30);
    const next = at + 46 + nameLength + extraLength + directory.readUInt16LE(at + 32);
    if (next > length) fail('a broken directory');
    const name = directory.toString('utf8', at + 46, at + 46 + nameLength);
    const sizes = wideSizes(directory.subarray(at, at + 46 + nameLength + extraLength), nameLength);
    const { size: content, header } = sizes;
    if (method === 0) {
      entries.set(name, {
        size: content,
        offset: () => {
          const local = read(header, 30);
          if (local.readUInt32LE(0) !== 0x04034b50) fail('a broken entry');
          const offset = header + 30 + local.readUInt16LE(26) + local.readUInt16LE(28);
          return offset + content <= size ? offset : fail('it is cut short');
        },
      });
    }
    at = next;
  }
  return entries;
}

/** Size and header position of a directory entry, from its zip64 field where they need 64 bits. */
function wideSizes(entry: Buffer, nameLength: number): { size: number; header: number } {
  let size = entry.readUInt32LE(24);
  let header = entry.readUInt32LE(42);
  const compressed = entry.readUInt32LE(20);
  for (let at = 46 + nameLength; at + 4 <= entry.length;) {
    const id = entry.readUInt16LE(at);
    const end = Math.min(at + 4 + entry.readUInt16LE(at + 2), entry.length);
    if (id === 1) {
      let field = at + 4;
      const next = (): number => {
        field += 8;
        return field <= end ? Number(entry.readBigUInt64LE(field - 8)) : -1;
      };
      if (size === 0xffffffff) size = next();
      if (compressed === 0xffffffff) next();
      if (header === 0xffffffff) header = next();
    }
    at = end;
  }
  return { size, header };
}

const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

const isCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every(isCount);

const isStorage = (value: unknown): value is Storage =>
  typeof value === 'object' && value !== null && 'offset' in value && 'dtype' in value;
