import { expect, it } from 'vitest';
import { interpret } from '../../../engine/tensor/interpret.ts';
import type { Tensor } from '../../../engine/tensor/tensor.ts';
import { trace } from '../../../engine/tensor/trace.ts';
import { reduceContrast } from '../../../engine/training/contrast.ts';
import {
  type JobWeightSettings,
  jobWeights,
} from '../../../engine/training/objective/job-weights.ts';
import { jobLosses, nodeLosses } from '../../../engine/training/objective/losses.ts';
import { jobMask } from '../../../engine/training/objective/masks.ts';
import { objective, regularisationFactor } from '../../../engine/training/objective/objective.ts';
import { alphasCumprod, snrOf } from '../../../engine/training/objective/noise-schedule.ts';
import { bellWeights } from '../../../engine/training/objective/sample-weights.ts';
import { mix, predictions } from '../../../engine/training/objective/targets.ts';

const nothing = { label: 'none', identity: '', tensors: new Map() };

/** The result of a function of a prediction and a target of zeros, [2, 2]. */
async function of(prediction: number[], build: (p: Tensor, t: Tensor) => Tensor) {
  const program = trace('loss', nothing, ({ input }) => ({
    y: build(input('p', 'f32', ['b', 2]), input('t', 'f32', ['b', 2])),
  }));
  const shape = [prediction.length / 2, 2];
  const zeros = prediction.map(() => 0);
  const { y } = await interpret(program, {
    p: { data: prediction, shape },
    t: { data: zeros, shape },
  });
  return [...y.data];
}

it('bends Huber losses at their threshold', async () => {
  const elements = (loss: (typeof nodeLosses)['Huber'], threshold: number) =>
    of([0.25, 0.5, -1, -3], (p) => loss.of(p, threshold));
  expect(await elements(nodeLosses.Huber, 0.5)).toEqual([0.03125, 0.125, 0.375, 1.375]);
  expect(await elements(nodeLosses.SmoothL1, 0.5)).toEqual([0.0625, 0.25, 0.75, 2.75]);
});

it('cuts a loss off at its maximum', async () => {
  const limited = (maxLoss?: number) =>
    of([1, 1, 3, 3], (prediction, target) => {
      return objective({ prediction, target, loss: jobLosses.mse, maxLoss }).loss;
    });
  expect(await limited()).toEqual([5]);
  expect(await limited(2)).toEqual([2]);
});

it('weighs a batch by the pictures of regularisation sets in it', () => {
  expect(regularisationFactor([false, true], 0.5)).toBe(0.75);
  expect(() => regularisationFactor([], 1)).toThrow('batch: expected a picture, got none');
});

it('makes a mask whose mean is 1', () => {
  const data = Float32Array.from({ length: 64 }, (_, i) => Number(i % 8 >= 4));
  const mask = jobMask({ data, shape: [1, 1, 8, 8] }, 2, 2, { minValue: 0.5 });
  expect(mask.shape).toEqual([1, 1, 2, 2]);
  expect([...mask.data].map((value) => value.toFixed(6))).toEqual(
    [2 / 3, 4 / 3, 2 / 3, 4 / 3].map((value) => value.toFixed(6)),
  );
});

it.each(['eps', 'v', 'flow'] as const)('finds the picture in an answer of %s', (name) => {
  const { noisy, target, denoised } = predictions[name];
  const picture = { data: Float32Array.of(1, -2), shape: [2, 1] };
  const noise = { data: Float32Array.of(0.5, 3), shape: [2, 1] };
  const levels = [0.25, 0.75];
  const seen = mix(noisy, levels, picture, noise);
  const answer = mix(target, levels, picture, noise);
  const found = mix(denoised, levels, seen, answer);
  found.data.forEach((value, i) => expect(value).toBeCloseTo(picture.data[i], 5));
});

it('draws the numbers of pictures to their mean', () => {
  const pictures = { data: Float32Array.of(-1, 0, 1, 1), shape: [1, 1, 2, 2] };
  expect([...reduceContrast(pictures, 0.5).data]).toEqual([-0.375, 0.125, 0.625, 0.625]);
  expect(reduceContrast(pictures, 3)).toEqual(pictures);
});

it('weighs pictures by their place in a flow, or by their signal to noise', () => {
  const off = { timestepType: 'sigmoid', linearTimesteps: false, linearTimesteps2: false } as const;
  const drawn = { indices: [500, 750], timesteps: [499, 249] };
  const alphas = alphasCumprod();
  const weights = (settings: Partial<JobWeightSettings>) =>
    jobWeights({ ...off, noiseScheduler: 'flowmatch', ...settings }, drawn, {
      lossMultipliers: [1, 2],
      alphas,
    });
  expect(weights({ minSnrGamma: 5 })).toEqual([1, 2]);
  const bell = bellWeights();
  expect(weights({ linearTimesteps: true })).toEqual([bell[500], 2 * bell[750]]);
  expect(weights({ linearTimesteps2: true })).toEqual([bell[500], 2 * bell[500]]);
  expect(weights({ timestepType: 'weighted', linearTimesteps2: true })).toEqual([0.925, 2 * 0.715]);

  const [low, high] = [499, 249].map((timestep) => snrOf(alphas[timestep]));
  expect(high).toBeGreaterThan(1);
  const ddpm = { noiseScheduler: 'ddpm', minSnrGamma: 1 } as const;
  expect(weights(ddpm)).toEqual([1, 2 / high]);
  expect(weights({ ...ddpm, snrGamma: 1 })).toEqual([1 / low, 2 / high]);
});
