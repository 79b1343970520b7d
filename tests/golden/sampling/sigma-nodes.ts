/** Golden cases of the scheduler and sigma nodes; every key spells a node and its parameters. */
import {
  alignYourSteps,
  gitsSigmas,
  optimalSteps,
  storedSigmas,
} from '../../../engine/sampling/schedules/fixed.ts';
import {
  basicSchedule,
  laplaceSigmas,
  ltxvSigmas,
  polyexponentialSigmas,
  sdTurboSigmas,
  vpSigmas,
} from '../../../engine/sampling/schedules/free.ts';
import {
  betaSigmas,
  exponentialSigmas,
  karrasSigmas,
} from '../../../engine/sampling/schedules/schedules.ts';
import {
  extendSigmas,
  flipSigmas,
  setFirstSigma,
  sigmaAtPercent,
  type Spacing,
  splitSigmas,
  splitSigmasDenoise,
} from '../../../engine/sampling/schedules/cut.ts';
import { type Comparison, compare } from '../area.ts';
import type { GoldenCase } from '../open-case.ts';
import { samplingOf } from './settings.ts';

type Values = ArrayLike<number>;
type Rule = readonly [RegExp, (...parameters: string[]) => Values];

const n = Number;
const sd1 = samplingOf('EPS');
const sd3 = samplingOf('FLOW', { shift: 3 });
/** The defaults of the nodes that take sigma_min and sigma_max. */
const range = { low: 0.0291675, high: 14.614642 };
const run = (steps: string, denoise: string): { steps: number; denoise: number } => ({
  steps: n(steps),
  denoise: n(denoise),
});

const schedulerRules: readonly Rule[] = [
  [
    /^AlignYourSteps_(\w+?)_(\d+)_d([\d.]+)$/,
    (type, steps, denoise) => storedSigmas(alignYourSteps[type as 'SD1'], run(steps, denoise)),
  ],
  [
    /^OptimalSteps_(\w+?)_(\d+)_d([\d.]+)$/,
    (type, steps, denoise) => storedSigmas(optimalSteps[type as 'FLUX'], run(steps, denoise)),
  ],
  [
    /^GITS_([\d.]+)_(\d+)_d([\d.]+)$/,
    (coeff, steps, denoise) => gitsSigmas(n(coeff), run(steps, denoise)),
  ],
  [
    /^Basic_(sd3_)?(\w+)_(\d+)_d([\d.]+)$/,
    (flow, scheduler, steps, denoise) =>
      basicSchedule(flow ? sd3 : sd1, scheduler, run(steps, denoise)),
  ],
  [
    /^Beta_(sd3_)?([\d.]+)_([\d.]+)_(\d+)$/,
    (flow, alpha, beta, steps) => betaSigmas(flow ? sd3 : sd1, n(steps), n(alpha), n(beta)),
  ],
  [/^SDTurbo_(\d+)_d([\d.]+)$/, (steps, denoise) => sdTurboSigmas(sd1, run(steps, denoise))],
  [/^Karras_(\d+)$/, (steps) => karrasSigmas(n(steps), range.low, range.high)],
  [/^Karras_rho([\d.]+)_(\d+)$/, (rho, steps) => karrasSigmas(n(steps), 0.002, 80, n(rho))],
  [/^Exponential_(\d+)$/, (steps) => exponentialSigmas(n(steps), range.low, range.high)],
  [
    /^Polyexponential_rho([\d.]+)_(\d+)$/,
    (rho, steps) => polyexponentialSigmas(n(steps), { ...range, rho: n(rho) }),
  ],
  [
    /^Laplace_mu([-\d.]+)_beta([\d.]+)_(\d+)$/,
    (mu, beta, steps) => laplaceSigmas(n(steps), { ...range, mu: n(mu), beta: n(beta) }),
  ],
  [/^VP_(\d+)$/, (steps) => vpSigmas(n(steps), { betaD: 19.9, betaMin: 0.1, epsS: 0.001 })],
  [
    /^LTXV_(\d+)_([\d.]+)_([\d.]+)_([01])_([\d.]+)_(?:nolatent|lat(\d+)x(\d+)x(\d+))$/,
    (steps, max, base, stretch, terminal, t, h, w) =>
      ltxvSigmas(n(steps), {
        maxShift: n(max),
        baseShift: n(base),
        stretch: stretch === '1',
        terminal: n(terminal),
        ...(t && { tokens: n(t) * n(h) * n(w) }),
      }),
  ],
];

const sigmaRules = (sigmas: Float32Array): readonly Rule[] => [
  [
    /^PercentToSigma_(sd3_)?([\d.]+)_([01])_f64$/,
    (flow, percent, actual) => [
      sigmaAtPercent(flow ? sd3 : sd1, n(percent), { actual: actual === '1' }),
    ],
  ],
  [
    /^Extend_(\w+)_(\d+)_([-\d.]+)_([\d.]+)$/,
    (spacing, steps, startAt, endAt) =>
      extendSigmas(sigmas, {
        steps: n(steps),
        startAt: n(startAt),
        endAt: n(endAt),
        spacing: spacing as Spacing,
      }),
  ],
  [/^FlipSigmas$/, () => flipSigmas(sigmas)],
  [/^SetFirstSigma_([\d.]+)$/, (sigma) => setFirstSigma(sigmas, n(sigma))],
  [
    /^SplitSigmasDenoise_([\d.]+)_(high|low)$/,
    (denoise, part) => splitSigmasDenoise(sigmas, n(denoise))[part as 'high'],
  ],
  [/^SplitSigmas_(\d+)_(high|low)$/, (step, part) => splitSigmas(sigmas, n(step))[part as 'high']],
];

function compareAll(golden: GoldenCase<unknown>, rules: readonly Rule[]): Comparison[] {
  const outputs = golden.names.filter((name) => name.startsWith('out.'));
  return outputs.map((output) => {
    for (const [pattern, make] of rules) {
      const match = pattern.exec(output.slice(4));
      if (!match) continue;
      const data = Float64Array.from(make(...match.slice(1)));
      return compare(
        output,
        { data, shape: [data.length] },
        golden.numbers(output),
        golden.tolerance,
      );
    }
    throw new Error(`unknown entry '${output}'`);
  });
}

/** `scheduler_nodes`. */
export const schedulerNodes = (golden: GoldenCase<unknown>): Comparison[] =>
  compareAll(golden, schedulerRules);

/** `sigma_nodes`. */
export const sigmaNodes = (golden: GoldenCase<unknown>): Comparison[] =>
  compareAll(golden, sigmaRules(golden.array('in.sigmas').data));
