/** Scaled dot-product attention. */
import { type Kernel, at, build, each, flatOf, sumOver } from '../host.ts';
import { broadcastShapes, expectShape, staticShape } from '../shape-rules.ts';
import { type Dim, fixedDim, floorDivDim, sameDim, sameDims, shapeText } from '../shape.ts';
import { type Node, type Tensor, node, opTable, row } from '../tensor.ts';
import { add, less, mul, where } from './elementwise.ts';
import { range } from './leaves.ts';
import { expand, permute, reshape, unsqueeze } from './movement.ts';
import { matmul } from './products.ts';
import { softmax } from './reductions.ts';

export interface AttentionAttrs {
  readonly heads: number;
  readonly kvHeads: number;
  readonly causal: boolean;
  readonly scale: number;
}

const kernel: Kernel<AttentionAttrs> = (
  [q, k, v, mask],
  { heads, kvHeads, causal, scale },
  { shape },
) => {
  const d = q.shape[2] / heads;
  const e = v.shape[2] / kvHeads;
  const length = k.shape[1];
  const weights = (b: number, head: number, t: number): number[] => {
    const kv = Math.floor((head * kvHeads) / heads);
    const scores = Array.from({ length }, (_, s) => {
      if (causal && s > t) return -Infinity;
      const dot = sumOver(d, (i) => at(q, [b, t, head * d + i]) * at(k, [b, s, kv * d + i]));
      return dot * scale + (mask ? at(mask, [b, head, t, s]) : 0);
    });
    const top = Math.max(...scores);
    const powers = scores.map((score) => Math.exp(score - top));
    const total = powers.reduce((sum, p) => sum + p, 0);
    return powers.map((p) => p / total);
  };
  const result = build(shape, () => 0);
  each([shape[0], heads, shape[1]], ([b, head, t]) => {
    const kv = Math.floor((head * kvHeads) / heads);
    const p = weights(b, head, t);
    for (let i = 0; i < e; i++) {
      result.data[flatOf(shape, [b, t, head * e + i])] = sumOver(
        length,
        (s) => p[s] * at(v, [b, s, kv * e + i]),
      );
    }
  });
  return result;
};

export const attentionOps = opTable({
  /**
   * q [b, t, heads*d], k [b, s, kvHeads*d], v [b, s, kvHeads*e] and perhaps an additive mask that
   * broadcasts to [b, heads, t, s]; gives [b, t, heads*e].
   */
  attention: row<AttentionAttrs>({
    shape: ([q, k, v, mask], { heads, kvHeads }) => {
      const three = [q, k, v].every((x) => x.shape.length === 3);
      expectShape(three, 'q, k and v must have 3 axes [batch, tokens, channels]');
      const [qc, kc, vc] = [q, k, v].map((x) => staticShape([x.shape[2]], 'the channel axis')[0]);
      expectShape(
        qc % heads === 0 &&
          vc % kvHeads === 0 &&
          heads % kvHeads === 0 &&
          kc * heads === qc * kvHeads,
        `channels do not fall into ${heads} heads (${kvHeads} for k and v)`,
      );
      expectShape(sameDim(k.shape[1], v.shape[1]), 'k and v have different lengths');
      if (mask) {
        const scores = [q.shape[0], heads, q.shape[1], k.shape[1]];
        const fits = sameDims(broadcastShapes([scores, mask.shape]), scores);
        expectShape(fits, `the mask must broadcast to ${shapeText(scores)}`);
      }
      return [q.shape[0], q.shape[1], (vc / kvHeads) * heads];
    },
    kernel,
    decompose: inSteps,
  }),
});

function inSteps({ inputs: [q, k, v, mask], attrs, shape }: Node<AttentionAttrs>): Tensor {
  const { heads, kvHeads, causal, scale } = attrs;
  const query = permute(splitHeads(q, heads), [0, 2, 1, 3]); // [b, heads, t, d]
  const key = repeatHeads(permute(splitHeads(k, kvHeads), [0, 2, 3, 1]), heads); // [b, heads, d, s]
  const value = repeatHeads(permute(splitHeads(v, kvHeads), [0, 2, 1, 3]), heads); // [b, heads, s, e]
  let scores = matmul(mul(query, scale), key);
  if (mask) scores = add(scores, mask);
  if (causal) scores = add(scores, causalMask(q.shape[1], k.shape[1]));
  const mixed = permute(matmul(softmax(scores, -1), value), [0, 2, 1, 3]); // [b, t, heads, e]
  return reshape(mixed, shape);
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
  return where(later, -3.4028234663852886e38, 0);
}

export interface AttentionOptions {
  readonly heads: number;
  /** Heads of k and v where each serves several of q (grouped queries). */
  readonly kvHeads?: number;
  /** Added to the scores; broadcasts to [b, heads, t, s]. */
  readonly mask?: Tensor;
  readonly causal?: boolean;
  /** Left out: (channels per head)^-0.5. */
  readonly scale?: number;
}

/** softmax(q k^T * scale + mask) v per head; q, k, v are [b, tokens, heads*d]. */
export function attention(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions): Tensor {
  const { heads, kvHeads = heads, mask, causal = false } = options;
  // Not `** -0.5`: its last digit differs between versions of Node, and with it the bytes of a graph.
  const scale = options.scale ?? 1 / Math.sqrt(fixedDim(q.shape[2], 'attention channels') / heads);
  const inputs = mask ? [q, k, v, mask] : [q, k, v];
  return node(attentionOps.attention, inputs, { heads, kvHeads, causal, scale });
}
