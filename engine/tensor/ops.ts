/**
 * The primitive ops of tensor programs: one row each with its parameters, its shape rule and (where
 * it is not the first input's) its dtype rule. `engine/tensor/interpret.ts` and
 * `engine/onnx/lower.ts` are tables over the same names.
 */
import type { WeightEntry } from '../weights/source.ts';
import type { Dtype } from './dtype.ts';
import {
  type Dim,
  type Shape,
  addDim,
  ceilDivDim,
  dimText,
  mulDim,
  sameDim,
  sameDims,
  shapeText,
  sizeOfShape,
  subDim,
} from './shape.ts';
import {
  type TensorType,
  axisOf,
  broadcast,
  broadcastShapes,
  expectShape,
  expectVector,
  reducedShape,
  staticShape,
  windowSizes,
} from './shape-rules.ts';
type None = Readonly<Record<string, never>>;
interface Axis {
  readonly axis: number;
}
interface Reduce {
  readonly axes: readonly number[];
  readonly keep: boolean;
}
interface Pool {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly pads: readonly number[];
}

/** Functions of one number, without parameters; they keep shape and type. */
export const unaryOps = [
  'neg',
  'abs',
  'exp',
  'log',
  'sqrt',
  'sin',
  'cos',
  'acos',
  'tanh',
  'erf', // the error function
  'floor',
  'round', // to the nearest integer, halves to even
  'sigmoid',
  'softplus', // log(1 + exp(x))
  'relu',
  'silu', // x * sigmoid(x)
  'gelu', // x * Phi(x), with the error function
  'geluTanh', // the tanh approximation of gelu
  'quickGelu', // x * sigmoid(1.702 * x)
] as const;
export type UnaryOp = (typeof unaryOps)[number];

/** Functions of two numbers, on tensors that broadcast. */
export const arithmeticOps = ['add', 'sub', 'mul', 'div', 'pow', 'minimum', 'maximum'] as const;
export type ArithmeticOp = (typeof arithmeticOps)[number];

/** Comparisons of two numbers, on tensors that broadcast; they give flags. */
export const comparisonOps = ['equal', 'less', 'greater'] as const;
export type ComparisonOp = (typeof comparisonOps)[number];

/** Parameters of every op. Inputs are described beside each row of `ops`. */
export interface OpParams extends Record<UnaryOp | ArithmeticOp | ComparisonOp, None> {
  // leaves
  input: { readonly name: string; readonly shape: Shape; readonly dtype: Dtype };
  param: { readonly key: string; readonly entry: WeightEntry; readonly dtype: Dtype };
  constant: {
    readonly values: readonly number[] | Float32Array;
    readonly shape: readonly number[];
    readonly dtype: Dtype;
  };
  range: { readonly size: Dim };
  size: { readonly dim: Dim };
  // elementwise
  cast: { readonly to: Dtype };
  leakyRelu: { readonly slope: number };
  clamp: { readonly min: number; readonly max: number };
  where: None;
  // products, convolutions, norms
  matmul: { readonly transposeB: boolean };
  linear: None;
  conv: {
    readonly strides: readonly number[];
    readonly pads: readonly number[];
    readonly dilations: readonly number[];
    readonly groups: number;
  };
  convTranspose: {
    readonly strides: readonly number[];
    readonly pads: readonly number[];
    readonly outputPads: readonly number[];
    readonly groups: number;
  };
  groupNorm: { readonly groups: number; readonly eps: number };
  layerNorm: { readonly eps: number };
  rmsNorm: { readonly eps: number };
  attention: {
    readonly heads: number;
    readonly kvHeads: number;
    readonly causal: boolean;
    readonly scale: number;
  };
  softmax: Axis;
  // reductions and windows
  reduceSum: Reduce;
  reduceMean: Reduce;
  reduceMax: Reduce;
  argmax: Axis;
  argsort: Axis & { readonly descending: boolean };
  cumsum: Axis;
  avgPool: Pool;
  maxPool: Pool;
  // movement
  reshape: { readonly shape: Shape };
  expand: { readonly shape: Shape };
  permute: { readonly order: readonly number[] };
  slice: Axis & { readonly start: Dim; readonly end: Dim; readonly step: number };
  concat: Axis;
  pad: {
    readonly before: Shape;
    readonly after: Shape;
    readonly mode: 'constant' | 'reflect' | 'edge';
    readonly value: number;
  };
  resize: { readonly sizes: Shape; readonly mode: 'nearest' | 'bilinear' };
  gather: Axis;
  scatterAdd: Axis;
}

export type OpName = keyof OpParams;

/** One row: the rules of an op with parameters A. */
export interface OpRow<A> {
  readonly shape: (inputs: readonly TensorType[], attrs: A) => Shape;
  /** Left out: the first input's type. */
  readonly dtype?: (inputs: readonly TensorType[], attrs: A) => Dtype;
}

/** The same row under every name of a list. */
const rows = <K extends OpName>(names: readonly K[], row: OpRow<None>): Record<K, OpRow<None>> =>
  Object.fromEntries(names.map((name) => [name, row])) as Record<K, OpRow<None>>;

const reduce: OpRow<Reduce> = {
  shape: ([x], { axes, keep }) => reducedShape(x.shape, axes, keep),
};

const pool: OpRow<Pool> = {
  shape: ([x], { kernel, strides, pads }) => [
    ...x.shape.slice(0, 2),
    ...windowSizes(x.shape.slice(2), kernel, { strides, pads }),
  ],
};

export const ops = {
  input: { shape: (_, { shape }) => shape, dtype: (_, { dtype }) => dtype },
  /** The tensor as it is stored: before a view's swapped axes. */
  param: {
    shape: (_, { entry }) => (entry.transposed ? [...entry.shape].reverse() : entry.shape),
    dtype: (_, { dtype }) => dtype,
  },
  constant: { shape: (_, { shape }) => shape, dtype: (_, { dtype }) => dtype },
  /** 0, 1, ..., size - 1. */
  range: { shape: (_, { size }) => [size], dtype: () => 'i64' },
  /** The value of a symbolic size as a scalar. */
  size: { shape: () => [], dtype: () => 'i64' },

  cast: { shape: ([x]) => x.shape, dtype: (_, { to }) => to },
  ...rows(unaryOps, { shape: ([x]) => x.shape }),
  leakyRelu: { shape: ([x]) => x.shape },
  clamp: { shape: ([x]) => x.shape },
  ...rows(arithmeticOps, { shape: broadcast }),
  ...rows(comparisonOps, { shape: broadcast, dtype: () => 'bool' }),
  /** condition (bool), value where true, value where false. */
  where: { shape: broadcast, dtype: ([, yes]) => yes.dtype },

  /** a [..., m, k], b [..., k, n] (or [..., n, k] when transposeB). */
  matmul: {
    shape: ([a, b], { transposeB }) => {
      expectShape(a.shape.length >= 2 && b.shape.length >= 2, 'expected at least 2 axes each');
      const [k, n] = transposeB
        ? [b.shape.at(-1), b.shape.at(-2)]
        : [b.shape.at(-2), b.shape.at(-1)];
      expectShape(sameDim(a.shape.at(-1)!, k!), 'the inner sizes differ');
      const lead = broadcastShapes([a.shape.slice(0, -2), b.shape.slice(0, -2)]);
      return [...lead, a.shape.at(-2)!, n!];
    },
  },
  /** x [..., in], weight [out, in] as torch stores it, bias [out] or none. */
  linear: {
    shape: ([x, weight, bias]) => {
      expectShape(weight.shape.length === 2, 'the weight must have 2 axes');
      const [outputs, features] = weight.shape;
      expectShape(
        x.shape.length >= 1 && sameDim(x.shape.at(-1)!, features),
        `the weight takes ${dimText(features)} features`,
      );
      expectVector(bias, outputs, 'bias');
      return [...x.shape.slice(0, -1), outputs];
    },
  },
  /** x [b, in, ...spatial], weight [out, in / groups, ...kernel], bias [out] or none. */
  conv: {
    shape: ([x, weight, bias], { strides, pads, dilations, groups }) => {
      const [outputs, perGroup, ...kernel] = staticShape(weight.shape, 'the weight');
      expectShape(
        x.shape[1] === perGroup * groups,
        `the weight takes ${perGroup * groups} channels`,
      );
      expectVector(bias, outputs, 'bias');
      const sizes = windowSizes(x.shape.slice(2), kernel, { strides, pads, dilations });
      return [x.shape[0], outputs, ...sizes];
    },
  },
  /** x [b, in, ...spatial], weight [in, out / groups, ...kernel], bias [out] or none. */
  convTranspose: {
    shape: ([x, weight, bias], { strides, pads, outputPads, groups }) => {
      const [channels, perGroup, ...kernel] = staticShape(weight.shape, 'the weight');
      expectShape(x.shape[1] === channels, `the weight takes ${channels} channels`);
      expectVector(bias, perGroup * groups, 'bias');
      const n = kernel.length;
      const sizes = x.shape.slice(2).map((size, i) => {
        const steps = mulDim(subDim(size, 1), strides[i]);
        return addDim(steps, kernel[i] + outputPads[i] - pads[i] - pads[i + n]);
      });
      return [x.shape[0], perGroup * groups, ...sizes];
    },
  },
  /** x [b, c, ...spatial], weight [c] and bias [c] or neither. */
  groupNorm: {
    shape: ([x, weight, bias], { groups }) => {
      const channels = x.shape[1];
      expectShape(
        typeof channels === 'number' && channels % groups === 0,
        `${dimText(channels)} channels do not fall into ${groups} groups`,
      );
      expectVector(weight, channels, 'weight');
      expectVector(bias, channels, 'bias');
      return x.shape;
    },
  },
  /** x [..., c], weight [c] or none, bias [c] or none; over the last axis. */
  layerNorm: {
    shape: ([x, weight, bias]) => {
      expectVector(weight, x.shape.at(-1)!, 'weight');
      expectVector(bias, x.shape.at(-1)!, 'bias');
      return x.shape;
    },
  },
  /** x [..., c], weight [c] or none; over the last axis. */
  rmsNorm: {
    shape: ([x, weight]) => {
      expectVector(weight, x.shape.at(-1)!, 'weight');
      return x.shape;
    },
  },
  /**
   * Scaled dot-product attention: q [b, t, heads*d], k [b, s, kvHeads*d], v [b, s, kvHeads*e] and
   * perhaps an additive mask that broadcasts to [b, heads, t, s]; gives [b, t, heads*e].
   */
  attention: {
    shape: ([q, k, v, mask], { heads, kvHeads }) => {
      const three = [q, k, v].every((x) => x.shape.length === 3);
      expectShape(three, 'q, k and v must have 3 axes [batch, tokens, channels]');
      const [qc, kc, vc] = [q, k, v].map((x) => staticShape([x.shape[2]], 'the channel axis')[0]);
      expectShape(
        qc % heads === 0 &&
          vc % kvHeads === 0 &&
          heads % kvHeads === 0 &&
          kc * heads === qc * kvHeads,
        `channels do not fall into ${heads} heads (${kvHeads} for k and v)`,
      );
      expectShape(sameDim(k.shape[1], v.shape[1]), 'k and v have different lengths');
      if (mask) {
        const scores = [q.shape[0], heads, q.shape[1], k.shape[1]];
        const fits = sameDims(broadcastShapes([scores, mask.shape]), scores);
        expectShape(fits, `the mask must broadcast to ${shapeText(scores)}`);
      }
      return [q.shape[0], q.shape[1], (vc / kvHeads) * heads];
    },
  },
  softmax: { shape: ([x]) => x.shape },

  reduceSum: reduce,
  reduceMean: reduce,
  reduceMax: reduce,
  /** Index of the first largest value along an axis (removed). */
  argmax: {
    shape: ([x], { axis }) => reducedShape(x.shape, [axis], false),
    dtype: () => 'i64',
  },
  /** Indices that sort an axis; equal values keep their order. */
  argsort: { shape: ([x]) => x.shape, dtype: () => 'i64' },
  cumsum: { shape: ([x]) => x.shape },
  /** Mean of each window of x [b, c, ...spatial]; padding counts as zeros. */
  avgPool: pool,
  maxPool: pool,

  reshape: {
    shape: ([x], { shape }) => {
      expectShape(
        sameDim(sizeOfShape(x.shape), sizeOfShape(shape)),
        `does not hold the elements of ${shapeText(shape)}`,
      );
      return shape;
    },
  },
  expand: {
    shape: ([x], { shape }) => {
      const fits = sameDims(broadcastShapes([x.shape, shape]), shape);
      expectShape(fits, `does not broadcast to ${shapeText(shape)}`);
      return shape;
    },
  },
  permute: {
    shape: ([x], { order }) => {
      const complete = x.shape.every((_, axis) => order.includes(axis));
      expectShape(complete && order.length === x.shape.length, `[${order.join()}] is no order`);
      return order.map((axis) => x.shape[axis]);
    },
  },
  /** Elements start, start + step, ... below end along one axis. */
  slice: {
    shape: ([x], { axis, start, end, step }) => {
      const size = x.shape[axis];
      if (typeof end === 'number' && typeof size === 'number') {
        expectShape(end <= size, `the slice ends at ${end}, the axis at ${size}`);
      }
      return x.shape.map((dim, i) => (i === axis ? ceilDivDim(subDim(end, start), step) : dim));
    },
  },
  concat: {
    shape: (inputs, { axis }) => {
      const [first, ...others] = inputs;
      for (const { shape } of others) {
        const rest = (s: Shape): Shape => s.filter((_, i) => i !== axis);
        expectShape(sameDims(rest(shape), rest(first.shape)), `only axis ${axis} may differ`);
      }
      const total = inputs.reduce<Dim>((sum, { shape }) => addDim(sum, shape[axis]), 0);
      return first.shape.map((dim, i) => (i === axis ? total : dim));
    },
  },
  pad: {
    shape: ([x], { before, after }) =>
      x.shape.map((dim, i) => addDim(dim, addDim(before[i], after[i]))),
  },
  /** x [b, c, h, w] to exact spatial sizes; nearest = floor(i * (in / out)), bilinear = half-pixel. */
  resize: { shape: ([x], { sizes }) => [...x.shape.slice(0, 2), ...sizes] },
  /** Entries of x along an axis at integer indices of any shape. */
  gather: {
    shape: ([x, indices], { axis }) => [
      ...x.shape.slice(0, axis),
      ...indices.shape,
      ...x.shape.slice(axis + 1),
    ],
  },
  /**
   * x with each of the updates added at its place, but for the axis, where the index says: what torch's
   * scatter_add does. x [...], indices (integers) and updates of one shape, with the axes of x.
   */
  scatterAdd: {
    shape: ([x, indices, updates], { axis }) => {
      expectShape(sameDims(indices.shape, updates.shape), 'indices and updates differ in shape');
      const others = (shape: Shape): Shape => shape.filter((_, i) => i !== axis);
      expectShape(
        sameDims(others(indices.shape), others(x.shape)),
        `indices may differ from x in axis ${axis} only`,
      );
      return x.shape;
    },
  },
} satisfies { readonly [K in OpName]: OpRow<OpParams[K]> };

/** The axis counted from the front, for the functions that build nodes. */
export const frontAxis = (x: TensorType, axis: number): number => axisOf(axis, x.shape.length);
