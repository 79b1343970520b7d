/** DPM-Solver++ as stochastic differential equation solvers, on Brownian noise (k-diffusion). */
import { sub, weightedSum } from '../../array/elementwise.ts';
import type { NDArray } from '../../array/nd.ts';
import type { Ancestral } from './euler-ancestral.ts';
import type { Denoise, Sampler, SamplerTools } from './sampler.ts';
import { halfLogSnr, type Level } from '../half-log-snr.ts';
import { ancestralStep, finiteSnr, type StepFrom, walk } from './steps.ts';

const f = Math.fround;

/** DPM-Solver++(S): a stage at part `r` of each step, both with noise. */
export const dpmppSde =
  ({ eta = 1, sNoise = 1, r = 0.5 }: Ancestral & { readonly r?: number } = {}): Sampler =>
  (denoise, start, given, { noise, sampling, step }) => {
    const sigmas = finiteSnr(given, sampling);
    const snr = halfLogSnr(sampling);
    const noisy = eta > 0 && sNoise > 0;
    return walk({ denoise, x: start, sigmas, step }, async ({ s, t, x, denoised }) => {
      const [from, end] = [snr.at(s), snr.at(t)];
      const middle = snr.atLambda(f(from.lambda + f(r * f(end.lambda - from.lambda))));
      /** From s to level `to` with `target` as the picture that is approached. */
      const advance = (to: Level, target: NDArray): NDArray => {
        const noiseFrom = f(Math.exp(-from.lambda));
        const { down, up } = ancestralStep(noiseFrom, f(Math.exp(-to.lambda)), eta);
        const h = f(-f(Math.log(down)) - from.lambda);
        const terms: [number, NDArray][] = [
          [f(to.alpha / from.alpha) * f(Math.exp(-h)), x],
          [-to.alpha * f(Math.expm1(-h)), target],
        ];
        if (noisy) terms.push([to.alpha * sNoise * up, noise(s, to.sigma)]);
        return weightedSum(...terms);
      };
      const second = await denoise(advance(middle, denoised), middle.sigma);
      const k = 1 / (2 * r);
      return advance(end, weightedSum([1 - k, denoised], [k, second.denoised]));
    });
  };

/** A step of the multistep solvers, with the lengths and predictions of the steps before, newest first. */
interface SdeStep extends StepFrom {
  /** The length of the step in lambda, and that times 1 + eta. */
  readonly h: number;
  readonly hEta: number;
  readonly history: readonly { readonly denoised: NDArray; readonly h: number }[];
}

/** What the predictions before add to a step, in units of alpha at its end. */
type Correction = (step: SdeStep) => readonly (readonly [number, NDArray])[];

/** The exponential integrator that both multistep solvers correct. */
function multistepSde(
  { eta = 1, sNoise = 1 }: Ancestral,
  correction: Correction,
): (
  denoise: Denoise,
  x: NDArray,
  given: Readonly<Float32Array>,
  tools: SamplerTools,
) => Promise<NDArray> {
  return (denoise, start, given, { noise, sampling, step }) => {
    const sigmas = finiteSnr(given, sampling);
    const snr = halfLogSnr(sampling);
    const history: { readonly denoised: NDArray; readonly h: number }[] = [];
    return walk({ denoise, x: start, sigmas, step }, (at) => {
      const { s, t, x, denoised } = at;
      const { lambda, alpha } = snr.at(t);
      const h = f(lambda - snr.at(s).lambda);
      const hEta = h * (eta + 1);
      const terms: [number, NDArray][] = [
        [(t / s) * Math.exp(-h * eta), x],
        [-alpha * Math.expm1(-hEta), denoised],
      ];
      for (const [k, d] of correction({ ...at, h, hEta, history })) terms.push([alpha * k, d]);
      if (eta > 0 && sNoise > 0) {
        terms.push([t * Math.sqrt(-Math.expm1(-2 * h * eta)) * sNoise, noise(s, t)]);
      }
      history.unshift({ denoised, h });
      history.length = Math.min(history.length, 2);
      return weightedSum(...terms);
    });
  };
}

/** DPM-Solver++(2M) SDE; `solver` chooses how the previous prediction enters. */
export const dpmpp2mSde = ({
  solver = 'midpoint',
  ...options
}: Ancestral & { readonly solver?: 'midpoint' | 'heun' } = {}): Sampler =>
  multistepSde(options, ({ h, hEta, denoised, history: [previous] }) => {
    if (!previous) return [];
    const gain = solver === 'heun' ? Math.expm1(-hEta) / hEta + 1 : -0.5 * Math.expm1(-hEta);
    return [[(gain * h) / previous.h, sub(denoised, previous.denoised)]];
  });

/** DPM-Solver++(3M) SDE: two previous predictions. */
export const dpmpp3mSde = (options: Ancestral = {}): Sampler =>
  multistepSde(options, ({ h, hEta, denoised, history: [one, two] }) => {
    if (!one) return [];
    const phi2 = Math.expm1(-hEta) / hEta + 1;
    const r0 = one.h / h;
    const d10 = weightedSum([1 / r0, denoised], [-1 / r0, one.denoised]);
    if (!two) return [[phi2, d10]];
    const r1 = two.h / h;
    const d11 = weightedSum([1 / r1, one.denoised], [-1 / r1, two.denoised]);
    const phi3 = phi2 / hEta - 0.5;
    return [
      [phi2, d10],
      [(phi2 * r0 - phi3) / (r0 + r1), sub(d10, d11)],
    ];
  });
