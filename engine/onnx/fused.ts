/** Rows that the tables of several providers share: fused operators, and what their kernels are like. */
import { elementwiseOps } from '../tensor/ops/elementwise.ts';
import type { OpName } from '../tensor/ops/index.ts';
import { leafOps } from '../tensor/ops/leaves.ts';
import { movementOps } from '../tensor/ops/movement.ts';
import { productOps } from '../tensor/ops/products.ts';
import { sameDims } from '../tensor/shape.ts';
import { type Tensor, isOp, node } from '../tensor/tensor.ts';
import { hasRows, rowsOf } from '../weights/source.ts';
import { type Builder, storedWeight } from './builder.ts';
import { type Lower, type NodeOf, portable } from './portable.ts';

/**
 * Ops whose kernels on graphics cards add up in full precision whatever they read and write, so that halves
 * may go in: the statistics of norms (CUDA's SkipLayerNormalization since 1.29) and the softmax.
 */
export const exactWithin: ReadonlySet<string> = new Set<OpName>([
  'groupNorm',
  'layerNorm',
  'softmax',
]);

/** A row in full precision, with its result in the type that is computed in. */
export function rowInFull<K extends OpName>(
  b: Builder,
  tensor: NodeOf<K>,
  row: Lower<K, string>,
): string {
  const { real } = b;
  b.real = 'f32';
  const result = row(b, tensor, tensor.inputs.map(b.nameOf));
  b.real = real;
  return real === 'f32' ? result : b.cast(result, real);
}

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

/** Pairs turned in one pass over memory; the cosines and sines are those of the tokens in their order. */
export const rotaryEmbedding: Lower<'rotaryEmbedding'> = (b, { attrs }, [x, cos, sin]) =>
  b.contrib('RotaryEmbedding', [x, b.ints([0]), cos, sin], {
    interleaved: { int: attrs.interleaved ? 1 : 0 },
  });

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
 * Parts of a linear layer's features, where it is only read in parts: the layer on rows of its weight,
 * which needs neither the whole result nor copies of it (gated feed-forward layers, fused q, k, v).
 */
export const sliceWith =
  (linear: Lower<'linear'>): Lower<'slice'> =>
  (b, tensor, inputs) => {
    const [whole] = tensor.inputs;
    const layer = b.readersOf(whole).every(isFeatureRange) ? linearOnRows(tensor) : undefined;
    if (!layer) return portable.slice(b, tensor, inputs);
    b.anchor = b.nameOf(layer.inputs[0]);
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
    if (!param || !hasRows(param.attrs.entry)) return undefined;
    const [start, end] = [attrs.start as number, attrs.end as number]; // see isFeatureRange
    const entry = rowsOf(param.attrs.entry, start, end);
    const key = `${param.attrs.key}[${start}:${end}]`;
    const part = node(leafOps.param, [], { ...param.attrs, key, entry }, param.scope);
    return param === weight ? part : node(elementwiseOps.cast, [part], { to: 'f32' });
  });
  if (rows.includes(undefined)) return undefined;
  return node(productOps.linear, [x, ...(rows as Tensor[])], {}, whole.scope);
}
