/**
 * At least one case for every op: a small program that uses it, with the sizes of its inputs. The host
 * interpreter and ONNX Runtime must agree on each.
 */
import {
  conv,
  conv2d,
  convTranspose,
  embedding,
  groupNorm,
  layerNorm,
  linear,
  rmsNorm,
} from '../../../engine/tensor/layers.ts';
import {
  abs,
  add,
  acos,
  after,
  argmax,
  argsort,
  attention,
  avgPool,
  cast,
  chunk,
  clamp,
  concat,
  constant,
  cos,
  cumsum,
  detach,
  div,
  equal,
  erf,
  exp,
  expand,
  floor,
  gather,
  gelu,
  geluTanh,
  greater,
  leakyRelu,
  less,
  log,
  matmul,
  max,
  maximum,
  maxPool,
  mean,
  minimum,
  mul,
  neg,
  pad,
  padZero,
  permute,
  plainLayerNorm,
  plainRmsNorm,
  pow,
  quickGelu,
  range,
  rearrange,
  settle,
  relu,
  reshape,
  resizeAligned,
  resizeBilinear,
  rotaryEmbedding,
  round,
  scalar,
  scatterAdd,
  sigmoid,
  silu,
  sin,
  sizeTensor,
  slice,
  softmax,
  softplus,
  split,
  sqrt,
  squeeze,
  sub,
  sum,
  tanh,
  transpose,
  unsqueeze,
  upsampleNearest,
  where,
} from '../../../engine/tensor/nn.ts';
import type { OpName } from '../../../engine/tensor/ops/index.ts';
import { addDim, floorDivDim, mulDim } from '../../../engine/tensor/shape.ts';
import type { Tensor } from '../../../engine/tensor/tensor.ts';
import type { Graph } from '../../../engine/tensor/trace.ts';
import type { randomSource } from '../../support/random-weights.ts';

export interface OpCase {
  readonly name: string;
  readonly weights?: Parameters<typeof randomSource>[0];
  /** Shapes of the f32 inputs, by name. */
  readonly inputs?: Readonly<Record<string, readonly number[]>>;
  /** Whole-number inputs. */
  readonly ids?: Readonly<Record<string, { ids: readonly number[]; shape: readonly number[] }>>;
  readonly build: (g: Graph) => Tensor;
  readonly tolerance?: number;
}

const x4 = (g: Graph): Tensor => g.input('x', 'f32', ['b', 'c', 'h', 'w']);
const onX = (f: (x: Tensor) => Tensor, shape = [2, 3, 4, 5]): Omit<OpCase, 'name'> => ({
  inputs: { x: shape },
  build: ({ input }) => f(input('x', 'f32', ['b', 'c', 'h', 'w'])),
});
const onPair = (f: (a: Tensor, b: Tensor) => Tensor): Omit<OpCase, 'name'> => ({
  inputs: { x: [2, 3, 4], y: [3, 1] },
  build: ({ input }) => f(input('x', 'f32', ['b', 3, 'n']), input('y', 'f32', [3, 1])),
});
/** Fixed channels, for layers with weights. */
const channels = (g: Graph, c: number): Tensor => g.input('x', 'f32', ['b', c, 'h', 'w']);
const tokens = (g: Graph, name: string, length: string, c: number): Tensor =>
  g.input(name, 'f32', ['b', length, c]);

const cases: { readonly [K in OpName]: readonly (Omit<OpCase, 'name'> & { note?: string })[] } = {
  input: [onX((x) => x)],
  param: [
    { weights: { a: [2, 3] }, build: ({ weights }) => weights.param('a') },
    { weights: { a: { shape: [5, 3], dtype: 'F16' } }, build: ({ weights }) => weights.param('a') },
    {
      weights: { a: { shape: [5, 3], dtype: 'BF16' } },
      build: ({ weights }) => weights.param('a'),
    },
    {
      weights: { a: { shape: [5], dtype: 'F8_E4M3' } },
      build: ({ weights }) => weights.param('a'),
    },
    {
      weights: { a: { shape: [5], dtype: 'F8_E5M2' } },
      build: ({ weights }) => weights.param('a'),
    },
  ],
  constant: [
    { build: () => constant([1, 2, 3, 4], [2, 2]) },
    { build: () => constant([-7], [1], 'i64') },
  ],
  range: [
    onX((x) => range(x.shape[2])),
    onX((x) =>
      range(addDim(mulDim(x.shape[2], x.shape[3]), floorDivDim(addDim(x.shape[0], 1), 2))),
    ),
  ],
  size: [onX((x) => sizeTensor(addDim(mulDim(x.shape[2], 3), -1)))],
  cast: [onX((x) => cast(mul(x, 10), 'i64')), onX((x) => cast(cast(x, 'bool'), 'f32'))],
  neg: [onX(neg)],
  abs: [onX(abs)],
  exp: [onX(exp)],
  log: [onX((x) => log(add(abs(x), 0.1)))],
  sqrt: [onX((x) => sqrt(abs(x)))],
  sin: [onX((x) => sin(mul(x, 9)))],
  acos: [onX((x) => acos(cos(mul(x, 9))))],
  cos: [onX((x) => cos(mul(x, 9)))],
  tanh: [onX(tanh)],
  erf: [onX((x) => erf(mul(x, 4)))],
  floor: [onX((x) => floor(mul(x, 4)))],
  round: [
    onX((x) => round(mul(x, 4))),
    { build: () => round(constant([0.5, 1.5, 2.5, -0.5, -1.5])) },
  ],
  sigmoid: [onX((x) => sigmoid(mul(x, 20)))],
  softplus: [onX((x) => softplus(mul(x, 30)))],
  relu: [onX(relu)],
  silu: [onX((x) => silu(mul(x, 20)))],
  gelu: [onX((x) => gelu(mul(x, 4)))],
  geluTanh: [onX((x) => geluTanh(mul(x, 4)))],
  quickGelu: [onX((x) => quickGelu(mul(x, 4)))],
  leakyRelu: [onX((x) => leakyRelu(x, 0.2))],
  clamp: [onX((x) => clamp(x, -0.2, 0.5)), onX((x) => clamp(x, 0))],
  add: [onPair(add), onX((x) => add(1, x))],
  sub: [onPair(sub), onX((x) => sub(1, x))],
  mul: [onPair(mul)],
  div: [onPair((x, y) => div(x, add(abs(y), 1)))],
  pow: [onPair((x, y) => pow(add(abs(x), 0.1), y)), onX((x) => pow(x, 2))],
  minimum: [onPair(minimum)],
  maximum: [onPair(maximum)],
  equal: [onPair((x, y) => equal(floor(x), floor(y)))],
  less: [onPair(less)],
  greater: [onPair(greater)],
  where: [onPair((x, y) => where(greater(x, y), x, 0)), onPair((x, y) => where(less(x, y), y, x))],

  matmul: [
    {
      inputs: { x: [2, 3, 4, 5], y: [3, 5, 2] },
      build: ({ input }) =>
        matmul(input('x', 'f32', ['b', 3, 't', 5]), input('y', 'f32', [3, 5, 'n'])),
    },
    {
      inputs: { x: [2, 4, 5], y: [2, 6, 5] },
      build: ({ input }) =>
        matmul(input('x', 'f32', ['b', 't', 5]), input('y', 'f32', ['b', 's', 5]), {
          transposeB: true,
        }),
    },
  ],
  linear: [
    {
      weights: { weight: [7, 5], bias: [7] },
      inputs: { x: [2, 3, 5] },
      build: (g) => linear(g.weights, tokens(g, 'x', 't', 5)),
    },
    {
      weights: { weight: { shape: [7, 5], dtype: 'F16' } },
      inputs: { x: [2, 5] },
      build: (g) => linear(g.weights, g.input('x', 'f32', ['b', 5])),
    },
    {
      weights: { weight: { shape: [7, 5], dtype: 'BF16' }, bias: [7] },
      inputs: { x: [2, 3, 4, 5] },
      build: (g) => linear(g.weights, g.input('x', 'f32', ['b', 'h', 'w', 5])),
    },
    {
      weights: { weight: [6, 3], bias: [6] },
      inputs: { x: [3] },
      build: (g) => linear(g.weights, g.input('x', 'f32', [3])),
    },
  ],
  conv: [
    {
      weights: { weight: [6, 4, 3, 3], bias: [6] },
      inputs: { x: [2, 4, 5, 7] },
      build: (g) => conv2d(g.weights, channels(g, 4), { pad: 1 }),
    },
    {
      note: 'channels in blocks',
      weights: {
        weight: { shape: [32, 16, 3, 3], dtype: 'F16' },
        bias: { shape: [32], dtype: 'F16' },
      },
      inputs: { x: [2, 16, 5, 7] },
      build: (g) => conv2d(g.weights, channels(g, 16), { stride: 2, pad: 1 }),
    },
    {
      note: 'channels in blocks, other padding at the ends',
      weights: { weight: [16, 32, 3, 3] },
      inputs: { x: [1, 32, 6, 4] },
      build: (g) => conv2d(g.weights, channels(g, 32), { stride: 2, pad: [0, 0, 1, 1] }),
    },
    {
      note: 'channels in blocks, 1x1',
      weights: { weight: { shape: [48, 16, 1, 1], dtype: 'BF16' }, bias: [48] },
      inputs: { x: [1, 16, 3, 4] },
      build: (g) => conv2d(g.weights, channels(g, 16)),
    },
    {
      note: 'channels in threes, as of a model for inpainting',
      weights: { weight: [8, 9, 3, 3], bias: [8] },
      inputs: { x: [2, 9, 4, 5] },
      build: (g) => conv2d(g.weights, channels(g, 9), { pad: 1 }),
    },
    {
      note: 'grouped',
      weights: { weight: [6, 2, 3, 3], bias: [6] },
      inputs: { x: [1, 4, 5, 5] },
      build: (g) => conv2d(g.weights, channels(g, 4), { groups: 2, dilation: 2 }),
    },
    {
      note: '1-D',
      weights: { weight: [6, 4, 3], bias: [6] },
      inputs: { x: [2, 4, 9] },
      build: (g) => conv(g.weights, g.input('x', 'f32', ['b', 4, 't']), { stride: 2, pad: 1 }),
    },
    {
      note: '3-D',
      weights: { weight: [16, 16, 3, 1, 3], bias: [16] },
      inputs: { x: [1, 16, 4, 3, 5] },
      build: (g) =>
        conv(g.weights, g.input('x', 'f32', ['b', 16, 'f', 'h', 'w']), { pad: [2, 0, 1, 0, 0, 1] }),
    },
  ],
  convTranspose: [
    {
      weights: { weight: [4, 3, 4, 4], bias: [3] },
      inputs: { x: [2, 4, 3, 5] },
      build: (g) => convTranspose(g.weights, channels(g, 4), { stride: 2, pad: 1 }),
    },
    {
      weights: { weight: [4, 3, 3, 3] },
      inputs: { x: [1, 4, 3, 2] },
      build: (g) =>
        convTranspose(g.weights, channels(g, 4), { stride: 2, pad: 1, outputPad: 1, groups: 2 }),
    },
    {
      note: 'dilated',
      weights: { weight: [4, 3, 3, 3] },
      inputs: { x: [1, 4, 3, 2] },
      build: (g) => convTranspose(g.weights, channels(g, 4), { pad: 1, dilation: 2 }),
    },
  ],
  groupNorm: [
    {
      weights: { weight: [8], bias: { shape: [8], dtype: 'F16' } },
      inputs: { x: [2, 8, 3, 5] },
      build: (g) => groupNorm(g.weights, channels(g, 8), { groups: 4, eps: 1e-3 }),
    },
    {
      note: 'one axis',
      weights: { weight: [6], bias: [6] },
      inputs: { x: [3, 6, 9] },
      build: (g) => groupNorm(g.weights, g.input('x', 'f32', ['b', 6, 't']), { groups: 2 }),
    },
  ],
  layerNorm: [
    {
      weights: { weight: [6], bias: [6] },
      inputs: { x: [2, 3, 6] },
      build: (g) => layerNorm(g.weights, tokens(g, 'x', 't', 6)),
    },
    {
      inputs: { x: [2, 3, 6] },
      build: (g) => plainLayerNorm(tokens(g, 'x', 't', 6), { eps: 1e-6 }),
    },
  ],
  rmsNorm: [
    {
      weights: { scale: { shape: [6], dtype: 'BF16' } },
      inputs: { x: [2, 3, 6] },
      build: (g) => rmsNorm(g.weights, tokens(g, 'x', 't', 6)),
    },
    { inputs: { x: [2, 3, 6] }, build: (g) => plainRmsNorm(tokens(g, 'x', 't', 6), { eps: 1e-4 }) },
  ],
  attention: [
    {
      inputs: { q: [2, 5, 12], k: [2, 7, 12], v: [2, 7, 12] },
      build: (g) =>
        attention(tokens(g, 'q', 't', 12), tokens(g, 'k', 's', 12), tokens(g, 'v', 's', 12), {
          heads: 3,
        }),
    },
    {
      note: 'wider values, own scale',
      inputs: { q: [1, 3, 8], k: [1, 4, 8], v: [1, 4, 12] },
      build: (g) =>
        attention(tokens(g, 'q', 't', 8), tokens(g, 'k', 's', 8), tokens(g, 'v', 's', 12), {
          heads: 2,
          scale: 0.7,
        }),
    },
    {
      note: 'causal',
      inputs: { q: [2, 6, 8], k: [2, 6, 8], v: [2, 6, 8] },
      build: (g) =>
        attention(tokens(g, 'q', 't', 8), tokens(g, 'k', 't', 8), tokens(g, 'v', 't', 8), {
          heads: 2,
          causal: true,
        }),
    },
    ...['b', 1].map((lead) => ({
      note: `mask for ${lead === 1 ? 'all' : 'each'}`,
      inputs: { q: [2, 5, 8], k: [2, 7, 8], v: [2, 7, 8], m: [lead === 1 ? 1 : 2, 1, 5, 7] },
      build: (g: Graph) =>
        attention(tokens(g, 'q', 't', 8), tokens(g, 'k', 's', 8), tokens(g, 'v', 's', 8), {
          heads: 2,
          mask: mul(g.input('m', 'f32', [lead, 1, 't', 's']), 5),
        }),
    })),
    {
      note: 'mask of two axes, causal too',
      inputs: { q: [2, 5, 8], k: [2, 5, 8], v: [2, 5, 8], m: [5, 5] },
      build: (g) =>
        attention(tokens(g, 'q', 't', 8), tokens(g, 'k', 't', 8), tokens(g, 'v', 't', 8), {
          heads: 2,
          causal: true,
          mask: g.input('m', 'f32', ['t', 't']),
        }),
    },
    {
      note: 'mask that stretches over the queries',
      inputs: { q: [2, 5, 8], k: [2, 7, 8], v: [2, 7, 8], m: [2, 1, 1, 7] },
      build: (g) =>
        attention(tokens(g, 'q', 't', 8), tokens(g, 'k', 's', 8), tokens(g, 'v', 's', 8), {
          heads: 2,
          mask: g.input('m', 'f32', ['b', 1, 1, 's']),
        }),
    },
    {
      note: 'grouped queries',
      inputs: { q: [2, 5, 12], k: [2, 7, 4], v: [2, 7, 6] },
      build: (g) =>
        attention(tokens(g, 'q', 't', 12), tokens(g, 'k', 's', 4), tokens(g, 'v', 's', 6), {
          heads: 6,
          kvHeads: 2,
        }),
    },
  ],
  rotaryEmbedding: [true, false].map((interleaved) => ({
    note: interleaved ? 'pairs of neighbours' : 'pairs half a head apart',
    inputs: { x: [2, 5, 24], angles: [5, 4] },
    build: (g: Graph) => {
      const angles = g.input('angles', 'f32', ['t', 4]);
      const turn = { cos: cos(angles), sin: sin(angles) };
      return rotaryEmbedding(tokens(g, 'x', 't', 24), turn, { interleaved });
    },
  })),
  softmax: [onX((x) => softmax(mul(x, 8), 1)), onX((x) => softmax(x, -1))],

  reduceSum: [onX((x) => sum(x, [1, -1])), onX((x) => sum(x, 2, { keep: true }))],
  reduceMean: [onX((x) => mean(x, [2, 3])), onX((x) => mean(x, 0, { keep: true }))],
  reduceMax: [onX((x) => max(x, 1))],
  argmax: [
    onX((x) => argmax(x, -1)),
    {
      ids: { i: { ids: [3, 9, 9, 1, 0, 0], shape: [2, 3] } },
      build: ({ input }) => argmax(input('i', 'i64', ['b', 3]), 1),
    },
  ],
  argsort: [
    onX((x) => argsort(x, 2)),
    {
      note: 'largest first, equal values in their order',
      inputs: { x: [3, 7] },
      build: ({ input }) => argsort(round(input('x', 'f32', ['b', 'n'])), -1, { descending: true }),
    },
  ],
  cumsum: [onX((x) => cumsum(x, 2))],
  avgPool: [
    onX((x) => avgPool(x, { kernel: 2 }), [1, 2, 6, 4]),
    onX((x) => avgPool(x, { kernel: 3, stride: 2, pad: 1 }), [1, 2, 5, 7]),
  ],
  maxPool: [onX((x) => maxPool(x, { kernel: 3, stride: 2, pad: 1 }), [1, 2, 5, 7])],

  reshape: [
    onX((x) => reshape(x, [x.shape[0], -1])),
    onX((x) => reshape(x, [mulDim(x.shape[0], x.shape[1]), mulDim(x.shape[2], x.shape[3])])),
    onX((x) => rearrange(x, 'b c h w -> b h w c')),
    onX((x) => rearrange(x, 'b c h w -> (w c) (h b)')),
    onX((x) => squeeze(unsqueeze(x, [0, 3]), 0)),
    {
      inputs: { x: [2, 6, 4, 3] },
      build: ({ input }) =>
        rearrange(input('x', 'f32', ['b', 6, 'h', 3]), 'b (c p q) h w -> b c (h p) (w q)', {
          p: 2,
          q: 3,
        }),
    },
  ],
  detach: [onX((x) => mul(detach(add(x, 1)), x))],
  settle: [onX((x) => add(settle(mul(x, x)), x))],
  after: [onX((x) => add(after(mul(x, x), add(x, 1)), x))],
  expand: [onX((x) => expand(mean(x, [1, 2], { keep: true }), x.shape))],
  permute: [onX((x) => permute(x, [3, 0, -2, 1])), onX((x) => transpose(x, 1, -1))],
  slice: [
    onX((x) => slice(x, 2, 1, 3)),
    onX((x) => slice(x, -1, 1)),
    onX((x) => slice(x, 3, -2)),
    onX((x) => slice(x, 3, 0, -1)),
    onX((x) => slice(x, 3, 0, x.shape[3], { step: 2 })),
    onX((x) => slice(x, 2, floorDivDim(x.shape[2], 2), x.shape[2])),
    {
      note: 'parts of a linear layer',
      weights: { weight: { shape: [12, 5], dtype: 'F16' }, bias: { shape: [12], dtype: 'F16' } },
      inputs: { x: [2, 3, 5] },
      build: (g) => {
        const [value, gate] = chunk(linear(g.weights, tokens(g, 'x', 't', 5)), 2, -1);
        return mul(value, gelu(gate));
      },
    },
    {
      note: 'parts of a linear layer that is read whole too',
      weights: { weight: [12, 5] },
      inputs: { x: [3, 5] },
      build: (g) => {
        const y = linear(g.weights, g.input('x', 'f32', ['n', 5]));
        return mul(slice(y, 1, 0, 4), sum(y, 1, { keep: true }));
      },
    },
    { inputs: { x: [2, 6] }, build: ({ input }) => chunk(input('x', 'f32', ['b', 6]), 3, 1)[1] },
    {
      inputs: { x: [2, 6] },
      build: ({ input }) => split(input('x', 'f32', ['b', 6]), [1, 3, 2], -1)[1],
    },
  ],
  concat: [onX((x) => concat([x, mul(x, 2), slice(x, 3, 0, 1)], -1))],
  pad: [
    onX((x) =>
      padZero(x, [
        [1, 0],
        [0, 2],
      ]),
    ),
    onX((x) =>
      pad(
        x,
        [
          [1, 2],
          [3, 1],
        ],
        { mode: 'reflect' },
      ),
    ),
    onX((x) =>
      pad(
        x,
        [
          [1, 2],
          [3, 1],
        ],
        { mode: 'edge' },
      ),
    ),
    onX((x) => pad(x, [[1, 1]], { value: -3 })),
    onX((x) => padZero(x, [[x.shape[3], addDim(x.shape[2], -1)]])),
  ],
  resize: [
    onX((x) => upsampleNearest(x, { scale: 2 })),
    onX((x) => upsampleNearest(x, { height: addDim(mulDim(x.shape[2], 2), -1), width: 9 })),
    onX((x) => resizeBilinear(x, { scale: 2 })),
    onX((x) => resizeBilinear(x, { height: 3, width: 13 })),
    onX((x) => resizeAligned(x, { height: 3, width: 13 })),
    onX((x) => resizeAligned(x, { height: 1, width: 5 })),
  ],
  gather: [
    {
      weights: { weight: { shape: [5, 3], dtype: 'F16' } },
      ids: { i: { ids: [4, 0, 2, 2], shape: [2, 2] } },
      build: (g) => embedding(g.weights, g.input('i', 'i64', ['b', 't'])),
    },
    {
      inputs: { x: [2, 3, 4, 5] },
      ids: { i: { ids: [2, -1], shape: [2] } },
      build: (g) => gather(x4(g), g.input('i', 'i64', ['n']), 1),
    },
    onX((x) => gather(x, scalar(1, 'i64'), 3)),
  ],
  scatterAdd: [
    {
      note: 'some places twice, some never',
      inputs: { x: [2, 4, 3], y: [2, 5, 3] },
      ids: { i: { ids: [0, 0, 3, 1, 0], shape: [5] } },
      build: ({ input }) => {
        const x = input('x', 'f32', ['b', 4, 'c']);
        const y = input('y', 'f32', ['b', 'n', 'c']);
        const places = reshape(input('i', 'i64', ['n']), [1, y.shape[1], 1]);
        return scatterAdd(x, expand(places, y.shape), y, 1);
      },
    },
    {
      note: 'along the last axis, from the end',
      inputs: { x: [2, 4], y: [2, 2] },
      ids: { i: { ids: [1, -1, 2, 2], shape: [2, 2] } },
      build: ({ input }) =>
        scatterAdd(
          input('x', 'f32', ['b', 'c']),
          input('i', 'i64', ['b', 2]),
          input('y', 'f32', ['b', 2]),
          -1,
        ),
    },
  ],
};

/** All cases under names of their own. */
export const opCases: readonly OpCase[] = Object.entries(cases).flatMap(([op, list]) =>
  list.map(({ note, ...rest }, i) => ({ ...rest, name: note ? `${op}: ${note}` : `${op} ${i}` })),
);
