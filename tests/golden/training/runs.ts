/** What golden cases of whole training runs are held to: every loss, the effect of training, the trained tensors. */
import type { NDArray } from '../../../engine/array/nd.ts';
import type { Comparison } from '../area.ts';
import type { GoldenCase } from '../open-case.ts';

export const list = (values: readonly number[]): NDArray => ({
  data: Float32Array.from(values),
  shape: [values.length],
});

const difference = (a: NDArray, b: NDArray): number[] =>
  Array.from(b.data, (v, i) => a.data[i] - v);

export const distanceWithin = (name: string, maxError: number, tolerance: number): Comparison => ({
  name,
  maxError,
  tolerance,
  pass: maxError <= tolerance,
});

/** A trainer that changes nothing is as far from the losses as the untrained network. */
export function effect(
  losses: readonly number[],
  expected: Float32Array,
  untrained: Float32Array,
): Comparison {
  const off = (values: ArrayLike<number>): number =>
    expected.reduce((sum, v, i) => sum + Math.abs(values[i] - v), 0);
  return distanceWithin('effect of training', off(losses), 0.05 * off(untrained));
}

/** A map of tensors has no order to keep. */
export function namesOf(got: readonly string[], expected: readonly string[]): Comparison {
  const [own, theirs] = [new Set(got), new Set(expected)];
  const wrong = [
    ...got.filter((name) => !theirs.has(name)),
    ...expected.filter((name) => !own.has(name)),
  ];
  return distanceWithin(`names (${got.length} of ${expected.length})`, wrong.length, 0);
}

/** What was trained, where the case has it and it is determined, within a share of the way that it moved. */
export function tensorsWithin(
  {
    params,
    has,
    array,
  }: GoldenCase<{
    readonly names: readonly string[];
    readonly loosely_determined: readonly string[];
  }>,
  tensors: ReadonlyMap<string, NDArray>,
  prefix = 'out.lora.',
): Comparison[] {
  const moved = array('out.moved').data;
  return params.names.flatMap((name, i) => {
    const got = tensors.get(name);
    const stored = prefix + name;
    if (!got || !has(stored) || params.loosely_determined.includes(name)) return [];
    const distance = Math.hypot(...difference(got, array(stored)));
    return [distanceWithin(prefix + name, distance, 0.02 * moved[i] + 1e-7)];
  });
}
