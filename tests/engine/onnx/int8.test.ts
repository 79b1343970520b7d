/** Oracle: the host interpreter, in reals; and for a whole picture the CPU provider in fp32. */
import { describe, expect, it } from 'vitest';
import type { NDArray } from '../../../engine/array/nd.ts';
import { psnr } from '../../../engine/array/psnr.ts';
import { lower } from '../../../engine/onnx/lower.ts';
import { estimateMemory } from '../../../engine/runtime/memory.ts';
import { type Provider, deviceKinds } from '../../../engine/runtime/providers.ts';
import { openSession } from '../../../engine/runtime/session.ts';
import { wholeNumberBits } from '../../../engine/runtime/whole-number-bits.ts';
import { openWeights } from '../../../engine/tensor/cursor.ts';
import { interpret } from '../../../engine/tensor/interpret.ts';
import { conv2d, embedding, linear } from '../../../engine/tensor/layers.ts';
import { linear as apply, chunk, input, mul, silu } from '../../../engine/tensor/nn.ts';
import type { Patch } from '../../../engine/tensor/patch.ts';
import { type Graph, type Program, trace } from '../../../engine/tensor/trace.ts';
import { decode, dtypes } from '../../../engine/weights/dtypes.ts';
import { int8Columns, int8Steps } from '../../../engine/weights/int8.ts';
import { layoutSize } from '../../../engine/weights/layout.ts';
import { encodeAs } from '../../../engine/weights/write.ts';
import { drawHouse } from '../../support/draw-scene.ts';
import { firstDifference, prepareInMemory } from '../../support/prepare.ts';
import { randomFloats, randomSource } from '../../support/random-weights.ts';

const int8: Provider = deviceKinds.cpu.int8.provider;
/** As on a processor whose products may overflow. */
const narrow: Provider = { ...int8, probe: async () => ({ ...(await int8.probe()), bits: 7 }) };

const random = (shape: readonly number[], seed: number) => ({
  data: randomFloats(
    shape.reduce((n, dim) => n * dim, 1),
    seed,
  ),
  shape,
});

/** Root of the mean square of the difference, as a share of that of `expected`. */
function relativeError(got: Float32Array, expected: ArrayLike<number>): number {
  const power = (values: Float32Array): number => values.reduce((sum, v) => sum + v ** 2, 0);
  return Math.sqrt(power(got.map((v, i) => v - expected[i])) / power(Float32Array.from(expected)));
}

describe('a weight in whole numbers', () => {
  it('lies as the right side of a product, each output in steps of its own', () => {
    const shape = [70, 3, 2, 2]; // more outputs than are transposed together
    const values = randomFloats(70 * 12, 3).map((v, i) => (i < 12 ? 0 : v * (1 + (i % 7))));
    const steps = int8Steps(values, 70, 8);
    const columns = int8Columns(values, shape, steps);
    expect(steps[0]).toBe(1);
    for (let o = 0; o < 70; o++) {
      for (let c = 0; c < 3; c++) {
        for (let tap = 0; tap < 4; tap++) {
          const real = values[(o * 3 + c) * 4 + tap];
          const stored = columns[(tap * 3 + c) * 70 + o] * steps[o];
          expect(Math.abs(stored - real)).toBeLessThanOrEqual(steps[o] / 2 + 1e-6);
        }
      }
    }
  });

  it.each([7, 8])('uses the whole range of %i bits and no more', (bits) => {
    const largest = 2 ** (bits - 1) - 1;
    const values = Float32Array.of(-3, 1, 2, 0.5, 0, 0.25);
    const columns = int8Columns(values, [2, 3], int8Steps(values, 2, bits));
    expect([columns[0], columns[1]]).toEqual([-largest, largest]);
    expect(Math.max(...columns.map(Math.abs))).toBe(largest);
  });

  it('takes a byte a number, and four for each output behind whole lines of the cache', () => {
    expect(layoutSize({ kind: 'int8', bits: 8 }, 'f16', [6, 4, 3, 3])).toBe(256 + 24);
  });

  it.each([
    ['F16', [72, 20, 3, 3]],
    ['BF16', [68, 36]],
    ['F32', [70, 12]],
    ['F32', [8, 3, 3, 1]],
  ] as const)('is prepared so from %s %j', (dtype, shape) => {
    const count = shape.reduce<number>((n, dim) => n * dim, 1);
    const random = randomFloats(count, 5).map((v, i) => (i % shape[0] === 1 ? v * 9 : v / 3));
    random.fill(0, 0, count / shape[0]);
    const bytes = encodeAs(random, dtype);
    const values = decode(bytes, dtype);
    const steps = int8Steps(values, shape[0], 8);
    const prepared = prepareInMemory({ dtype, shape, layout: { kind: 'int8', bits: 8 } }, bytes);
    const columns = new Int8Array(prepared.buffer, 0, count);
    expect(firstDifference(columns, int8Columns(values, shape, steps))).toBe(-1);
    const behind = new Float32Array(prepared.slice(-shape[0] * 4).buffer);
    expect(firstDifference(behind, steps)).toBe(-1);
  });

  it('has no step where one of its numbers is none, so that this is seen', () => {
    const values = randomFloats(64 * 16, 5);
    values[100] = NaN;
    const task = { dtype: 'F32', shape: [64, 16], layout: { kind: 'int8', bits: 8 } } as const;
    const steps = new Float32Array(
      prepareInMemory(task, new Uint8Array(values.buffer)).slice(-64 * 4).buffer,
    );
    expect(Array.from(steps, Number.isNaN).indexOf(true)).toBe(Math.floor(100 / 16));
    expect(int8Steps(values, 64, 8)).toEqual(steps);
  });
});

it('8 bits are for processors with exact products', () => {
  const flags = (text: string): string => `processor : 0\nflags\t\t: fpu sse2 ${text} avx2\n`;
  expect(wholeNumberBits(flags('avx512_vnni'))).toBe(8);
  expect(wholeNumberBits(flags('avx_vnni'))).toBe(8);
  expect(wholeNumberBits(flags('avx512f'))).toBe(7);
  expect(wholeNumberBits('')).toBe(7);
});

describe('layers', () => {
  const picture = (g: Graph, channels: number) =>
    g.input('x', 'f32', ['batch', channels, 'height', 'width']);
  const cases = {
    linear: {
      weights: { weight: { shape: [256, 192], dtype: 'F16' as const }, bias: [256] },
      x: [2, 33, 192],
      build: (g: Graph) => linear(g.weights, g.input('x', 'f32', ['batch', 'rows', 192])),
    },
    'halves of a linear layer': {
      weights: { weight: [512, 192], bias: [512] },
      x: [2, 33, 192],
      build: (g: Graph) => {
        const whole = linear(g.weights, g.input('x', 'f32', ['batch', 'rows', 192]));
        const [a, b] = chunk(whole, 2, -1);
        return mul(a, silu(b));
      },
    },
    'a convolution of 3 x 3': {
      weights: { weight: [96, 64, 3, 3], bias: [96] },
      x: [2, 64, 9, 7],
      build: (g: Graph) => conv2d(g.weights, picture(g, 64), { pad: 1 }),
    },
    'a convolution in steps of two, padded at one side': {
      weights: { weight: { shape: [96, 64, 3, 3], dtype: 'BF16' as const }, bias: [96] },
      x: [1, 64, 8, 6],
      build: (g: Graph) => conv2d(g.weights, picture(g, 64), { pad: [0, 0, 1, 1], stride: 2 }),
    },
    'a convolution of 1 x 1 without bias': {
      weights: { weight: { shape: [256, 192, 1, 1], dtype: 'F8_E4M3' as const } },
      x: [2, 192, 5, 4],
      build: (g: Graph) => conv2d(g.weights, picture(g, 192)),
    },
  };
  describe.each([
    [8, int8, 0.012],
    [7, narrow, 0.02],
  ])('with weights of %i bits', (_, provider, most) => {
    it.each(Object.entries(cases))('%s', async (_, { weights, x, build }) => {
      const program = trace('layer', randomSource(weights), (g) => ({ y: build(g) }));
      const inputs = { x: random(x, 9) };
      const expected = (await interpret(program, inputs)).y;
      const session = await openSession(program, { provider, threads: 1 });
      const { y } = await session.run(inputs);
      await session.release();
      expect(y.shape).toEqual(expected.shape);
      const error = relativeError(y.data, expected.data);
      expect(error).toBeLessThan(most);
      expect(error).toBeGreaterThan(1e-4); // else nothing was computed in whole numbers
    });
  });

  it.each(Object.entries(cases))(
    '%s: what is no number, or endless, is none in what comes out',
    async (_, { weights, x, build }) => {
      const program = trace('layer', randomSource(weights), (g) => ({ y: build(g) }));
      const session = await openSession(program, { provider: int8, threads: 1 });
      for (const value of [NaN, Infinity, -Infinity]) {
        const input = random(x, 9);
        const data = input.data.map((v, i) => (i === 70 ? value : v));
        const { y } = await session.run({ x: { ...input, data } });
        expect(y.data.some(Number.isFinite)).toBe(false);
      }
      await session.release();
    },
  );

  it('that are small, grouped, or of one row for each picture stay real', () => {
    const ops = (weights: Parameters<typeof randomSource>[0], build: (g: Graph) => never) => {
      const program = trace('layer', randomSource(weights), (g) => ({ y: build(g) }));
      return lower(program, { ...int8, bits: 8 }).nodes.map(({ op }) => op);
    };
    const real: [Parameters<typeof randomSource>[0], (g: Graph) => unknown][] = [
      [{ weight: [64, 64] }, (g) => linear(g.weights, g.input('x', 'f32', ['batch', 'rows', 64]))],
      [{ weight: [256, 256] }, (g) => linear(g.weights, g.input('x', 'f32', ['batch', 256]))],
      [{ weight: [320, 4, 3, 3] }, (g) => conv2d(g.weights, picture(g, 4), { pad: 1 })],
      [{ weight: [512, 64, 3, 3] }, (g) => conv2d(g.weights, picture(g, 128), { groups: 2 })],
    ];
    for (const [weights, build] of real) {
      expect(ops(weights, build as never)).not.toContain('DynamicQuantizeLinear');
    }
  });
});

it('what a patch computes beside a layer stays real, and a changed weight does', async () => {
  const source = randomSource({ weight: [256, 192] });
  const build = (patches: readonly Patch[]) =>
    trace('layer', openWeights(source, patches), (g) => ({
      y: linear(g.weights, g.input('x', 'f32', ['batch', 'rows', 192])),
    }));
  const lowRank: Patch = {
    identity: 'low rank',
    keys: new Set(['weight']),
    beside: ({ run }) => apply(run(input('down', 'f32', [4, 192])), input('up', 'f32', [256, 4])),
  };
  const doubled: Patch = {
    identity: 'doubled',
    keys: new Set(['weight']),
    change: (_, weight) => mul(weight, 2),
  };
  const x = random([1, 20, 192], 3);
  const factors = { down: random([4, 192], 4), up: random([256, 4], 5) };
  const run = async (program: Program, inputs: Record<string, NDArray>): Promise<Float32Array> => {
    const session = await openSession(program, { provider: int8, threads: 1 });
    const { y } = await session.run(inputs);
    await session.release();
    return y.data;
  };
  const plain = await run(build([]), { x });
  const beside = await run(build([lowRank]), { x, ...factors });
  const real = async (patches: readonly Patch[], inputs: Record<string, NDArray>) =>
    (await interpret(build(patches), inputs)).y.data;
  const expected = await real([lowRank], { x, ...factors });
  const without = await real([], { x });
  const change = Float32Array.from(expected, (v, i) => v - without[i]);
  expect(
    relativeError(
      beside.map((v, i) => v - plain[i]),
      change,
    ),
  ).toBeLessThan(1e-5);
  expect(
    relativeError(await run(build([doubled]), { x }), await real([doubled], { x })),
  ).toBeLessThan(1e-5);
});

it('a program takes a quarter as prepared and another as it is packed', () => {
  const program = trace(
    'layer',
    randomSource({ weight: { shape: [256, 512], dtype: 'F16' } }),
    (g) => ({
      y: linear(g.weights, g.input('x', 'f32', ['batch', 'rows', 512])),
    }),
  );
  expect(estimateMemory(program, int8)).toBe(estimateMemory(program) / 2);
});

it('a table of words is counted as it is, for it is not rewritten', () => {
  const source = randomSource({ weight: { shape: [1024, 64], dtype: 'BF16' } });
  const program = trace('words', source, (g) => ({
    y: embedding(g.weights, g.input('ids', 'i64', ['batch', 'rows'])),
  }));
  for (const form of [int8, deviceKinds.webgpu.int8.provider]) {
    expect(estimateMemory(program, form)).toBe(1024 * 64 * dtypes[form.compute].bytes);
  }
});

it('pictures of the bundled model in 20 steps differ by little: 40 dB at least', async () => {
  const full = await drawHouse(deviceKinds.cpu.fp32.provider, 20);
  for (const provider of [int8, narrow]) {
    const likeness = psnr((await drawHouse(provider, 20)).data, full.data);
    expect(likeness).toBeGreaterThan(40);
    expect(likeness).toBeLessThan(70); // else nothing was computed in whole numbers
  }
}, 120_000);
