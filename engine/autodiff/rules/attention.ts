/** The derivative of scaled dot-product attention, some heads at a time: their scores are the memory it takes. */
import {
  add,
  concat,
  matmul,
  mul,
  permute,
  reshape,
  slice,
  softmax,
  sub,
  sum,
} from '../../tensor/nn.ts';
import type { AttentionAttrs } from '../../tensor/ops/attention.ts';
import { fixedDim } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { type Derivation, type Rule, ownSteps } from '../rule.ts';
import { sumTo } from '../shapes.ts';

/** In how many goes the heads of an attention are derived. */
const goes = 4;

/**
 * With P = softmax(S), S = q kᵀ · scale + mask, out = P v: dv = Pᵀ g, dP = g vᵀ,
 * dS = P ∘ (dP − Σ g ∘ out), dq = dS k · scale, dk = dSᵀ q · scale.
 */
const rule: Rule<AttentionAttrs> = (y, g, wants) => {
  const [q, k, v, mask] = y.inputs;
  const { heads, kvHeads, causal, scale } = y.attrs;
  if (kvHeads !== heads || causal || wants[3]) return undefined;
  const apart = [q, k, v, g, y].map((x) => headsOf(x, heads));
  const share = Math.ceil(heads / Math.min(goes, heads));
  const parts: (readonly Tensor[])[] = [];
  for (let first = 0; first < heads; first += share) {
    const range = [first, Math.min(first + share, heads)] as const;
    const [query, key, value, gradient, out] = apart.map((x) => slice(x, 1, ...range));
    let scores = matmul(mul(query, scale), key, { transposeB: true });
    if (mask) scores = add(scores, maskOf(mask, range));
    const p = softmax(scores, -1);
    const dot = sum(mul(gradient, out), -1, { keep: true });
    const ds = mul(p, sub(matmul(gradient, value, { transposeB: true }), dot));
    parts.push([
      mul(matmul(ds, key), scale),
      mul(matmul(permute(ds, [0, 1, 3, 2]), query), scale),
      matmul(permute(p, [0, 1, 3, 2]), gradient),
    ]);
  }
  return [0, 1, 2].map((i) =>
    joined(
      parts.map((part) => part[i]),
      y.inputs[i],
    ),
  );
};

/** [b, t, heads*d] as [b, heads, t, d]. */
function headsOf(x: Tensor, heads: number): Tensor {
  const [batch, tokens, channels] = x.shape;
  const width = fixedDim(channels, 'attention channels') / heads;
  return permute(reshape(x, [batch, tokens, heads, width]), [0, 2, 1, 3]);
}

/** A mask may be the same for all heads. */
function maskOf(mask: Tensor, [start, end]: readonly [number, number]): Tensor {
  const axis = mask.shape.length - 3;
  return axis < 0 || mask.shape[axis] === 1 ? mask : slice(mask, axis, start, end);
}

/** Heads [b, heads, t, d] of all parts beside each other: [b, t, heads*d]. */
function joined(parts: readonly Tensor[], { shape }: Tensor): Tensor {
  const all = parts.length === 1 ? parts[0] : concat(parts, 1);
  return sumTo(reshape(permute(all, [0, 2, 1, 3]), shape), shape);
}

export const attentionRules: { readonly attention: Derivation<AttentionAttrs> } = {
  attention: { rule, steps: ownSteps },
};
