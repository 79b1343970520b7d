/** A network brought toward the weights of another one of the same kind. */
import { widened } from '../tensor/cursor.ts';
import { add, input, mul, sub } from '../tensor/nn.ts';
import type { WeightSource } from '../weights/source.ts';
import type { NetworkCall, NetworkPatch } from './patch.ts';

/**
 * Every weight W that both have becomes W + s·(theirs - the stored one). The strength s is fed. `name`
 * must be unique among a network's patches.
 */
export function towardPatch(
  name: string,
  { own, theirs }: { readonly own: WeightSource; readonly theirs: WeightSource },
  strength: (call: NetworkCall) => number,
): NetworkPatch {
  const keys = [...own.tensors].filter(
    ([key, { shape }]) => theirs.tensors.get(key)?.shape.join() === shape.join(),
  );
  const s = input(`${name}/strength`, 'f32', []);
  return {
    identity: `${name} toward ${theirs.identity}`,
    keys: new Set(keys.map(([key]) => key)),
    change: (key, value) => {
      const stored = widened(key, own.tensors.get(key)!, key);
      return add(value, mul(s, sub(widened(key, theirs.tensors.get(key)!, key), stored)));
    },
    feeds: (call) => ({
      [`${name}/strength`]: { data: Float32Array.of(strength(call)), shape: [] },
    }),
  };
}
