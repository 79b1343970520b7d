/**
 * Normalized attention guidance (Chen et al. 2025): in every self-attention the answer under the positive
 * prompt is led away from that under the negative one, and kept at about its length.
 */
import {
  abs,
  add,
  clamp,
  div,
  gather,
  input,
  minimum,
  mul,
  reshape,
  sub,
  sum,
} from '../tensor/nn.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { NetworkPatch } from './patch.ts';

export interface NormalizedAttentionOptions {
  readonly scale: number;
  /** How much of the guided answer counts. */
  readonly alpha: number;
  /** How much longer it may be. */
  readonly tau: number;
}

/** Acts where both sides share a call; which rows belong together and all numbers are fed. */
export function normalizedAttention(options: NormalizedAttentionOptions): NetworkPatch {
  const { scale, alpha, tau } = options;
  const [fedScale, fedTau] = ['scale', 'tau'].map((what) => input(`nag/${what}`, 'f32', []));
  let rowInputs: readonly [weight: Tensor, partner: Tensor] | undefined;
  return {
    identity: 'normalized attention guidance',
    active: ({ input: call }) => {
      const lists = call?.parts.map(({ list }) => list) ?? [];
      return lists.includes(0) && lists.includes(1);
    },
    at({ name, inputs, run }) {
      if (!name.endsWith('.attn1')) return undefined;
      const out = run(inputs); // [b, t, c]
      const rows = [out.shape[0]];
      rowInputs ??= [input('nag/weight', 'f32', rows), input('nag/partner', 'i64', rows)];
      const [weight, partner] = rowInputs;
      const numbers = { scale: fedScale, tau: fedTau, weight: reshape(weight, [rows[0], 1, 1]) };
      return blend(out, gather(out, partner, 0), numbers);
    },
    feeds({ rows, input: call }) {
      const lists = call!.parts.map(({ list }) => list);
      const size = rows / lists.length;
      const [positive, negative] = [lists.indexOf(0), lists.indexOf(1)];
      const partner = BigInt64Array.from({ length: rows }, (_, row) => BigInt(row));
      const weight = new Float32Array(rows);
      for (let i = 0; i < size; i++) {
        partner[positive * size + i] = BigInt(negative * size + i);
        weight[positive * size + i] = alpha;
      }
      const number = (value: number) => ({ data: Float32Array.of(value), shape: [] });
      return {
        'nag/partner': { ids: partner, shape: [rows] },
        'nag/weight': { data: weight, shape: [rows] },
        'nag/scale': number(scale),
        'nag/tau': number(tau),
      };
    },
  };
}

function blend(
  z: Tensor,
  away: Tensor,
  { scale, tau, weight }: { scale: Tensor; tau: Tensor; weight: Tensor },
): Tensor {
  const guided = sub(mul(z, scale), mul(away, sub(scale, 1)));
  const length = (x: Tensor): Tensor => clamp(sum(abs(x), -1, { keep: true }), 1e-6);
  const ratio = div(length(guided), length(z));
  const kept = mul(guided, div(minimum(ratio, tau), ratio));
  return add(mul(kept, weight), mul(z, sub(1, weight)));
}
