/**
 * The CPU provider's lowering with products in whole numbers (decision 009): what goes into a layer as
 * unsigned 8-bit numbers, with a scale and an offset that are found at each run for the whole tensor; weights
 * in steps of each output; sums in 32 bits. What comes out is f32 again.
 */
import type { Param } from '../tensor/ops/leaves.ts';
import { windowOps } from '../tensor/ops/windows.ts';
import { type Dim, type Shape, sizeOfShape } from '../tensor/shape.ts';
import { type Tensor, isOp } from '../tensor/tensor.ts';
import { type Builder, storedWeight } from './builder.ts';
import { cpu } from './cpu.ts';
import { sliceWith } from './fused.ts';
import type { Lower, LoweringTable, NodeOf } from './portable.ts';

/** Weights of fewer numbers stay real: first and last layers, and what costs next to nothing. */
const leastNumbers = 1 << 15;

/** Whether weights of a shape are computed in whole numbers, if the layer is one that can be. */
export const isInt8Shape = (shape: Shape): boolean =>
  (shape.length === 2 || shape.length === 4) && (sizeOfShape(shape) as number) >= leastNumbers;

function int8Weight(weight: Tensor): Param | undefined {
  const param = storedWeight(weight);
  return param && isInt8Shape(weight.shape) && !param.attrs.entry.transposed ? param : undefined;
}

/** What says something of a whole row of the batch (times, pooled words) is little work, and stays real. */
const linear: Lower<'linear'> = (b, tensor, inputs) => {
  const [x, weight] = tensor.inputs;
  const param = x.shape.length > 2 ? int8Weight(weight) : undefined;
  if (!param) return cpu.linear(b, tensor, inputs);
  const [name, , bias] = inputs;
  return product(b, quantized(b, name), param, bias);
};

/** The weight of a convolution that is computed as a product in whole numbers. */
function int8Filters({ inputs: [, weight], attrs: { groups, dilations } }: NodeOf<'conv'>) {
  return groups === 1 && dilations.every((step) => step === 1) ? int8Weight(weight) : undefined;
}

/**
 * Bytes of a convolution in whole numbers while it runs, beyond twice its input and result: what lies under
 * the filter, cell by cell and joined, then joined beside the result in two orders (measured on 14 layers of
 * all forms: where it counts 0.91 to 1.09 of the whole, which was up to 3.6 times the input and result twice).
 */
export function patchBytes(tensor: Tensor, size: (dim: Dim) => number): number {
  if (!isOp(windowOps.conv, tensor) || !int8Filters(tensor)) return 0;
  const [x, weight] = tensor.inputs;
  const numbers = (shape: Shape): number => shape.reduce<number>((n, dim) => n * size(dim), 1);
  const [, channels, ...kernel] = weight.shape as readonly number[];
  const [batch, , ...cells] = tensor.shape;
  const under = numbers([batch, channels, ...kernel, ...cells]);
  const result = 4 * numbers(tensor.shape);
  return Math.max(0, Math.max(2 * under, under + 2 * result) - 4 * numbers(x.shape) - result);
}

/** As a product of what lies under the filter, channels last, and the filter. */
const conv: Lower<'conv'> = (b, tensor, inputs) => {
  const param = int8Filters(tensor);
  if (!param) return cpu.conv(b, tensor, inputs);
  const [name, , bias] = inputs;
  const x = quantized(b, name);
  const transpose = (value: string, order: readonly number[]): string =>
    b.emit('Transpose', [value], { attributes: { perm: { ints: order } } });
  const values = patches(b, tensor, { ...x, values: transpose(x.values, [0, 2, 3, 1]) });
  return transpose(product(b, { ...x, values }, param, bias), [0, 3, 1, 2]);
};

/** Numbers as unsigned 8-bit ones: real = scale * (value - zero). */
interface Quantized {
  readonly values: string;
  readonly scale: string;
  readonly zero: string;
}

/** The operator passes over what is no number: the scale is none where one of `x` is, and so is what comes out. */
function quantized(b: Builder, x: string): Quantized {
  const zero = b.emit('DynamicQuantizeLinear', [x], { results: 3 });
  const sum = b.emit('ReduceSum', [x], { attributes: { keepdims: { int: 0 } } });
  const none = b.emit('Mul', [sum, b.floats([0], [])]);
  const scale = b.emit('Add', [`${zero}:1`, none]);
  return { values: `${zero}:0`, scale, zero };
}

/** x [..., in] through a weight, with its bias: f32 [..., out]. */
function product(b: Builder, x: Quantized, param: Param, bias = ''): string {
  const { bits } = b;
  const columns = b.weight(param, { kind: 'int8', bits });
  const steps = b.weight(param, { kind: 'int8Steps', bits });
  return b.contrib('MatMulIntegerToFloat', [x.values, columns, x.scale, steps, x.zero, '', bias]);
}

/** The cells under a filter, one after the other: [b, h, w, c] -> [b, h', w', kernel * c]. */
function patches(
  b: Builder,
  { inputs: [, weight], attrs: { pads, strides } }: NodeOf<'conv'>,
  { values, zero }: Quantized,
): string {
  const [, , height, width] = weight.shape as readonly number[];
  const [top, left, bottom, right] = pads;
  const padded = pads.some((pad) => pad !== 0)
    ? b.emit('Pad', [values, b.ints([0, top, left, 0, 0, bottom, right, 0]), zero])
    : values;
  const isPoint = height * width === 1 && strides.every((step) => step === 1);
  if (isPoint) return padded;
  const shifted = Array.from({ length: height * width }, (_, tap) => {
    const start = [Math.floor(tap / width), tap % width];
    // counted from the end, where the filter's last cell is
    const end = [height, width].map((size, i) => start[i] + 1 - size || Number.MAX_SAFE_INTEGER);
    const bounds = [start, end, [1, 2], strides].map((numbers) => b.ints(numbers));
    return b.emit('Slice', [padded, ...bounds]);
  });
  return b.emit('Concat', shifted, { attributes: { axis: { int: 3 } } });
}

export const int8: LoweringTable = { ...cpu, linear, slice: sliceWith(linear), conv };
