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

/**
 * Channels in threes that are not in fours, but for three of them, give wrong numbers there
 * (microsoft/onnxruntime#29651): they get channels of zeros beside them.
 */
const conv: Lower<'conv'> = (b, tensor, [x, filter, ...bias]) => {
  const [input, weight] = tensor.inputs;
  const channels = weight.shape[1] as number; // stored tensors have fixed sizes
  const safe = channels % 3 !== 0 || channels % 4 === 0 || channels === 3;
  if (safe || tensor.attrs.groups !== 1) return portable.conv(b, tensor, [x, filter, ...bias]);
  const filled = [x, filter].map((name, i) => {
    const after = [input, weight][i].shape.map((_, axis) => (axis === 1 ? 4 - (channels % 4) : 0));
    return b.emit('Pad', [name, b.ints([...after.map(() => 0), ...after]), b.reals([0], [])]);
  });
  return portable.conv(b, tensor, [...filled, ...bias]);
};

export const webgpu: LoweringTable = {
  ...portable,
  conv,
  pow,
};
