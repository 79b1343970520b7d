/** The CPU provider's lowering: ONNX Runtime's fused operators where they measured faster. */
import { sameDims } from '../tensor/shape.ts';
import { elementwiseOps } from '../tensor/ops/elementwise.ts';
import { leafOps } from '../tensor/ops/leaves.ts';
import { movementOps } from '../tensor/ops/movement.ts';
import { productOps } from '../tensor/ops/products.ts';
import { type Tensor, isOp, node } from '../tensor/tensor.ts';
import { dtypes } from '../weights/dtypes.ts';
import { rowsOf } from '../weights/source.ts';
import { type Builder, storedWeight } from './builder.ts';
import {
  type Lower,
  type LoweringTable,
  type NodeOf,
  convAttributes,
  portable,
} from './portable.ts';
import { winogradConv } from './winograd.ts';

/** x * sigmoid(alpha * x) in one pass over memory. */
export const gated =
  (alpha: number) =>
  (b: Builder, _: unknown, [x]: readonly string[]): string =>
    b.contrib('QuickGelu', [x], { alpha: { float: alpha } });

/** Blocked softmax: the scores are never written out whole. */
export const multiHeadAttention: Lower<'attention'> = (b, tensor, inputs) => {
  const { heads, kvHeads, causal, scale } = tensor.attrs;
  if (kvHeads !== heads) return undefined;
  const [q, k, v, mask] = inputs;
  const operands = mask === undefined ? [q, k, v] : [q, k, v, '', '', fullMask(b, tensor, mask)];
  return b.contrib('MultiHeadAttention', operands, {
    num_heads: { int: heads },
    scale: { float: scale },
    ...(causal ? { unidirectional: { int: 1 } } : {}),
  });
};

/** The mask as the operator takes it: four axes, the last two of full size. */
function fullMask(
  b: Builder,
  { inputs: [q, k, , mask] }: NodeOf<'attention'>,
  name: string,
): string {
  const missing = 4 - mask.shape.length;
  const axes = Array.from({ length: missing }, (_, i) => i);
  const four = missing === 0 ? name : b.emit('Unsqueeze', [name, b.ints(axes)]);
  const whole = [q.shape[1], k.shape[1]];
  const fits = mask.shape.length >= 2 && sameDims(mask.shape.slice(-2), whole);
  return fits ? four : b.emit('Expand', [four, b.sizes([1, 1, ...whole])]);
}

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

/**
 * Parts of a linear layer's features, where it is only read in parts: the layer on rows of its weight,
 * which needs neither the whole result nor copies of it (gated feed-forward layers, fused q, k, v).
 */
export const sliceWith =
  (linear: Lower<'linear'>): Lower<'slice'> =>
  (b, tensor, inputs) => {
    const [whole] = tensor.inputs;
    const layer = b.readersOf(whole).every(isFeatureRange) ? linearOnRows(tensor) : undefined;
    if (!layer) return portable.slice(b, tensor, inputs);
    return linear(b, layer, layer.inputs.map(b.nameOf));
  };

function isFeatureRange(tensor: Tensor): boolean {
  if (!isOp(movementOps.slice, tensor) || typeof tensor.attrs.start !== 'number') return false;
  const { axis, end, step } = tensor.attrs;
  return axis === tensor.shape.length - 1 && typeof end === 'number' && step === 1;
}

/** The linear layer that computes a range of another one's features, if that one's weights allow. */
function linearOnRows({ inputs: [whole], attrs }: NodeOf<'slice'>): NodeOf<'linear'> | undefined {
  if (!isOp(productOps.linear, whole)) return undefined;
  const [x, ...weights] = whole.inputs;
  const rows = weights.map((weight) => {
    const param = storedWeight(weight);
    if (!param || param.attrs.entry.transposed) return undefined;
    const [start, end] = [attrs.start as number, attrs.end as number]; // see isFeatureRange
    const entry = rowsOf(param.attrs.entry, start, end);
    const key = `${param.attrs.key}[${start}:${end}]`;
    const part = node(leafOps.param, [], { ...param.attrs, key, entry }, param.scope);
    return param === weight ? part : node(elementwiseOps.cast, [part], { to: 'f32' });
  });
  if (rows.includes(undefined)) return undefined;
  return node(productOps.linear, [x, ...(rows as Tensor[])], {}, whole.scope);
}

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
