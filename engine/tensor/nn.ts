/** Functions of tensors, under torch's names; each makes one node or a few. Layers with weights: layers.ts. */
import { NoodleError } from '../errors.ts';
import type { Dtype } from './dtype.ts';
import {
  type ArithmeticOp,
  type ComparisonOp,
  type UnaryOp,
  arithmeticOps,
  comparisonOps,
  frontAxis,
  unaryOps,
} from './ops.ts';
import { type Dim, type Shape, addDim, ceilDivDim, dimText, mulDim, sameDim } from './shape.ts';
import { type Node, type Tensor, node } from './tensor.ts';

export { rearrange } from './rearrange.ts';

type Operand = Tensor | number;

// ---- layers whose weights are tensors ----

/** x [..., in] times weight [out, in] as torch stores it: [..., out]. */
export const linear = (x: Tensor, weight: Tensor): Tensor => node('linear', [x, weight], {});

export interface ConvOptions {
  readonly stride?: number | readonly number[];
  /** One number for all sides, or the start of every spatial axis followed by the ends. */
  readonly pad?: number | readonly number[];
  readonly dilation?: number;
  readonly groups?: number;
}

/** Convolution over the spatial axes of the weight [out, in / groups, ...kernel]; 1-D, 2-D or 3-D. */
export const conv = (x: Tensor, weight: Tensor, options: ConvOptions = {}): Tensor =>
  node('conv', [x, weight], convAttrs(weight, options));

/** The options of a convolution spelled out for the weight's spatial axes. */
export function convAttrs(
  weight: Tensor,
  { stride = 1, pad = 0, dilation = 1, groups = 1 }: ConvOptions,
): Node<'conv'>['attrs'] {
  const n = weight.shape.length - 2;
  return {
    strides: spread(stride, n),
    pads: spread(pad, 2 * n),
    dilations: spread(dilation, n),
    groups,
  };
}

// ---- norms without weights ----

/** Layer norm without weights. */
export function plainLayerNorm(x: Tensor, { eps = 1e-5 }: { eps?: number } = {}): Tensor {
  return node('layerNorm', [x], { eps });
}

/** Root-mean-square norm without weights. */
export function plainRmsNorm(x: Tensor, { eps = 1e-6 }: { eps?: number } = {}): Tensor {
  return node('rmsNorm', [x], { eps });
}

// ---- attention and products ----

export interface AttentionOptions {
  readonly heads: number;
  /** Heads of k and v where each serves several of q (grouped queries). */
  readonly kvHeads?: number;
  /** Added to the scores; broadcasts to [b, heads, t, s]. */
  readonly mask?: Tensor;
  readonly causal?: boolean;
  /** Left out: (channels per head)^-0.5. */
  readonly scale?: number;
}

/** softmax(q k^T * scale + mask) v per head; q, k, v are [b, tokens, heads*d]. */
export function attention(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions): Tensor {
  const { heads, kvHeads = heads, mask, causal = false } = options;
  // Not `** -0.5`: its last digit differs between versions of Node, and with it the bytes of a graph.
  const scale = options.scale ?? 1 / Math.sqrt(fixed(q.shape[2], 'attention channels') / heads);
  const inputs = mask ? [q, k, v, mask] : [q, k, v];
  return node('attention', inputs, { heads, kvHeads, causal, scale });
}

/** Batched matrix product of a [..., m, k] and b [..., k, n], or b [..., n, k] with `transposeB`. */
export function matmul(a: Tensor, b: Tensor, { transposeB = false } = {}): Tensor {
  return node('matmul', [a, b], { transposeB });
}

/** exp(x) / sum(exp(x)) along an axis. */
export const softmax = (x: Tensor, axis: number): Tensor =>
  node('softmax', [x], { axis: frontAxis(x, axis) });

// ---- elementwise ----

const unary = Object.fromEntries(
  unaryOps.map((op) => [op, (x: Tensor) => node(op, [x], {})]),
) as Readonly<Record<UnaryOp, (x: Tensor) => Tensor>>;

export const { neg, abs, exp, log, sqrt, sin, cos, acos, tanh, erf, floor, round } = unary;
export const { sigmoid, softplus, relu, silu, gelu, geluTanh, quickGelu } = unary;

/** x where positive, slope * x elsewhere. */
export const leakyRelu = (x: Tensor, slope = 0.01): Tensor => node('leakyRelu', [x], { slope });

/** x limited to [min, max]. */
export const clamp = (x: Tensor, min = -Infinity, max = Infinity): Tensor =>
  node('clamp', [x], { min, max });

/** Numbers take the type of the tensor beside them. */
const binary = Object.fromEntries(
  [...arithmeticOps, ...comparisonOps].map((op) => [
    op,
    (a: Operand, b: Operand) => {
      const dtype = typeof a !== 'number' ? a.dtype : typeof b !== 'number' ? b.dtype : 'f32';
      return node(op, [operand(a, dtype), operand(b, dtype)], {});
    },
  ]),
) as Readonly<Record<ArithmeticOp | ComparisonOp, (a: Operand, b: Operand) => Tensor>>;

export const { add, sub, mul, div, pow, minimum, maximum, equal, less, greater } = binary;

/** `yes` where the condition (bool) holds, `no` elsewhere. */
export function where(condition: Tensor, yes: Operand, no: Operand): Tensor {
  const dtype = typeof yes !== 'number' ? yes.dtype : typeof no !== 'number' ? no.dtype : 'f32';
  return node('where', [condition, operand(yes, dtype), operand(no, dtype)], {});
}

/** The same values in another element type. */
export const cast = (x: Tensor, to: Dtype): Tensor =>
  x.dtype === to ? x : node('cast', [x], { to });

// ---- reductions ----

type Axes = number | readonly number[];
const reduction =
  (op: 'reduceSum' | 'reduceMean' | 'reduceMax') =>
  (x: Tensor, axes: Axes, { keep = false }: { keep?: boolean } = {}): Tensor =>
    node(op, [x], {
      axes: [axes]
        .flat()
        .map((axis) => frontAxis(x, axis))
        .sort(),
      keep,
    });

export const sum = reduction('reduceSum');
export const mean = reduction('reduceMean');
export const max = reduction('reduceMax');

/** Index of the first largest value along an axis, which is removed. */
export const argmax = (x: Tensor, axis: number): Tensor =>
  node('argmax', [x], { axis: frontAxis(x, axis) });

/** Indices (i64) that sort an axis; equal values keep their order (torch's stable argsort). */
export const argsort = (x: Tensor, axis: number, { descending = false } = {}): Tensor =>
  node('argsort', [x], { axis: frontAxis(x, axis), descending });

/** Running sum along an axis. */
export const cumsum = (x: Tensor, axis: number): Tensor =>
  node('cumsum', [x], { axis: frontAxis(x, axis) });

/** Mean of windows of x [b, c, h, w]; a kernel of n without stride cuts the picture in n x n tiles. */
export function avgPool(x: Tensor, options: { kernel: Axes; stride?: Axes; pad?: Axes }): Tensor {
  return node('avgPool', [x], poolAttrs(x, options));
}

/** Largest value of windows of x [b, c, h, w]. */
export function maxPool(x: Tensor, options: { kernel: Axes; stride?: Axes; pad?: Axes }): Tensor {
  return node('maxPool', [x], poolAttrs(x, options));
}

// ---- shape ----

/** x under another shape; one entry may be -1 (the rest of the elements). */
export function reshape(x: Tensor, shape: readonly Dim[]): Tensor {
  const unknown = shape.indexOf(-1);
  if (unknown < 0) return node('reshape', [x], { shape });
  const known = shape.filter((_, i) => i !== unknown);
  const filled = [...shape];
  filled[unknown] = quotient(x.shape, known);
  return node('reshape', [x], { shape: filled });
}

/** Axes in another order. */
export const permute = (x: Tensor, order: readonly number[]): Tensor =>
  node('permute', [x], { order: order.map((axis) => frontAxis(x, axis)) });

/** Two axes swapped. */
export function transpose(x: Tensor, a: number, b: number): Tensor {
  const order = x.shape.map((_, i) => i);
  [order[frontAxis(x, a)], order[frontAxis(x, b)]] = [frontAxis(x, b), frontAxis(x, a)];
  return permute(x, order);
}

/** New axes of size 1 at the given positions of the result (or one after the end, for -1). */
export function unsqueeze(x: Tensor, axes: Axes): Tensor {
  const list = [axes].flat();
  const rank = x.shape.length + list.length;
  const positions = list.map((axis) => (axis < 0 ? axis + rank : axis));
  const shape: Dim[] = [];
  for (let i = 0, from = 0; i < rank; i++) {
    shape.push(positions.includes(i) ? 1 : x.shape[from++]);
  }
  return node('reshape', [x], { shape });
}

/** Axes of size 1 removed. */
export function squeeze(x: Tensor, axes: Axes): Tensor {
  const positions = [axes].flat().map((axis) => frontAxis(x, axis));
  return node('reshape', [x], { shape: x.shape.filter((_, i) => !positions.includes(i)) });
}

/** Axes of size 1 stretched to `shape` without meaning a copy. */
export const expand = (x: Tensor, shape: Shape): Tensor => node('expand', [x], { shape });

/** Elements [start, end) along an axis; negative numbers count from the end. */
export function slice(
  x: Tensor,
  axis: number,
  start: Dim,
  end: Dim = x.shape[frontAxis(x, axis)],
  { step = 1 }: { step?: number } = {},
): Tensor {
  const at = frontAxis(x, axis);
  const size = x.shape[at];
  const fromEnd = (dim: Dim): Dim => (typeof dim === 'number' && dim < 0 ? addDim(size, dim) : dim);
  return node('slice', [x], { axis: at, start: fromEnd(start), end: fromEnd(end), step });
}

/** `n` equal parts along an axis of known size. */
export function chunk(x: Tensor, n: number, axis: number): Tensor[] {
  const at = frontAxis(x, axis);
  const size = fixed(x.shape[at], 'the axis to cut');
  if (size % n !== 0) {
    throw new NoodleError('PROGRAM', {
      reason: `${x.scope}: ${size} does not fall into ${n} parts`,
    });
  }
  return split(x, new Array<number>(n).fill(size / n), at);
}

/** Consecutive parts of the given sizes along an axis. */
export function split(x: Tensor, sizes: readonly Dim[], axis: number): Tensor[] {
  let start: Dim = 0;
  return sizes.map((size) => {
    const end = addDim(start, size);
    const part = slice(x, axis, start, end);
    start = end;
    return part;
  });
}

/** Tensors joined along an axis. */
export const concat = (xs: readonly Tensor[], axis: number): Tensor =>
  node('concat', xs, { axis: frontAxis(xs[0], axis) });

/** Zeros around the last axes: one [before, after] pair per axis, the last pair for the last axis. */
export const padZero = (x: Tensor, sides: readonly (readonly [Dim, Dim])[]): Tensor =>
  pad(x, sides, { mode: 'constant' });

/** Padding of the last axes by a value, by mirroring or by repeating the edge. */
export function pad(
  x: Tensor,
  sides: readonly (readonly [Dim, Dim])[],
  { mode = 'constant', value = 0 }: { mode?: 'constant' | 'reflect' | 'edge'; value?: number } = {},
): Tensor {
  const none = new Array<Dim>(x.shape.length - sides.length).fill(0);
  const before = [...none, ...sides.map(([start]) => start)];
  const after = [...none, ...sides.map(([, end]) => end)];
  return node('pad', [x], { before, after, mode, value });
}

type Size2d = { readonly height: Dim; readonly width: Dim } | { readonly scale: number };

/** Each pixel of x [b, c, h, w] repeated: by a factor, or to an exact (perhaps symbolic) size. */
export const upsampleNearest = (x: Tensor, size: Size2d): Tensor =>
  node('resize', [x], { sizes: sizes2d(x, size), mode: 'nearest' });

/** Bilinear resize of x [b, c, h, w] with half-pixel centres (align_corners off). */
export const resizeBilinear = (x: Tensor, size: Size2d): Tensor =>
  node('resize', [x], { sizes: sizes2d(x, size), mode: 'bilinear' });

/** Entries of x along an axis at integer indices (any shape, which replaces the axis). */
export const gather = (x: Tensor, indices: Tensor, axis: number): Tensor =>
  node('gather', [x, indices], { axis: frontAxis(x, axis) });

/**
 * x plus updates, each at its own place but for the axis, where its index (an integer) says; places that
 * are named twice get both. Indices and updates have one shape, which may differ from that of x in the
 * axis only (torch's scatter_add).
 */
export const scatterAdd = (x: Tensor, indices: Tensor, updates: Tensor, axis: number): Tensor =>
  node('scatterAdd', [x, indices, updates], { axis: frontAxis(x, axis) });

// ---- leaves ----

/** An input that a parameter hook adds to the program; layers get theirs from the graph. */
export const input = (name: string, dtype: Dtype, shape: Shape): Tensor =>
  node('input', [], { name, shape, dtype });

/** Fixed values; the shape is a vector's when left out. */
export function constant(
  values: readonly number[] | Float32Array,
  shape: readonly number[] = [values.length],
  dtype: Dtype = 'f32',
): Tensor {
  if (shape.reduce((size, dim) => size * dim, 1) !== values.length) {
    const reason = `${values.length} values do not fit [${shape.join(', ')}]`;
    throw new NoodleError('PROGRAM', { reason });
  }
  return node('constant', [], { values, shape, dtype });
}

/** A scalar constant. */
export const scalar = (value: number, dtype: Dtype = 'f32'): Tensor => constant([value], [], dtype);

/** 0, 1, ..., n - 1 as i64; n may be symbolic. */
export const range = (n: Dim): Tensor => node('range', [], { size: n });

/** A (symbolic) size as an i64 scalar. */
export const sizeTensor = (dim: Dim): Tensor => node('size', [], { dim });

// ---- helpers ----

function operand(x: Operand, dtype: Dtype): Tensor {
  return typeof x === 'number' ? scalar(x, dtype) : x;
}

/** One number for each of n axes, or the numbers as they are. */
export function spread(value: number | readonly number[], n: number): readonly number[] {
  return typeof value === 'number' ? new Array<number>(n).fill(value) : value;
}

function fixed(dim: Dim, what: string): number {
  if (typeof dim === 'number') return dim;
  throw new NoodleError('PROGRAM', { reason: `${what} must be known, got ${dimText(dim)}` });
}

function poolAttrs(
  x: Tensor,
  { kernel, stride = kernel, pad = 0 }: { kernel: Axes; stride?: Axes; pad?: Axes },
): { kernel: readonly number[]; strides: readonly number[]; pads: readonly number[] } {
  const n = x.shape.length - 2;
  return { kernel: spread(kernel, n), strides: spread(stride, n), pads: spread(pad, 2 * n) };
}

function sizes2d(x: Tensor, size: Size2d): Dim[] {
  if ('scale' in size) return x.shape.slice(2).map((dim) => mulDim(dim, size.scale));
  return [size.height, size.width];
}

/** Product of `shape` over the product of `known`, cancelling equal dimensions before dividing. */
function quotient(shape: Shape, known: readonly Dim[]): Dim {
  const left = [...shape];
  const divisors: Dim[] = [];
  for (const dim of known) {
    const at = left.findIndex((other) => sameDim(other, dim));
    if (at >= 0) left.splice(at, 1);
    else divisors.push(dim);
  }
  const top = left.reduce<Dim>((product, dim) => mulDim(product, dim), 1);
  const bottom = divisors.reduce<Dim>((product, dim) => mulDim(product, dim), 1);
  return divideExactly(top, bottom);
}

function divideExactly(top: Dim, bottom: Dim): Dim {
  const result = typeof bottom === 'number' ? floorOf(top, bottom) : undefined;
  if (result !== undefined && sameDim(mulDim(result, bottom), top)) return result;
  const reason = `cannot tell how many times ${dimText(bottom)} goes into ${dimText(top)}`;
  throw new NoodleError('PROGRAM', { reason });
}

const floorOf = (top: Dim, bottom: number): Dim => ceilDivDim(top, bottom);
