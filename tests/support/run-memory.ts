import { TorchGenerator } from '../../engine/sampling/noise/torch-generator.ts';
import type { RunMemory } from '../../engine/sampling/model.ts';

/** What a run of a sampler keeps, new. */
export const runMemory = (sigmas: ArrayLike<number> = [1, 0]): RunMemory => ({
  state: new Map(),
  generator: () => new TorchGenerator(0),
  sigmas: Float32Array.from(sigmas),
});
