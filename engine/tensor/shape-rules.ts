/** Shape rules that several ops share. */
import type { Dtype } from './dtype.ts';
import { type Dim, type Shape, addDim, dimText, floorDivDim, sameDim, shapeText } from './shape.ts';

/** What a rule sees of a tensor. */
export interface TensorType {
  readonly shape: Shape;
  readonly dtype: Dtype;
}

/** What a shape rule throws; the node's maker adds the op, the scope and the input shapes. */
export class ShapeError extends Error {}

/** Fails the rule unless `condition` holds. */
export function expectShape(condition: boolean, message: string): void {
  if (!condition) throw new ShapeError(message);
}

/** The shape of an elementwise op over several inputs (trailing axes aligned, 1 stretches). */
export function broadcastShapes(shapes: readonly Shape[]): Shape {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, i) => {
    let result: Dim = 1;
    for (const shape of shapes) {
      const dim = shape[i - rank + shape.length] ?? 1;
      if (dim === 1 || sameDim(dim, result)) continue;
      expectShape(
        result === 1,
        `cannot broadcast ${dimText(result)} with ${dimText(dim)} (axis ${i})`,
      );
      result = dim;
    }
    return result;
  });
}

export const broadcast = (inputs: readonly TensorType[]): Shape =>
  broadcastShapes(inputs.map((input) => input.shape));

/** The axis counted from the front; -1 is the last. */
export function frontAxis({ shape: { length } }: TensorType, axis: number): number {
  const positive = axis < 0 ? axis + length : axis;
  expectShape(positive >= 0 && positive < length, `axis ${axis} is outside ${length} axes`);
  return positive;
}

/** The shape with `axes` reduced to 1 or removed. */
export function reducedShape(shape: Shape, axes: readonly number[], keep: boolean): Shape {
  return keep
    ? shape.map((dim, i) => (axes.includes(i) ? 1 : dim))
    : shape.filter((_, i) => !axes.includes(i));
}

/** Sliding windows along each spatial axis: floor((size + pads - dilated kernel) / stride) + 1. */
export function windowSizes(
  sizes: Shape,
  kernel: readonly number[],
  {
    strides,
    pads,
    dilations,
  }: { strides: readonly number[]; pads: readonly number[]; dilations?: readonly number[] },
): Dim[] {
  const n = kernel.length;
  expectShape(
    sizes.length === n && strides.length === n && pads.length === 2 * n,
    `${sizes.length} spatial axes, a kernel of ${n}, ${strides.length} strides, ${pads.length} pads`,
  );
  return sizes.map((size, i) => {
    const reach = (kernel[i] - 1) * (dilations?.[i] ?? 1) + 1;
    const steps = floorDivDim(addDim(size, pads[i] + pads[i + n] - reach), strides[i]);
    return addDim(steps, 1);
  });
}

/** The numbers of a shape that must be known when tracing (weights, kernels). */
export function staticShape(shape: Shape, what: string): readonly number[] {
  expectShape(
    shape.every((dim) => typeof dim === 'number'),
    `${what} must have a fixed shape, got ${shapeText(shape)}`,
  );
  return shape as readonly number[];
}

/** Fails the rule unless `tensor` is one-dimensional with `size` elements. */
export function expectVector(tensor: TensorType | undefined, size: Dim, what: string): void {
  if (tensor === undefined) return;
  const fits = tensor.shape.length === 1 && sameDim(tensor.shape[0], size);
  expectShape(fits, `${what}: expected [${dimText(size)}], got ${shapeText(tensor.shape)}`);
}
