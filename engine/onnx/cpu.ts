/** The CPU provider's lowering: ONNX Runtime's fused operators where they measured faster. */
import { blockedFilter, blockedLinear, followBlocks } from './blocked-rows.ts';
import { storedWeight } from './builder.ts';
import { nibblesLinear } from './nibbles.ts';
import { gated, multiHeadAttention, rotaryEmbedding, sliceWith } from './fused.ts';
import { dtypes } from '../weights/dtypes.ts';
import { type Lower, type LoweringTable, convAttributes, portable } from './portable.ts';
import { winogradConv } from './winograd.ts';

/**
 * Convolution on channels in blocks (NCHWc), which is how MLAS is fastest. The reordered filter is
 * prepared once; the picture is reordered on the way in and out.
 */
const blockedConv: Lower<'conv'> = (b, tensor, inputs) => {
  const [x, , ...bias] = inputs;
  const [, weight] = tensor.inputs;
  const filter =
    tensor.attrs.groups === 1 && weight.shape.length === 4 ? blockedFilter(b, weight) : undefined;
  if (filter === undefined) return portable.conv(b, tensor, inputs);
  const nchwc = (op: string, operands: readonly string[], attributes = {}): string =>
    b.emit(op, operands, { attributes, domain: 'com.microsoft.nchwc' });
  const [outputs, , ...kernel] = weight.shape as readonly number[];
  const attributes = { kernel_shape: { ints: kernel }, ...convAttributes(tensor.attrs) };
  const y = nchwc('Conv', [nchwc('ReorderInput', [x]), filter, ...bias], attributes);
  return nchwc('ReorderOutput', [y], { channels: { int: outputs } });
};

/** Rows of a narrow table are widened after they were picked, if each number is one by itself. */
const gather: Lower<'gather'> = (b, tensor, [x, indices]) => {
  const param = storedWeight(tensor.inputs[0]);
  const isPlain = param && !param.attrs.entry.scales && dtypes[param.dtype].block === 1;
  if (!isPlain || param === tensor.inputs[0]) return portable.gather(b, tensor, [x, indices]);
  const rows = portable.gather(b, tensor, [b.weight(param, { kind: 'stored' }), indices]);
  return b.cast(rows, b.real);
};

const linear: Lower<'linear'> = (b, tensor, inputs) =>
  nibblesLinear(b, tensor, inputs) ?? blockedLinear(b, tensor, inputs);

export const cpu: LoweringTable = {
  ...portable,
  linear,
  slice: sliceWith(linear),
  conv: (b, tensor, inputs) => {
    const tile = b.winograd.get(tensor);
    return tile ? winogradConv(b, tensor, inputs, tile) : blockedConv(b, tensor, inputs);
  },
  gather,
  add: followBlocks<'add'>(portable.add),
  mul: followBlocks<'mul'>(portable.mul),
  silu: followBlocks<'silu'>(gated(1)),
  gelu: followBlocks<'gelu'>(portable.gelu),
  geluTanh: followBlocks<'geluTanh'>(portable.geluTanh),
  quickGelu: followBlocks<'quickGelu'>(gated(1.702)),
  attention: multiHeadAttention,
  rotaryEmbedding,
};
