/** Schedules that were searched for once and stored: AlignYourSteps, OptimalSteps and GITS. */
import { linspace64 } from '../../array/linspace.ts';
import { roundToInteger } from '../../array/round.ts';
import { NoodleError } from '../../errors.ts';
import { gitsLevels, gitsRows } from './gits-levels.ts';

/** Sabour et al. 2024 (arXiv 2404.14507), ten steps per kind of model. */
export const alignYourSteps = {
  SD1: [
    14.6146412293, 6.4745760956, 3.8636745985, 2.694615152, 1.8841921177, 1.3943805092,
    0.9642583904, 0.6523686016, 0.3977456272, 0.1515232662, 0.0291671582,
  ],
  SDXL: [
    14.6146412293, 6.3184485287, 3.7681790315, 2.1811480769, 1.3405244945, 0.8620721141,
    0.5550693289, 0.3798540708, 0.2332364134, 0.1114188177, 0.0291671582,
  ],
  SVD: [700.0, 54.5, 15.886, 7.977, 4.248, 1.789, 0.981, 0.403, 0.173, 0.034, 0.002],
} as const;

/** bebebe666/OptimalSteps. */
export const optimalSteps = {
  FLUX: [0.9968, 0.9886, 0.9819, 0.975, 0.966, 0.9471, 0.9158, 0.8287, 0.5512, 0.2808, 0.001],
  Wan: [
    1.0, 0.997, 0.995, 0.993, 0.991, 0.989, 0.987, 0.985, 0.98, 0.975, 0.973, 0.968, 0.96, 0.946,
    0.927, 0.902, 0.864, 0.776, 0.539, 0.208, 0.001,
  ],
  Chroma: [
    0.992, 0.99, 0.988, 0.985, 0.982, 0.978, 0.973, 0.968, 0.961, 0.953, 0.943, 0.931, 0.917, 0.9,
    0.881, 0.858, 0.832, 0.802, 0.769, 0.731, 0.69, 0.646, 0.599, 0.55, 0.501, 0.451, 0.402, 0.355,
    0.311, 0.27, 0.232, 0.199, 0.169, 0.143, 0.12, 0.101, 0.084, 0.07, 0.058, 0.048, 0.001,
  ],
} as const;

/**
 * A stored schedule for `steps` steps (other lengths are interpolated in log sigma), of which the last
 * round(steps · denoise) are run; the last level becomes 0.
 */
export function storedSigmas(
  levels: readonly number[],
  { steps, denoise }: { steps: number; denoise: number },
): Float32Array {
  if (denoise <= 0) return new Float32Array(0);
  const count = denoise < 1 ? roundToInteger(steps * denoise) : steps;
  const whole = steps + 1 === levels.length ? levels : logLinear(levels, steps + 1);
  const cut = Float32Array.from(whole.slice(-(count + 1)));
  cut[cut.length - 1] = 0;
  return cut;
}

/** GITS: up to 20 steps have rows of their own, more are interpolated. `coeff` is 0.80 .. 1.50 by 0.05. */
export function gitsSigmas(
  coeff: number,
  { steps, denoise }: { steps: number; denoise: number },
): Float32Array {
  const rows = gitsRows[coeff.toFixed(2)];
  if (!rows) {
    const expected = `one of ${Object.keys(gitsRows).join(', ')}`;
    throw new NoodleError('BAD_INPUT', { subject: 'GITS coefficient', expected, got: coeff });
  }
  const inner = steps <= 20 ? rows[steps - 2] : rows[rows.length - 1];
  const levels = [0, ...inner, gitsLevels.length - 1].map((i) => gitsLevels[i]);
  return storedSigmas(levels, { steps, denoise });
}

/** `count` values along the curve through the logarithms of evenly spaced levels. */
function logLinear(levels: readonly number[], count: number): number[] {
  const last = levels.length - 1;
  return linspace64(0, last, count).map((position) => {
    const i = Math.min(Math.floor(position), last - 1);
    const w = position - i;
    return Math.exp((1 - w) * Math.log(levels[i]) + w * Math.log(levels[i + 1]));
  });
}
