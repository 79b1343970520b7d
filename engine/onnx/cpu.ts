/** The CPU provider's lowering: ONNX Runtime's fused operators where they measured faster. */
import type { Tensor } from '../tensor/tensor.ts';
import { dtypes } from '../weights/dtypes.ts';
import { type Builder, storedWeight } from './builder.ts';
import { gated, multiHeadAttention, sliceWith } from './fused.ts';
import { type Lower, type LoweringTable, convAttributes, portable } from './portable.ts';
import { winogradConv } from './winograd.ts';

/**
 * Convolution on channels in blocks (NCHWc), which is how MLAS is fastest. The reordered filter is
 * prepared once; the picture is reordered on the way in and out.
 */
const blockedConv: Lower<'conv'> = (b, tensor, inputs) => {
  const [x, , ...bias] = inputs;
  const [, weight] = tensor.inputs;
  const filter = blockedFilter(b, weight, tensor.attrs.groups);
  if (filter === undefined) return portable.conv(b, tensor, inputs);
  const nchwc = (op: string, operands: readonly string[], attributes = {}): string =>
    b.emit(op, operands, { attributes, domain: 'com.microsoft.nchwc' });
  const [outputs, , ...kernel] = weight.shape as readonly number[];
  const attributes = { kernel_shape: { ints: kernel }, ...convAttributes(tensor.attrs) };
  const y = nchwc('Conv', [nchwc('ReorderInput', [x]), filter, ...bias], attributes);
  return nchwc('ReorderOutput', [y], { channels: { int: outputs } });
};

/** The filter in blocks, where it is a stored tensor whose channels fill whole blocks. */
function blockedFilter(b: Builder, weight: Tensor, groups: number): string | undefined {
  const param = storedWeight(weight);
  const [outputs, channels, ...kernel] = weight.shape as readonly number[];
  const { block } = b;
  if (block === undefined || b.real !== 'f32' || !param || groups !== 1 || kernel.length !== 2)
    return undefined;
  const whole = outputs % block === 0 && channels % block === 0;
  if (!whole) return undefined;
  const narrow = b.widen === 'graph' && dtypes[param.dtype].bytes === 2;
  const filter = b.weight(param, { kind: 'blocked', block, narrow });
  return narrow ? b.cast(filter, b.real) : filter;
}

/** Rows of a narrow table are widened after they were picked. */
const gather: Lower<'gather'> = (b, tensor, [x, indices]) => {
  const param = storedWeight(tensor.inputs[0]);
  if (!param || param === tensor.inputs[0]) return portable.gather(b, tensor, [x, indices]);
  const rows = portable.gather(b, tensor, [b.weight(param, { kind: 'stored' }), indices]);
  return b.cast(rows, b.real);
};

export const cpu: LoweringTable = {
  ...portable,
  slice: sliceWith(portable.linear),
  conv: (b, tensor, inputs) =>
    (b.winograd.has(tensor) ? winogradConv : blockedConv)(b, tensor, inputs),
  gather,
  silu: gated(1),
  quickGelu: gated(1.702),
  attention: multiHeadAttention,
};
