/** The CPU provider's lowering: ONNX Runtime's fused operators where they measured faster. */
import { type Builder } from './builder.ts';
import { type Lower, type LoweringTable, portable } from './portable.ts';

/** x * sigmoid(alpha * x) in one pass over memory. */
const gated =
  (alpha: number) =>
  (b: Builder, _: unknown, [x]: readonly string[]): string =>
    b.contrib('QuickGelu', [x], { alpha: { float: alpha } });

/** Blocked softmax: the scores are never written out whole. */
const multiHeadAttention: Lower<'attention'> = (b, tensor, inputs) => {
  const { heads, kvHeads, causal, scale } = tensor.attrs;
  if (kvHeads !== heads) return portable.attention(b, tensor, inputs);
  const [q, k, v, mask] = inputs;
  const operands = mask === undefined ? [q, k, v] : [q, k, v, '', '', fourAxes(b, tensor, mask)];
  return b.contrib('MultiHeadAttention', operands, {
    num_heads: { int: heads },
    scale: { float: scale },
    ...(causal ? { unidirectional: { int: 1 } } : {}),
  });
};

/** The mask with leading axes of size 1 up to [b, heads, t, s]. */
function fourAxes(b: Builder, { inputs }: Parameters<Lower<'attention'>>[1], mask: string): string {
  const missing = 4 - inputs[3].shape.length;
  if (missing === 0) return mask;
  return b.add('Unsqueeze', [mask, b.ints(Array.from({ length: missing }, (_, i) => i))]);
}

export const cpu: LoweringTable = {
  ...portable,
  silu: gated(1),
  quickGelu: gated(1.702),
  attention: multiHeadAttention,
};
