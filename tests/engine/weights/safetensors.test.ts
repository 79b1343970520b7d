import { mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openWeights } from '../../../engine/tensor/cursor.ts';
import { readFloats, readTensor } from '../../../engine/weights/read.ts';
import { openSafetensors } from '../../../engine/weights/safetensors.ts';
import {
  mergeSources,
  rename,
  rowsOf,
  sub,
  transposedEntry,
} from '../../../engine/weights/source.ts';
import { floatTensor, writeSafetensors } from '../../../engine/weights/write.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'noodle-safetensors-'));
});
afterAll(() => rm(dir, { recursive: true }));

/** A file of a header (text or object) and `data` bytes behind it. */
async function fileOf(
  header: unknown,
  data = 0,
  { length }: { length?: bigint } = {},
): Promise<string> {
  const text = typeof header === 'string' ? header : JSON.stringify(header);
  const bytes = Buffer.from(text, 'latin1');
  const head = Buffer.alloc(8);
  head.writeBigUInt64LE(length ?? BigInt(bytes.byteLength));
  const path = join(dir, `${Math.floor(performance.now() * 1e6)}.safetensors`);
  await writeFile(path, Buffer.concat([head, bytes, Buffer.alloc(data)]));
  return path;
}

const tensor = (shape: unknown, offsets: unknown, dtype: unknown = 'F32'): unknown => ({
  dtype,
  shape,
  data_offsets: offsets,
});

describe('hostile headers are refused', () => {
  it.each<[string, unknown, number, { length?: bigint }?]>([
    ['length past the end', '{}', 0, { length: 1000n }],
    ['absurd length', '{}', 0, { length: 2n ** 63n }],
    ['length above 100 MB', '{}', 0, { length: 100_000_001n }],
    ['not JSON', '{"a":', 0],
    ['not UTF-8', '{"\xff":1}', 0],
    ['an array', '[]', 0],
    ['a number', '7', 0],
    ['null', 'null', 0],
    ['entry is no object', { a: 3 }, 0],
    ['dtype is no name', { a: tensor([1], [0, 4], 4) }, 4],
    ['unknown dtype past the end', { a: tensor([1], [0, 8], 'F4') }, 4],
    ['unknown dtype backwards', { a: tensor([1], [4, 0], 'F4') }, 4],
    ['unknown dtype over another', { a: tensor([1], [0, 4]), b: tensor([8], [2, 6], 'F4') }, 6],
    ['unknown dtype behind a hole', { a: tensor([1], [0, 4]), b: tensor([8], [5, 9], 'F4') }, 9],
    ['shape is no list', { a: tensor('4', [0, 4]) }, 4],
    ['negative size', { a: tensor([-1, -1], [0, 4]) }, 4],
    ['size with a fraction', { a: tensor([0.5, 2], [0, 4]) }, 4],
    ['size as text', { a: tensor(['1'], [0, 4]) }, 4],
    ['one offset', { a: tensor([1], [0]) }, 4],
    ['offsets backwards', { a: tensor([1], [4, 0]) }, 4],
    ['negative offset', { a: tensor([1], [-4, 0]) }, 4],
    ['range is not the shape', { a: tensor([2], [0, 4]) }, 4],
    ['range is not the dtype', { a: tensor([2], [0, 8], 'F16') }, 8],
    ['product overflows', { a: tensor([2 ** 30, 2 ** 30], [0, 2 ** 53 - 1]) }, 4],
    ['past the end of the file', { a: tensor([2], [0, 8]) }, 4],
    ['overlap', { a: tensor([2], [0, 8]), b: tensor([2], [4, 12]) }, 12],
    ['same range twice', { a: tensor([1], [0, 4]), b: tensor([1], [0, 4]) }, 4],
    ['hole', { a: tensor([1], [0, 4]), b: tensor([1], [8, 12]) }, 12],
    ['hole at the start', { a: tensor([1], [4, 8]) }, 8],
    ['bytes after the last tensor', { a: tensor([1], [0, 4]) }, 8],
    ['duplicate tensor', '{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\\u0061":{}}', 0],
    ['duplicate field', '{"a":{"dtype":"U8","shape":[0],"shape":[1],"data_offsets":[0,1]}}', 1],
    ['metadata is no object', { __metadata__: [] }, 0],
    ['metadata value is no string', { __metadata__: { a: 1 } }, 0],
  ])('%s', async (_, header, data, options) => {
    const opening = openSafetensors(await fileOf(header, data, options));
    await expect(opening).rejects.toMatchObject({ code: 'SAFETENSORS_HEADER' });
  });

  it('an empty file, a folder, a missing file', async () => {
    await writeFile(join(dir, 'empty'), '');
    await expect(openSafetensors(join(dir, 'empty'))).rejects.toThrow(/0 bytes/);
    await expect(openSafetensors(dir)).rejects.toThrow(/regular file/);
    await expect(openSafetensors(join(dir, 'none'))).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
    });
  });

  it('takes keys that only look dangerous', async () => {
    const header =
      '{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a:{}\\"":{"dtype":"U8","shape":[0],"data_offsets":[1,1]}}';
    const { tensors } = await openSafetensors(await fileOf(header, 1));
    expect([...tensors.keys()]).toEqual(['__proto__', 'a:{}"']);
  });
});

describe('types that are not known here', () => {
  it.each(['F4', 'F6_E2M3', 'F6_E3M2', 'C64', 'F31', 'constructor'])(
    'a tensor of type %s does no harm until it is read',
    async (dtype) => {
      const header = { a: tensor([1], [0, 4]), odd: tensor([3, 2], [4, 7], dtype) };
      const file = await openSafetensors(await fileOf(header, 7));
      expect(await readTensor(file, 'a')).toEqual({ data: Float32Array.of(0), shape: [1] });
      const message = `tensor 'odd': numbers of type ${dtype} cannot be read`;
      const refusal = { code: 'UNSUPPORTED', message };
      await expect(readTensor(file, 'odd')).rejects.toMatchObject(refusal);
      expect(() => openWeights(sub(file, '')).param('odd')).toThrow(dtype);
    },
  );

  it('metadata may be null', async () => {
    const header = { __metadata__: null, a: tensor([1], [0, 4]) };
    expect((await openSafetensors(await fileOf(header, 4))).metadata).toEqual({});
  });
});

describe('files', () => {
  it('reads back what was written, byte for byte the same each time', async () => {
    const values = Float32Array.of(1, -2, 0.5, 2 ** -24, 3, 4);
    const tensors = new Map([
      ['half', floatTensor(values, [2, 3], 'F16')],
      ['brain', floatTensor(values, [6], 'BF16')],
      ['full', floatTensor(values, [3, 2])],
      [
        'ids',
        { dtype: 'I64' as const, shape: [1], bytes: new Uint8Array(BigInt64Array.of(-5n).buffer) },
      ],
      ['none', floatTensor(new Float32Array(0), [0, 7])],
    ]);
    const [one, two] = [join(dir, 'one'), join(dir, 'two')];
    await writeSafetensors(one, tensors, { note: 'ü' });
    await writeSafetensors(two, tensors, { note: 'ü' });
    const file = await openSafetensors(one);
    expect(file.metadata).toEqual({ note: 'ü' });
    expect((await readTensor(file, 'half')).data).toEqual(values);
    expect((await readTensor(file, 'brain')).data).toEqual(values);
    expect(await readTensor(file, 'full')).toEqual({ data: values, shape: [3, 2] });
    expect([...(await readTensor(file, 'ids')).data]).toEqual([-5]);
    await expect(readTensor(file, 'nothing')).rejects.toMatchObject({ code: 'WEIGHTS_MISSING' });
    const { readFile } = await import('node:fs/promises');
    expect(await readFile(one)).toEqual(await readFile(two));
  });

  it('has an identity that changes with the file, and resolves links', async () => {
    const path = join(dir, 'identity');
    const tensors = new Map([['a', floatTensor(Float32Array.of(1), [1])]]);
    await writeSafetensors(path, tensors);
    const before = await openSafetensors(path);
    await symlink(path, join(dir, 'link'));
    expect((await openSafetensors(join(dir, 'link'))).identity).toBe(before.identity);
    await utimes(path, new Date(), new Date(1e12));
    expect((await openSafetensors(path)).identity).not.toBe(before.identity);
  });
});

describe('views', () => {
  it('rename, cut rows and swap axes without copying', async () => {
    const path = join(dir, 'views');
    const values = Float32Array.from({ length: 12 }, (_, i) => i);
    const tensors = new Map([['model.qkv', floatTensor(values, [6, 2], 'F16')]]);
    await writeSafetensors(path, tensors);
    const source = await openSafetensors(path);
    const model = sub(source, 'model.');
    expect([...model.tensors.keys()]).toEqual(['qkv']);
    expect(model.identity).not.toBe(source.identity);
    const qkv = model.tensors.get('qkv')!;
    expect([...(await readFloats(rowsOf(qkv, 2, 4)))]).toEqual([4, 5, 6, 7]);
    const swapped = transposedEntry(rowsOf(qkv, 0, 2));
    expect(swapped.shape).toEqual([2, 2]);
    expect([...(await readFloats(swapped))]).toEqual([0, 2, 1, 3]);
    const other = rename(source, (key) => key.replace('model.', 'net.'), { tag: 'net' });
    expect([...mergeSources([source, other]).tensors.keys()]).toEqual(['model.qkv', 'net.qkv']);
  });
});
