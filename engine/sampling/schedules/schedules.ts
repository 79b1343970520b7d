/** Schedulers: which noise levels a run of some steps visits. All of ComfyUI's nine. */
import { betaQuantile } from '../../array/beta-quantile.ts';
import { linspace } from '../../array/linspace.ts';
import { roundHalfEven, toInteger } from '../../array/round.ts';
import { NoodleError } from '../../errors.ts';
import type { ModelSampling } from '../model-sampling.ts';
import { type SchedulerName, schedulerNames } from '../names.ts';

/** Falling sigmas for `steps` steps; most end in 0. */
export type Scheduler = (sampling: ModelSampling, steps: number) => number[];

const f = Math.fround;

const simple: Scheduler = ({ sigmas }, steps) => {
  const stride = sigmas.length / steps;
  const picked = Array.from({ length: steps }, (_, i) => sigmas.at(-(1 + Math.floor(i * stride)))!);
  return [...picked, 0];
};

/** Every k-th sigma counted from the second one; often one step more than asked for. */
const ddimUniform: Scheduler = ({ sigmas }, steps) => {
  const startsAtZero = Math.abs(sigmas[1]) <= 1e-5;
  const stride = Math.max(Math.floor(sigmas.length / (startsAtZero ? steps + 1 : steps)), 1);
  const picked = startsAtZero ? [] : [0];
  for (let i = 1; i < sigmas.length; i += stride) picked.push(sigmas[i]);
  return picked.reverse();
};

/** Evenly spaced in the network's time. */
const normal: Scheduler = ({ timestep, sigma, sigmaMin, sigmaMax }, steps) => {
  const [start, end] = [timestep(sigmaMax), timestep(sigmaMin)];
  if (Math.abs(sigma(end)) <= 1e-5) return linspace(start, end, steps + 1).map(sigma);
  return [...linspace(start, end, steps).map(sigma), 0];
};

const sgmUniform: Scheduler = ({ timestep, sigma, sigmaMin, sigmaMax }, steps) => [
  ...linspace(timestep(sigmaMax), timestep(sigmaMin), steps + 1)
    .slice(0, -1)
    .map(sigma),
  0,
];

/** Karras et al. 2022, equation 5. */
export function karrasSigmas(steps: number, low: number, high: number, rho = 7): number[] {
  const top = high ** (1 / rho);
  const span = f(low ** (1 / rho) - top);
  return [...linspace(0, 1, steps).map((r) => f(f(top) + f(r * span)) ** rho), 0];
}

/** Evenly spaced in log sigma. */
export function exponentialSigmas(steps: number, low: number, high: number): number[] {
  return [...linspace(Math.log(high), Math.log(low), steps).map(Math.exp), 0];
}

/** Lee et al. 2024 (arXiv 2407.12173): more steps at both ends; steps that would repeat are dropped. */
export function betaSigmas(
  { sigmas }: Pick<ModelSampling, 'sigmas'>,
  steps: number,
  alpha = 0.6,
  beta = 0.6,
): number[] {
  const indices = Array.from({ length: steps }, (_, i) =>
    roundHalfEven(betaQuantile(1 - i / steps, alpha, beta) * (sigmas.length - 1)),
  );
  return [...indices.filter((t, i) => t !== indices[i - 1]).map((t) => sigmas[t]), 0];
}

/** Mochi's schedule: linear down to a threshold, then quadratic. */
const linearQuadratic: Scheduler = ({ sigmaMax }, steps) => {
  if (steps === 1) return [sigmaMax, 0];
  const threshold = 0.025;
  const linearSteps = Math.floor(steps / 2);
  const quadraticSteps = steps - linearSteps;
  const difference = linearSteps - threshold * steps;
  const q = difference / (linearSteps * quadraticSteps ** 2);
  const l = threshold / linearSteps - (2 * difference) / quadraticSteps ** 2;
  const c = q * linearSteps ** 2;
  const progress = (i: number): number =>
    i < linearSteps ? (i * threshold) / linearSteps : i === steps ? 1 : q * i * i + l * i + c;
  return Array.from({ length: steps + 1 }, (_, i) => f(1 - progress(i)) * sigmaMax);
};

/**
 * Sabour et al. 2024 (Align Your Steps), theorem 3.1. Every operation is rounded to fp32: the tangent
 * near π/2 makes the large sigmas depend on it. One step gives NaN, as in the reference.
 */
const klOptimal: Scheduler = ({ sigmaMin, sigmaMax }, steps) => {
  const low = f(Math.atan(sigmaMin));
  const high = f(Math.atan(sigmaMax));
  const levels = Array.from({ length: steps }, (_, i) => {
    const r = f(i / (steps - 1));
    return Math.tan(f(f(r * low) + f(f(1 - r) * high)));
  });
  return [...levels, 0];
};

/** ComfyUI's schedulers, in the order of its lists. */
export const schedulers = {
  simple,
  sgm_uniform: sgmUniform,
  karras: ({ sigmaMin, sigmaMax }, steps) => karrasSigmas(steps, sigmaMin, sigmaMax),
  exponential: ({ sigmaMin, sigmaMax }, steps) => exponentialSigmas(steps, sigmaMin, sigmaMax),
  ddim_uniform: ddimUniform,
  beta: (sampling, steps) => betaSigmas(sampling, steps),
  normal,
  linear_quadratic: linearQuadratic,
  kl_optimal: klOptimal,
} satisfies Record<SchedulerName, Scheduler>;

/** The sigmas of a named scheduler as fp32; throws BAD_INPUT for a name that is not in the table. */
export function calculateSigmas(
  sampling: ModelSampling,
  scheduler: string,
  steps: number,
): Float32Array {
  const table: Readonly<Record<string, Scheduler>> = schedulers;
  if (!Object.hasOwn(table, scheduler)) {
    const expected = `one of ${schedulerNames.join(', ')}`;
    throw new NoodleError('BAD_INPUT', { subject: 'scheduler', expected, got: scheduler });
  }
  return Float32Array.from(table[scheduler](sampling, steps));
}

/** Which part of a schedule is run. */
export interface SigmaRange {
  readonly steps: number;
  /** 1 runs all steps; less starts that far from the end of a longer schedule; 0 runs none. */
  readonly denoise?: number;
  /** The sampler uses one step more and leaves the second last sigma out. */
  readonly dropPenultimate?: boolean;
}

/** `denoise` as schedulers take it: the last steps + 1 sigmas of int(steps / denoise) steps. */
export function ksamplerSigmas(
  sampling: ModelSampling,
  scheduler: string,
  { steps, denoise = 1, dropPenultimate = false }: SigmaRange,
): Float32Array {
  const whole = (count: number): Float32Array => {
    if (!dropPenultimate) return calculateSigmas(sampling, scheduler, count);
    const sigmas = calculateSigmas(sampling, scheduler, count + 1);
    const shorter = sigmas.slice(0, -1);
    shorter[shorter.length - 1] = sigmas[sigmas.length - 1];
    return shorter;
  };
  if (denoise > 0.9999) return whole(steps);
  if (denoise <= 0) return new Float32Array(0);
  return whole(stepsForDenoise(steps, denoise)).slice(-(steps + 1));
}

const mostSteps = 1_000_000;

/** int(steps / denoise); throws BAD_INPUT where the schedule would fill the memory. */
export function stepsForDenoise(steps: number, denoise: number): number {
  const total = toInteger(steps / denoise);
  if (total > mostSteps) {
    const expected = `at most ${mostSteps} steps in the whole schedule`;
    throw new NoodleError('BAD_INPUT', { subject: 'steps / denoise', expected, got: total });
  }
  return total;
}

/**
 * The part between two steps (KSamplerAdvanced). `forceFullDenoise` makes a schedule that is cut
 * before its end go to 0. Empty when no step is left: the latent is then returned as it is.
 */
export function cutSigmas(
  sigmas: Float32Array,
  range: { startStep?: number; lastStep?: number; forceFullDenoise?: boolean },
): Float32Array {
  const { startStep, lastStep, forceFullDenoise = false } = range;
  let cut = sigmas.slice();
  if (lastStep !== undefined && lastStep < cut.length - 1) {
    cut = cut.slice(0, lastStep + 1);
    if (forceFullDenoise) cut[cut.length - 1] = 0;
  }
  if (startStep === undefined) return cut;
  return startStep < cut.length - 1 ? cut.slice(startStep) : new Float32Array(0);
}
