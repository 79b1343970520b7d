/** Golden case of ConditioningAverage, ConditioningConcat and ConditioningZeroOut. */
import type { NDArray } from '../../../engine/array/nd.ts';
import type { Conditioning } from '../../../engine/sampling/conditioning.ts';
import {
  averageConditioning,
  concatConditioning,
  zeroOut,
} from '../../../engine/values/conditioning.ts';
import { type Comparison, compare } from '../area.ts';
import type { GoldenCase } from '../open-case.ts';

/** Keys are `average_<from>_<weight>`, `concat_<from>`, `zero_out`, each also with `_pooled`. */
export function conditioningNodes(golden: GoldenCase<unknown>): Comparison[] {
  const list = (cross: string, pooled: string): Conditioning => [
    { cross: golden.array(`in.${cross}`), pooled: golden.array(`in.${pooled}`) },
  ];
  const to = list('to', 'pooled_to');
  const make = (key: string): Conditioning => {
    if (key === 'zero_out') return zeroOut(to);
    const [node, length, weight] = key.split('_');
    const from = list(`from_${length}`, 'pooled_from');
    return node === 'concat'
      ? concatConditioning(to, from)
      : averageConditioning(to, from, Number(weight));
  };
  const outputs = golden.names.filter((name) => name.startsWith('out.'));
  return outputs.map((name) => {
    const key = name.slice(4).replace('_pooled', '');
    const [{ cross, pooled }] = make(key);
    const got: NDArray = name.endsWith('_pooled') ? pooled! : cross;
    return compare(name, got, golden.array(name), golden.tolerance);
  });
}
