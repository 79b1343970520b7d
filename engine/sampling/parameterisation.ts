/**
 * The ways networks are trained to predict, as formulas: what goes in for a noisy x, what the output
 * means, and how noise is put on a picture. Preconditioning after Karras et al. 2022 (EDM), v after
 * Salimans and Ho 2022, rectified flow after Liu et al. 2022.
 */
import { axpby, scale } from '../array/elementwise.ts';
import type { NDArray } from '../array/nd.ts';
import type { SigmaSchedule } from './sigma-schedule.ts';

/** One noise level for all rows, or one for each row of the batch. */
export type RowSigmas = number | ArrayLike<number>;

export interface Parameterisation {
  readonly name: 'eps' | 'v' | 'edm' | 'flow' | 'x0' | 'img-to-img' | 'cosmos-rflow' | 'lcm';
  readonly input: (sigma: RowSigmas, x: NDArray, schedule: SigmaSchedule) => NDArray;
  readonly denoised: (
    sigma: RowSigmas,
    output: NDArray,
    x: NDArray,
    schedule: SigmaSchedule,
  ) => NDArray;
  readonly addNoise: (
    sigma: number,
    noise: NDArray,
    latent: NDArray,
    maxDenoise: boolean,
  ) => NDArray;
  readonly removeScale: (sigma: number, latent: NDArray) => NDArray;
}

/** a·x + b·y, with the coefficients of each row's sigma. */
function combine(
  sigma: RowSigmas,
  x: NDArray,
  y: NDArray,
  coefficients: (sigma: number) => readonly [number, number],
): NDArray {
  if (typeof sigma === 'number') {
    const [a, b] = coefficients(sigma);
    return axpby(a, x, b, y);
  }
  const data = new Float32Array(x.data.length);
  const rowSize = data.length / sigma.length;
  for (let row = 0; row < sigma.length; row++) {
    const [a, b] = coefficients(sigma[row]);
    for (let i = row * rowSize; i < (row + 1) * rowSize; i++) {
      data[i] = a * x.data[i] + b * y.data[i];
    }
  }
  return { data, shape: x.shape };
}

const scaleRows = (sigma: RowSigmas, x: NDArray, k: (sigma: number) => number): NDArray =>
  typeof sigma === 'number' ? scale(x, k(sigma)) : combine(sigma, x, x, (s) => [k(s), 0]);

/** sqrt(sigma² + sigma_data²): the standard deviation of a noisy x. */
const deviation = (sigma: number, sigmaData: number): number => Math.hypot(sigma, sigmaData);

const eps: Parameterisation = {
  name: 'eps',
  input: (sigma, x, { sigmaData }) => scaleRows(sigma, x, (s) => 1 / deviation(s, sigmaData)),
  denoised: (sigma, output, x) => combine(sigma, x, output, (s) => [1, -s]),
  addNoise: (sigma, noise, latent, maxDenoise) =>
    axpby(maxDenoise ? Math.hypot(1, sigma) : sigma, noise, 1, latent),
  removeScale: (_, latent) => latent,
};

/** The skip connection of v and EDM predictions; the output's sign is all that differs. */
const skipped =
  (sign: 1 | -1): Parameterisation['denoised'] =>
  (sigma, output, x, { sigmaData }) =>
    combine(sigma, x, output, (s) => {
      const d = deviation(s, sigmaData);
      return [(sigmaData / d) ** 2, (sign * s * sigmaData) / d];
    });

const cosmosTime = (sigma: number): number => sigma / (sigma + 1);

export const parameterisations: Readonly<Record<Parameterisation['name'], Parameterisation>> = {
  eps,
  v: { ...eps, name: 'v', denoised: skipped(-1) },
  edm: { ...eps, name: 'edm', denoised: skipped(1) },
  flow: {
    name: 'flow',
    input: (_, x) => x,
    denoised: eps.denoised,
    addNoise: (sigma, noise, latent) => axpby(sigma, noise, 1 - sigma, latent),
    removeScale: (sigma, latent) => scale(latent, 1 / (1 - sigma)),
  },
  x0: { ...eps, name: 'x0', denoised: (_, output) => output },
  'img-to-img': {
    ...eps,
    name: 'img-to-img',
    input: (_, x) => x,
    denoised: (_, output) => output,
  },
  'cosmos-rflow': {
    name: 'cosmos-rflow',
    input: (sigma, x) => scaleRows(sigma, x, (s) => 1 - cosmosTime(s)),
    denoised: (sigma, output, x) =>
      combine(sigma, x, output, (s) => [1 - cosmosTime(s), -cosmosTime(s)]),
    addNoise: (sigma, noise, latent) => axpby(sigma, noise, 1, latent),
    removeScale: (_, latent) => latent,
  },
  // Consistency boundary conditions of Luo et al. 2023 with sigma_data 0.5 and timesteps scaled by 10.
  lcm: {
    ...eps,
    name: 'lcm',
    denoised: (sigma, output, x, schedule) =>
      combine(sigma, x, output, (s) => {
        const t = schedule.timestep(s) * 10;
        const skip = 0.25 / (t ** 2 + 0.25);
        const out = t / Math.sqrt(t ** 2 + 0.25);
        return [out + skip, -out * s];
      }),
  },
};
