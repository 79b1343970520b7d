/** The WebGPU provider's lowering: its fused operators, and ways around what it cannot do. */
import { sameDims } from '../tensor/shape.ts';
import { type Lower, type LoweringTable, portable } from './portable.ts';

/** Powers by an exponent that is broadcast fail there (ONNX Runtime 1.30), so it is written out first. */
const pow: Lower<'pow'> = (b, tensor, [base, exponent]) => {
  const { inputs, shape } = tensor;
  const isWhole = inputs[1].shape.length === 0 || sameDims(inputs[1].shape, shape);
  const whole = isWhole ? exponent : b.emit('Expand', [exponent, b.sizes(shape)]);
  return b.emit('Pow', [base, whole]);
};

export const webgpu: LoweringTable = {
  ...portable,
  pow,
};
