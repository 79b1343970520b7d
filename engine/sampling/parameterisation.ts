/**
 * The ways networks are trained to predict, as coefficients: everything between a picture, its noise
 * and a network is a sum of two terms whose weights follow from the noise level. Arrays and tensor
 * programs apply the same numbers. Preconditioning after Karras et al. 2022 (EDM), v after Salimans and
 * Ho 2022, rectified flow after Liu et al. 2022.
 */
import type { SigmaSchedule } from './sigma-schedule.ts';

/** The weights of a sum of two terms. */
export type Weights = readonly [a: number, b: number];

export interface Parameterisation {
  readonly name: 'eps' | 'v' | 'edm' | 'flow' | 'x0' | 'img-to-img' | 'cosmos-rflow' | 'lcm';
  /** The network is fed k·x. */
  readonly input: (sigma: number, schedule: SigmaSchedule) => number;
  /** The denoised picture is a·x + b·output. */
  readonly denoised: (sigma: number, schedule: SigmaSchedule) => Weights;
  /** x is a·picture + b·noise; `maxDenoise` when sampling starts at the top of the schedule. */
  readonly noisy: (sigma: number, maxDenoise?: boolean) => Weights;
  /** The output is trained to be a·picture + b·noise (of `lcm` not at time 0, where it does not count). */
  readonly target: (sigma: number, schedule: SigmaSchedule) => Weights;
}

/** sqrt(sigma² + sigma_data²): the standard deviation of a noisy x. */
const deviation = (sigma: number, { sigmaData }: SigmaSchedule): number =>
  Math.hypot(sigma, sigmaData);

const eps: Parameterisation = {
  name: 'eps',
  input: (s, schedule) => 1 / deviation(s, schedule),
  denoised: (s) => [1, -s],
  noisy: (s, maxDenoise = false) => [1, maxDenoise ? Math.hypot(1, s) : s],
  target: () => [0, 1],
};

/** The skip connection of v and EDM predictions; the output's sign is all that differs. */
const skipped = (sign: 1 | -1): Pick<Parameterisation, 'denoised' | 'target'> => ({
  denoised(s, schedule) {
    const d = deviation(s, schedule);
    return [(schedule.sigmaData / d) ** 2, (sign * s * schedule.sigmaData) / d];
  },
  target(s, schedule) {
    const d = deviation(s, schedule);
    return [(sign * s) / (d * schedule.sigmaData), (-sign * schedule.sigmaData) / d];
  },
});

const x0: Parameterisation = {
  ...eps,
  name: 'x0',
  denoised: () => [0, 1],
  target: () => [1, 0],
};

/** The time of a level in a flow that keeps the picture's size. */
const cosmosTime = (sigma: number): number => sigma / (sigma + 1);

/**
 * Consistency boundary conditions of Luo et al. 2023 with sigma_data 0.5 and timesteps scaled by 10:
 * the shares of x and of the picture that an eps output means.
 */
function boundary(s: number, schedule: SigmaSchedule): { skip: number; out: number } {
  const t = schedule.timestep(s) * 10;
  return { skip: 0.25 / (t ** 2 + 0.25), out: t / Math.sqrt(t ** 2 + 0.25) };
}

export const parameterisations: Readonly<Record<Parameterisation['name'], Parameterisation>> = {
  eps,
  v: { ...eps, name: 'v', ...skipped(-1) },
  edm: { ...eps, name: 'edm', ...skipped(1) },
  flow: {
    name: 'flow',
    input: () => 1,
    denoised: eps.denoised,
    noisy: (s) => [1 - s, s],
    target: () => [-1, 1],
  },
  x0,
  'img-to-img': { ...x0, name: 'img-to-img', input: () => 1 },
  'cosmos-rflow': {
    name: 'cosmos-rflow',
    input: (s) => 1 - cosmosTime(s),
    denoised: (s) => [1 - cosmosTime(s), -cosmosTime(s)],
    noisy: (s) => [1, s],
    target: () => [-1, 1],
  },
  lcm: {
    ...eps,
    name: 'lcm',
    denoised(s, schedule) {
      const { skip, out } = boundary(s, schedule);
      return [out + skip, -out * s];
    },
    target(s, schedule) {
      const { skip, out } = boundary(s, schedule);
      return [(out + skip - 1) / (out * s), (out + skip) / out];
    },
  },
};
