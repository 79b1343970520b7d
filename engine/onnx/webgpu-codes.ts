/**
 * Linear layers of the WebGPU provider on weights that files have in whole numbers: GGUF's blocks, and 8-bit
 * numbers with scales. They lie on the card as codes of four or eight bits and are widened within the product.
 */
import type { Param } from '../tensor/ops/leaves.ts';
import { sizeOfShape } from '../tensor/shape.ts';
import { int8Block } from '../weights/int8.ts';
import { type CodesLayout, codeBytes } from '../weights/layout.ts';
import { type Real, storedWeight } from './builder.ts';
import { hasOffs, productLayout, productOnCodes } from './code-products.ts';
import type { Lower } from './portable.ts';
import { codesLayout, isScaledInGraph } from './widen.ts';

/** The layout in which products read a matrix, if they can; what its steps are worth is of the type computed in. */
function layoutOf(param: Param, real: Real): CodesLayout | undefined {
  if (param.shape.length !== 2) return undefined;
  const layout = productLayout(codesLayout(param) ?? scaledLayout(param));
  return layout && { ...layout, halves: real === 'f16' };
}

/** Numbers of 8 bits with a scale for all, or for each row: in groups as others are that products read. */
function scaledLayout(param: Param): CodesLayout | undefined {
  const [, width] = param.shape as readonly number[]; // stored tensors have fixed sizes
  const fits = param.dtype === 'i8' && isScaledInGraph(param) && width % int8Block === 0;
  return fits ? { kind: 'codes', group: int8Block, codes: 'i8' } : undefined;
}

/** Bytes on the card of a matrix in codes; undefined for what is widened before. */
export function bytesInCodes(param: Param, real: Real): number | undefined {
  const layout = layoutOf(param, real);
  if (!layout) return undefined;
  const numbers = sizeOfShape(param.shape) as number; // stored tensors have fixed sizes
  const steps = (numbers / layout.group) * (real === 'f16' ? 2 : 4);
  return numbers * codeBytes(layout.codes) + steps * (hasOffs(param) ? 2 : 1);
}

/** A linear layer on such a weight; undefined for another one. */
export const codesLinear: Lower<'linear'> = (b, tensor, [name, , bias]) => {
  const param = storedWeight(tensor.inputs[1]);
  const layout = param && layoutOf(param, b.real);
  if (!layout) return undefined;
  const y = productOnCodes(b, tensor, name, { param, layout });
  return bias === undefined ? y : b.emit('Add', [y, bias]);
};
