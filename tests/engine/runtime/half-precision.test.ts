import { describe, expect, it } from 'vitest';
import { lower } from '../../../engine/onnx/lower.ts';
import { printModel } from '../../../engine/onnx/print.ts';
import { halfPrecision } from '../../../engine/runtime/provider.ts';
import { type Provider, providers } from '../../../engine/runtime/providers.ts';
import { openSession } from '../../../engine/runtime/session.ts';
import { interpret } from '../../../engine/tensor/interpret.ts';
import { conv2d, groupNorm } from '../../../engine/tensor/layers.ts';
import { add, cast, cos, div, mul, rearrange, silu, softmax } from '../../../engine/tensor/nn.ts';
import { type Program, trace } from '../../../engine/tensor/trace.ts';
import { randomFloats, randomSource } from '../../support/random-weights.ts';
import { tinyUNet } from '../../support/tiny-unet.ts';

/** What the rows of GPU providers start from, run by the CPU's kernels. */
const halves: Provider = { ...providers.portable, ...halfPrecision() };

describe('half precision', () => {
  it.each([providers.cpu, halves])(
    'is a type of inputs and outputs, for $name',
    async (provider) => {
      const program = trace('halves', randomSource({}), ({ input }) => ({
        y: cast(mul(cast(input('x', 'f16', ['n']), 'f32'), 3), 'f16'),
      }));
      const session = await openSession(program, { provider, threads: 1 });
      const x = { data: Float32Array.of(1, -0.1, 2 ** -24, 30000), shape: [4] };
      const { y } = await session.run({ x });
      await session.release();
      // -0.1 rounds to -0.0999755859375 on its way in, its product on its way out; 90000 is too large
      expect([...y.data]).toEqual([3, -0.2998046875, 3 * 2 ** -24, Infinity]);
    },
  );

  it('is a type of constants beside inputs of it', async () => {
    const program = trace('halves', randomSource({}), ({ input }) => ({
      y: cast(mul(input('x', 'f16', ['n']), 3), 'f32'),
    }));
    const exact = () => false;
    const session = await openSession(program, { provider: { ...halves, exact }, threads: 1 });
    const { y } = await session.run({ x: { data: Float32Array.of(1, -2), shape: [2] } });
    await session.release();
    expect([...y.data]).toEqual([3, -6]);
  });

  it('stays near full precision over a whole network, late timesteps included', async () => {
    const program = await tinyUNet('sd2');
    const random = (shape: readonly number[], seed: number) => ({
      data: randomFloats(
        shape.reduce((n, dim) => n * dim, 1),
        seed,
      ),
      shape,
    });
    const width = program.inputs.find(({ attrs }) => attrs.name === 'cross')!.shape[2] as number;
    const inputs = {
      x: random([2, 4, 8, 8], 1),
      timesteps: { data: Float32Array.of(999, 3), shape: [2] },
      cross: random([2, 5, width], 2),
    };
    const [full, half] = await Promise.all(
      [providers.cpu, halves].map(async (provider) => {
        const session = await openSession(program, { provider, threads: 1 });
        const { out } = await session.run(inputs);
        await session.release();
        return out.data;
      }),
    );
    const power = (values: Float32Array): number => values.reduce((sum, v) => sum + v * v, 0);
    const error = Math.sqrt(power(half.map((v, i) => v - full[i])) / power(full));
    expect(error).toBeLessThan(4e-3);
    expect(error).toBeGreaterThan(1e-6); // else nothing was computed in halves
  });

  const mixed = (): Program => {
    const source = randomSource({
      'norm.weight': { shape: [4], dtype: 'F16' },
      'norm.bias': [4],
      'conv.weight': { shape: [4, 4, 1, 1], dtype: 'F16' },
      'conv.bias': [4],
    });
    return trace('mixed', source, ({ input, weights: w }) => {
      const x = input('x', 'f32', ['n', 4, 'h', 'w']);
      const angle = cos(mul(input('t', 'f32', [1]), 0.7));
      const h = silu(conv2d(w.at('conv'), div(x, 2)));
      const y = softmax(groupNorm(w.at('norm'), add(h, angle), { groups: 2 }), 1);
      return { y: rearrange(y, 'n c h w -> n (h w) c') };
    });
  };

  it('keeps norms, softmax and what comes before the weights in f32', () => {
    expect(printModel(lower(mixed(), halves))).toMatchInlineSnapshot(`
      "model mixed
      input x : f32[n, 4, h, w]
      input t : f32[1]
      constant constant/f32 : f32[] (4 bytes)
      constant weights/conv.weight : f16[4, 4, 1, 1] (stored)
      constant weights/conv.bias:float16 : f16[4] (float16)
      constant constant/f32_2 : f32[] (4 bytes)
      constant weights/norm.weight:float32 : f32[4] (float32)
      constant weights/norm.bias : f32[4] (stored)
      constant constant/i64 : i64[3] = [0, 2, -1]
      constant constant/f32_3 : f32[2] (8 bytes)
      constant constant/f32_4 : f32[2] (8 bytes)
      constant constant/i64_2 : i64[1] = [0]
      constant constant/i64_3 : i64[1] = [4]
      constant constant/i64_4 : i64[1] = [-1]
      constant constant/i64_5 : i64[3] = [4, 1, 1]
      constant constant/i64_6 : i64[3] = [0, -1, 4]
      norm/Reshape_3 = Reshape(weights/norm.weight:float32, constant/i64_5)
      norm/Reshape_4 = Reshape(weights/norm.bias, constant/i64_5)
      Div = Div(x, constant/f32)
      conv/Cast = Cast(Div) {to=10}
      conv/Conv = Conv(conv/Cast, weights/conv.weight, weights/conv.bias:float16) {strides=[1, 1], pads=[0, 0, 0, 0], dilations=[1, 1], group=1}
      Sigmoid = Sigmoid(conv/Conv)
      Mul = Mul(conv/Conv, Sigmoid)
      Mul_2 = Mul(t, constant/f32_2)
      Cos = Cos(Mul_2)
      Cast = Cast(Cos) {to=10}
      Add = Add(Mul, Cast)
      norm/Cast = Cast(Add) {to=1}
      norm/Reshape = Reshape(norm/Cast, constant/i64)
      norm/InstanceNormalization = InstanceNormalization(norm/Reshape, constant/f32_3, constant/f32_4) {epsilon=0.00001}
      sizes/Shape = Shape(x) {start=2, end=3}
      norm/Concat = Concat(constant/i64_2, constant/i64_3, sizes/Shape, constant/i64_4) {axis=0}
      norm/Reshape_2 = Reshape(norm/InstanceNormalization, norm/Concat)
      norm/Mul = Mul(norm/Reshape_2, norm/Reshape_3)
      norm/Add = Add(norm/Mul, norm/Reshape_4)
      Softmax = Softmax(norm/Add) {axis=1}
      Cast_2 = Cast(Softmax) {to=10}
      Transpose = Transpose(Cast_2) {perm=[0, 2, 3, 1]}
      Reshape = Reshape(Transpose, constant/i64_6)
      Cast_3 = Cast(Reshape) {to=1}
      output/y = Identity(Cast_3)
      output output/y : f32[n, h*w, 4]
      "
    `);
  });

  it('of inputs and results is no matter of the caller', async () => {
    const program = mixed();
    const inputs = {
      x: { data: randomFloats(2 * 4 * 6), shape: [2, 4, 2, 3] },
      t: { data: Float32Array.of(999), shape: [1] },
    };
    const session = await openSession(program, { provider: halves, threads: 1 });
    const [{ y }, expected] = [await session.run(inputs), await interpret(program, inputs)];
    await session.release();
    y.data.forEach((value, i) => expect(value).toBeCloseTo(expected.y.data[i], 2.5));
  });
});
