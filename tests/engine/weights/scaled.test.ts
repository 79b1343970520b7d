/** Oracle: products computed by torch, scales laid in tiles by the reference (data/comfy-quant.safetensors). */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openSource } from '../../../engine/weights/open.ts';
import { readTensor } from '../../../engine/weights/read.ts';
import {
  type TensorToWrite,
  floatTensor,
  writeSafetensors,
} from '../../../engine/weights/write.ts';

const data = join(import.meta.dirname, 'data/comfy-quant.safetensors');
const folder = mkdtempSync(join(tmpdir(), 'noodle-scaled-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Rows of the larger weights that were kept, which lie in all parts of tiles. */
const someRows = [0, 1, 31, 32, 33, 97, 127, 128, 143];

describe('weights that are described by layer', () => {
  it.each(['mx', 'nv', 'rows', 'one', 'turned', 'eight'])(
    '%s: are what torch says',
    async (name) => {
      const source = await openSource(data);
      const { data: values, shape } = await readTensor(source, `${name}.weight`);
      const expected = await readTensor(source, `expected.${name}`);
      const [rows, width] = shape;
      const picked = rows > 100 ? someRows : [...Array(rows).keys()];
      expect(expected.shape).toEqual([picked.length, width]);
      const got = picked.flatMap((row) => [...values.subarray(row * width, (row + 1) * width)]);
      const most = Math.max(...expected.data.map(Math.abs));
      got.forEach((value, i) => {
        expect(Math.abs(value - expected.data[i])).toBeLessThanOrEqual(most * 1e-6);
      });
    },
  );

  it('leave nothing of their descriptions', async () => {
    const names = [...(await openSource(data)).tensors.keys()].filter(
      (key) => !/^expected/.test(key),
    );
    const layers = ['eight', 'mx', 'nv', 'one', 'plain', 'rows', 'turned'];
    expect(names.sort()).toEqual(layers.map((name) => `${name}.weight`));
  });
});

describe('files that describe their weights wrongly', () => {
  const bytes = (text: string): TensorToWrite => ({
    dtype: 'U8',
    shape: [text.length],
    bytes: Buffer.from(text),
  });
  const eights = (shape: readonly number[]): TensorToWrite =>
    floatTensor(new Float32Array(shape.reduce((n, size) => n * size, 1)), shape, 'F8_E4M3');
  const one = floatTensor(Float32Array.of(2), []);
  const format = (name: string): TensorToWrite => bytes(JSON.stringify({ format: name }));

  it.each<[Record<string, TensorToWrite>, string]>([
    [
      { 'a.weight': eights([2, 2]), 'a.comfy_quant': format('svdquant_w4a4') },
      "'a' is in the format svdquant_w4a4, which is not supported (known: float8_e4m3fn, ",
    ],
    [
      { 'a.weight': eights([2, 2]), 'a.comfy_quant': format('float8_e4m3fn') },
      "tensor 'a.weight_scale' is missing",
    ],
    [
      { 'a.weight': eights([2, 2]), 'a.comfy_quant': bytes('{') },
      "'a.comfy_quant' is no description",
    ],
    [
      {
        'a.weight': eights([2, 64]),
        'a.comfy_quant': format('mxfp8'),
        'a.weight_scale': bytes('xx'),
      },
      "scales [2] of 'a.weight' [2, 64]",
    ],
    [
      { 'a.weight': eights([2, 2]), scaled_fp8: eights([0]) },
      "tensor '*.scale_weight (the file says by 'scaled_fp8' that its weights have scales)' is missing",
    ],
  ])('are refused, naming the layer (%#)', async (tensors, message) => {
    const path = join(folder, `${Math.random()}.safetensors`);
    await writeSafetensors(path, new Map(Object.entries(tensors)));
    await expect(openSource(path)).rejects.toThrow(message);
  });

  it('may mark some layers only', async () => {
    const path = join(folder, 'some.safetensors');
    const tensors = {
      'a.weight': eights([2, 2]),
      'b.weight': eights([2, 2]),
      'a.scale_weight': one,
    };
    await writeSafetensors(path, new Map(Object.entries({ ...tensors, scaled_fp8: eights([2]) })));
    const source = await openSource(path);
    expect([...source.tensors.keys()]).toEqual(['a.weight', 'b.weight']);
    expect(source.tensors.get('b.weight')?.scales).toBeUndefined();
    expect(source.tensors.get('a.weight')?.scales).toBeDefined();
  });
});
