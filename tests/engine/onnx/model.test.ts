import { describe, expect, it } from 'vitest';
import { encodeModel } from '../../../engine/onnx/encode.ts';
import { lower } from '../../../engine/onnx/lower.ts';
import { portable } from '../../../engine/onnx/portable.ts';
import { printModel } from '../../../engine/onnx/print.ts';
import { encodeMessage } from '../../../engine/onnx/protobuf.ts';
import { providers } from '../../../engine/runtime/providers.ts';
import { conv2d, linear } from '../../../engine/tensor/layers.ts';
import { attention, rearrange, silu } from '../../../engine/tensor/nn.ts';
import { trace } from '../../../engine/tensor/trace.ts';
import { randomSource } from '../../support/random-weights.ts';

const program = () =>
  trace(
    'tiny',
    randomSource({
      'in.0.weight': { shape: [16, 16, 3, 3], dtype: 'F16' },
      'in.0.bias': [16],
      'attn.to_out.weight': { shape: [16, 16], dtype: 'F16' },
    }),
    ({ input, weights: w }) => {
      const x = input('x', 'f32', ['batch', 16, 'height', 'width']);
      const h = silu(conv2d(w.at('in.0'), x, { stride: 2, pad: 1 }));
      const tokens = rearrange(h, 'b c h w -> b (h w) c');
      const y = linear(w.at('attn.to_out'), attention(tokens, tokens, tokens, { heads: 2 }));
      return { y: rearrange(y, 'b (h w) c -> b c h w', { h: h.shape[2], w: h.shape[3] }) };
    },
  );

describe('lowering', () => {
  it('to the CPU provider: fused operators, prepared weights, names from the checkpoint', () => {
    expect(printModel(lower(program(), { ...providers.cpu, block: 16 }))).toMatchInlineSnapshot(`
      "model tiny
      input x : f32[batch, 16, height, width]
      constant weights/in.0.bias : f32[16] (stored)
      constant weights/in.0.weight:blocked : f32[16, 16, 3, 3] (blocked)
      constant constant/i64 : i64[3] = [0, -1, 16]
      constant weights/attn.to_out.weight:blocked : f32[16, 16, 1, 1] (blocked)
      constant constant/i64_2 : i64[4] = [1, -1, 1, 16]
      constant constant/i64_3 : i64[1] = [-1]
      constant constant/i64_4 : i64[1] = [16]
      constant constant/i64_5 : i64[1] = [0]
      constant constant/i64_6 : i64[1] = [1]
      constant constant/i64_7 : i64[1] = [2]
      in.0/ReorderInput = com.microsoft.nchwc.ReorderInput(x)
      in.0/Conv = com.microsoft.nchwc.Conv(in.0/ReorderInput, weights/in.0.weight:blocked, weights/in.0.bias) {kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], dilations=[1, 1], group=1}
      in.0/ReorderOutput = com.microsoft.nchwc.ReorderOutput(in.0/Conv) {channels=16}
      in/QuickGelu = com.microsoft.QuickGelu(in.0/ReorderOutput) {alpha=1}
      in/Transpose = Transpose(in/QuickGelu) {perm=[0, 2, 3, 1]}
      in/Reshape = Reshape(in/Transpose, constant/i64)
      in/MultiHeadAttention = com.microsoft.MultiHeadAttention(in/Reshape, in/Reshape, in/Reshape) {num_heads=2, scale=0.35355339059327373}
      attn.to_out/Reshape = Reshape(in/MultiHeadAttention, constant/i64_2)
      attn.to_out/ReorderInput = com.microsoft.nchwc.ReorderInput(attn.to_out/Reshape) {channels_last=1}
      attn.to_out/Conv = com.microsoft.nchwc.Conv(attn.to_out/ReorderInput, weights/attn.to_out.weight:blocked) {kernel_shape=[1, 1]}
      attn.to_out/ReorderOutput = com.microsoft.nchwc.ReorderOutput(attn.to_out/Conv) {channels=16, channels_last=1}
      sizes/Shape = Shape(x) {start=0, end=1}
      attn.to_out/Concat = Concat(sizes/Shape, constant/i64_3, constant/i64_4) {axis=0}
      attn.to_out/Reshape_2 = Reshape(attn.to_out/ReorderOutput, attn.to_out/Concat)
      sizes/Shape_2 = Shape(x) {start=2, end=3}
      sizes/Add = Add(sizes/Shape_2, constant/i64_6)
      sizes/Div = Div(sizes/Add, constant/i64_7)
      attn/Concat = Concat(constant/i64_5, sizes/Div, constant/i64_3, constant/i64_4) {axis=0}
      attn/Reshape = Reshape(attn.to_out/Reshape_2, attn/Concat)
      attn/Transpose = Transpose(attn/Reshape) {perm=[0, 3, 1, 2]}
      output/y = Identity(attn/Transpose)
      output output/y : f32[batch, 16, (height + 1)//2, (width + 1)//2]
      "
    `);
  });

  it('to standard operators: casts inside the graph', () => {
    expect(printModel(lower(program(), { table: portable }))).toMatchInlineSnapshot(`
      "model tiny
      input x : f32[batch, 16, height, width]
      constant weights/in.0.weight : f16[16, 16, 3, 3] (stored)
      constant weights/in.0.bias : f32[16] (stored)
      constant constant/i64 : i64[3] = [0, -1, 16]
      constant constant/i64_2 : i64[4] = [0, 0, 2, 8]
      constant constant/f32 : f32[] (4 bytes)
      constant constant/i64_3 : i64[3] = [0, 0, 16]
      constant weights/attn.to_out.weight : f16[16, 16] (stored)
      constant constant/i64_4 : i64[2] = [-1, 16]
      constant constant/i64_5 : i64[1] = [-1]
      constant constant/i64_6 : i64[1] = [16]
      constant constant/i64_7 : i64[1] = [0]
      constant constant/i64_8 : i64[1] = [1]
      constant constant/i64_9 : i64[1] = [2]
      in.0/Cast = Cast(weights/in.0.weight) {to=1}
      attn.to_out/Cast = Cast(weights/attn.to_out.weight) {to=1}
      in.0/Conv = Conv(x, in.0/Cast, weights/in.0.bias) {strides=[2, 2], pads=[1, 1, 1, 1], dilations=[1, 1], group=1}
      in/Sigmoid = Sigmoid(in.0/Conv)
      in/Mul = Mul(in.0/Conv, in/Sigmoid)
      in/Transpose = Transpose(in/Mul) {perm=[0, 2, 3, 1]}
      in/Reshape = Reshape(in/Transpose, constant/i64)
      in/Reshape_2 = Reshape(in/Reshape, constant/i64_2)
      in/Transpose_2 = Transpose(in/Reshape_2) {perm=[0, 2, 1, 3]}
      in/Mul_2 = Mul(in/Transpose_2, constant/f32)
      in/Transpose_3 = Transpose(in/Reshape_2) {perm=[0, 2, 3, 1]}
      in/MatMul = MatMul(in/Mul_2, in/Transpose_3)
      in/Softmax = Softmax(in/MatMul) {axis=3}
      in/MatMul_2 = MatMul(in/Softmax, in/Transpose_2)
      in/Transpose_4 = Transpose(in/MatMul_2) {perm=[0, 2, 1, 3]}
      in/Reshape_3 = Reshape(in/Transpose_4, constant/i64_3)
      attn.to_out/Reshape = Reshape(in/Reshape_3, constant/i64_4)
      attn.to_out/Gemm = Gemm(attn.to_out/Reshape, attn.to_out/Cast) {transB=1}
      sizes/Shape = Shape(x) {start=0, end=1}
      attn.to_out/Concat = Concat(sizes/Shape, constant/i64_5, constant/i64_6) {axis=0}
      attn.to_out/Reshape_2 = Reshape(attn.to_out/Gemm, attn.to_out/Concat)
      sizes/Shape_2 = Shape(x) {start=2, end=3}
      sizes/Add = Add(sizes/Shape_2, constant/i64_8)
      sizes/Div = Div(sizes/Add, constant/i64_9)
      attn/Concat = Concat(constant/i64_7, sizes/Div, constant/i64_5, constant/i64_6) {axis=0}
      attn/Reshape = Reshape(attn.to_out/Reshape_2, attn/Concat)
      attn/Transpose = Transpose(attn/Reshape) {perm=[0, 3, 1, 2]}
      output/y = Identity(attn/Transpose)
      output output/y : f32[batch, 16, (height + 1)//2, (width + 1)//2]
      "
    `);
  });

  it('gives the same bytes each time', () => {
    const bytes = (): Uint8Array =>
      encodeModel(lower(program()), ({ name }) => ({ location: 'model', offset: name.length }));
    expect(Buffer.compare(bytes(), bytes())).toBe(0);
  });

  it('says the sizes of inputs and outputs, or not', () => {
    const says = (hidesSizes: boolean): boolean =>
      Buffer.from(encodeModel(lower(program()), () => new Uint8Array(0), { hidesSizes })).includes(
        'height',
      );
    expect([says(false), says(true)]).toEqual([true, false]);
  });

  it('hides sizes that are constants: they could be fed', () => {
    const model = lower(program());
    const sizes = model.initializers.filter(({ dtype }) => dtype === 'i64');
    const named = (hidesSizes: boolean): number =>
      Buffer.from(encodeModel(model, () => new Uint8Array(0), { hidesSizes }))
        .toString('latin1')
        .split('constant/i64').length;
    expect(named(true)).toBe(named(false) + sizes.length);
  });
});

describe('protobuf', () => {
  it('writes fields as the wire format says', () => {
    const bytes = encodeMessage((m) => {
      m.int(1, 300);
      m.int(2, -1);
      m.float(3, 1);
      m.text(4, 'ü');
      m.message(5, (inner) => inner.int(1, 2 ** 40));
    });
    const hex = Buffer.from(bytes).toString('hex');
    expect(hex).toBe(
      '08ac02' + // varint 300
        '10ffffffffffffffffff01' + // -1 as int64
        '1d0000803f' + // 1.0
        '2202c3bc' + // two bytes of UTF-8
        '2a8780808000' + // length 7 in five bytes
        '08808080808020', // 2^40
    );
  });

  it('grows beyond its first buffer', () => {
    const bytes = encodeMessage((m) => m.bytes(1, new Uint8Array(200_000).fill(7)));
    expect(bytes.byteLength).toBe(200_000 + 4);
    expect(bytes.at(-1)).toBe(7);
  });
});
