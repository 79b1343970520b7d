/** Which noise levels the pictures of a batch are trained at, drawn as ai-toolkit draws them. */
import { clamp } from '../../array/round.ts';
import { NoodleError } from '../../errors.ts';
import type { PythonRandom } from '../../sampling/noise/python-random.ts';
import type { TorchGenerator } from '../../sampling/noise/torch-generator.ts';
import type { FlowShift } from './shift.ts';
import { type TimestepType, ddpmTable, timestepTables } from './tables.ts';

const f = Math.fround;

/** A job file's settings of the same names; all but `type` have upstream's defaults. */
export interface TimestepSettings {
  /** `ddpm`, or the `timestep_type` of a flow. */
  readonly type: 'ddpm' | TimestepType;
  readonly contentOrStyle?: 'balanced' | 'content' | 'style';
  /** First and last place in the table; 0 has most noise. */
  readonly minDenoisingSteps?: number;
  readonly maxDenoisingSteps?: number;
  readonly numTrainTimesteps?: number;
  readonly nextSampleTimesteps?: number;
}

/**
 * The kind of draw that a job file means: `linear_timesteps` and `linear_timesteps2` draw from the even table
 * in place of another one of as many steps.
 */
export function timestepKind(job: {
  readonly noiseScheduler: 'ddpm' | 'flowmatch';
  readonly timestepType: TimestepType;
  readonly linearTimesteps: boolean;
  readonly linearTimesteps2: boolean;
}): TimestepSettings['type'] {
  if (job.noiseScheduler === 'ddpm') return 'ddpm';
  const isEven = job.linearTimesteps || job.linearTimesteps2;
  const hasPlaces = job.timestepType === 'next_sample' || job.timestepType in ownPlaces;
  return isEven && !hasPlaces ? 'linear' : job.timestepType;
}

export interface TimestepDraws {
  readonly batch: number;
  readonly generator: TorchGenerator;
  /** What a choice among a few places is drawn with. */
  readonly list: PythonRandom;
  /** Of a flow: the family's shift and the tokens of a picture. */
  readonly shift?: FlowShift;
  readonly tokens?: number;
}

export interface Timesteps {
  /** Places in the table, one a sample. */
  readonly indices: readonly number[];
  /** What stands there, in 0..1000: flows take t / 1000. */
  readonly timesteps: readonly number[];
  /** Everything that could have been drawn, most noise first. */
  readonly table: Float32Array;
}

/** Places of the kinds that train a few steps only. */
const ownPlaces: Readonly<Partial<Record<TimestepSettings['type'], readonly number[]>>> = {
  one_step: [0],
  two_step: [0, 499],
  four_step: [0, 250, 500, 750],
  eight_step: [0, 125, 250, 375, 500, 625, 750, 875],
};

/**
 * Draws the table, then a place for each sample. Throws BAD_INPUT where the settings leave no place.
 * With `ddpm` the ends of the range are never drawn, with a flow its last one.
 */
export function drawTimesteps(settings: TimestepSettings, draws: TimestepDraws): Timesteps {
  const { type, numTrainTimesteps = 1000, nextSampleTimesteps = 8 } = settings;
  const count = type === 'next_sample' ? nextSampleTimesteps : numTrainTimesteps;
  const { generator, shift = { shift: 1 }, tokens = 0 } = draws;
  const table =
    type === 'ddpm' ? ddpmTable(count) : timestepTables[type]({ count, generator, shift, tokens });
  const indices = drawPlaces(settings, draws, count);
  return { indices, timesteps: indices.map((place) => table[place]), table };
}

function drawPlaces(settings: TimestepSettings, draws: TimestepDraws, count: number): number[] {
  const { type, contentOrStyle = 'balanced', numTrainTimesteps = 1000 } = settings;
  const { batch, generator, list } = draws;
  const each = (one: () => number): number[] => Array.from({ length: batch }, one);
  const between = (low: number, high: number): number[] => {
    if (high <= low) throw emptyRange(`${low} .. ${high - 1}`);
    return Array.from(generator.randint(BigInt(low), BigInt(high), batch), Number);
  };

  const own = ownPlaces[type];
  if (own?.length === 1) return each(() => own[0]);
  if (own) return each(() => own[Math.floor(list.random() * own.length)]);
  // the last two: one to step to, and one that is never drawn
  if (type === 'next_sample') return between(0, count - 2);

  const first = Math.max(settings.minDenoisingSteps ?? 0, 0);
  const last = Math.min(settings.maxDenoisingSteps ?? 999, count - 1);
  if (last < first) throw emptyRange(`${first} .. ${last}`);
  if (contentOrStyle !== 'balanced') {
    return Array.from(generator.rand(batch), (u) => {
      const cube = f(f(u * u) * u);
      const place = f((contentOrStyle === 'content' ? cube : f(1 - cube)) * numTrainTimesteps);
      const mapped = f(f(f(place * (last - first)) / (numTrainTimesteps - 1)) + first);
      return clamp(Math.trunc(mapped), first, last);
    });
  }
  if (first === last) return each(() => first);
  return type === 'ddpm' ? between(first + 1, last - 1) : between(first, last);
}

const emptyRange = (got: string): NoodleError =>
  new NoodleError('BAD_INPUT', {
    subject: 'steps from min_denoising_steps to max_denoising_steps',
    expected: 'at least one step that can be drawn',
    got,
  });
