/**
 * What a job's step draws for a batch: its noise levels and noise, and what follows from them: what the network sees,
 * what it should answer, and how much each picture counts. Order of draws: README of the golden area `training`.
 */
import { map } from '../../array/elementwise.ts';
import type { NDArray } from '../../array/nd.ts';
import type { PythonRandom } from '../../sampling/noise/python-random.ts';
import type { TorchGenerator } from '../../sampling/noise/torch-generator.ts';
import type { TrainSettings } from '../job/sections/train.ts';
import { type NoisePicture, trainingNoise } from '../noise.ts';
import { jobWeights } from '../objective/job-weights.ts';
import { alphasCumprod } from '../objective/noise-schedule.ts';
import { mix, predictions } from '../objective/targets.ts';
import type { FlowShift } from '../timesteps/shift.ts';
import { drawTimesteps, timestepKind } from '../timesteps/timesteps.ts';

/** What is drawn from: numbers like torch's, and choices like Python's. */
export interface Draws {
  readonly generator: TorchGenerator;
  readonly list: PythonRandom;
}

export interface Pictures {
  /** As the network has them: [b, c, ...]. */
  readonly latents: NDArray;
  readonly pictures: readonly NoisePicture[];
  readonly lossMultiplier: number;
  readonly isReg: boolean;
}

export interface Drawn {
  /** What the network sees: [b, c, ...]. */
  readonly noisy: NDArray;
  /** 0 .. 1000, one a picture. */
  readonly timesteps: readonly number[];
  /** What it should answer. */
  readonly target: NDArray;
  /** What each picture's loss counts. */
  readonly weights: readonly number[];
}

/** How the network answers, and what its pictures are made of. */
export interface Schedule {
  readonly prediction: keyof typeof predictions;
  readonly alphas: Float32Array;
  readonly shift?: FlowShift | undefined;
  /** Pixels of a latent a side of what is a token. */
  readonly patch: number;
}

/** The schedule of a network that predicts the noise, the velocity, or a flow. */
export const scheduleFor = (
  prediction: Schedule['prediction'],
  { shift, patch = 2 }: { readonly shift?: FlowShift | undefined; readonly patch?: number } = {},
): Schedule => ({ prediction, alphas: alphasCumprod(), shift, patch });

const times = (x: NDArray, factor: number): NDArray =>
  factor === 1 ? x : map(x, (value) => value * factor);

/** Draws for a batch. Throws BAD_INPUT where the settings leave no noise level. */
export function drawBatch(
  { latents: given, pictures, lossMultiplier, isReg }: Pictures,
  train: TrainSettings,
  { prediction, alphas, shift, patch }: Schedule,
  { generator, list }: Draws,
): Drawn {
  const latents = times(given, train.latentMultiplier);
  const [batch, , ...sides] = latents.shape;
  const tokens = sides.slice(-2).reduce((n, side) => n * Math.ceil(side / patch), 1);
  const drawn = drawTimesteps(
    {
      type: timestepKind(train),
      contentOrStyle: train.contentOrStyle,
      minDenoisingSteps: train.minDenoisingSteps,
      maxDenoisingSteps: train.maxDenoisingSteps,
      numTrainTimesteps: train.numTrainTimesteps,
      nextSampleTimesteps: train.nextSampleTimesteps,
    },
    { batch, generator, list, tokens, ...(shift && { shift }) },
  );
  const noise = trainingNoise({ latents, pictures, isReg }, train, generator);
  const isFlow = prediction === 'flow';
  const levels = drawn.timesteps.map((t) => (isFlow ? t / 1000 : alphas[t]));
  const { noisy, target } = predictions[prediction];
  const lossMultipliers = drawn.timesteps.map(() => lossMultiplier);
  return {
    noisy: times(mix(noisy, levels, latents, noise), train.noisyLatentMultiplier),
    timesteps: drawn.timesteps,
    target: mix(target, levels, latents, times(noise, train.targetNoiseMultiplier)),
    weights: jobWeights(train, drawn, { lossMultipliers, alphas }).map(
      (weight) => weight * (isReg ? train.regWeight : 1),
    ),
  };
}
