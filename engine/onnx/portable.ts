/**
 * Lowering to standard ONNX operators only: runs on every execution provider, and is what provider
 * tables start from.
 */
import type { Dtype } from '../tensor/dtype.ts';
import type { ConvAttrs } from '../tensor/ops/windows.ts';
import type { OpName, Ops } from '../tensor/ops/index.ts';
import { type Dim, sameDim, sizeOfShape, floorDivDim, mulDim } from '../tensor/shape.ts';
import type { AttrsOf, DecomposedOp, Node } from '../tensor/tensor.ts';
import { floatToF16 } from '../weights/float.ts';
import { type Builder, reshapeTo } from './builder.ts';
import type { Attribute } from './model.ts';

/** A node of the op of that name. */
export type NodeOf<K extends OpName> = Node<AttrsOf<Ops[K]>>;

/**
 * Emits the nodes of one op; gives the name of the result, or undefined to have the op done in the
 * steps of its decomposition.
 */
export type Lower<K extends OpName, Result = string | undefined> = (
  builder: Builder,
  tensor: NodeOf<K>,
  inputs: readonly string[],
) => Result;

/** Leaves are handled by the driver. */
export type LoweredOp = Exclude<OpName, 'input' | 'param'>;
/** Ops that can be done in steps. */
type StepwiseOp = {
  [K in OpName]: Ops[K] extends DecomposedOp<never> ? K : never;
}[OpName];
/** A row for every op, but for those that can be done in steps. */
export type LoweringTable = { readonly [K in Exclude<LoweredOp, StepwiseOp>]: Lower<K> } & {
  readonly [K in StepwiseOp]?: Lower<K>;
};

type Attributes = Readonly<Record<string, Attribute>>;
const endOfAxis = Number.MAX_SAFE_INTEGER;

/** An ONNX operator with the same inputs and no attributes. */
const direct =
  (op: string, attributes: Attributes = {}): Lower<OpName, string> =>
  (b, _, inputs) =>
    b.emit(op, inputs, { attributes });

export const portable = {
  constant: (b, { attrs: { values, shape, dtype } }) =>
    dtype === 'f32' ? b.reals(values, shape) : b.raw(dtype, shape, encodeNumbers(values, dtype)),
  range: (b, { attrs: { size } }) => {
    const scalar = (value: number): string => b.ints([value], []);
    const limit = b.emit('Squeeze', [b.size(size)]);
    return b.emit('Range', [scalar(0), limit, scalar(1)]);
  },
  size: (b, { attrs: { dim } }) => b.emit('Squeeze', [b.size(dim)]),

  cast: (b, { inputs: [x], attrs: { to } }, [name]) => {
    const type = to === 'f32' ? b.real : to;
    return x.dtype === type && type !== 'f32' ? name : b.cast(name, type);
  },
  neg: direct('Neg'),
  abs: direct('Abs'),
  exp: direct('Exp'),
  log: direct('Log'),
  sqrt: direct('Sqrt'),
  sin: direct('Sin'),
  cos: direct('Cos'),
  acos: direct('Acos'),
  tanh: direct('Tanh'),
  erf: direct('Erf'),
  floor: direct('Floor'),
  round: direct('Round'),
  sigmoid: direct('Sigmoid'),
  softplus: direct('Softplus'),
  relu: direct('Relu'),
  gelu: direct('Gelu'),
  geluTanh: direct('Gelu', { approximate: { text: 'tanh' } }),
  leakyRelu: (b, { attrs: { slope } }, inputs) =>
    b.emit('LeakyRelu', inputs, { attributes: { alpha: { float: slope } } }),
  clamp: (b, { attrs: { min, max } }, [x]) =>
    b.emit('Clip', [x, b.reals([min], []), b.reals([max], [])]),
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
  // torch's [out, in] weight as it lies in the file
  linear: (b, tensor, inputs) => linearBy(b, tensor, inputs, { transB: { int: 1 } }),
  conv: (b, { attrs }, inputs) => b.emit('Conv', inputs, { attributes: convAttributes(attrs) }),
  convTranspose: (b, { attrs: { strides, pads, outputPads, dilations, groups } }, inputs) =>
    b.emit('ConvTranspose', inputs, {
      attributes: {
        strides: { ints: strides },
        pads: { ints: pads },
        output_padding: { ints: outputPads },
        ...(dilations && { dilations: { ints: dilations } }),
        group: { int: groups },
      },
    }),
  // instance norm over [b, groups, rest], then one scale and shift per channel
  groupNorm: (b, { inputs: [x], attrs: { groups, eps } }, [name, weight, bias]) => {
    const channels = x.shape[1] as number; // the shape rule asks for a number
    const grouped = [x.shape[0], groups, floorDivDim(sizeOfShape(x.shape.slice(1)), groups)];
    const flat = reshapeTo(b, name, x.shape, grouped);
    const ones = b.reals(new Float32Array(groups).fill(1), [groups]);
    const zeros = b.reals(new Float32Array(groups), [groups]);
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
    const scale = weight ?? b.reals(new Float32Array(channels).fill(1), [channels]);
    return b.emit('LayerNormalization', [name, scale, ...bias], {
      attributes: { axis: { int: -1 }, epsilon: { float: eps } },
    });
  },
  softmax: (b, { attrs: { axis } }, inputs) =>
    b.emit('Softmax', inputs, { attributes: { axis: { int: axis } } }),

  reduceSum: reduction('ReduceSum'),
  reduceMean: reduction('ReduceMean'),
  reduceMax: reduction('ReduceMax'),
  argmax: (b, { attrs: { axis } }, inputs) =>
    b.emit('ArgMax', inputs, { attributes: { axis: { int: axis }, keepdims: { int: 0 } } }),
  // TopK takes the first of equal values first
  argsort: (b, { inputs: [x], attrs: { axis, descending } }, [name]) =>
    b.emit('TopK', [name, b.size(x.shape[axis])], {
      attributes: { axis: { int: axis }, largest: { int: descending ? 1 : 0 } },
      results: 2,
    }),
  cumsum: (b, { attrs: { axis } }, [x]) => b.emit('CumSum', [x, b.ints([axis], [])]),
  avgPool: (b, { attrs: { kernel, strides, pads } }, inputs) =>
    b.emit('AveragePool', inputs, {
      attributes: { ...poolAttributes(kernel, strides, pads), count_include_pad: { int: 1 } },
    }),
  maxPool: (b, { attrs: { kernel, strides, pads } }, inputs) =>
    b.emit('MaxPool', inputs, { attributes: poolAttributes(kernel, strides, pads) }),

  reshape: (b, { inputs: [x], shape }, [name]) => reshapeTo(b, name, x.shape, shape),
  settle: (_b, _, [name]) => name,
  detach: (_b, _, [name]) => name,
  // under its own shape, to the making of which the other's adds nothing; no copy of x is made
  after: (b, _, [x, other]) => {
    const nothing = b.emit('Mul', [firstSize(b, other), b.ints([0])]);
    return b.emit('Reshape', [x, b.emit('Add', [b.emit('Shape', [x]), nothing])]);
  },
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
    const sides = [x, b.sizes([...before, ...after])];
    const attributes = { mode: { text: mode } };
    return b.emit('Pad', mode === 'constant' ? [...sides, b.reals([value], [])] : sides, {
      attributes,
    });
  },
  resize,
  gather: (b, { attrs: { axis } }, inputs) =>
    b.emit('Gather', inputs, { attributes: { axis: { int: axis } } }),
  scatterAdd: (b, { attrs: { axis } }, inputs) =>
    b.emit('ScatterElements', inputs, {
      attributes: { axis: { int: axis }, reduction: { text: 'add' } },
    }),
} satisfies LoweringTable;

/** Rows [..., in] through a matrix with these attributes of Gemm. */
export function linearBy(
  b: Builder,
  { inputs: [x], shape }: NodeOf<'linear'>,
  [name, ...weights]: readonly string[],
  attributes: Attributes = {},
): string {
  if (x.shape.length === 2) return b.emit('Gemm', [name, ...weights], { attributes });
  const rows = [sizeOfShape(x.shape.slice(0, -1)), x.shape.at(-1)!];
  const flat = reshapeTo(b, name, x.shape, rows);
  const y = b.emit('Gemm', [flat, ...weights], { attributes });
  return reshapeTo(b, y, [rows[0], shape.at(-1)!], shape);
}

export function convAttributes({ strides, pads, dilations, groups }: ConvAttrs): Attributes {
  return {
    strides: { ints: strides },
    pads: { ints: pads },
    dilations: { ints: dilations },
    group: { int: groups },
  };
}

/**
 * Whole factors are one Resize. Other nearest sizes pick rows, then columns, by torch's own index
 * arithmetic, because Resize rounds differently at some sizes.
 */
function resize(b: Builder, tensor: NodeOf<'resize'>, [name]: readonly string[]): string {
  return resizeFrom(b, tensor, name, 2);
}

/** ONNX's names of how places in both sizes are matched. */
const coordinates: Readonly<Record<NodeOf<'resize'>['attrs']['mode'], string>> = {
  nearest: 'asymmetric',
  bilinear: 'half_pixel',
  aligned: 'align_corners',
};

/** The same of a picture whose rows and columns are the axes from `first` on. */
export function resizeFrom(
  b: Builder,
  { inputs: [x], attrs }: NodeOf<'resize'>,
  name: string,
  first: number,
): string {
  const nearest = attrs.mode === 'nearest';
  const attributes = {
    mode: { text: nearest ? 'nearest' : 'linear' },
    coordinate_transformation_mode: { text: coordinates[attrs.mode] },
    ...(nearest ? { nearest_mode: { text: 'floor' } } : {}),
  };
  const whole = x.shape.map((dim, axis): Dim => attrs.sizes[axis - first] ?? dim);
  const factors = whole.map((size, axis) => wholeFactor(x.shape[axis], size));
  if (factors.every((factor) => factor !== undefined)) {
    return b.emit('Resize', [name, '', b.floats(factors, [factors.length])], { attributes });
  }
  if (!nearest) {
    return b.emit('Resize', [name, '', '', b.sizes(whole)], { attributes });
  }
  return attrs.sizes.reduce<string>((picture, size, i) => {
    const axis = first + i;
    const indices = nearestIndices(b, x.shape[axis], size);
    return b.emit('Gather', [picture, indices], { attributes: { axis: { int: axis } } });
  }, name);
}

/**
 * min(floor(i * (from / to)), from - 1) for i = 0 .. to-1, in f32 as torch computes it. Whole numbers come in
 * at the beginning and out at the end, for a device that computes reals would have to wait for the host between.
 */
function nearestIndices(b: Builder, from: Dim, to: Dim): string {
  const scalar = (dim: Dim): string => b.emit('Squeeze', [b.size(dim)]);
  const scale = b.emit('Div', [b.cast(scalar(from), 'f32'), b.cast(scalar(to), 'f32')]);
  const range = b.emit('Range', [b.ints([0], []), scalar(to), b.ints([1], [])]);
  const picked = b.emit('Floor', [b.emit('Mul', [b.cast(range, 'f32'), scale])]);
  const last = b.cast(b.emit('Sub', [b.size(from), b.ints([1])]), 'f32');
  return b.cast(b.emit('Min', [picked, last]), 'i64');
}

/** How long the first axis is, read from the tensor itself: [1]. */
const firstSize = (b: Builder, name: string): string =>
  b.emit('Shape', [name], { attributes: { start: { int: 0 }, end: { int: 1 } } });

function wholeFactor(from: Dim, to: Dim): number | undefined {
  const factor = floorDivDim(to, from);
  return typeof factor === 'number' && sameDim(mulDim(from, factor), to) ? factor : undefined;
}

function reduction(op: string): Lower<'reduceSum' | 'reduceMean' | 'reduceMax', string> {
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

/** Element types of constants, but reals in full precision. */
const encoders: Partial<
  Record<Dtype, (values: number[]) => Uint8Array | Int32Array | BigInt64Array | Uint16Array>
> = {
  i64: (values) => BigInt64Array.from(values, BigInt),
  i32: (values) => Int32Array.from(values),
  bool: (values) => Uint8Array.from(values),
  f16: floatToF16,
};

/** Numbers as the bytes of an element type that constants may have. */
function encodeNumbers(values: ArrayLike<number>, dtype: Dtype): Uint8Array {
  const numbers = Array.from(values);
  const { buffer, byteOffset, byteLength } =
    encoders[dtype]?.(numbers) ?? Float32Array.from(numbers);
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
}
