/** The noise that sampling starts from, and the one ancestral samplers add. */
import { concat, rows } from '../../array/batch.ts';
import type { NDArray } from '../../array/nd.ts';
import type { NoiseSampler } from './brownian-tree.ts';
import { TorchGenerator } from './torch-generator.ts';

/**
 * Initial noise for a latent of `shape`: one draw for the whole batch. With `batchIndex` (which item
 * of its original batch each row is) items are drawn one after another up to the largest index and
 * picked, so that a row taken out of a batch keeps its noise.
 */
export function drawNoise(
  generator: TorchGenerator,
  shape: readonly number[],
  batchIndex?: readonly number[],
): NDArray {
  if (!batchIndex) return generator.randn(shape);
  const items: NDArray[] = [];
  const count = Math.max(...batchIndex) + 1;
  for (let i = 0; i < count; i++) items.push(generator.randn([1, ...shape.slice(1)]));
  return concat(batchIndex.map((i) => rows(items[i], 0, 1)));
}

/** `drawNoise` from a new generator of this seed. */
export function prepareNoise(
  shape: readonly number[],
  seed: number | bigint,
  batchIndex?: readonly number[],
): NDArray {
  return drawNoise(new TorchGenerator(seed), shape, batchIndex);
}

/**
 * Noise of ancestral samplers: a generator of their own with the same seed, so the first draw equals
 * the initial noise (as in ComfyUI).
 */
export function seededNoise(shape: readonly number[], seed: number | bigint): NoiseSampler {
  let generator: TorchGenerator | undefined;
  return () => (generator ??= new TorchGenerator(seed)).randn(shape);
}
