/**
 * The WebGPU provider's lowering with the weights of linear layers in blocks of 8-bit numbers, which are
 * widened within the product: half the memory of halves, and where the provider has the card's matrix units for
 * it, single layers of three times their speed (decision 012).
 */
import { type Shape, sizeOfShape } from '../tensor/shape.ts';
import { int8Block } from '../weights/int8.ts';
import { storedWeight } from './builder.ts';
import { sliceWith } from './fused.ts';
import type { Lower, LoweringTable } from './portable.ts';
import { webgpu, webgpuInSteps } from './webgpu.ts';
import { codesLinear } from './webgpu-codes.ts';

/** Weights of fewer numbers stay real: what costs next to nothing. */
const leastNumbers = 1 << 15;

/** Whether weights of a shape are rewritten, if the layer is one that can be. */
export const isBlockedShape = (shape: Shape): boolean =>
  shape.length === 2 &&
  (sizeOfShape(shape) as number) >= leastNumbers && // stored tensors have fixed sizes
  (shape[1] as number) % int8Block === 0;

/** What says something of a whole row of the batch (times, pooled words) is little work, and stays real. */
const blocksLinear: Lower<'linear'> = (b, tensor, inputs) => {
  const [x, weight] = tensor.inputs;
  const param = storedWeight(weight);
  const fits = x.shape.length > 2 && b.real === 'f16' && isBlockedShape(weight.shape);
  if (!param || !fits) return webgpu.linear(b, tensor, inputs);
  const [name, , bias] = inputs;
  const [outputs, channels] = weight.shape as readonly number[];
  const blocks = b.weight(param, { kind: 'int8Blocks' });
  const steps = b.weight(param, { kind: 'int8BlockSteps' });
  const product = b.contrib('MatMulNBits', [name, blocks, steps], {
    K: { int: channels },
    N: { int: outputs },
    bits: { int: 8 },
    block_size: { int: int8Block },
  });
  return bias === undefined ? product : b.emit('Add', [product, bias]);
};

/** What a file has in whole numbers stays in its own. */
const linear: Lower<'linear'> = (b, tensor, inputs) =>
  codesLinear(b, tensor, inputs) ?? blocksLinear(b, tensor, inputs);

const rows = { linear, slice: sliceWith(linear) };

export const webgpuInt8InSteps: LoweringTable = { ...webgpuInSteps, ...rows };

export const webgpuInt8: LoweringTable = { ...webgpu, ...rows };
