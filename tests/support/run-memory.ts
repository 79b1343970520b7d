import { TorchGenerator } from '../../engine/sampling/noise/torch-generator.ts';
import type { RunMemory } from '../../engine/sampling/model.ts';

/** What a run of a sampler keeps, new. */
export const runMemory = (seed = 0): RunMemory => ({
  state: new Map(),
  generator: () => new TorchGenerator(seed),
});
