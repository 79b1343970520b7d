/** How much each picture of a batch counts in a job file's loss: its place in the schedule, and its data set. */
import type { TimestepType } from '../timesteps/tables.ts';
import type { Timesteps } from '../timesteps/timesteps.ts';
import { snrOf } from './noise-schedule.ts';
import { bellWeights, halfBellWeights, measuredWeight, snrWeights } from './sample-weights.ts';

/** A job file's settings of the same names. */
export interface JobWeightSettings {
  readonly noiseScheduler: 'ddpm' | 'flowmatch';
  readonly timestepType: TimestepType;
  readonly linearTimesteps: boolean;
  readonly linearTimesteps2: boolean;
  readonly snrGamma?: number;
  readonly minSnrGamma?: number;
}

/** A weight by a place in the table of a flow, or by the signal to noise of a DDPM schedule. */
type Weight = (at: number) => number;

/** Of a flow: `weighted` before the half bell before the bell. */
function byPlace(settings: JobWeightSettings): Weight {
  if (settings.timestepType === 'weighted') return measuredWeight;
  if (!settings.linearTimesteps && !settings.linearTimesteps2) return () => 1;
  const table = settings.linearTimesteps2 ? halfBellWeights() : bellWeights();
  return (place) => table[place];
}

/** Of a DDPM schedule: gammas of 0 count as none, and the one without a cap comes first. */
function bySnr({ snrGamma = 0, minSnrGamma = 0 }: JobWeightSettings): Weight {
  const least = 1e-6;
  if (snrGamma > least) return (snr) => snrWeights.snr_gamma(snr, snrGamma);
  if (minSnrGamma > least) return (snr) => snrWeights.min_snr_gamma(snr, minSnrGamma);
  return () => 1;
}

/**
 * A weight for each sample: by its noise level, times the multiplier of its data set. `alphas` is the table
 * of a DDPM schedule (`alphasCumprod`).
 */
export function jobWeights(
  settings: JobWeightSettings,
  { indices, timesteps }: Pick<Timesteps, 'indices' | 'timesteps'>,
  { lossMultipliers, alphas }: { lossMultipliers: readonly number[]; alphas: Float32Array },
): number[] {
  const isFlow = settings.noiseScheduler === 'flowmatch';
  const weight = isFlow ? byPlace(settings) : bySnr(settings);
  const at = isFlow ? indices : timesteps.map((timestep) => snrOf(alphas[timestep]));
  return at.map((value, i) => weight(value) * lossMultipliers[i]);
}
