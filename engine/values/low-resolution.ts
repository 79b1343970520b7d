/**
 * The small picture that an upscaler paints over, noised a little so that it may invent detail (Ho et al.
 * 2021, "Cascaded Diffusion Models": conditioning augmentation). Steps and seeds as ComfyUI's
 * `ImageConcatWithNoiseAugmentation` in the x4 upscaler.
 */
import { zip } from '../array/elementwise.ts';
import { type NDArray, zeros } from '../array/nd.ts';
import { roundHalfEven } from '../array/round.ts';
import { NoodleError } from '../errors.ts';
import type { ConditioningRun } from '../sampling/model.ts';
import { TorchGenerator } from '../sampling/noise/torch-generator.ts';
import { sigmaSchedules } from '../sampling/sigma-schedule.ts';
import { fit, resizeBatch } from './resize-condition.ts';

/** The level that a noise augmentation of 1 stands for. */
const mostNoise = 350;
const schedule = { linearStart: 0.0001, linearEnd: 0.02 };

/**
 * What the network is fed for an entry's extras (`concat_image` [b, 3, h, w] in -1..1 of any size,
 * `noise_augmentation` 0..1): the picture on the latent's grid [b, 3, h, w] and its noise level.
 * Throws BAD_INPUT for a picture that is not of three colours.
 */
export function lowResolution(
  extra: Readonly<Record<string, unknown>>,
  { latentShape, seed = 0 }: ConditioningRun,
): { readonly picture: NDArray; readonly level: number } {
  const [batch, , ...sides] = latentShape;
  const given = extra.concat_image as NDArray | undefined;
  checkColours(given);
  const sized = given ? fit(given, [given.shape[0], 3, ...sides]) : zeros([batch, 3, ...sides]);
  const augmentation = Number(extra.noise_augmentation ?? 0);
  const level = roundHalfEven(mostNoise * augmentation);
  const picture = augmentation > 0 ? noised(sized, level, seed) : sized;
  return { picture: resizeBatch(picture, batch), level };
}

/** sqrt(a) x + sqrt(1 - a) e, with a = 1 / (1 + sigma²) of the level. */
function noised(x: NDArray, level: number, seed: number | bigint): NDArray {
  const sigma = sigmaSchedules.discrete(schedule).sigmas[level];
  const signal = 1 / Math.sqrt(1 + sigma * sigma);
  const noise = new TorchGenerator(BigInt(seed) - 10n).randn(x.shape);
  return zip(x, noise, (a, e) => signal * (a + sigma * e));
}

function checkColours(picture: NDArray | undefined): void {
  if (!picture || picture.shape[1] === 3) return;
  throw new NoodleError('BAD_INPUT', {
    subject: 'the picture to upscale',
    expected: '3 colour channels',
    got: picture.shape[1],
  });
}
