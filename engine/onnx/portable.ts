/**
 * Lowering to standard ONNX operators only: runs on every execution provider, and is what provider
 * tables start from.
 */
import type { Dtype } from '../tensor/dtype.ts';
import type { OpName } from '../tensor/ops.ts';
import {
  type Dim,
  type Shape,
  sameDim,
  sizeOfShape,
  floorDivDim,
  mulDim,
} from '../tensor/shape.ts';
import type { Node, Tensor } from '../tensor/tensor.ts';
import { dtypes } from '../weights/dtypes.ts';
import { type Builder, reshapeTo } from './builder.ts';
import type { Attribute } from './model.ts';

/** Emits the nodes of one op; gives the name of the result. */
export type Lower<K extends OpName> = (
  builder: Builder,
  tensor: Node<K>,
  inputs: readonly string[],
) => string;

/** Leaves are handled by the driver. */
export type LoweredOp = Exclude<OpName, 'input' | 'param'>;
export type LoweringTable = { readonly [K in LoweredOp]: Lower<K> };

type Attributes = Readonly<Record<string, Attribute>>;
const endOfAxis = Number.MAX_SAFE_INTEGER;

/** An ONNX operator with the same inputs and no attributes. */
const direct =
  (op: string, attributes: Attributes = {}): Lower<OpName> =>
  (b, _, inputs) =>
    b.emit(op, inputs, { attributes });

export const portable: LoweringTable = {
  constant: (b, { attrs: { values, shape, dtype } }) =>
    b.raw(dtype, shape, encodeNumbers(values, dtype)),
  range: (b, { attrs: { size } }) => {
    const scalar = (value: number): string => b.ints([value], []);
    const limit = b.emit('Squeeze', [b.size(size)]);
    return b.emit('Range', [scalar(0), limit, scalar(1)]);
  },
  size: (b, { attrs: { dim } }) => b.emit('Squeeze', [b.size(dim)]),

  cast: (b, { attrs: { to } }, inputs) =>
    b.emit('Cast', inputs, { attributes: { to: { int: dtypes[to].onnx } } }),
  neg: direct('Neg'),
  abs: direct('Abs'),
  exp: direct('Exp'),
  log: direct('Log'),
  sqrt: direct('Sqrt'),
  sin: direct('Sin'),
  cos: direct('Cos'),
  tanh: direct('Tanh'),
  erf: direct('Erf'),
  floor: direct('Floor'),
  round: direct('Round'),
  sigmoid: direct('Sigmoid'),
  softplus: direct('Softplus'),
  relu: direct('Relu'),
  silu: (b, _, [x]) => b.emit('Mul', [x, b.emit('Sigmoid', [x])]),
  gelu: direct('Gelu'),
  geluTanh: direct('Gelu', { approximate: { text: 'tanh' } }),
  quickGelu: (b, _, [x]) => {
    const gate = b.emit('Sigmoid', [b.emit('Mul', [x, b.floats([1.702], [])])]);
    return b.emit('Mul', [x, gate]);
  },
  leakyRelu: (b, { attrs: { slope } }, inputs) =>
    b.emit('LeakyRelu', inputs, { attributes: { alpha: { float: slope } } }),
  clamp: (b, { attrs: { min, max } }, [x]) =>
    b.emit('Clip', [x, b.floats([min], []), b.floats([max], [])]),
  add: direct('Add'),
  sub: direct('Sub'),
  mul: direct('Mul'),
  div: direct('Div'),
  pow: direct('Pow'),
  minimum: direct('Min'),
  maximum: direct('Max'),
  equal: direct('Equal'),
  less: direct('Less'),
  greater: direct('Greater'),
  where: direct('Where'),

  matmul: (b, { inputs: [, right], attrs: { transposeB } }, [x, y]) => {
    if (!transposeB) return b.emit('MatMul', [x, y]);
    const order = right.shape.map((_, i) => i);
    order.push(...order.splice(-2).reverse());
    return b.emit('MatMul', [
      x,
      b.emit('Transpose', [y], { attributes: { perm: { ints: order } } }),
    ]);
  },
  linear: (b, { inputs: [x, weight], shape }, [name, , ...bias]) => {
    if (x.shape.length === 2) return gemm(b, name, weight, bias);
    const rows = [sizeOfShape(x.shape.slice(0, -1)), x.shape.at(-1)!];
    const flat = reshapeTo(b, name, x.shape, rows);
    return reshapeTo(b, gemm(b, flat, weight, bias), [rows[0], shape.at(-1)!], shape);
  },
  lowRank: (b, { inputs: [, up], shape }, [weight, upName, down]) => {
    const [outputs, ...rest] = shape as readonly number[]; // weights have fixed sizes
    const rank = up.shape[1];
    const flat = b.emit('Reshape', [down, b.sizes([rank, -1])]);
    const product = b.emit('MatMul', [upName, flat]);
    return b.emit('Add', [weight, b.emit('Reshape', [product, b.ints([outputs, ...rest])])]);
  },
  conv: (b, tensor, [x, , ...bias]) =>
    lowRankConv(b, tensor, x, (weight) => plainConv(b, tensor, [x, b.nameOf(weight), ...bias])),
  convTranspose: (b, { attrs: { strides, pads, outputPads, groups } }, inputs) =>
    b.emit('ConvTranspose', inputs, {
      attributes: {
        strides: { ints: strides },
        pads: { ints: pads },
        output_padding: { ints: outputPads },
        group: { int: groups },
      },
    }),
  // instance norm over [b, groups, rest], then one scale and shift per channel
  groupNorm: (b, { inputs: [x], attrs: { groups, eps } }, [name, weight, bias]) => {
    const channels = x.shape[1] as number; // the shape rule asks for a number
    const grouped = [x.shape[0], groups, floorDivDim(sizeOfShape(x.shape.slice(1)), groups)];
    const flat = reshapeTo(b, name, x.shape, grouped);
    const ones = b.floats(new Float32Array(groups).fill(1), [groups]);
    const zeros = b.floats(new Float32Array(groups), [groups]);
    const normed = b.emit('InstanceNormalization', [flat, ones, zeros], {
      attributes: { epsilon: { float: eps } },
    });
    const y = reshapeTo(b, normed, grouped, x.shape);
    if (weight === undefined) return y;
    const perChannel = [channels, ...x.shape.slice(2).map(() => 1)];
    const column = (v: string): string => b.emit('Reshape', [v, b.ints(perChannel)]);
    return b.emit('Add', [b.emit('Mul', [y, column(weight)]), column(bias)]);
  },
  layerNorm: (b, { inputs: [x], attrs: { eps } }, [name, weight, ...bias]) => {
    const channels = x.shape.at(-1) as number; // weights have fixed sizes
    const scale = weight ?? b.floats(new Float32Array(channels).fill(1), [channels]);
    return b.emit('LayerNormalization', [name, scale, ...bias], {
      attributes: { axis: { int: -1 }, epsilon: { float: eps } },
    });
  },
  rmsNorm: (b, { attrs: { eps } }, [x, weight]) => {
    const square = b.emit('Mul', [x, x]);
    const mean = b.emit('ReduceMean', [square, b.ints([-1])]);
    const root = b.emit('Sqrt', [b.emit('Add', [mean, b.floats([eps], [])])]);
    const y = b.emit('Div', [x, root]);
    return weight === undefined ? y : b.emit('Mul', [y, weight]);
  },
  attention: plainAttention,
  softmax: (b, { attrs: { axis } }, inputs) =>
    b.emit('Softmax', inputs, { attributes: { axis: { int: axis } } }),

  reduceSum: reduction('ReduceSum'),
  reduceMean: reduction('ReduceMean'),
  reduceMax: reduction('ReduceMax'),
  argmax: (b, { attrs: { axis } }, inputs) =>
    b.emit('ArgMax', inputs, { attributes: { axis: { int: axis }, keepdims: { int: 0 } } }),
  cumsum: (b, { attrs: { axis } }, [x]) => b.emit('CumSum', [x, b.ints([axis], [])]),
  avgPool: (b, { attrs: { kernel, strides, pads } }, inputs) =>
    b.emit('AveragePool', inputs, {
      attributes: { ...poolAttributes(kernel, strides, pads), count_include_pad: { int: 1 } },
    }),
  maxPool: (b, { attrs: { kernel, strides, pads } }, inputs) =>
    b.emit('MaxPool', inputs, { attributes: poolAttributes(kernel, strides, pads) }),

  reshape: (b, { inputs: [x], shape }, [name]) => reshapeTo(b, name, x.shape, shape),
  expand: (b, { inputs: [x], shape }, [name]) => {
    const lead = shape.length - x.shape.length;
    const target = shape.map((dim, i): Dim =>
      i >= lead && sameDim(dim, x.shape[i - lead]) ? 1 : dim,
    );
    return b.emit('Expand', [name, b.sizes(target)]);
  },
  permute: (b, { attrs: { order } }, inputs) =>
    b.emit('Transpose', inputs, { attributes: { perm: { ints: order } } }),
  slice: (b, { inputs: [x], attrs: { axis, start, end, step } }, [name]) => {
    const toEnd = sameDim(end, x.shape[axis]);
    const stop = toEnd ? b.ints([endOfAxis]) : b.size(end);
    return b.emit('Slice', [name, b.size(start), stop, b.ints([axis]), b.ints([step])]);
  },
  concat: (b, { attrs: { axis } }, inputs) =>
    b.emit('Concat', inputs, { attributes: { axis: { int: axis } } }),
  pad: (b, { attrs: { before, after, mode, value } }, [x]) => {
    const sides = [x, b.ints([...before, ...after])];
    const attributes = { mode: { text: mode } };
    return b.emit('Pad', mode === 'constant' ? [...sides, b.floats([value], [])] : sides, {
      attributes,
    });
  },
  resize,
  gather: (b, { attrs: { axis } }, inputs) =>
    b.emit('Gather', inputs, { attributes: { axis: { int: axis } } }),
};

/**
 * A layer on a weight that may be a stored one plus low-rank changes: `plain` runs on the innermost
 * weight, `change` on each pair of factors, and the results are added.
 */
function withLowRank(
  b: Builder,
  weight: Tensor,
  run: { plain: (weight: Tensor) => string; change: (up: Tensor, down: Tensor) => string },
): string {
  if (weight.op !== 'lowRank') return run.plain(weight);
  const [base, up, down] = weight.inputs;
  return b.emit('Add', [withLowRank(b, base, run), run.change(up, down)]);
}

/** x [rows, in] through torch's [out, in] weight as it lies in the file. */
function gemm(b: Builder, x: string, weight: Tensor, bias: readonly string[]): string {
  const attributes = { transB: { int: 1 } };
  return withLowRank(b, weight, {
    plain: (base) => b.emit('Gemm', [x, b.nameOf(base), ...bias], { attributes }),
    change: (up, down) => {
      const inner = b.emit('Gemm', [x, b.nameOf(down)], { attributes });
      return b.emit('Gemm', [inner, b.nameOf(up)], { attributes });
    },
  });
}

/** A convolution by `plain`; low-rank changes run down as a filter with r outputs, up as a 1x1 filter. */
export function lowRankConv(
  b: Builder,
  tensor: Node<'conv'>,
  x: string,
  plain: (weight: Tensor) => string,
): string {
  const [, weight] = tensor.inputs;
  if (tensor.attrs.groups !== 1) return plain(weight);
  return withLowRank(b, weight, {
    plain,
    change: (up, down) => {
      const inner = plainConv(b, tensor, [x, b.nameOf(down)]);
      const kernel = down.shape.slice(2).map(() => 1);
      const filter = reshapeTo(b, b.nameOf(up), up.shape, [...up.shape, ...kernel]);
      return b.emit('Conv', [inner, filter]);
    },
  });
}

/** The standard operator. */
export function plainConv(b: Builder, { attrs }: Node<'conv'>, inputs: readonly string[]): string {
  return b.emit('Conv', inputs, { attributes: convAttributes(attrs) });
}

export function convAttributes({
  strides,
  pads,
  dilations,
  groups,
}: Node<'conv'>['attrs']): Attributes {
  return {
    strides: { ints: strides },
    pads: { ints: pads },
    dilations: { ints: dilations },
    group: { int: groups },
  };
}

/** MatMul, Softmax, MatMul over [b, heads, tokens, d]. */
function plainAttention(
  b: Builder,
  { inputs: [q, k, v], attrs: { heads, kvHeads, causal, scale }, shape }: Node<'attention'>,
  [qName, kName, vName, mask]: readonly string[],
): string {
  const transpose = (x: string, order: readonly number[]): string =>
    b.emit('Transpose', [x], { attributes: { perm: { ints: order } } });
  const splitHeads = (x: string, from: Shape, order: readonly number[], count: number): string => {
    const d = (from[2] as number) / count; // the shape rule asks for numbers
    const grouped = [from[0], from[1], count, d];
    const y = transpose(reshapeTo(b, x, from, grouped), order);
    return count === heads ? y : repeatHeads(b, y, heads / count);
  };
  const query = splitHeads(qName, q.shape, [0, 2, 1, 3], heads); // [b, heads, t, d]
  const key = splitHeads(kName, k.shape, [0, 2, 3, 1], kvHeads); // [b, heads, d, s]
  const value = splitHeads(vName, v.shape, [0, 2, 1, 3], kvHeads); // [b, heads, s, e]
  let scores = b.emit('MatMul', [b.emit('Mul', [query, b.floats([scale], [])]), key]);
  if (mask !== undefined) scores = b.emit('Add', [scores, mask]);
  if (causal) scores = b.emit('Add', [scores, causalMask(b, q.shape[1], k.shape[1])]);
  const weights = b.emit('Softmax', [scores], { attributes: { axis: { int: -1 } } });
  const mixed = transpose(b.emit('MatMul', [weights, value]), [0, 2, 1, 3]); // [b, t, heads, e]
  const e = (shape[2] as number) / heads;
  return reshapeTo(b, mixed, [shape[0], shape[1], heads, e], shape);
}

/** Each head of [b, kvHeads, ...] `times` times in a row. */
export function repeatHeads(b: Builder, x: string, times: number): string {
  const indexed = b.emit('Unsqueeze', [x, b.ints([2])]);
  const copies = b.emit('Expand', [indexed, b.ints([1, 1, times, 1, 1])]);
  // [b, kvHeads, times, ...] joined: 0 keeps the batch, -1 takes both
  const tail = b.emit('Shape', [x], { attributes: { start: { int: 2 } } });
  const shape = b.emit('Concat', [b.ints([0, -1]), tail], { attributes: { axis: { int: 0 } } });
  return b.emit('Reshape', [copies, shape]);
}

/** [t, s] of 0 where s <= t, else the lowest number. */
function causalMask(b: Builder, t: Dim, s: Dim): string {
  const shape = b.sizes([t, s]);
  const lowest = b.emit('Expand', [b.floats([-3.4028234663852886e38], []), shape]);
  return b.emit('Trilu', [lowest, b.ints([1], [])], { attributes: { upper: { int: 1 } } });
}

/**
 * Whole factors are one Resize. Other nearest sizes pick rows, then columns, by torch's own index
 * arithmetic, because Resize rounds differently at some sizes.
 */
function resize(b: Builder, tensor: Node<'resize'>, [name]: readonly string[]): string {
  const { inputs, attrs } = tensor;
  const [x] = inputs;
  const nearest = attrs.mode === 'nearest';
  const attributes = {
    mode: { text: nearest ? 'nearest' : 'linear' },
    coordinate_transformation_mode: { text: nearest ? 'asymmetric' : 'half_pixel' },
    ...(nearest ? { nearest_mode: { text: 'floor' } } : {}),
  };
  const factors = attrs.sizes.map((size, i) => wholeFactor(x.shape[i + 2], size));
  if (factors.every((factor) => factor !== undefined)) {
    return b.emit('Resize', [name, '', b.floats([1, 1, ...factors], [4])], { attributes });
  }
  if (!nearest) {
    const sizes = b.sizes([...x.shape.slice(0, 2), ...attrs.sizes]);
    return b.emit('Resize', [name, '', '', sizes], { attributes });
  }
  return attrs.sizes.reduce<string>((picture, size, i) => {
    const indices = nearestIndices(b, x.shape[i + 2], size);
    return b.emit('Gather', [picture, indices], { attributes: { axis: { int: i + 2 } } });
  }, name);
}

/** min(floor(i * (from / to)), from - 1) for i = 0 .. to-1, in f32 as torch computes it. */
function nearestIndices(b: Builder, from: Dim, to: Dim): string {
  const cast = (x: string, type: Dtype): string =>
    b.emit('Cast', [x], { attributes: { to: { int: dtypes[type].onnx } } });
  const scalar = (dim: Dim): string => b.emit('Squeeze', [cast(b.size(dim), 'f32')]);
  const scale = b.emit('Div', [scalar(from), scalar(to)]);
  const positions = b.emit('Range', [b.floats([0], []), scalar(to), b.floats([1], [])]);
  const picked = cast(b.emit('Floor', [b.emit('Mul', [positions, scale])]), 'i64');
  return b.emit('Min', [picked, b.emit('Sub', [b.size(from), b.ints([1])])]);
}

function wholeFactor(from: Dim, to: Dim): number | undefined {
  const factor = floorDivDim(to, from);
  return typeof factor === 'number' && sameDim(mulDim(from, factor), to) ? factor : undefined;
}

function reduction(op: string): Lower<'reduceSum' | 'reduceMean' | 'reduceMax'> {
  return (b, { attrs: { axes, keep } }, [x]) =>
    b.emit(op, [x, b.ints(axes)], { attributes: { keepdims: { int: keep ? 1 : 0 } } });
}

function poolAttributes(
  kernel: readonly number[],
  strides: readonly number[],
  pads: readonly number[],
): Attributes {
  return { kernel_shape: { ints: kernel }, strides: { ints: strides }, pads: { ints: pads } };
}

/** Numbers as the bytes of an element type that constants may have. */
function encodeNumbers(values: ArrayLike<number>, dtype: Dtype): Uint8Array {
  const array =
    dtype === 'i64'
      ? BigInt64Array.from(values, BigInt)
      : dtype === 'bool'
        ? Uint8Array.from(values)
        : dtype === 'i32'
          ? Int32Array.from(values)
          : Float32Array.from(values);
  return new Uint8Array(array.buffer);
}
