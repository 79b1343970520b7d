/** Layers whose output counts more or less. */
import { input, mul } from '../tensor/nn.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { NetworkPatch } from './patch.ts';

/** A layer's name (its path without `weight`) to the factor that counts for it, by name. */
export type FactorOf = (layer: string) => string | undefined;

/**
 * Multiplies weights and biases of a network's layers, with what earlier patches do to them. The factors
 * are fed. `name` must be unique among a network's patches.
 */
export function multiplyLayers(
  name: string,
  keys: Iterable<string>,
  factorOf: FactorOf,
  factors: Readonly<Record<string, number>>,
): NetworkPatch {
  const inputs = Object.fromEntries(
    Object.keys(factors).map((factor) => [factor, input(`${name}/${factor}`, 'f32', [])]),
  );
  const chosen = new Map<string, string>();
  for (const key of keys) {
    const layer = /^(.*)\.(?:weight|bias)$/.exec(key)?.[1];
    const factor = layer === undefined ? undefined : factorOf(layer);
    if (factor !== undefined) chosen.set(key, factor);
  }
  const factorAt = (key: string): Tensor => inputs[chosen.get(key)!]; // one of `keys`
  return {
    identity: `${name} multiplies ${[...chosen].join(' ')}`,
    keys: new Set(chosen.keys()),
    change: (key, value) => mul(value, factorAt(key)),
    scale: factorAt,
    feeds: () =>
      Object.fromEntries(
        [...new Set(chosen.values())].map((factor) => [
          `${name}/${factor}`,
          { data: Float32Array.of(factors[factor]), shape: [] },
        ]),
      ),
  };
}
