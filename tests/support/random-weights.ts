/** Small weight sources of deterministic pseudo-random numbers, in memory. */
import type { StorageDtype } from '../../engine/weights/dtypes.ts';
import type { WeightSource } from '../../engine/weights/source.ts';
import { memorySource } from '../../engine/weights/source.ts';
import { floatTensor } from '../../engine/weights/write.ts';

type FloatDtype = Parameters<typeof floatTensor>[2];
type Spec = readonly number[] | { readonly shape: readonly number[]; readonly dtype: FloatDtype };

/** Numbers in (-1, 1) by a small generator (mulberry32), the same for the same seed. */
export function randomFloats(count: number, seed = 1): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 31 - 1;
  });
}

/** Tensors of the given shapes (and storage types, F32 when left out). */
export function randomTensors(
  shapes: Readonly<Record<string, Spec>>,
): Map<string, { dtype: StorageDtype; shape: readonly number[]; bytes: Uint8Array }> {
  const entries = Object.entries(shapes).map(([key, spec], i) => {
    const { shape, dtype } = 'dtype' in spec ? spec : { shape: spec, dtype: 'F32' as const };
    const size = shape.reduce((n, dim) => n * dim, 1);
    return [key, floatTensor(randomFloats(size, i + 1), shape, dtype)] as const;
  });
  return new Map(entries);
}

/** The same as a source in memory. */
export function randomSource(shapes: Readonly<Record<string, Spec>> = {}): WeightSource {
  return memorySource('random', JSON.stringify(shapes), randomTensors(shapes));
}
