/** ER-SDE (Cui et al. 2023, arXiv 2309.06169): extended reverse-time SDE solvers up to third order. */
import { weightedSum } from '../../array/elementwise.ts';
import type { NDArray } from '../../array/nd.ts';
import type { Sampler } from './sampler.ts';
import { halfLogSnr } from '../half-log-snr.ts';
import { finiteSnr, walk } from './steps.ts';

const points = 200;

/** How noise is distributed over the levels L = sigma / alpha: the paper's ER-SDE 5. */
const paperScaler = (v: number): number => v * (Math.exp(v ** 0.3) + 10);

export interface ErSdeOptions {
  readonly maxStage?: number;
  readonly sNoise?: number;
  /** 'ode' adds no noise; 'reverse' is the usual reverse-time SDE of strength eta. */
  readonly solver?: 'er-sde' | 'reverse' | 'ode';
  readonly eta?: number;
}

/** The integrals of 1 / f and of (v - Ls) / f from Lt up to Ls, as sums over `points` positions. */
function integrals(f: (v: number) => number, Ls: number, Lt: number): readonly [number, number] {
  const width = (Ls - Lt) / points;
  let sum = 0;
  let bent = 0;
  for (let k = 0; k < points; k++) {
    const position = Lt + k * width;
    sum += width / f(position);
    bent += (width * (position - Ls)) / f(position);
  }
  return [sum, bent];
}

/** One evaluation a step; stages 2 and 3 use finite differences of earlier predictions. */
export const erSde =
  ({ maxStage = 3, sNoise = 1, solver = 'er-sde', eta = 1 }: ErSdeOptions = {}): Sampler =>
  (denoise, start, given, { noise, sampling, step }) => {
    const ode = solver === 'ode' || (solver === 'reverse' && eta === 0);
    const f = solver === 'er-sde' ? paperScaler : (v: number) => v ** ((ode ? 0 : eta) + 1);
    const strength = ode ? 0 : sNoise;
    const sigmas = finiteSnr(given, sampling);
    const snr = halfLogSnr(sampling);
    const level = (sigma: number): number => Math.fround(Math.exp(-snr.at(sigma).lambda));

    let previous: NDArray | undefined;
    let previousSlope: NDArray | undefined;
    return walk({ denoise, x: start, sigmas, step }, ({ i, s, t, x, denoised }) => {
      const [Ls, Lt] = [level(s), level(t)];
      const a = Math.fround(t / Lt);
      const r = f(Lt) / f(Ls);
      const terms: [number, NDArray][] = [
        [(a / Math.fround(s / Ls)) * r, x],
        [a * (1 - r), denoised],
      ];
      if (previous && maxStage >= 2) {
        const dt = Lt - Ls;
        const [sum, bent] = integrals(f, Ls, Lt);
        const gap = Ls - level(sigmas[i - 1]);
        const slope = weightedSum([1 / gap, denoised], [-1 / gap, previous]);
        terms.push([a * (dt + sum * f(Lt)), slope]);
        if (previousSlope && maxStage >= 3) {
          const half = (Ls - level(sigmas[i - 2])) / 2;
          const bend = weightedSum([1 / half, slope], [-1 / half, previousSlope]);
          terms.push([a * (dt ** 2 / 2 + bent * f(Lt)), bend]);
        }
        previousSlope = slope;
      }
      const variance = Lt ** 2 - Ls ** 2 * r ** 2;
      if (strength > 0) terms.push([a * strength * Math.sqrt(Math.max(0, variance)), noise(s, t)]);
      previous = denoised;
      return weightedSum(...terms);
    });
  };
