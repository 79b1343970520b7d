/** Times of flows as sd-scripts draws them, one for each sample, in 0..1. */
import type { TorchGenerator } from '../../sampling/noise/torch-generator.ts';
import { fluxShift, muOf, shiftTime, shiftTimeByMu } from './shift.ts';

const f = Math.fround;

/** sd-scripts' settings of the same names. */
export interface ScriptTimeSettings {
  readonly sigmoidScale: number;
  readonly discreteFlowShift: number;
  readonly logitMean: number;
  readonly logitStd: number;
  readonly modeScale: number;
}

export interface ScriptTimeDraws {
  readonly batch: number;
  readonly generator: TorchGenerator;
  /** Tokens that a picture of the batch is for the network. */
  readonly tokens: number;
}

type Times = (settings: ScriptTimeSettings, draws: ScriptTimeDraws) => Float32Array;

const logistic = (x: number): number => f(1 / f(1 + f(Math.exp(-x))));

const normals = ({ batch, generator }: ScriptTimeDraws): Float32Array =>
  generator.randn([batch]).data;
const uniforms = ({ batch, generator }: ScriptTimeDraws): Float32Array => generator.rand(batch);

const sigmoid: Times = ({ sigmoidScale }, draws) =>
  normals(draws).map((n) => logistic(f(n * sigmoidScale)));

/** `timestep_sampling`: the time itself. */
export const timestepSamplings = {
  uniform: (_, draws) => uniforms(draws),
  sigmoid,
  shift: (settings, draws) =>
    sigmoid(settings, draws).map((t) => shiftTime(settings.discreteFlowShift, t)),
  flux_shift(settings, draws) {
    const mu = muOf(fluxShift.dynamic, draws.tokens);
    return sigmoid(settings, draws).map((t) => shiftTimeByMu(mu, t));
  },
} as const satisfies Readonly<Record<string, Times>>;

/** `weighting_scheme` (Esser et al. 2024, section 3.1): the place in a table of times, as a part of it. */
export const weightingSchemes = {
  none: (_, draws) => uniforms(draws),
  logit_normal: ({ logitMean, logitStd }, draws) =>
    normals(draws).map((n) => logistic(f(f(n * logitStd) + logitMean))),
  mode: ({ modeScale }, draws) =>
    uniforms(draws).map((u) => {
      const cosine = f(Math.cos(f(f(u * f(Math.PI)) / 2)));
      return f(1 - u) - f(modeScale * f(f(f(cosine * cosine) - 1) + u));
    }),
} as const satisfies Readonly<Record<string, Times>>;

/** The entry of a table of `count` times that a part of it means. */
export const placeOf = (part: number, count = 1000): number =>
  Math.min(Math.trunc(f(part * count)), count - 1);
