/** Adams-Bashforth methods in sigma: each step extrapolates the slopes of the steps before it. */
import { weightedSum } from '../../array/elementwise.ts';
import type { NDArray } from '../../array/nd.ts';
import type { Sampler } from './sampler.ts';
import { derivative } from './steps.ts';

/** What decides a step: all sigmas, where it starts, and how many slopes it may use. */
type Coefficients = (sigmas: ArrayLike<number>, i: number, order: number) => readonly number[];

/**
 * A multistep sampler of up to `maxOrder` slopes; `coefficients` gives what each slope (newest first)
 * adds to x. The step to 0 takes the denoised picture, or an Euler step that gives the same.
 */
const multistep =
  (
    maxOrder: number,
    coefficients: Coefficients,
    options: { reportsStart?: boolean } = {},
  ): Sampler =>
  async (denoise, x, sigmas, { step }) => {
    const start = x;
    const slopes: NDArray[] = [];
    for (let i = 0; i + 1 < sigmas.length; i++) {
      const { denoised } = await denoise(x, sigmas[i]);
      await step({ i, x: options.reportsStart ? start : x, denoised });
      slopes.unshift(derivative(x, sigmas[i], denoised));
      slopes.length = Math.min(slopes.length, maxOrder);
      if (sigmas[i + 1] === 0) {
        x = denoised;
        continue;
      }
      const weights = coefficients(sigmas, i, slopes.length);
      x = weightedSum([1, x], ...slopes.map((d, j): [number, NDArray] => [weights[j], d]));
    }
    return x;
  };

/** Integral over [0, h] of the Lagrange polynomial that is 1 at nodes[j] and 0 at the others. */
function lagrangeIntegral(nodes: readonly number[], j: number, h: number): number {
  let polynomial = [1]; // rising powers
  nodes.forEach((node, k) => {
    if (k === j) return;
    const scale = 1 / (nodes[j] - node);
    const next = [...polynomial.map((c) => -node * scale * c), 0];
    polynomial.forEach((c, power) => (next[power + 1] += c * scale));
    polynomial = next;
  });
  return polynomial.reduce((sum, c, power) => sum + (c * h ** (power + 1)) / (power + 1), 0);
}

/** Linear multistep: exact integrals of the interpolated slope (Liu et al. 2022; k-diffusion). */
export const lms = (order = 4): Sampler =>
  multistep(order, (sigmas, i, count) => {
    const nodes = Array.from({ length: count }, (_, k) => sigmas[i - k] - sigmas[i]);
    const h = sigmas[i + 1] - sigmas[i];
    return nodes.map((_, j) => lagrangeIntegral(nodes, j, h));
  });

const fixedSteps = [
  [1],
  [3 / 2, -1 / 2],
  [23 / 12, -16 / 12, 5 / 12],
  [55 / 24, -59 / 24, 37 / 24, -9 / 24],
];

/** iPNDM (Zhang and Chen 2022): the coefficients of equal steps whatever the steps are. */
export const ipndm = (): Sampler =>
  multistep(
    4,
    (sigmas, i, order) => fixedSteps[order - 1].map((c) => c * (sigmas[i + 1] - sigmas[i])),
    { reportsStart: true },
  );

/**
 * iPNDM for unequal steps (zju-pi/diff-sampler). The fourth-order correction `e2` keeps that
 * implementation's form.
 */
export const ipndmV = (): Sampler => multistep(4, variableSteps, { reportsStart: true });

function variableSteps(sigmas: ArrayLike<number>, i: number, order: number): readonly number[] {
  const step = (back: number): number => sigmas[i + 1 - back] - sigmas[i - back];
  const h = step(0);
  if (order === 1) return [h];
  const h1 = step(1);
  const r = h / h1;
  if (order === 2) return [h * (1 + r / 2), (-h * r) / 2];
  const h2 = step(2);
  const e1 = (1 - ((h / (3 * (h + h1))) * (h * (h + h1))) / (h1 * (h1 + h2))) / 2;
  const q = h1 / h2;
  const third = [1 + r / 2 + e1, -r / 2 - (1 + q) * e1, e1 * q];
  if (order === 3) return third.map((c) => c * h);
  const h3 = step(3);
  const e2 =
    (((1 - h / (3 * (h + h1))) / 2 + ((1 - h / (2 * (h + h1))) * h) / (6 * (h + h1 + h2))) *
      (h * (h + h1) * (h + h1 + h2))) /
    (h1 * (h1 + h2) * (h1 + h2 + h3));
  const p = (h1 * (h1 + h2)) / (h2 * (h2 + h3));
  return [
    h * (third[0] + e2),
    h * (third[1] - (1 + q + p) * e2),
    h * (third[2] + (q + p * (1 + h2 / h3)) * e2),
    -h * e2 * p * q,
  ];
}

const deisMaxOrder = 3;
const deisPoints = 10000;
/** The variance-preserving process that sigmas are mapped to: sigma 0.002 .. 80 at times 0.001 .. 1. */
const deisEps = 1e-3;
const deisLow = Math.log(0.002 ** 2 + 1);
const deisHigh = Math.log(80 ** 2 + 1);
const betaD = (2 * (deisLow / deisEps - deisHigh)) / (deisEps - 1);
const betaMin = deisHigh - betaD / 2;

const deisTime = (sigma: number): number =>
  (Math.sqrt(betaMin ** 2 + 2 * betaD * Math.log(sigma * sigma + 1)) - betaMin) / betaD;

/** DEIS (Zhang and Chen 2022, arXiv 2204.13902), tAB: the integrals are summed over 10000 points. */
export const deis = (): Sampler => multistep(deisMaxOrder, deisWeights, { reportsStart: true });

const deisWeights: Coefficients = (sigmas, i, order) => {
  if (order === 1) return [sigmas[i + 1] - sigmas[i]];
  const nodes = Array.from({ length: order }, (_, k) => deisTime(sigmas[i - k]));
  const [from, to] = [nodes[0], deisTime(sigmas[i + 1])];
  const sums = nodes.map(() => 0);
  for (let k = 0; k < deisPoints; k++) {
    const tau = from + ((to - from) * k) / (deisPoints - 1);
    const a = Math.exp(-0.5 * tau * tau * betaD - tau * betaMin);
    const integrand = (0.5 * (tau * betaD + betaMin)) / Math.sqrt(a * (1 - a));
    nodes.forEach((node, j) => {
      let basis = integrand;
      nodes.forEach((other, m) => {
        if (m !== j) basis *= (tau - other) / (node - other);
      });
      sums[j] += basis;
    });
  }
  return sums.map((sum) => (sum * (to - from)) / deisPoints);
};
