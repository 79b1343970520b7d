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
import { type Dim, addDim, fixedDim, sameDim, sizeOfShape } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { type Derivation, type Rule, ownSteps } from '../rule.ts';
import { sumTo } from '../shapes.ts';

/**
 * In how many goes the heads are derived: where tokens look at each other their scores are the most memory of a
 * step, where they look at a few words they are little.
 */
const goesOf = (q: Tensor, k: Tensor): number => (sameDim(q.shape[1], k.shape[1]) ? 8 : 1);

/**
 * With P = softmax(S), S = q kᵀ · scale + mask, out = P v: dv = Pᵀ g, dP = g vᵀ,
 * dS = P ∘ (dP − Σ g ∘ out), dq = dS k · scale, dk = dSᵀ q · scale.
 */
const rule: Rule<AttentionAttrs> = (y, g, wants) => {
  const [q, k, v, mask] = y.inputs;
  const { heads, kvHeads, causal, scale } = y.attrs;
  if (kvHeads !== heads || causal || wants[3]) return undefined;
  const apart = [q, k, v, g, y].map((x) => headsOf(x, heads));
  const share = Math.ceil(heads / Math.min(goesOf(q, k), heads));
  const wanted = [0, 1, 2].filter((i) => wants[i]);
  const goes: (readonly Tensor[])[] = [];
  for (let first = 0; first < heads; first += share) {
    const range = [first, Math.min(first + share, heads)] as const;
    const some = (x: Tensor): Tensor => (share === heads ? x : slice(x, 1, ...range));
    const [query, key, value, gradient, out] = apart.map(some);
    let scores = matmul(mul(query, scale), key, { transposeB: true });
    if (mask) scores = add(scores, maskOf(mask, range));
    const p = softmax(scores, -1);
    const dot = sum(mul(gradient, out), -1, { keep: true });
    const ds = mul(p, sub(matmul(gradient, value, { transposeB: true }), dot));
    const derived = [
      mul(matmul(ds, key), scale),
      mul(matmul(permute(ds, [0, 1, 3, 2]), query), scale),
      matmul(permute(p, [0, 1, 3, 2]), gradient),
    ];
    goes.push(wanted.map((i) => derived[i]));
  }
  const whole = joined(goes);
  return [0, 1, 2].map((i) =>
    wants[i] ? inPlace(whole[wanted.indexOf(i)], y.inputs[i]) : undefined,
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

/**
 * The gradients [b, heads, t, d] of all goes' heads. Those of a go are laid end to end first: so it is done with, and
 * its scores are gone, before another begins.
 */
function joined(goes: readonly (readonly Tensor[])[]): readonly Tensor[] {
  if (goes.length === 1) return goes[0];
  const endToEnd = (go: readonly Tensor[]): Tensor =>
    concat(
      go.map((x) => reshape(x, [...x.shape.slice(0, 2), sizeOfShape(x.shape.slice(2))])),
      2,
    );
  const all = concat(goes.map(endToEnd), 1);
  let start: Dim = 0;
  return goes[0].map(({ shape: [, , ...each] }) => {
    const end = addDim(start, sizeOfShape(each));
    const own = reshape(slice(all, 2, start, end), [...all.shape.slice(0, 2), ...each]);
    start = end;
    return own;
  });
}

/** Heads [b, heads, t, d] as [b, t, heads*d], in the shape of the input. */
const inPlace = (x: Tensor, { shape }: Tensor): Tensor =>
  sumTo(reshape(permute(x, [0, 2, 1, 3]), shape), shape);

export const attentionRules: { readonly attention: Derivation<AttentionAttrs> } = {
  attention: { rule, steps: ownSteps },
};
