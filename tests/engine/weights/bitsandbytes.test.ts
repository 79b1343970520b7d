/** Files of bitsandbytes; numbers by hand, as its own layout says. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lower } from '../../../engine/onnx/lower.ts';
import { estimateMemory } from '../../../engine/runtime/memory.ts';
import { type Provider, providers } from '../../../engine/runtime/providers.ts';
import { openSession } from '../../../engine/runtime/session.ts';
import { linear } from '../../../engine/tensor/layers.ts';
import { chunk } from '../../../engine/tensor/nn.ts';
import { trace } from '../../../engine/tensor/trace.ts';
import { bitsandbytesSource } from '../../../engine/weights/bitsandbytes.ts';
import { dynamicLevels, fp4Levels, nf4Levels } from '../../../engine/weights/code-tables.ts';
import type { StorageDtype } from '../../../engine/weights/dtypes.ts';
import { openSource } from '../../../engine/weights/open.ts';
import { readTensor } from '../../../engine/weights/read.ts';
import { type WeightSource, memorySource } from '../../../engine/weights/source.ts';
import { refuseSvdQuant } from '../../../engine/weights/svdquant.ts';
import { floatTensor, writeSafetensors } from '../../../engine/weights/write.ts';
import { randomFloats } from '../../support/random-weights.ts';

const narrow: Provider = { ...providers.cpu, widen: 'graph', keepStored: true, isShort: true };

const f32 = (values: Float32Array): Stored => ({
  dtype: 'F32',
  shape: [values.length],
  bytes: floatTensor(values, [values.length], 'F32').bytes,
});

const bytesOf = (count: number, seed: number): Uint8Array =>
  Uint8Array.from(randomFloats(count, seed), (v) => Math.floor(Math.abs(v) * 1e4) & 255);

interface Stored {
  readonly dtype: StorageDtype;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

interface Made {
  /** What the file has. */
  readonly stored: ReadonlyMap<string, Stored>;
  readonly source: WeightSource;
  readonly expected: Float32Array;
}

/** A weight `layer.weight` of this shape, with the parts that `change` names otherwise, or none. */
async function made(
  shape: readonly [number, number],
  {
    type = 'nf4',
    nested = false,
    state = {},
    parts = {},
  }: {
    readonly type?: 'nf4' | 'fp4';
    readonly nested?: boolean;
    readonly state?: object;
    readonly parts?: Readonly<Record<string, Stored | undefined>>;
  } = {},
): Promise<Made> {
  const count = shape[0] * shape[1];
  const [blocksize, over, offset] = [64, 256, 0.37];
  const codes = bytesOf(count / 2, 3);
  const blocks = Math.ceil(count / blocksize);
  const quantized = bytesOf(blocks, 5);
  const largest = randomFloats(Math.ceil(blocks / over), 7).map(Math.abs);
  const plain = randomFloats(blocks, 9).map(Math.abs);
  const levels = type === 'nf4' ? nf4Levels : fp4Levels;
  const magnitude = (block: number): number =>
    nested
      ? Math.fround(
          Math.fround(dynamicLevels[quantized[block]] * largest[Math.floor(block / over)]) + offset,
        )
      : plain[block];
  const expected = Float32Array.from({ length: count }, (_, i) => {
    const byte = codes[i >> 1];
    return levels[i % 2 === 0 ? byte >> 4 : byte & 15] * magnitude(Math.floor(i / blocksize));
  });
  const described = {
    quant_type: type,
    blocksize,
    dtype: 'bfloat16',
    shape,
    ...(nested ? { nested_blocksize: over, nested_dtype: 'float32', nested_offset: offset } : {}),
    ...state,
  };
  const text = Buffer.from(JSON.stringify(described));
  const all: Readonly<Record<string, Stored | undefined>> = {
    '': { dtype: 'U8', shape: [count / 2, 1], bytes: codes },
    '.quant_map': f32(levels),
    [`.quant_state.bitsandbytes__${type}`]: { dtype: 'U8', shape: [text.length], bytes: text },
    '.absmax': nested ? { dtype: 'U8', shape: [blocks], bytes: quantized } : f32(plain),
    ...(nested ? { '.nested_absmax': f32(largest), '.nested_quant_map': f32(dynamicLevels) } : {}),
    ...parts,
  };
  const stored = new Map(
    Object.entries(all).flatMap(([name, tensor]) =>
      tensor ? [[`layer.weight${name}`, tensor] as const] : [],
    ),
  );
  const file = memorySource('four-bits', `${type}${nested}${shape.join()}`, [...stored]);
  return { stored, source: await bitsandbytesSource(file), expected };
}

describe('weights in four bits', () => {
  it('are read from a file of a user', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'four-bits-'));
    const path = join(folder, 'model.safetensors');
    const { stored, expected } = await made([48, 512], { nested: true });
    await writeSafetensors(path, stored, { format: 'pt' });
    const source = await openSource(path);
    expect([...source.tensors.keys()]).toEqual(['layer.weight']);
    expect((await readTensor(source, 'layer.weight')).data).toEqual(expected);
    await rm(folder, { recursive: true });
  });

  it.each([
    ['nf4', false, [8, 128]],
    ['nf4', true, [48, 512]],
    ['nf4', true, [6, 96]],
    ['fp4', false, [4, 64]],
    ['fp4', true, [160, 256]],
  ] as const)(
    '%s, nested %s, %j: are the numbers that their parts say',
    async (type, nested, shape) => {
      const { source, expected } = await made(shape, { type, nested });
      expect([...source.tensors.keys()]).toEqual(['layer.weight']);
      const read = await readTensor(source, 'layer.weight');
      expect(read).toEqual({ data: expected, shape });
    },
  );

  it.each([
    [false, [48, 128]],
    [true, [48, 512]],
    [true, [6, 96]],
  ] as const)('nested %s, %j: make layers, whole and in parts', async (nested, shape) => {
    const { source, expected } = await made(shape, { nested });
    const [rows, width] = shape;
    const whole = trace('layer', source, ({ weights, input }) => ({
      y: linear(weights.at('layer'), input('x', 'f32', ['n', width])),
    }));
    const halves = trace('halves', source, ({ weights, input }) => {
      const [, y] = chunk(linear(weights.at('layer'), input('x', 'f32', ['n', width])), 2, -1);
      return { y };
    });
    const x = { data: randomFloats(2 * width, 11), shape: [2, width] };
    for (const provider of [providers.cpu, narrow]) {
      for (const [program, first] of [
        [whole, 0],
        [halves, rows / 2],
      ] as const) {
        const session = await openSession(program, { provider, threads: 1 });
        const { y } = await session.run({ x });
        await session.release();
        const outputs = rows - first;
        y.data.forEach((value, i) => {
          const row = first + (i % outputs);
          let sum = 0;
          for (let c = 0; c < width; c++)
            sum += expected[row * width + c] * x.data[Math.floor(i / outputs) * width + c];
          expect(Math.abs(value - sum)).toBeLessThan(1e-4);
        });
      }
    }
    const isByRow = width % 64 === 0;
    const bytes = isByRow ? (rows * width) / 2 + (rows * width) / 16 : rows * width * 4;
    expect(estimateMemory(whole, narrow)).toBe(bytes);
    const ops = lower(whole, narrow).nodes.map(({ op }) => op);
    expect(ops.includes('Gather')).toBe(isByRow);
  });

  it.each([
    [{ state: { shape: [8, 130] } }, '512 bytes are not [8, 130] in four bits'],
    [{ state: { shape: 'x' } }, 'shape "x"'],
    [{ state: { quant_type: 'nf5' } }, 'codes of type "nf5"'],
    [{ state: { blocksize: 32 } }, '16 magnitudes for 32 blocks'],
    [{ state: { blocksize: 0 } }, 'blocks of 0'],
    [{ parts: { '.absmax': undefined } }, 'layer.weight.absmax'],
    [{ parts: { '.quant_map': f32(fp4Levels) } }, 'other numbers than usual'],
    [{ nested: true, state: { nested_offset: null } }, 'magnitudes of type U8'],
    [{ nested: true, state: { nested_blocksize: 2 } }, '1 magnitudes of 16 in blocks of 2'],
  ] as const)('are refused where %j', async (change, message) => {
    await expect(made([8, 128], change)).rejects.toThrow(message);
  });
});

it('weights of SVDQuant are refused by name', () => {
  const tensor = { dtype: 'U8', shape: [1], bytes: new Uint8Array(1) } as const;
  const keys = ['qweight', 'wscales'].map((end) => `blocks.0.proj.${end}`);
  const source = memorySource(
    's',
    's',
    keys.map((key) => [key, tensor] as const),
  );
  expect(() => refuseSvdQuant(source)).toThrow("SVDQuant (nunchaku: 'blocks.0.proj.qweight')");
  const other = memorySource('s', 's', [[keys[0], tensor]]);
  expect(refuseSvdQuant(other)).toBe(other);
});
