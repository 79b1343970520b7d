/**
 * SEEDS (Gonzalez et al. 2023, arXiv 2305.14267): exponential Runge-Kutta solvers whose stages share
 * their noise.
 */
import { weightedSum } from '../../array/elementwise.ts';
import type { NDArray } from '../../array/nd.ts';
import type { Sampler, SamplerTools } from './sampler.ts';
import type { Ancestral } from './euler-ancestral.ts';
import { halfLogSnr } from '../half-log-snr.ts';
import { finiteSnr, walk } from './steps.ts';

const f = Math.fround;

/** torch.lerp in fp32, which starts from the nearer end. */
const lerp = (a: number, b: number, part: number): number =>
  part < 0.5 ? f(a + f(part * f(b - a))) : f(b - f(f(b - a) * (1 - part)));

/** h·phi_2(h) of exponential integrators. */
const phi2 = (h: number): number => (Math.expm1(h) - h) / h;

/**
 * Noise that grows along a step: the noise of a later stage contains that of the earlier ones.
 * `part` is how far the stage lies along the step of length h.
 */
function growingNoise(
  noise: SamplerTools['noise'],
  { from, h, eta }: { from: number; h: number; eta: number },
): (sigma: number, part: number) => NDArray {
  let z: NDArray | undefined;
  let [sigmaBefore, partBefore] = [from, 0];
  return (sigma, part) => {
    const g = (partBefore - part) * h * eta;
    const fresh: [number, NDArray] = [Math.sqrt(-Math.expm1(2 * g)), noise(sigmaBefore, sigma)];
    z = z ? weightedSum([Math.exp(g), z], fresh) : weightedSum(fresh);
    [sigmaBefore, partBefore] = [sigma, part];
    return z;
  };
}

/** What one stage puts together: weights of the predictions, for a stage `part` of the way. */
type Stage = (hEta: number) => readonly number[];

/** Stages at `parts` of each step (the last is 1); stage k weighs the predictions made so far. */
const seeds =
  (parts: readonly number[], stages: readonly Stage[]) =>
  ({ eta = 1, sNoise = 1 }: Ancestral = {}): Sampler =>
  (denoise, start, given, { noise, sampling, step }) => {
    const sigmas = finiteSnr(given, sampling);
    const snr = halfLogSnr(sampling);
    return walk({ denoise, x: start, sigmas, step }, async ({ s, t, x, denoised }) => {
      const predictions = [denoised];
      const { lambda } = snr.at(s);
      const end = snr.at(t);
      const h = f(end.lambda - lambda);
      const z = growingNoise(noise, { from: s, h, eta });
      for (let k = 0; ; k++) {
        const last = k === parts.length - 1;
        const { sigma, alpha } = last ? end : snr.atLambda(lerp(lambda, end.lambda, parts[k]));
        const weights = stages[k](h * (eta + 1));
        const terms = predictions.map((d, j): [number, NDArray] => [-alpha * weights[j], d]);
        terms.push([(sigma / s) * Math.exp(-parts[k] * h * eta), x]);
        if (eta > 0 && sNoise > 0) terms.push([sigma * sNoise, z(sigma, parts[k])]);
        const y = weightedSum(...terms);
        if (last) return y;
        predictions.push((await denoise(y, sigma)).denoised);
      }
    });
  };

export interface Seeds2Options extends Ancestral {
  /** How far along the step the middle stage lies. */
  readonly r?: number;
  /** How the two predictions are weighed: by phi_1 (mixed linearly) or phi_2. */
  readonly solver?: 'phi_1' | 'phi_2';
}

/**
 * SEEDS-2: one stage on the way. With r = 1 and phi_2 it is the exponential Heun method in data prediction
 * (`exp_heun_2_x0`).
 */
export const seeds2 = ({ r = 1 / 2, solver = 'phi_1', ...noise }: Seeds2Options = {}): Sampler =>
  seeds(
    [r, 1],
    [
      (h) => [Math.expm1(-r * h)],
      (h) => {
        const second = solver === 'phi_1' ? Math.expm1(-h) / (2 * r) : phi2(-h) / r;
        return [Math.expm1(-h) - second, second];
      },
    ],
  )(noise);

const [r1, r2] = [1 / 3, 2 / 3];

/** SEEDS-3: stages at one and two thirds. */
export const seeds3 = seeds(
  [r1, r2, 1],
  [
    (h) => [Math.expm1(-r1 * h)],
    (h) => {
      const a32 = (r2 / r1) * phi2(-r2 * h);
      return [Math.expm1(-r2 * h) - a32, a32];
    },
    (h) => {
      const b3 = phi2(-h) / r2;
      return [Math.expm1(-h) - b3, 0, b3];
    },
  ],
);
