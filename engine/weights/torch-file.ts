/**
 * Files that `torch.save` wrote: where each tensor's bytes lie. Only data is read, through
 * `readPickle`; no code of the file is ever run. Both forms: a zip file (PyTorch 1.6 and later), and
 * the one before it, five pickles and then the storages one after another.
 */
import { closeSync, fstatSync, openSync, readSync, realpathSync } from 'node:fs';
import { NoodleError } from '../errors.ts';
import { type StorageDtype, sizeInBytes, storageDtypes } from './dtypes.ts';
import { PickleGlobal, type PickleOptions, type PickleValue } from './pickle.ts';
import { readPickle, readPickleAt } from './pickle.ts';
import { type WeightEntry, type WeightSource, identityOf } from './source.ts';
import { zipEntries } from './zip.ts';

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

/** A file that is being read; `read` and `fail` throw. */
interface OpenFile {
  readonly path: string;
  readonly size: number;
  readonly read: (offset: number, length: number) => Buffer;
  readonly fail: (reason: string) => never;
  /** What the calls in its pickles give. */
  readonly call: PickleOptions['call'];
}

/** The pickles have no need to be larger; bigger ones are hostile. */
const MAX_PICKLE = 64 << 20;

/** Opens a file of torch.save. Throws UNSUPPORTED naming what it is instead, FILE_NOT_FOUND. */
export function openTorchFile(path: string): TorchFile {
  const fail = (reason: string): never => failToOpen(path, reason);
  const real = realOf(path);
  const file = openSync(real, 'r');
  try {
    const stat = fstatSync(file, { bigint: true });
    if (!stat.isFile()) fail('it is not a regular file');
    const size = Number(stat.size);
    const identity = identityOf(real, stat);
    const read = (offset: number, length: number): Buffer => {
      if (length < 0 || offset < 0 || offset + length > size) fail('it is cut short');
      const bytes = Buffer.alloc(length);
      if (readSync(file, bytes, 0, length, offset) < length) fail('it is cut short');
      return bytes;
    };
    const call: PickleOptions['call'] = (name, args) =>
      Object.hasOwn(CALLS, name) ? CALLS[name](args, { path: real, identity, fail }) : undefined;
    const opened: OpenFile = { path, size, read, fail, call };
    const isZip = size >= 4 && read(0, 4).readUInt32LE() === 0x04034b50;
    return { path: real, identity, root: isZip ? zipRoot(opened) : plainRoot(opened) };
  } finally {
    closeSync(file);
  }
}

/**
 * The tensors of a saved state dict, where they lie in the file: of the dict itself, or of the one it
 * holds as `state_dict` or as its only value (how training scripts wrap it). Tensors of dicts and lists
 * inside have dotted keys (`params_ema.conv.weight`, `768.0.linear.weight`). What is no tensor, such as
 * step counts, is left out. Throws UNSUPPORTED when there is no dict or no tensor in it.
 */
export function openTorchSource(path: string): WeightSource {
  const file = openTorchFile(path);
  const tensors = new Map<string, WeightEntry>();
  const seen = new Set<unknown>();
  const collect = (value: PickleValue, key: string, depth: number): void => {
    if (isEntry(value)) tensors.set(key, { ...value, name: key });
    const inside = value instanceof Map || Array.isArray(value);
    // what is shared or holds itself is taken once: a small file cannot be large in here
    if (!inside || depth > MAX_DEPTH || seen.has(value)) return;
    seen.add(value);
    for (const [name, item] of value.entries() as Iterable<[PickleValue, PickleValue]>) {
      if (typeof name !== 'string' && typeof name !== 'number') continue;
      const length = key.length + String(name).length;
      if (length > LONGEST_KEY) failToOpen(path, `a name of ${length} characters`);
      collect(item, key === '' ? String(name) : `${key}.${name}`, depth + 1);
    }
  };
  if (file.root instanceof Map) collect(stateDict(file.root), '', 0);
  if (tensors.size > 0) return { label: file.path, identity: file.identity, tensors };
  const what = `${path}: this torch file holds no dictionary of tensors`;
  throw new NoodleError('UNSUPPORTED', { what });
}

/** As deep as containers are looked into. */
const MAX_DEPTH = 4;

/** One long text, shared by many dicts, would be copied for each tensor. */
const LONGEST_KEY = 512;

function stateDict(root: ReadonlyMap<PickleValue, PickleValue>): PickleValue {
  const wrapped = root.get('state_dict') ?? (root.size === 1 ? [...root.values()][0] : root);
  return wrapped instanceof Map ? wrapped : root;
}

/** Whether a value of `openTorchFile` is a tensor: the file's dicts are Maps, its lists arrays. */
export const isEntry = (value: PickleValue): value is WeightEntry =>
  typeof value === 'object' && value !== null && 'shape' in value && 'byteLength' in value;

/** The zip form: `data.pkl`, and each storage an entry of its own. */
function zipRoot({ path, size, read, fail, call }: OpenFile): PickleValue {
  const entries = zipEntries(read, size, fail);
  const pickleName = [...entries.keys()].find((name) => /(?:^|\/)data\.pkl$/.test(name));
  const pickle = pickleName === undefined ? undefined : entries.get(pickleName);
  if (pickleName === undefined || pickle === undefined) return fail('it holds no data.pkl');
  const folder = pickleName.slice(0, -'data.pkl'.length);
  if (pickle.size > MAX_PICKLE) fail('its data.pkl is too large');
  const persistent = (id: PickleValue): Storage => {
    const { key, dtype } = storageId(id, fail);
    const entry = entries.get(`${folder}data/${key}`);
    if (entry === undefined) return fail('an unknown kind of storage');
    return { dtype, offset: entry.offset(), byteLength: entry.size };
  };
  return readPickle(path, read(pickle.offset(), pickle.size), { call, persistent });
}

/** What the first pickle of the older form holds. */
const MAGIC = 0x1950a86a20f9469cfc6cn;

/**
 * The form before the zip: pickles of a magic number, the version, facts of the system, the object and
 * the list of its storages; then each storage as its count of elements (8 bytes) and the elements.
 */
function plainRoot({ path, size, read, fail, call }: OpenFile): PickleValue {
  const head = read(0, Math.min(size, MAX_PICKLE));
  // 0x80: a pickle with its protocol
  if (head[0] !== 0x80) return fail('it is none (another format with this ending?)');
  const counts = new Map<string, { readonly dtype: StorageDtype; readonly count: number }>();
  const offsets = new Map<string, number>();
  const persistent = (id: PickleValue): Storage => {
    const { key, dtype, count } = storageId(id, fail);
    counts.set(key, { dtype, count });
    return { dtype, offset: offsets.get(key) ?? 0, byteLength: count * storageDtypes[dtype].bytes };
  };
  let at = 0;
  const next = (): PickleValue => {
    const { value, end } = readPickleAt(path, head.subarray(at), { call, persistent });
    at += end;
    return value;
  };
  if (next() !== MAGIC || next() !== 1001) return fail('a pickle of something else');
  next();
  const object = at;
  next();
  const keys = next();
  if (!Array.isArray(keys)) return fail('no list of storages');
  for (const key of keys as PickleValue[]) {
    const storage = counts.get(key as string);
    if (storage === undefined || Number(read(at, 8).readBigInt64LE()) !== storage.count) {
      return fail('a storage that is not as stated');
    }
    offsets.set(key as string, at + 8);
    at += 8 + storage.count * storageDtypes[storage.dtype].bytes;
    if (at > size) return fail('it is cut short');
  }
  if (offsets.size < counts.size) return fail('a storage is missing');
  // again, now that it is known where the storages lie
  at = object;
  return next();
}

/** ('storage', type, key, location, count) */
function storageId(id: PickleValue, fail: (reason: string) => never) {
  if (!Array.isArray(id) || id[0] !== 'storage') return fail('an unknown persistent id');
  const [, type, key, , count, view] = id as PickleValue[];
  const dtype = type instanceof PickleGlobal ? STORAGE_DTYPES[type.name] : undefined;
  if (
    dtype === undefined ||
    typeof key !== 'string' ||
    !isCount(count) ||
    (view ?? null) !== null
  ) {
    return fail('an unknown kind of storage');
  }
  return { key, dtype, count };
}

type Rebuild = (
  args: readonly PickleValue[],
  file: Pick<TorchFile, 'path' | 'identity'> & Pick<OpenFile, 'fail'>,
) => PickleValue;

/** Stands for an object that is no weight and is never looked into; the file may hold it. */
const nothing: Rebuild = () => null;

/** The calls that a pickle of weights makes: all that the reference's loader allows. */
const CALLS: Readonly<Record<string, Rebuild>> = {
  'torch._utils._rebuild_tensor_v2': rebuildTensor,
  'torch._utils._rebuild_tensor': rebuildTensor,
  'torch._utils._rebuild_parameter': ([tensor]) => tensor,
  'collections.OrderedDict': (args) => (args.length === 0 ? new Map() : undefined),
  'torch.Size': ([sizes]) => sizes,
  'torch.device': nothing,
  // numbers of training scripts
  'numpy.core.multiarray.scalar': nothing,
  'numpy._core.multiarray.scalar': nothing,
  'numpy.dtype': nothing,
  '_codecs.encode': nothing,
};

/** (storage, offset, size, stride, …): row-major, or a matrix by columns; named by who holds it. */
function rebuildTensor(...[args, { path, identity, fail }]: Parameters<Rebuild>): WeightEntry {
  const [storage, start, shape, stride] = args;
  if (!isStorage(storage) || !isCount(start) || !isCounts(shape) || !isCounts(stride)) {
    return fail('a tensor it cannot place');
  }
  const transposed = shape.length === 2 && !isDense(shape, stride);
  if (transposed ? !isDense(shape.toReversed(), stride.toReversed()) : !isDense(shape, stride)) {
    fail('a tensor that is not dense');
  }
  const { dtype } = storage;
  const first = start * storageDtypes[dtype].bytes;
  const byteLength = sizeInBytes(dtype, shape);
  if (!Number.isSafeInteger(byteLength) || first + byteLength > storage.byteLength) {
    fail('a tensor larger than its storage');
  }
  const bytes = { kind: 'file', path, offset: storage.offset + first, identity } as const;
  return { name: '', dtype, shape, byteLength, bytes, transposed };
}

/** Whether elements follow each other, the last axis fastest. */
function isDense(shape: readonly number[], stride: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] > 1 && stride[axis] !== expected) return false;
    expected *= shape[axis];
  }
  return true;
}

function failToOpen(path: string, reason: string): never {
  const what = `${path}: cannot read this torch file: ${reason}`;
  throw new NoodleError('UNSUPPORTED', { what });
}

function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch (cause) {
    throw new NoodleError('FILE_NOT_FOUND', { kind: 'file', name: path }, { cause });
  }
}

const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

/** Sizes or strides; torch has 64 axes at most. */
const isCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.length <= 64 && value.every(isCount);

const isStorage = (value: unknown): value is Storage =>
  typeof value === 'object' && value !== null && 'offset' in value && 'dtype' in value;
