/** Writes what torch.save writes (zip, stored entries, pickle protocol 2) for dicts of f32 tensors. */
import { writeFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';

export interface PlainTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** A dict of tensors, dicts and texts, as torch.save takes it. */
export interface PlainDict {
  readonly [key: string]: PlainTensor | PlainDict | string;
}

/** Saves the dict (or list of dicts) under `path`. */
export function writeTorchFile(path: string, root: PlainDict | readonly PlainDict[]): void {
  const storages: Buffer[] = [];
  const pickle = Buffer.concat([Buffer.from([0x80, 2]), value(root, storages), Buffer.from('.')]);
  const files: [string, Buffer][] = [
    ['archive/data.pkl', pickle],
    ...storages.map((bytes, i): [string, Buffer] => [`archive/data/${i}`, bytes]),
    ['archive/version', Buffer.from('3\n')],
  ];
  writeFileSync(path, zip(files));
}

type Node = PlainTensor | PlainDict | string | readonly PlainDict[];

function value(node: Node, storages: Buffer[]): Buffer {
  if (typeof node === 'string') return text(node);
  if (Array.isArray(node)) {
    const items = (node as readonly PlainDict[]).map((item) => value(item, storages));
    return Buffer.concat([Buffer.from(']('), ...items, Buffer.from('e')]);
  }
  if ('data' in node && node.data instanceof Float32Array)
    return tensor(node as PlainTensor, storages);
  const items = Object.entries(node as PlainDict).flatMap(([key, item]) => [
    text(key),
    value(item, storages),
  ]);
  return Buffer.concat([Buffer.from('}('), ...items, Buffer.from('u')]);
}

function tensor({ shape, data }: PlainTensor, storages: Buffer[]): Buffer {
  const key = storages.push(Buffer.from(data.slice().buffer)) - 1;
  const stride = shape.map((_, axis) => shape.slice(axis + 1).reduce((n, dim) => n * dim, 1));
  const storage = tuple([
    text('storage'),
    Buffer.from('ctorch\nFloatStorage\n'),
    text(String(key)),
    text('cpu'),
    int(data.length),
  ]);
  return Buffer.concat([
    Buffer.from('ctorch._utils\n_rebuild_tensor_v2\n'),
    tuple([
      Buffer.concat([storage, Buffer.from('Q')]),
      int(0),
      tuple(shape.map(int)),
      tuple(stride.map(int)),
      Buffer.from([0x89]),
      Buffer.from('ccollections\nOrderedDict\n)R'),
    ]),
    Buffer.from('R'),
  ]);
}

const tuple = (items: Buffer[]): Buffer =>
  Buffer.concat([Buffer.from('('), ...items, Buffer.from('t')]);

function int(n: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes.write('J');
  bytes.writeInt32LE(n, 1);
  return bytes;
}

function text(content: string): Buffer {
  const utf8 = Buffer.from(content);
  const head = Buffer.alloc(5);
  head.write('X');
  head.writeUInt32LE(utf8.length, 1);
  return Buffer.concat([head, utf8]);
}

function zip(files: readonly [string, Buffer][]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const [name, content] of files) {
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt32LE(crc32(content), 14);
    local.writeUInt32LE(content.length, 18);
    local.writeUInt32LE(content.length, 22);
    local.writeUInt16LE(name.length, 26);
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50, 0);
    local.copy(central, 16, 14, 28);
    central.writeUInt16LE(name.length, 28);
    central.writeUInt32LE(at, 42);
    directory.push(central, Buffer.from(name));
    parts.push(local, Buffer.from(name), content);
    at += 30 + name.length + content.length;
  }
  const list = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, list, end]);
}
