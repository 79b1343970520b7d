/** DPM-Solver (Lu et al. 2022, arXiv 2206.00927) in t = -ln sigma: fixed and adaptive step sizes. */
import { axpby, weightedSum } from '../../array/elementwise.ts';
import type { NDArray } from '../../array/nd.ts';
import { NoodleError } from '../../errors.ts';
import type { Denoise, Sampler } from './sampler.ts';
import type { Ancestral } from './euler-ancestral.ts';
import { linspace } from '../../array/linspace.ts';
import { ancestralStep, derivative } from './steps.ts';

const f = Math.fround;
/** fp32 times, as the reference steps through them. */
const timeOf = (sigma: number): number => f(-Math.log(sigma));
const sigmaOf = (t: number): number => f(Math.exp(-t));

/** The last sigma that is not 0, and the first. */
const ends = (sigmas: Float32Array): { from: number; to: number } => {
  const last = sigmas[sigmas.length - 1];
  return { from: timeOf(sigmas[0]), to: timeOf(last === 0 ? sigmas[sigmas.length - 2] : last) };
};

/** Noise predictions inside one step, so that its lower and higher order share them. */
interface Stages {
  readonly eps: NDArray;
  /** The noise prediction a part of the way, from an Euler-like guess. */
  middle(part: number): Promise<NDArray>;
}

function stages(
  denoise: Denoise,
  x: NDArray,
  { t, h, eps }: { t: number; h: number; eps: NDArray },
): Stages {
  const known = new Map<number, NDArray>();
  return {
    eps,
    async middle(part) {
      const found = known.get(part);
      if (found) return found;
      const s = f(t + part * h);
      const u = weightedSum([1, x], [-sigmaOf(s) * Math.expm1(part * h), eps]);
      const predicted = derivative(u, sigmaOf(s), (await denoise(u, sigmaOf(s))).denoised);
      known.set(part, predicted);
      return predicted;
    },
  };
}

/** A step of length h of order 1, 2 (at part `r1`) or 3 (at parts 1/3 and 2/3). */
async function solverStep(
  denoise: Denoise,
  x: NDArray,
  options: { t: number; h: number; order: number; r1: number; from: Stages },
): Promise<NDArray> {
  const { t, h, order, r1, from } = options;
  const next = sigmaOf(f(t + h));
  const growth = Math.expm1(h);
  const { eps } = from;
  if (order === 1) return weightedSum([1, x], [-next * growth, eps]);
  const eps1 = await from.middle(r1);
  if (order === 2) {
    const k = (next * growth) / (2 * r1);
    return weightedSum([1, x], [-next * growth + k, eps], [-k, eps1]);
  }
  const r2 = 2 / 3;
  const s2 = f(t + r2 * h);
  const sigma2 = sigmaOf(s2);
  const bend2 = sigma2 * (r2 / r1) * (Math.expm1(r2 * h) / (r2 * h) - 1);
  const u2 = weightedSum([1, x], [-sigma2 * Math.expm1(r2 * h) + bend2, eps], [-bend2, eps1]);
  const eps2 = derivative(u2, sigma2, (await denoise(u2, sigma2)).denoised);
  const bend = (next / r2) * (growth / h - 1);
  return weightedSum([1, x], [-next * growth + bend, eps], [-bend, eps2]);
}

/** DPM-Solver-fast: third-order steps, the last ones lower so that the evaluations come out even. */
export const dpmFast =
  (): Sampler =>
  async (denoise, x, sigmas, { step }) => {
    const evaluations = sigmas.length - 1;
    if (evaluations < 1) return x;
    const { from, to } = ends(sigmas);
    const groups = Math.floor(evaluations / 3) + 1;
    const orders = Array<number>(groups).fill(3);
    if (evaluations % 3 === 0) orders.splice(-2, 2, 2, 1);
    else orders[groups - 1] = evaluations % 3;
    const times = linspace(from, to, groups + 1);
    for (let i = 0; i < groups; i++) {
      const [t, h] = [times[i], f(times[i + 1] - times[i])];
      const { denoised } = await denoise(x, sigmaOf(t));
      const eps = derivative(x, sigmaOf(t), denoised);
      await step({ i, x, denoised });
      const r1 = orders[i] === 2 ? 1 / 2 : 1 / 3;
      const shared = stages(denoise, x, { t, h, eps });
      x = await solverStep(denoise, x, { t, h, order: orders[i], r1, from: shared });
    }
    return x;
  };

export interface DpmAdaptiveOptions extends Ancestral {
  readonly order?: 2 | 3;
  readonly rtol?: number;
  readonly atol?: number;
  readonly hInit?: number;
  readonly pCoeff?: number;
  readonly iCoeff?: number;
  readonly dCoeff?: number;
  readonly acceptSafety?: number;
}

/**
 * DPM-Solver-12 or -23 with a PID step size controller; only the first and the last level of the
 * schedule count. Two solutions of neighbouring orders estimate the error of a step.
 */
export const dpmAdaptive =
  ({
    order = 3,
    rtol = 0.05,
    atol = 0.0078,
    hInit = 0.05,
    pCoeff = 0,
    iCoeff = 1,
    dCoeff = 0,
    acceptSafety = 0.81,
    eta = 0,
    sNoise = 1,
  }: DpmAdaptiveOptions = {}): Sampler =>
  async (denoise, x, sigmas, { noise, step }) => {
    if (sigmas.length <= 1) return x;
    const { from, to } = ends(sigmas);
    const propose = pidController(eta > 0 ? 1.5 : order, { pCoeff, iCoeff, dCoeff, acceptSafety });
    let h = Math.abs(hInit);
    let s = from;
    let accepted = x; // the low-order solution of the last accepted step
    for (let i = 0; s < f(to - 1e-5); i++) {
      const t = Math.min(to, f(s + h));
      let target = t;
      let up = 0;
      if (eta > 0) {
        target = Math.min(to, timeOf(ancestralStep(sigmaOf(s), sigmaOf(t), eta).down));
        up = Math.sqrt(sigmaOf(t) ** 2 - sigmaOf(target) ** 2);
      }
      const { denoised } = await denoise(x, sigmaOf(s));
      const eps = derivative(x, sigmaOf(s), denoised);
      const length = f(target - s);
      const shared = stages(denoise, x, { t: s, h: length, eps });
      const solve = (stepOrder: number, r1: number): Promise<NDArray> =>
        solverStep(denoise, x, { t: s, h: length, order: stepOrder, r1, from: shared });
      const low = await solve(order - 1, 1 / 3);
      const high = await solve(order, order === 2 ? 1 / 2 : 1 / 3);
      const { accept, factor } = propose(stepError(low, high, accepted, { atol, rtol }));
      if (Number.isNaN(factor)) {
        throw new NoodleError('UNSUPPORTED', {
          what: 'dpm_adaptive: the error of a step is not a number, so no step size can be found',
        });
      }
      if (accept) {
        accepted = low;
        x = up > 0 ? axpby(1, high, up * sNoise, noise(sigmaOf(s), sigmaOf(t))) : high;
        s = t;
      }
      h *= factor;
      await step({ i, x, denoised });
    }
    return x;
  };

/** Root mean square of the difference in units of what is tolerated. */
function stepError(
  low: NDArray,
  high: NDArray,
  before: NDArray,
  { atol, rtol }: { atol: number; rtol: number },
): number {
  let sum = 0;
  for (let i = 0; i < low.data.length; i++) {
    const size = Math.max(Math.abs(low.data[i]), Math.abs(before.data[i]));
    sum += ((low.data[i] - high.data[i]) / Math.max(atol, rtol * size)) ** 2;
  }
  return Math.sqrt(sum / low.data.length);
}

/** Hairer et al.: step size from this error and those of the two accepted steps before. */
function pidController(
  order: number,
  options: { pCoeff: number; iCoeff: number; dCoeff: number; acceptSafety: number },
): (error: number) => { readonly accept: boolean; readonly factor: number } {
  const { pCoeff, iCoeff, dCoeff, acceptSafety } = options;
  const exponents = [
    (pCoeff + iCoeff + dCoeff) / order,
    -(pCoeff + 2 * dCoeff) / order,
    dCoeff / order,
  ];
  let inverses: number[] = [];
  return (error) => {
    const inverse = 1 / (error + 1e-8);
    if (inverses.length === 0) inverses = [inverse, inverse, inverse];
    inverses[0] = inverse;
    const raw = inverses.reduce((product, value, i) => product * value ** exponents[i], 1);
    const factor = 1 + Math.atan(raw - 1);
    const accept = factor >= acceptSafety;
    if (accept) inverses = [inverse, inverse, inverses[1]];
    return { accept, factor };
  };
}
