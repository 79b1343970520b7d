import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSession } from '../../../engine/runtime/session.ts';
import { linear } from '../../../engine/tensor/layers.ts';
import { trace } from '../../../engine/tensor/trace.ts';
import { readFloats } from '../../../engine/weights/read.ts';
import { rename } from '../../../engine/weights/source.ts';
import { openTorchSource } from '../../../engine/weights/torch-file.ts';
import { type PlainDict, writeTorchFile } from '../../support/torch-file.ts';

const data = join(import.meta.dirname, 'data');
let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'noodle-torch-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

const weight = { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) };
const bias = { shape: [2], data: Float32Array.of(0.5, -0.5) };

const saved = (name: string, root: PlainDict | readonly PlainDict[]): string => {
  const path = join(dir, name);
  writeTorchFile(path, root);
  return path;
};

describe('a torch file as a weight source', () => {
  it.each<[string, PlainDict]>([
    ['bare', { weight, bias }],
    ['as state_dict', { state_dict: { weight, bias }, epoch: 'three' }],
    ['as the only value', { params_ema: { weight, bias } }],
  ])('the state dict %s', async (name, root) => {
    const source = openTorchSource(saved(`${name}.pth`, root));
    expect([...source.tensors.keys()]).toEqual(['weight', 'bias']);
    expect(await readFloats(source.tensors.get('weight')!)).toEqual(weight.data);
    expect(source.tensors.get('bias')).toMatchObject({ name: 'bias', dtype: 'F32', shape: [2] });
  });

  it('is mapped by a session where it lies', async () => {
    const source = openTorchSource(saved('model.pt', { weight, bias }));
    const program = trace('linear', source, ({ input, weights }) => ({
      y: linear(weights, input('x', 'f32', ['n', 3])),
    }));
    const session = await openSession(program);
    const { y } = await session.run({ x: { data: Float32Array.of(1, 0, -1), shape: [1, 3] } });
    expect([...y.data]).toEqual([1 - 3 + 0.5, 4 - 6 - 0.5]);
    await session.release();
  });

  // both saved by PyTorch from one state dict, beside step counts and an optimizer's state
  it.each(['legacy.ckpt', 'training.ckpt'])('as PyTorch wrote it: %s', async (name) => {
    const { tensors } = openTorchSource(join(data, name));
    const read: Record<string, unknown> = {};
    for (const [key, entry] of tensors) {
      read[key] = [entry.dtype, entry.shape, [...(await readFloats(entry))]];
    }
    expect(read).toEqual({
      weight: ['F32', [2, 3], [0, 1, 2, 3, 4, 5]],
      by_columns: ['F32', [3, 2], [0, 3, 1, 4, 2, 5]],
      row: ['F32', [3], [3, 4, 5]],
      half: ['F16', [2], [1.5, -2]],
      brain: ['BF16', [1], [0.5]],
      step: ['I64', [], [7]],
    });
  });

  it('of the older form is mapped where it lies, at any position', async () => {
    const file = openTorchSource(join(data, 'legacy.ckpt'));
    const byColumns = (key: string) => (key === 'by_columns' ? 'weight' : undefined);
    const source = rename(file, byColumns, { tag: 'by columns' });
    const program = trace('linear', source, ({ input, weights }) => ({
      y: linear(weights, input('x', 'f32', [1, 2])),
    }));
    const session = await openSession(program);
    const { y } = await session.run({ x: { data: Float32Array.of(1, 10), shape: [1, 2] } });
    expect([...y.data]).toEqual([30, 41, 52]);
    await session.release();
  });

  it.each([
    ['cut short', 40],
    ['cut short', 700],
    ['cut short', -1],
  ])('of the older form, %s at %i', (_, length) => {
    const path = join(dir, 'cut.pt');
    writeFileSync(path, readFileSync(join(data, 'legacy.ckpt')).subarray(0, length));
    expect(() => openTorchSource(path)).toThrow(/cut short|ends too early|not as stated/);
  });

  it('tensors of dicts inside have dotted keys', () => {
    const root = { params: { 'conv.weight': weight }, params_ema: { 'conv.weight': bias } };
    const { tensors } = openTorchSource(saved('nested.pth', root));
    expect([...tensors.keys()]).toEqual(['params.conv.weight', 'params_ema.conv.weight']);
  });

  it('changes its identity with the file', () => {
    const before = openTorchSource(saved('same.pt', { weight })).identity;
    const after = openTorchSource(saved('same.pt', { weight, bias })).identity;
    expect(after).not.toBe(before);
  });

  it.each<[string, PlainDict | readonly PlainDict[]]>([
    ['a list', [{ weight }]],
    ['a dict without tensors', { note: 'none' }],
  ])('refuses %s', (name, root) => {
    const path = saved(`${name}.pt`, root);
    expect(() => openTorchSource(path)).toThrow(/no dictionary of tensors/);
  });

  it('refuses names that no model has', () => {
    const path = saved('names.pt', { ['n'.repeat(300)]: { ['m'.repeat(300)]: weight }, bias });
    expect(() => openTorchSource(path)).toThrow('a name of 600 characters');
  });

  it('refuses tensors of more axes than torch has', () => {
    const shape = new Array<number>(100).fill(1);
    const path = saved('axes.pt', { x: { shape, data: Float32Array.of(1) } });
    expect(() => openTorchSource(path)).toThrow('a tensor it cannot place');
  });

  it('refuses whatever would need code to run', () => {
    const hostile = join(import.meta.dirname, '../text/data/hostile.pt');
    expect(() => openTorchSource(hostile)).toThrow('it needs posix.system');
  });
});
