import { expect, it } from 'vitest';
import { pythonRandom } from '../../../engine/sampling/noise/python-random.ts';
import { TorchGenerator } from '../../../engine/sampling/noise/torch-generator.ts';
import { measuredWeight } from '../../../engine/training/objective/sample-weights.ts';
import { fluxShift, muOf } from '../../../engine/training/timesteps/shift.ts';
import type { TimestepType } from '../../../engine/training/timesteps/tables.ts';
import { drawTimesteps, timestepKind } from '../../../engine/training/timesteps/timesteps.ts';

const draws = (batch: number) => ({
  batch,
  generator: new TorchGenerator(1),
  list: pythonRandom(5),
});

it('draws among a few steps from the list generator', () => {
  const { indices, timesteps } = drawTimesteps({ type: 'four_step' }, draws(4));
  const list = pythonRandom(5);
  const expected = [0, 1, 2, 3].map(() => 250 * Math.floor(list.random() * 4));
  expect(indices).toEqual(expected);
  expect(timesteps).toEqual(expected.map((place) => 1000 - place));
  expect(drawTimesteps({ type: 'one_step' }, draws(2)).timesteps).toEqual([1000, 1000]);
});

it('never draws the ends of a DDPM range', () => {
  const range = { minDenoisingSteps: 10, maxDenoisingSteps: 13 };
  const { indices } = drawTimesteps({ type: 'ddpm', ...range }, draws(50));
  expect(new Set(indices)).toEqual(new Set([11]));
});

it.each([
  ['ddpm', 5, 4],
  ['ddpm', 5, 7],
  ['sigmoid', 900, 800],
] as const)('refuses a range of %s that holds no step', (type, min, max) => {
  const settings = { type, minDenoisingSteps: min, maxDenoisingSteps: max };
  expect(() => drawTimesteps(settings, draws(1))).toThrow('at least one step that can be drawn');
});

it('trains one step where the range is one', () => {
  const settings = { type: 'ddpm', minDenoisingSteps: 400, maxDenoisingSteps: 400 } as const;
  expect(drawTimesteps(settings, draws(2)).timesteps).toEqual([599, 599]);
});

it('interpolates the measured weights', () => {
  expect(measuredWeight(0)).toBe(0.906);
  expect(measuredWeight(75)).toBeCloseTo(1.441, 12);
  expect(measuredWeight(950)).toBeCloseTo(0.582, 12);
  expect(measuredWeight(999)).toBeCloseTo(0.447, 12);
});

it('grows the shift with the picture', () => {
  const { dynamic } = fluxShift;
  expect([256, 4096].map((tokens) => muOf(dynamic, tokens))).toEqual([0.5, 1.15]);
});

it('draws from the even table where a job says so, unless its kind has places of its own', () => {
  const job = {
    noiseScheduler: 'flowmatch',
    linearTimesteps: true,
    linearTimesteps2: false,
  } as const;
  const kind = (timestepType: TimestepType) => timestepKind({ ...job, timestepType });
  expect(kind('sigmoid')).toBe('linear');
  expect(kind('next_sample')).toBe('next_sample');
  expect(kind('two_step')).toBe('two_step');
  expect(timestepKind({ ...job, linearTimesteps: false, timestepType: 'shift' })).toBe('shift');
  expect(timestepKind({ ...job, noiseScheduler: 'ddpm', timestepType: 'shift' })).toBe('ddpm');
});

it('refuses a table longer than the schedule', () => {
  const settings = { type: 'ddpm', numTrainTimesteps: 2000 } as const;
  expect(() => drawTimesteps(settings, draws(1))).toThrow('expected at most 1000, got 2000');
});
