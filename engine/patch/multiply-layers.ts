/** Layers whose output counts more or less. */
import { input } from '../tensor/nn.ts';
import type { NetworkPatch } from './patch.ts';

/** A layer's name (its path without `weight`) to the factor that counts for it, by name. */
export type FactorOf = (layer: string) => string | undefined;

/**
 * Multiplies weights and biases of a network's layers, with what earlier patches put beside them. The
 * factors are fed. `name` must be unique among a network's patches.
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
    const factor = key.endsWith('.weight') ? factorOf(key.slice(0, -'.weight'.length)) : undefined;
    if (factor !== undefined) chosen.set(key, factor);
  }
  return {
    identity: `${name} multiplies ${[...chosen].join(' ')}`,
    keys: new Set(chosen.keys()),
    scale: (key) => inputs[chosen.get(key)!], // one of `keys`
    feeds: () =>
      Object.fromEntries(
        [...new Set(chosen.values())].map((factor) => [
          `${name}/${factor}`,
          { data: Float32Array.of(factors[factor]), shape: [] },
        ]),
      ),
  };
}
