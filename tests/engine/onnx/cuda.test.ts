/**
 * The CUDA table without a CUDA device: what it means, computed by stand-ins on the CPU and held against the
 * interpreter and the CPU's own table; and that there is a kernel for every node that it writes.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { lower } from '../../../engine/onnx/lower.ts';
import type { OnnxModel } from '../../../engine/onnx/model.ts';
import { type Provider, deviceKinds, providers } from '../../../engine/runtime/providers.ts';
import { type RunInputs, openSession } from '../../../engine/runtime/session.ts';
import { conv2d, groupNorm, layerNorm, linear } from '../../../engine/tensor/layers.ts';
import {
  add,
  chunk,
  concat,
  gelu,
  mul,
  rearrange,
  silu,
  unsqueeze,
} from '../../../engine/tensor/nn.ts';
import { evalShape, symbolsOf } from '../../../engine/tensor/shape.ts';
import { type Graph, type Program, trace } from '../../../engine/tensor/trace.ts';
import type { Tensor } from '../../../engine/tensor/tensor.ts';
import { removeUnpacked } from '../../golden/open-case.ts';
import { cudaStandIn } from '../../support/cuda-stand-ins.ts';
import { cudaKernels, schemaProblems } from '../../support/ort-schemas.ts';
import { type Programs, fullPrograms, tinyPrograms } from '../../support/programs.ts';
import { randomFloats, randomSource } from '../../support/random-weights.ts';
import { opCases } from './op-cases.ts';

afterAll(removeUnpacked);

const { fp16, fp32 } = deviceKinds.cuda;
const standIn: Provider = {
  ...fp32.provider,
  table: cudaStandIn,
  session: { optimization: 'basic', providers: ['cpu'] },
};

const countOf = ({ nodes }: OnnxModel, op: string): number =>
  nodes.filter((node) => node.op === op).length;

describe('computes what the CPU computes', () => {
  it.each(opCases)('$name', async ({ weights, build, inputs = {}, ids = {} }) => {
    const program = trace('op', randomSource(weights), (g) => ({ y: build(g) }));
    const floats = Object.entries(inputs).map(([name, shape], i) => {
      const size = shape.reduce((n, dim) => n * dim, 1);
      return [name, { data: randomFloats(size, 100 + i), shape }] as const;
    });
    await expectSame(program, { ...Object.fromEntries(floats), ...ids }, 2e-6);
  });

  const networks = [
    'unet-inpaint',
    'unet-sd2',
    'unet-x4',
    'vae-encode',
    'vae-decode',
    'taesd-decode',
  ];
  it.each(networks)('%s', async (name) => {
    const program = await tinyPrograms[name]();
    await expectSame(program, randomInputs(program), 1e-4);
  });
});

describe('a block of a network', () => {
  const shapes = {
    'norm.weight': [64],
    'norm.bias': [64],
    'conv.weight': [64, 64, 3, 3],
    'conv.bias': [64],
    'emb.weight': [64, 16],
    'emb.bias': [64],
  };
  const picture = (g: Graph): Tensor => g.input('x', 'f32', ['batch', 64, 'h', 'w']);
  /** A residual block of a UNet. */
  const block = (g: Graph, x: Tensor): Tensor => {
    const w = g.weights;
    const shift = unsqueeze(linear(w.at('emb'), g.input('emb', 'f32', ['batch', 16])), [2, 3]);
    const norm = (h: Tensor): Tensor => silu(groupNorm(w.at('norm'), h));
    const h = add(conv2d(w.at('conv'), norm(x), { pad: 1 }), shift);
    return add(x, conv2d(w.at('conv'), norm(h), { pad: 1 }));
  };

  it('keeps channels last from convolution to convolution, with norms that add and activate', async () => {
    const program = trace('block', randomSource(shapes), (g) => {
      const out = block(g, picture(g));
      return { out: silu(groupNorm(g.weights.at('norm'), out)), sum: out };
    });
    const model = lower(program, fp16.provider);
    const counts = ['NhwcConv', 'GroupNorm', 'SkipGroupNorm', 'QuickGelu', 'Conv', 'Add'].map(
      (op) => countOf(model, op),
    );
    // the shift of each channel and the residual sum go into norms; the sum is an output all the same
    expect(counts).toEqual([2, 1, 2, 0, 0, 0]);
    // in, the shift of each channel, and the two outputs
    expect(countOf(model, 'Transpose')).toBe(4);
    await expectSame(program, randomInputs(program), 2e-5);
  });

  it('gives a sum that others read before the norm as it was', async () => {
    const program = trace('block', randomSource(shapes), (g) => {
      const x = picture(g);
      const sum = add(x, conv2d(g.weights.at('conv'), x, { pad: 1 }));
      const early = conv2d(g.weights.at('conv'), sum, { pad: 1 });
      return { out: add(early, groupNorm(g.weights.at('norm'), sum)) };
    });
    expect(countOf(lower(program, fp16.provider), 'SkipGroupNorm')).toBe(0);
    await expectSame(program, randomInputs(program), 2e-5);
  });

  it('joins, resizes and flattens pictures as they lie', async () => {
    const program = trace('block', randomSource(shapes), (g) => {
      const x = conv2d(g.weights.at('conv'), picture(g), { pad: 1 });
      const joined = concat([x, mul(x, 2)], 1);
      const tokens = rearrange(joined, 'b c h w -> b (h w) c');
      return { tokens, first: chunk(joined, 2, 1)[0] };
    });
    expect(countOf(lower(program, fp16.provider), 'Transpose')).toBe(2);
    await expectSame(program, randomInputs(program), 2e-5);
  });
});

describe('a transformer block', () => {
  it('leaves biases and sums to the norm, and halves of a wide layer to their product', async () => {
    const shapes = {
      'norm.weight': [320],
      'norm.bias': [320],
      'proj.weight': [2560, 320],
      'proj.bias': [2560],
      'out.weight': [320, 1280],
      'out.bias': [320],
    };
    const program = trace('block', randomSource(shapes), (g) => {
      const x = g.input('x', 'f32', ['batch', 'tokens', 320]);
      const w = g.weights;
      const [value, gate] = chunk(linear(w.at('proj'), x), 2, -1);
      const sum = add(linear(w.at('out'), mul(value, gelu(gate))), x);
      return { out: add(layerNorm(w.at('norm'), sum), sum) };
    });
    const model = lower(program, fp16.provider);
    const ops = ['SkipLayerNormalization', 'BiasSplitGelu', 'LayerNormalization', 'Gelu', 'Slice'];
    expect(ops.map((op) => countOf(model, op))).toEqual([1, 1, 0, 0, 0]);
    expect(countOf(model, 'Add')).toBe(1);
    await expectSame(program, randomInputs(program), 1e-5);
  });
});

describe.each(Object.entries({ fp16, fp32 }))(
  '%s has a kernel for every node',
  (_, { provider }) => {
    /** There are none: the ops with which they are written are in no network. */
    const without = ['acos 0', 'argmax 1'];

    it.each(opCases.filter(({ name }) => !without.includes(name)))(
      '$name',
      ({ weights, build }) => {
        const program = trace('op', randomSource(weights), (g) => ({ y: build(g) }));
        expect(schemaProblems(lower(program, provider), cudaKernels)).toEqual([]);
      },
    );

    const programs: Programs = { ...tinyPrograms, ...fullPrograms };
    it.each(Object.keys(programs))('%s', async (name) => {
      expect(schemaProblems(lower(await programs[name](), provider), cudaKernels)).toEqual([]);
    });
  },
);

describe('released models in half precision', () => {
  it.each([
    ['sd15 unet', { NhwcConv: 98, norms: 61, attention: 32, gated: 16, sums: 32 }],
    ['sdxl unet', { NhwcConv: 51, norms: 46, attention: 140, gated: 70, sums: 199 }],
    ['vae', { NhwcConv: 40, norms: 30, attention: 1, gated: 0, sums: 0 }],
  ])('%s is made of fused operators', async (name, expected) => {
    const model = lower(await fullPrograms[name](), fp16.provider);
    expect({
      NhwcConv: countOf(model, 'NhwcConv'),
      norms: countOf(model, 'GroupNorm') + countOf(model, 'SkipGroupNorm'),
      attention: countOf(model, 'MultiHeadAttention'),
      gated: countOf(model, 'BiasSplitGelu'),
      sums: countOf(model, 'SkipLayerNormalization'),
    }).toEqual(expected);
    // what they stand for does not come up beside them
    const plain = ['Conv', 'InstanceNormalization', 'Softmax', 'MatMul', 'Gelu', 'Erf'];
    expect(plain.filter((op) => countOf(model, op) > 0)).toEqual([]);
    // pictures are turned where they come in and go out; what is left are single rows of channels
    const rows = (await fullPrograms[name]()).nodes.filter(
      ({ op, shape }) => op.name === 'reshape' && shape.length === 4 && shape[3] === 1,
    );
    expect(countOf(model, 'Transpose')).toBe(2 + rows.length);
  });
});

/** Both tables on the CPU; numbers may differ by so much of one more than the largest of them. */
async function expectSame(program: Program, inputs: RunInputs, tolerance: number): Promise<void> {
  const [expected, got] = await Promise.all(
    [providers.portable, standIn].map(async (provider) => {
      const session = await openSession(program, { provider, threads: 1 });
      const outputs = await session.run(inputs);
      await session.release();
      return outputs;
    }),
  );
  for (const [name, { data, shape }] of Object.entries(expected)) {
    expect(got[name].shape).toEqual(shape);
    const largest = data.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
    const off = data.findIndex(
      (value, i) => !(Math.abs(got[name].data[i] - value) <= tolerance * (1 + largest)),
    );
    expect(off < 0 ? 'same' : `${name}[${off}]: ${got[name].data[off]} for ${data[off]}`).toBe(
      'same',
    );
  }
}

/** Random numbers for the inputs of a program whose sizes are symbols: 2 rows, sides of 16, 5 tokens. */
function randomInputs(program: Program): RunInputs {
  const sizes: Record<string, number> = { batch: 2, tokens: 5 };
  const entries = program.inputs.map(({ shape, attrs: { name, dtype } }, i) => {
    for (const symbol of shape.flatMap(symbolsOf)) sizes[symbol] ??= 16;
    const fixed = evalShape(shape, sizes);
    const count = fixed.reduce((n, dim) => n * dim, 1);
    const data = randomFloats(count, i + 1);
    return [
      name,
      dtype === 'f32'
        ? { data, shape: fixed }
        : { ids: new Array<number>(count).fill(1), shape: fixed },
    ] as const;
  });
  return Object.fromEntries(entries);
}
