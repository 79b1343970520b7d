/** DPM-Solver++ as stochastic differential equation solvers, on Brownian noise (k-diffusion). */
import { sub, weightedSum } from '../../array/elementwise.ts';
import type { NDArray } from '../../array/nd.ts';
import type { Sampler } from './sampler.ts';
import type { Ancestral } from './euler-ancestral.ts';
import { ancestralStep, finiteSnr, halfLogSnr } from './steps.ts';

const f = Math.fround;

/**
 * DPM-Solver++(S): a stage at part `r` of each step, both with noise. Levels are rounded to fp32 like
 * the reference's: the Brownian path is asked for the one in the middle, and near a flow's start the
 * last digits decide whether a step keeps anything of x.
 */
export const dpmppSde =
  ({ eta = 1, sNoise = 1, r = 0.5 }: Ancestral & { readonly r?: number } = {}): Sampler =>
  async (denoise, x, given, { noise, sampling, step }) => {
    const sigmas = finiteSnr(given, sampling);
    const snr = halfLogSnr(sampling);
    const noisy = eta > 0 && sNoise > 0;
    for (let i = 0; i + 1 < sigmas.length; i++) {
      const [s, t] = [sigmas[i], sigmas[i + 1]];
      const denoised = await denoise(x, s);
      await step({ i, x, denoised });
      if (t === 0) {
        x = denoised;
        continue;
      }
      const lambda = f(snr.lambda(s));
      const lambdaEnd = f(snr.lambda(t));
      const lambdaMiddle = f(lambda + f(r * f(lambdaEnd - lambda)));
      const middle = f(snr.sigma(lambdaMiddle));
      const from = x;
      /** From s to level `to` with `target` as the picture that is approached. */
      const advance = (to: number, lambdaTo: number, target: NDArray): NDArray => {
        const alpha = snr.alpha(to);
        const { down, up } = ancestralStep(f(Math.exp(-lambda)), f(Math.exp(-lambdaTo)), eta);
        const h = -Math.log(down) - lambda;
        const terms: [number, NDArray][] = [
          [(alpha / snr.alpha(s)) * Math.exp(-h), from],
          [-alpha * Math.expm1(-h), target],
        ];
        if (noisy) terms.push([alpha * sNoise * up, noise(s, to)]);
        return weightedSum(...terms);
      };
      const denoised2 = await denoise(advance(middle, lambdaMiddle, denoised), middle);
      const k = 1 / (2 * r);
      x = advance(t, lambdaEnd, weightedSum([1 - k, denoised], [k, denoised2]));
    }
    return x;
  };

/** The multistep SDE base: the deterministic part of a step and its noise term. */
const sdeStep = (
  { s, t, h, alpha, eta }: { s: number; t: number; h: number; alpha: number; eta: number },
  x: NDArray,
  denoised: NDArray,
): [number, NDArray][] => [
  [(t / s) * Math.exp(-h * eta), x],
  [-alpha * Math.expm1(-h * (eta + 1)), denoised],
];

/** DPM-Solver++(2M) SDE; `solver` chooses how the previous prediction enters. */
export const dpmpp2mSde =
  ({
    eta = 1,
    sNoise = 1,
    solver = 'midpoint',
  }: Ancestral & { readonly solver?: 'midpoint' | 'heun' } = {}): Sampler =>
  async (denoise, x, given, { noise, sampling, step }) => {
    const sigmas = finiteSnr(given, sampling);
    const snr = halfLogSnr(sampling);
    let previous: { readonly denoised: NDArray; readonly h: number } | undefined;
    for (let i = 0; i + 1 < sigmas.length; i++) {
      const [s, t] = [sigmas[i], sigmas[i + 1]];
      const denoised = await denoise(x, s);
      await step({ i, x, denoised });
      if (t === 0) {
        x = denoised;
        continue;
      }
      const h = snr.lambda(t) - snr.lambda(s);
      const alpha = snr.alpha(t);
      const terms = sdeStep({ s, t, h, alpha, eta }, x, denoised);
      if (previous) {
        const r = previous.h / h;
        const hEta = h * (eta + 1);
        const gain = solver === 'heun' ? Math.expm1(-hEta) / hEta + 1 : -0.5 * Math.expm1(-hEta);
        terms.push([(alpha * gain) / r, sub(denoised, previous.denoised)]);
      }
      if (eta > 0 && sNoise > 0) {
        terms.push([t * Math.sqrt(-Math.expm1(-2 * h * eta)) * sNoise, noise(s, t)]);
      }
      x = weightedSum(...terms);
      previous = { denoised, h };
    }
    return x;
  };

/** DPM-Solver++(3M) SDE: two previous predictions. */
export const dpmpp3mSde =
  ({ eta = 1, sNoise = 1 }: Ancestral = {}): Sampler =>
  async (denoise, x, given, { noise, sampling, step }) => {
    const sigmas = finiteSnr(given, sampling);
    const snr = halfLogSnr(sampling);
    const history: { readonly denoised: NDArray; readonly h: number }[] = [];
    for (let i = 0; i + 1 < sigmas.length; i++) {
      const [s, t] = [sigmas[i], sigmas[i + 1]];
      const denoised = await denoise(x, s);
      await step({ i, x, denoised });
      if (t === 0) {
        x = denoised;
        continue;
      }
      const h = snr.lambda(t) - snr.lambda(s);
      const alpha = snr.alpha(t);
      const hEta = h * (eta + 1);
      const phi2 = Math.expm1(-hEta) / hEta + 1;
      const terms = sdeStep({ s, t, h, alpha, eta }, x, denoised);
      const [one, two] = history;
      if (two) {
        const r0 = one.h / h;
        const r1 = two.h / h;
        const d10 = weightedSum([1 / r0, denoised], [-1 / r0, one.denoised]);
        const d11 = weightedSum([1 / r1, one.denoised], [-1 / r1, two.denoised]);
        const bend = sub(d10, d11);
        const phi3 = phi2 / hEta - 0.5;
        terms.push([alpha * phi2, d10], [(alpha * (phi2 * r0 - phi3)) / (r0 + r1), bend]);
      } else if (one) {
        const r = one.h / h;
        terms.push([(alpha * phi2) / r, sub(denoised, one.denoised)]);
      }
      if (eta > 0 && sNoise > 0) {
        terms.push([t * Math.sqrt(-Math.expm1(-2 * h * eta)) * sNoise, noise(s, t)]);
      }
      x = weightedSum(...terms);
      history.unshift({ denoised, h });
      history.length = Math.min(history.length, 2);
    }
    return x;
  };
