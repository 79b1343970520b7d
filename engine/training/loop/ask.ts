/** A model asked in training about noisy pictures, each with a caption of its own. */
import type { NDArray } from '../../array/nd.ts';
import type { ConditioningEntry } from '../../sampling/conditioning.ts';
import type { ModelInput } from '../../sampling/model.ts';
import { TorchGenerator } from '../../sampling/noise/torch-generator.ts';
import { type Model, diffusion } from '../../values/model.ts';
import type { NetworkRun } from '../../values/network.ts';
import { joinedPrompts } from '../prompts.ts';

export interface Question {
  /** [b, c, ...]. */
  readonly noisy: NDArray;
  /** 0 .. 1000, one a picture. */
  readonly timesteps: readonly number[];
  /** One a picture. */
  readonly entries: readonly ConditioningEntry[];
}

/** Makes calls of a model's network. Throws BAD_INPUT where captions of one batch do not go together. */
export function asker(model: Model, run: NetworkRun): (question: Question) => Promise<ModelInput> {
  const sampled = diffusion(model, run);
  const { modelSampling: sampling } = sampled;
  const { flow } = sampling;
  return async ({ noisy, timesteps, entries }) => {
    const about = { latentShape: noisy.shape, noise: noisy };
    const encoded = await Promise.all(
      entries.map((entry) => sampled.encodeConditioning(entry, about)),
    );
    const level = (t: number): number => (flow ? t / 1000 : sampling.sigma(t));
    return {
      x: noisy,
      sigma: level(timesteps[0]),
      timesteps: Float32Array.from(timesteps, (t) => (flow ? sampling.timestep(t / 1000) : t)),
      cond: joinedPrompts(encoded),
      parts: [{ list: 0, entry: entries[0] }],
      run: { state: new Map(), generator: () => new TorchGenerator(0), sigmas: new Float32Array() },
    };
  };
}
