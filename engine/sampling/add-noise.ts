/** The AddNoise node's arithmetic. */
import { isZero, map } from '../array/elementwise.ts';
import { type NDArray, zeros } from '../array/nd.ts';
import type { LatentFormat } from './latent/formats.ts';
import { processIn, processOut } from './latent/process.ts';
import type { ModelSampling } from './model-sampling.ts';
import { prepareNoise } from './noise/prepare-noise.ts';

/**
 * A latent (VAE units) noised by what a run over `sigmas` takes away: the difference of its ends, or
 * its only level. Values that are not finite become 0.
 */
export function addNoise(
  model: { readonly modelSampling: ModelSampling; readonly latentFormat: LatentFormat },
  given: {
    readonly latent: NDArray;
    /** Undefined: noise of 0. */
    readonly seed: number | bigint | undefined;
    readonly batchIndex?: readonly number[] | undefined;
    readonly sigmas: Float32Array;
  },
): NDArray {
  const { latent, seed, batchIndex, sigmas } = given;
  if (sigmas.length === 0) return latent;
  const last = sigmas.length > 1 ? sigmas[sigmas.length - 1] : 0;
  const strength = Math.fround(Math.abs(sigmas[0] - last));
  const noise =
    seed === undefined ? zeros(latent.shape) : prepareNoise(latent.shape, seed, batchIndex);
  const start = isZero(latent) ? latent : processIn(model.latentFormat, latent);
  const noisy = model.modelSampling.noiseScaling(strength, noise, start);
  return map(processOut(model.latentFormat, noisy), (v) => (Number.isFinite(v) ? v : 0));
}
