/** Oracle: the host interpreter, on weights that are read number by number. */
import { describe, expect, it } from 'vitest';
import { gradients } from '../../../engine/autodiff/gradients.ts';
import { lower } from '../../../engine/onnx/lower.ts';
import { estimateMemory } from '../../../engine/runtime/memory.ts';
import { type Provider, providers } from '../../../engine/runtime/providers.ts';
import { openSession } from '../../../engine/runtime/session.ts';
import { interpret } from '../../../engine/tensor/interpret.ts';
import { conv2d, embedding, linear } from '../../../engine/tensor/layers.ts';
import { type Program, trace } from '../../../engine/tensor/trace.ts';
import { chunk, mul, sum } from '../../../engine/tensor/nn.ts';
import { type BlockName, blockTypes } from '../../../engine/weights/blocks.ts';
import { sizeInBytes, storageDtypes } from '../../../engine/weights/dtypes.ts';
import { floatToF16 } from '../../../engine/weights/float.ts';
import type { Scales, WeightEntry, WeightSource } from '../../../engine/weights/source.ts';
import { floatTensor } from '../../../engine/weights/write.ts';
import { randomBlocks } from '../../support/gguf.ts';
import { randomFloats } from '../../support/random-weights.ts';

/** As models are computed that would be too large otherwise. */
const narrow: Provider = { ...providers.cpu, widen: 'graph', keepStored: true };

/** The same where there is memory for packed copies. */
const packed: Provider = {
  ...narrow,
  packsNibbles: true,
  session: { ...narrow.session, config: {} },
};

const memory = (
  dtype: WeightEntry['dtype'],
  shape: readonly number[],
  bytes: Uint8Array,
  more: Partial<WeightEntry> = {},
): WeightEntry => ({
  name: 'stored',
  dtype,
  shape,
  byteLength: bytes.byteLength,
  bytes: { kind: 'memory', bytes },
  ...more,
});

const sourceOf = (tensors: Readonly<Record<string, WeightEntry>>): WeightSource => ({
  label: 'narrow',
  identity: 'narrow',
  tensors: new Map(Object.entries(tensors)),
});

const floatsOf = (values: Float32Array, shape: readonly number[]): WeightEntry =>
  memory('F32', shape, floatTensor(values, shape).bytes);

/** What all forms of the program give, and what it should be. */
async function compared(program: Program, shape: readonly number[]): Promise<void> {
  const size = shape.reduce((n, dim) => n * dim, 1);
  const x = { data: randomFloats(size, 5), shape };
  const { y: expected } = await interpret(program, { x });
  const most = expected.data.reduce((max, v) => Math.max(max, Math.abs(v)), 0);
  for (const provider of [providers.cpu, narrow, packed]) {
    const session = await openSession(program, { provider });
    const { y } = await session.run({ x });
    await session.release();
    const error = expected.data.reduce((max, v, i) => Math.max(max, Math.abs(v - y.data[i])), 0);
    expect(error).toBeLessThan(most * 3e-6);
  }
}

const layer = (source: WeightSource, width: number): Program =>
  trace('layer', source, ({ weights, input }) => ({
    y: linear(weights.at('layer'), input('x', 'f32', ['batch', 3, width])),
  }));

describe('weights in blocks', () => {
  const blockNames = Object.keys(blockTypes) as BlockName[];

  it.each(blockNames)('of type %s give the layer that their numbers say', async (name) => {
    const shape = [32, 512];
    const weight = memory(name, shape, randomBlocks(name, 32 * 512));
    const bias = floatsOf(randomFloats(32), [32]);
    const program = layer(sourceOf({ 'layer.weight': weight, 'layer.bias': bias }), 512);
    await compared(program, [2, 3, 512]);
  });

  it('make filters, tables of rows and parts of layers', async () => {
    const source = sourceOf({
      'conv.weight': memory('Q4_K', [16, 64, 2, 2], randomBlocks('Q4_K', 4096)),
      'table.weight': memory('Q8_0', [9, 64], randomBlocks('Q8_0', 9 * 64)),
      'qkv.weight': memory('Q5_K', [48, 256], randomBlocks('Q5_K', 48 * 256)),
    });
    const filters = trace('filters', source, ({ weights, input }) => ({
      y: conv2d(weights.at('conv'), input('x', 'f32', [1, 64, 4, 4])),
    }));
    await compared(filters, [1, 64, 4, 4]);
    const rows = trace('rows', source, ({ weights, input }) => ({
      y: embedding(weights.at('table'), input('x', 'i64', ['n'])),
    }));
    for (const provider of [providers.cpu, narrow]) {
      const session = await openSession(rows, { provider });
      const { y } = await session.run({ x: { ids: [8, 0], shape: [2] } });
      await session.release();
      const { y: expected } = await interpret(rows, { x: { data: [8, 0], shape: [2] } });
      expect([...y.data]).toEqual([...expected.data]);
    }
    const parts = trace('parts', source, ({ weights, input }) => {
      const [q, , v] = chunk(linear(weights.at('qkv'), input('x', 'f32', [2, 3, 256])), 3, -1);
      return { y: v, q };
    });
    await compared(parts, [2, 3, 256]);
  });

  it('of four bits are read as they are where they are packed', () => {
    const shape = [32, 512];
    for (const [name, expected] of [
      ['Q4_K', 1],
      ['Q3_K', 1],
      ['Q8_0', 0],
    ] as const) {
      const weight = memory(name, shape, randomBlocks(name, 32 * 512));
      const program = layer(sourceOf({ 'layer.weight': weight }), 512);
      const { nodes } = lower(program, packed);
      expect(nodes.filter(({ op }) => op === 'MatMulNBits')).toHaveLength(expected);
      expect(nodes.filter(({ op }) => op === 'DequantizeLinear')).toHaveLength(1 - expected);
      const more = estimateMemory(program, packed) - estimateMemory(program, narrow);
      expect(more > 0).toBe(expected === 1);
    }
  });

  it('take little more memory than in the file', () => {
    const weight = memory('Q4_K', [256, 2560], randomBlocks('Q4_K', 256 * 2560));
    const program = layer(sourceOf({ 'layer.weight': weight }), 2560);
    const stored = sizeInBytes('Q4_K', weight.shape);
    expect(stored).toBe(256 * 10 * 144);
    expect(estimateMemory(program, narrow)).toBe((256 * 2560 * (4 + 2)) / 8);
    expect(estimateMemory(program, providers.cpu)).toBe(256 * 2560 * 4);
    const { initializers } = lower(program, narrow);
    expect(initializers.map(({ dtype }) => dtype)).toContain('u4');
  });
});

describe('weights with scales', () => {
  const codes = Uint8Array.from({ length: 48 * 256 }, (_, i) => (i * 37) % 0x77);
  const width = 256;
  const scale = (shape: readonly number[]): WeightEntry =>
    floatsOf(
      randomFloats(
        shape.reduce((n, dim) => n * dim, 1),
        9,
      ).map((v) => 0.01 + v / 200),
      shape,
    );
  const bytes = (count: number): WeightEntry =>
    memory(
      'F8_E8M0',
      [count],
      Uint8Array.from({ length: count }, (_, i) => 120 + (i % 8)),
    );
  const eights = (count: number): WeightEntry =>
    memory(
      'F8_E4M3',
      [count],
      Uint8Array.from({ length: count }, (_, i) => 0x30 + (i % 16)),
    );

  it.each([
    ['F8_E4M3', 'one', { by: scale([]) }],
    ['F8_E5M2', 'one', { by: scale([1]) }],
    ['F8_E4M3', 'one for each row', { by: scale([48, 1]) }],
    ['I8', 'one', { by: scale([]) }],
    ['I8', 'one for each row', { by: scale([48]) }],
    ['I8', 'one for each row, rotated', { by: scale([48, 1]), rotated: 64 }],
    ['F8_E4M3', 'tiles of powers of 2', { by: bytes(128 * 8), over: 32, tiled: true }],
    ['F4_E2M1', 'tiles and one', { by: eights(128 * 16), over: 16, tiled: true, all: scale([]) }],
  ] as const satisfies readonly (readonly [keyof typeof storageDtypes, string, Scales])[])(
    '%s, %s: give the layer that their products say',
    async (dtype, _, scales) => {
      const stored = codes.subarray(0, 48 * width * storageDtypes[dtype].bytes);
      const weight = memory(dtype, [48, width], stored, { scales });
      await compared(layer(sourceOf({ 'layer.weight': weight }), width), [1, 3, width]);
    },
  );

  it('go with the rows that are taken', async () => {
    const weight = memory('F8_E4M3', [48, width], codes, { scales: { by: scale([48]) } });
    const program = trace('parts', sourceOf({ 'qkv.weight': weight }), ({ weights, input }) => {
      const [q, k] = chunk(linear(weights.at('qkv'), input('x', 'f32', [1, 3, width])), 2, -1);
      return { y: k, q };
    });
    await compared(program, [1, 3, width]);
  });
});

describe('vectors', () => {
  it('are widened before, for they take next to nothing', async () => {
    const half = (shape: readonly number[], seed: number): WeightEntry => {
      const size = shape.reduce((n, dim) => n * dim, 1);
      const codes = floatToF16(randomFloats(size, seed));
      return memory('F16', shape, new Uint8Array(codes.buffer));
    };
    const program = layer(
      sourceOf({ 'layer.weight': half([32, 64], 1), 'layer.bias': half([32], 2) }),
      64,
    );
    const { nodes } = lower(program, narrow);
    expect(nodes.filter(({ op }) => op === 'Cast')).toHaveLength(1);
    expect(estimateMemory(program, narrow)).toBe(32 * 64 * 2 + 32 * 4);
    await compared(program, [2, 3, 64]);
  });
});

describe('where memory is short', () => {
  it.each(['F8_E4M3', 'BF16', 'F16', 'Q4_K', 'Q8_0'] as const)(
    '%s: is widened layer by layer, each when the one before was computed',
    (dtype) => {
      const bytes = (seed: number): Uint8Array =>
        dtype === 'Q4_K' || dtype === 'Q8_0'
          ? randomBlocks(dtype, 256 * 256, seed)
          : new Uint8Array(sizeInBytes(dtype, [256, 256])).fill(seed);
      const source = sourceOf(
        Object.fromEntries(
          [1, 2, 3].map((i) => [`${i}.weight`, memory(dtype, [256, 256], bytes(i))]),
        ),
      );
      const program = trace('chain', source, ({ weights, input }) => ({
        y: [1, 2, 3].reduce(
          (x, i) => linear(weights.at(`${i}`), x),
          input('x', 'f32', ['rows', 256]),
        ),
      }));
      const { nodes, initializers } = lower(program, { ...narrow, isShort: true });
      const given = new Set(initializers.map(({ name }) => name));
      const widened = nodes.filter(({ op }) => op === 'DequantizeLinear' || op === 'Cast');
      expect(widened).toHaveLength(3);
      // what depends on weights alone is computed before all else, and stays until it is read
      for (const { inputs } of widened) expect(inputs.every((name) => given.has(name))).toBe(false);
    },
  );
});

describe('a weight that a derivative reads too', () => {
  const codes = (size: number): Uint8Array => new Uint8Array(floatToF16(randomFloats(size)).buffer);
  const source = sourceOf({
    'filter.weight': memory('F16', [16, 16, 3, 3], codes(16 * 16 * 9)),
    'matrix.weight': memory('F16', [16, 16], codes(16 * 16)),
  });
  const program = trace('step', source, ({ weights, input }) => {
    const x = input('x', 'f32', [1, 16, 4, 16]);
    const y = linear(weights.at('matrix'), conv2d(weights.at('filter'), x, { pad: 1 }));
    return { y: gradients(sum(mul(y, y), [0, 1, 2, 3]), [x])[0] };
  });

  it('lies there once and is widened for each reader', () => {
    const { nodes, initializers } = lower(program, { ...narrow, block: 16 });
    const weights = initializers.filter((initializer) => 'entry' in initializer);
    expect(weights.map(({ layout }) => layout.kind)).toEqual(['stored', 'stored']);
    const widened = nodes.filter(({ op }) => op === 'Cast').map(({ name }) => name);
    const readers = widened.map((name) => nodes.filter(({ inputs }) => inputs.includes(name)));
    expect(readers.map(({ length }) => length)).toEqual([1, 1, 1, 1]);
  });

  it('gives the same', async () => {
    await compared(program, [1, 16, 4, 16]);
  });
});

describe('rows of heads in turn', () => {
  it('are put in order in the graph', async () => {
    const weight = { ...floatsOf(randomFloats(16 * 8), [16, 8]), interleaved: 2 };
    await compared(layer(sourceOf({ 'layer.weight': weight }), 8), [1, 3, 8]);
  });
});
