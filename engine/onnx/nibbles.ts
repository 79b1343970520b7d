/**
 * Linear layers on weights in codes of four bits. ONNX Runtime packs those for a product that widens them within
 * a core's cache and adds up in f32: faster than widening them before (docs/performance.md), for one copy more.
 */
import type { Param } from '../tensor/ops/leaves.ts';
import { sizeOfShape } from '../tensor/shape.ts';
import { type CodesLayout, layoutSize } from '../weights/layout.ts';
import { storedWeight } from './builder.ts';
import { productLayout, productOnCodes } from './code-products.ts';
import type { Lower } from './portable.ts';
import { codesLayout } from './widen.ts';

/** The layout in which the product reads a matrix, if it can. */
function nibblesLayout(param: Param): CodesLayout | undefined {
  const layout = param.shape.length === 2 ? productLayout(codesLayout(param)) : undefined;
  return layout?.codes === 'about8' ? layout : undefined;
}

/** Bytes of the copy that ONNX Runtime makes of a matrix where products are packed; 0 for what it does not pack. */
export function packedBytes(param: Param): number {
  const layout = nibblesLayout(param);
  const shape = param.shape as readonly number[]; // stored tensors have fixed sizes
  if (layout) return layoutSize(layout, param.dtype, shape);
  return param.dtype === 'f32' && shape.length === 2 ? (sizeOfShape(shape) as number) * 4 : 0;
}

/** Whether a weight would be read by such a product. */
export const isInNibbles = (param: Param): boolean => nibblesLayout(param) !== undefined;

/** A linear layer on such a weight, f32 throughout; undefined for another one. */
export const nibblesLinear: Lower<'linear'> = (b, tensor, [name, , bias]) => {
  const param = b.packsNibbles && b.real === 'f32' ? storedWeight(tensor.inputs[1]) : undefined;
  const layout = param && nibblesLayout(param);
  if (!layout) return undefined;
  const attributes = { accuracy_level: { int: 1 } };
  return productOnCodes(b, tensor, name, { param, layout, bias, attributes });
};
