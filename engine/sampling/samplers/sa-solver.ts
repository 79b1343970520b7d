/** SA-Solver (Xue et al. 2023, arXiv 2309.05019): stochastic Adams predictor-corrector. */
import { axpy, scale, weightedSum } from '../../array/elementwise.ts';
import type { NDArray } from '../../array/nd.ts';
import { solveLinear } from '../../array/solve.ts';
import type { Sampler } from './sampler.ts';
import { halfLogSnr } from '../half-log-snr.ts';
import { finiteSnr } from './steps.ts';

export interface SaSolverOptions {
  readonly predictorOrder?: number;
  /** 0 switches the corrector off. */
  readonly correctorOrder?: number;
  /** Evaluate again after correcting. */
  readonly pece?: boolean;
  readonly sNoise?: number;
  /** Strength of the noise at a level; default 1 between 20 % and 80 % of the run, else 0. */
  readonly tau?: (sigma: number) => number;
  /** The paper's simpler coefficients where the order is 2. */
  readonly simpleOrder2?: boolean;
}

/** tau = eta between two levels (both included), else 0. */
export const tauBetween =
  (startSigma: number, endSigma: number, eta: number): NonNullable<SaSolverOptions['tau']> =>
  (sigma) =>
    eta > 0 && startSigma >= sigma && sigma >= endSigma ? eta : 0;

export const saSolver =
  ({
    predictorOrder = 3,
    correctorOrder = 4,
    pece = false,
    sNoise = 1,
    tau: givenTau,
    simpleOrder2 = false,
  }: SaSolverOptions = {}): Sampler =>
  async (denoise, x, given, { noise, sampling, step }) => {
    const tauAt =
      givenTau ?? tauBetween(sampling.percentToSigma(0.2), sampling.percentToSigma(0.8), 1);
    const sigmas = finiteSnr(given, sampling);
    const snr = halfLogSnr(sampling);
    const levels = Array.from(sigmas, snr.at);
    const lambdas = levels.map(({ lambda }) => lambda);
    const last = sigmas.length - 1;
    const toZero = sigmas[last] === 0;

    const history: NDArray[] = []; // newest last
    let predicted = x;
    let tau = 0;
    let stepNoise: NDArray | undefined;

    /** x over the interval (from, to], with `order` predictions interpolated in lambda. */
    const integrate = (
      start: NDArray,
      { from, to, order, corrects }: { from: number; to: number; order: number; corrects: boolean },
      newest: number,
    ): NDArray => {
      const nodes = lambdas.slice(newest - order + 1, newest + 1);
      const ends = { s: lambdas[from], t: lambdas[to] };
      const { alpha } = levels[to];
      const weights =
        simpleOrder2 && order === 2
          ? simpleWeights(nodes, ends, tau, corrects)
          : adamsWeights(nodes, ends, tau);
      const h = ends.t - ends.s;
      const terms = history.slice(-order).map((d, k): [number, NDArray] => [alpha * weights[k], d]);
      return weightedSum(
        [(sigmas[to] / sigmas[from]) * Math.exp(-(tau ** 2) * h), start],
        ...terms,
      );
    };

    for (let i = 0; i < last; i++) {
      let { denoised } = await denoise(predicted, sigmas[i]);
      await step({ i, x: predicted, denoised });
      history.push(denoised);
      if (history.length > Math.max(predictorOrder, correctorOrder)) history.shift();

      const skipsCorrector = i === 0 || (sigmas[i + 1] === 0 && !pece);
      let order = skipsCorrector ? 0 : Math.min(correctorOrder, history.length);
      if (toZero) order = Math.min(order, last - i);
      if (order === 0) {
        x = predicted;
      } else {
        x = integrate(x, { from: i - 1, to: i, order, corrects: true }, i);
        if (stepNoise) x = axpy(1, stepNoise, x); // the noise that the predictor added
        if (pece) {
          ({ denoised } = await denoise(x, sigmas[i]));
          history[history.length - 1] = denoised;
        }
      }
      if (sigmas[i + 1] === 0) {
        x = denoised;
        continue;
      }
      tau = tauAt(sigmas[i + 1]);
      let predictOrder = Math.min(predictorOrder, history.length);
      if (toZero) predictOrder = Math.min(predictOrder, last - 1 - i);
      predicted = integrate(x, { from: i, to: i + 1, order: predictOrder, corrects: false }, i);
      stepNoise = undefined;
      if (tau > 0 && sNoise > 0) {
        const h = lambdas[i + 1] - lambdas[i];
        const strength = sigmas[i + 1] * Math.sqrt(-Math.expm1(-2 * tau ** 2 * h)) * sNoise;
        stepNoise = scale(noise(sigmas[i], sigmas[i + 1]), strength);
        predicted = axpy(1, stepNoise, predicted);
      }
    }
    return x;
  };

interface Interval {
  readonly s: number;
  readonly t: number;
}

/**
 * Weights of predictions at `nodes` in the integral of their interpolating polynomial against
 * (1 + tau²)·e^((1 + tau²)(lambda - t)): moments by partial integration, then a Vandermonde system.
 */
function adamsWeights(nodes: readonly number[], { s, t }: Interval, tau: number): number[] {
  const q = 1 + tau ** 2;
  const decay = Math.exp(-q * (t - s));
  const moments: number[] = [];
  for (let p = 0; p < nodes.length; p++) {
    moments.push(t ** p - s ** p * decay - (p === 0 ? 0 : (p / q) * moments[p - 1]));
  }
  return solveLinear(
    moments.map((_, p) => nodes.map((node) => node ** p)),
    moments,
  );
}

/** Appendix D of the paper: order 2 without solving for it. */
function simpleWeights(
  nodes: readonly number[],
  { s, t }: Interval,
  tau: number,
  corrects: boolean,
): number[] {
  const q = 1 + tau ** 2;
  const h = t - s;
  const total = -Math.expm1(-q * h);
  if (corrects) {
    const newest = 0.5 * q * h;
    return [total - newest, newest];
  }
  const older = (0.5 * q * h ** 2) / (nodes[0] - s);
  return [older, total - older];
}
