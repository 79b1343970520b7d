/** ER-SDE (Cui et al. 2023, arXiv 2309.06169): extended reverse-time SDE solvers up to third order. */
import { weightedSum } from '../../array/elementwise.ts';
import type { NDArray } from '../../array/nd.ts';
import type { Sampler } from './sampler.ts';
import { finiteSnr, halfLogSnr } from './steps.ts';

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

/** One evaluation a step; stages 2 and 3 use finite differences of earlier predictions. */
export const erSde =
  ({ maxStage = 3, sNoise = 1, solver = 'er-sde', eta = 1 }: ErSdeOptions = {}): Sampler =>
  async (denoise, x, given, { noise, sampling, step }) => {
    const ode = solver === 'ode' || (solver === 'reverse' && eta === 0);
    const f = solver === 'er-sde' ? paperScaler : (v: number) => v ** ((ode ? 0 : eta) + 1);
    const strength = ode ? 0 : sNoise;
    const sigmas = finiteSnr(given, sampling);
    const { alpha } = halfLogSnr(sampling);
    const level = (sigma: number): number => sigma / alpha(sigma);

    let previous: NDArray | undefined;
    let previousSlope: NDArray | undefined;
    for (let i = 0; i + 1 < sigmas.length; i++) {
      const [s, t] = [sigmas[i], sigmas[i + 1]];
      const denoised = await denoise(x, s);
      await step({ i, x, denoised });
      if (t === 0) {
        x = denoised;
        continue;
      }
      const [Ls, Lt] = [level(s), level(t)];
      const a = alpha(t);
      const r = f(Lt) / f(Ls);
      const terms: [number, NDArray][] = [
        [(a / alpha(s)) * r, x],
        [a * (1 - r), denoised],
      ];
      if (previous && maxStage >= 2) {
        const dt = Lt - Ls;
        const width = -dt / points;
        let sum = 0;
        let bentSum = 0;
        for (let k = 0; k < points; k++) {
          const position = Lt + k * width;
          sum += width / f(position);
          bentSum += (width * (position - Ls)) / f(position);
        }
        const gap = Ls - level(sigmas[i - 1]);
        const slope = weightedSum([1 / gap, denoised], [-1 / gap, previous]);
        terms.push([a * (dt + sum * f(Lt)), slope]);
        if (previousSlope && maxStage >= 3) {
          const half = (Ls - level(sigmas[i - 2])) / 2;
          const bend = weightedSum([1 / half, slope], [-1 / half, previousSlope]);
          terms.push([a * (dt ** 2 / 2 + bentSum * f(Lt)), bend]);
        }
        previousSlope = slope;
      }
      const variance = Lt ** 2 - Ls ** 2 * r ** 2;
      if (strength > 0) terms.push([a * strength * Math.sqrt(Math.max(0, variance)), noise(s, t)]);
      x = weightedSum(...terms);
      previous = denoised;
    }
    return x;
  };
