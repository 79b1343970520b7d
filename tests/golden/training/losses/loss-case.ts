/** A case of `training/loss`, and how results are held against it. */
import { type Comparison, compare } from '../../area.ts';
import type { GoldenCase } from '../../open-case.ts';

/** Settings of the cases; which are there depends on the case. */
export interface Params {
  readonly seed: number;
  readonly batch: number;
  readonly gamma: number;
  readonly gamma_small: number;
  readonly offset: number;
  readonly adaptive_scale: number;
  readonly mask_min_value: number;
  readonly reg_weight: number;
  readonly preservation_multiplier: number;
  readonly huber_c: number;
  readonly huber_scale: number;
  readonly min: number;
  readonly max: number;
  readonly latent_hw?: readonly [number, number];
  readonly shift: number;
  readonly steps: number;
  readonly mu?: number;
  readonly sigmoid_scale: number;
  readonly discrete_flow_shift: number;
  readonly logit_mean: number;
  readonly logit_std: number;
  readonly mode_scale: number;
}
export type Golden = GoldenCase<{ readonly params: Params }>;
export type Values = { data: ArrayLike<number>; shape: readonly number[] };

export const exact = { atol: 0, rtol: 0 };
export const list = (data: ArrayLike<number>): Values => ({ data, shape: [data.length] });

/** Compares each named result with the case's tensor of that name under `out.`. */
export const against = (
  golden: Golden,
  results: Readonly<Record<string, Values>>,
  tolerance = golden.tolerance,
): Comparison[] =>
  Object.entries(results).map(([name, got]) =>
    compare(name, got, golden.numbers(`out.${name}`), tolerance),
  );
