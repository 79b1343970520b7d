/**
 * Ops that are more than one primitive step, written in the steps: what a lowering does where its
 * provider has no such operator, and what derivatives are taken of. A decomposition computes what the
 * op's kernel computes.
 */
import {
  add,
  div,
  erf,
  less,
  matmul,
  mean,
  mul,
  permute,
  range,
  reshape,
  sigmoid,
  softmax,
  sqrt,
  sub,
  tanh,
  unsqueeze,
  expand,
  where,
} from './nn.ts';
import type { OpName } from './ops.ts';
import { type Dim, floorDivDim, sizeOfShape } from './shape.ts';
import type { Node, Tensor } from './tensor.ts';

type Decomposition<K extends OpName> = (node: Node<K>) => Tensor;

export const decompose = {
  silu: ({ inputs: [x] }) => mul(x, sigmoid(x)),
  quickGelu: ({ inputs: [x] }) => mul(x, sigmoid(mul(x, 1.702))),
  gelu: ({ inputs: [x] }) => mul(mul(x, 0.5), add(erf(mul(x, Math.SQRT1_2)), 1)),
  geluTanh: ({ inputs: [x] }) => {
    const inner = mul(add(x, mul(mul(mul(x, x), x), 0.044715)), Math.sqrt(2 / Math.PI));
    return mul(mul(x, 0.5), add(tanh(inner), 1));
  },
  groupNorm: ({ inputs: [x, weight, bias], attrs: { groups, eps } }) => {
    const grouped = [x.shape[0], groups, floorDivDim(sizeOfShape(x.shape.slice(1)), groups)];
    const y = reshape(standardise(reshape(x, grouped), eps), x.shape);
    const perChannel = [x.shape[1], ...x.shape.slice(2).map(() => 1)];
    return scaleAndShift(
      y,
      weight && reshape(weight, perChannel),
      bias && reshape(bias, perChannel),
    );
  },
  layerNorm: ({ inputs: [x, weight, bias], attrs: { eps } }) =>
    scaleAndShift(standardise(x, eps), weight, bias),
  rmsNorm: ({ inputs: [x, weight], attrs: { eps } }) => {
    const root = sqrt(add(mean(mul(x, x), -1, { keep: true }), eps));
    return scaleAndShift(div(x, root), weight);
  },
  attention: ({ inputs: [q, k, v, mask], attrs: { heads, kvHeads, causal, scale }, shape }) => {
    const query = permute(splitHeads(q, heads), [0, 2, 1, 3]); // [b, heads, t, d]
    const key = repeatHeads(permute(splitHeads(k, kvHeads), [0, 2, 3, 1]), heads); // [b, heads, d, s]
    const value = repeatHeads(permute(splitHeads(v, kvHeads), [0, 2, 1, 3]), heads); // [b, heads, s, e]
    let scores = matmul(mul(query, scale), key);
    if (mask) scores = add(scores, mask);
    if (causal) scores = add(scores, causalMask(q.shape[1], k.shape[1]));
    const mixed = permute(matmul(softmax(scores, -1), value), [0, 2, 1, 3]); // [b, t, heads, e]
    return reshape(mixed, shape);
  },
} satisfies { readonly [K in OpName]?: Decomposition<K> };

/** Ops that have a decomposition. */
export type DecomposedOp = keyof typeof decompose;

/** The op in primitive steps over the same inputs; undefined for a primitive. */
export function decomposed(tensor: Tensor): Tensor | undefined {
  const rule = (decompose as { readonly [op: string]: unknown })[tensor.op];
  return (rule as Decomposition<OpName> | undefined)?.(tensor);
}

/** (x - mean) / sqrt(variance + eps) over the last axis. */
function standardise(x: Tensor, eps: number): Tensor {
  const centred = sub(x, mean(x, -1, { keep: true }));
  return div(centred, sqrt(add(mean(mul(centred, centred), -1, { keep: true }), eps)));
}

function scaleAndShift(x: Tensor, weight?: Tensor, bias?: Tensor): Tensor {
  const scaled = weight ? mul(x, weight) : x;
  return bias ? add(scaled, bias) : scaled;
}

/** [b, t, heads*d] as [b, t, heads, d]. */
function splitHeads(x: Tensor, heads: number): Tensor {
  const [batch, length, channels] = x.shape;
  return reshape(x, [batch, length, heads, floorDivDim(channels, heads)]);
}

/** Each head of [b, kvHeads, m, n] as often in a row as gives `heads`. */
function repeatHeads(x: Tensor, heads: number): Tensor {
  const [batch, kvHeads, m, n] = x.shape;
  if (kvHeads === heads) return x;
  const times = floorDivDim(heads, kvHeads);
  return reshape(expand(unsqueeze(x, 2), [batch, kvHeads, times, m, n]), [batch, heads, m, n]);
}

/** [t, s] of 0 where s <= t, else the lowest number. */
function causalMask(t: Dim, s: Dim): Tensor {
  const later = less(reshape(range(t), [t, 1]), reshape(range(s), [1, s]));
  return where(later, lowest, 0);
}

const lowest = -3.4028234663852886e38;
