/** SIGMAS: schedules of noise levels, and tools that cut and change them. */
import { NoodleError } from '../engine/errors.ts';
import { sizeOf } from '../engine/array/nd.ts';
import {
  boolean,
  combo,
  float,
  inModule,
  int,
  latent,
  model,
  optional,
  string,
} from '../engine/node.ts';
import type { Model, NodeDefinition } from '../engine/node.ts';
import { createModelSampling, type ModelSampling } from '../engine/sampling/model-sampling.ts';
import { schedulerNames } from '../engine/sampling/names.ts';
import type { Spacing } from '../engine/sampling/schedules/cut.ts';
import type { alignYourSteps, optimalSteps } from '../engine/sampling/schedules/fixed.ts';
import { sigmas } from './sampling-sockets.ts';

const category = 'sampling/custom_sampling/schedulers';
const outputs = [{ type: 'SIGMAS' }];
const module = 'comfy_extras.nodes_custom_sampler';
const scheduler = inModule(module, 'v1', { category, outputs });
const tool = inModule(module, 'v1', { category: 'sampling/custom_sampling/sigmas' });

/** Loaded when the first schedule is asked for: a server only lists nodes. */
const schedules = () => import('../engine/sampling/schedules/index.ts');

const samplingOf = (model: Model): ModelSampling => createModelSampling(model.sampling);

const steps = (value = 20, min = 1, max = 10000) => int({ default: value, min, max });
const denoise = () => float({ default: 1, min: 0, max: 1, step: 0.01 });
/** A number that is taken as it is written. */
const exact = (value: number, max: number, { min = 0, step = 0.01 } = {}) =>
  float({ default: value, min, max, step, round: false });
const range = () => ({ sigma_max: exact(14.614642, 5000), sigma_min: exact(0.0291675, 5000) });

const schedulers: readonly NodeDefinition[] = [
  scheduler({
    name: 'BasicScheduler',
    displayName: 'BasicScheduler',
    inputs: {
      model: model(),
      scheduler: combo(schedulerNames),
      steps: steps(),
      denoise: denoise(),
    },
    run: async ({ model, scheduler, ...run }) => [
      (await schedules()).basicSchedule(samplingOf(model), scheduler, run),
    ],
  }),
  scheduler({
    name: 'KarrasScheduler',
    displayName: 'KarrasScheduler',
    inputs: { steps: steps(), ...range(), rho: exact(7, 100) },
    run: async ({ steps, sigma_max, sigma_min, rho }) => [
      Float32Array.from((await schedules()).karrasSigmas(steps, sigma_min, sigma_max, rho)),
    ],
  }),
  scheduler({
    name: 'ExponentialScheduler',
    displayName: 'ExponentialScheduler',
    inputs: { steps: steps(), ...range() },
    run: async ({ steps, sigma_max, sigma_min }) => [
      Float32Array.from((await schedules()).exponentialSigmas(steps, sigma_min, sigma_max)),
    ],
  }),
  scheduler({
    name: 'PolyexponentialScheduler',
    displayName: 'PolyexponentialScheduler',
    inputs: { steps: steps(), ...range(), rho: exact(1, 100) },
    run: async ({ steps, sigma_max: high, sigma_min: low, rho }) => [
      (await schedules()).polyexponentialSigmas(steps, { low, high, rho }),
    ],
  }),
  scheduler({
    name: 'LaplaceScheduler',
    displayName: 'LaplaceScheduler',
    inputs: {
      steps: steps(),
      ...range(),
      mu: exact(0, 10, { min: -10, step: 0.1 }),
      beta: exact(0.5, 10, { step: 0.1 }),
    },
    run: async ({ steps, sigma_max: high, sigma_min: low, mu, beta }) => [
      (await schedules()).laplaceSigmas(steps, { low, high, mu, beta }),
    ],
  }),
  scheduler({
    name: 'VPScheduler',
    displayName: 'VPScheduler',
    inputs: {
      steps: steps(),
      beta_d: exact(19.9, 5000),
      beta_min: exact(0.1, 5000),
      eps_s: exact(0.001, 1, { step: 0.0001 }),
    },
    run: async ({ steps, beta_d: betaD, beta_min: betaMin, eps_s: epsS }) => [
      (await schedules()).vpSigmas(steps, { betaD, betaMin, epsS }),
    ],
  }),
  scheduler({
    name: 'BetaSamplingScheduler',
    displayName: 'BetaSamplingScheduler',
    inputs: { model: model(), steps: steps(), alpha: exact(0.6, 50), beta: exact(0.6, 50) },
    run: async ({ model, steps, alpha, beta }) => [
      Float32Array.from((await schedules()).betaSigmas(samplingOf(model), steps, alpha, beta)),
    ],
  }),
  scheduler({
    name: 'SDTurboScheduler',
    displayName: 'SDTurboScheduler',
    inputs: {
      model: model(),
      steps: steps(1, 1, 10),
      denoise: float({ default: 1, min: 0n, max: 1, step: 0.01 }),
    },
    run: async ({ model, ...run }) => [(await schedules()).sdTurboSigmas(samplingOf(model), run)],
  }),
  inModule(
    'comfy_extras.nodes_align_your_steps',
    'v3',
  )({
    name: 'AlignYourStepsScheduler',
    category,
    outputs,
    inputs: {
      model_type: combo<keyof typeof alignYourSteps>(['SD1', 'SDXL', 'SVD'], {
        multiselect: false,
      }),
      steps: steps(10),
      denoise: denoise(),
    },
    async run({ model_type, ...run }) {
      const { alignYourSteps, storedSigmas } = await schedules();
      return [storedSigmas(alignYourSteps[model_type], run)];
    },
  }),
  inModule(
    'comfy_extras.nodes_gits',
    'v3',
  )({
    name: 'GITSScheduler',
    category,
    outputs,
    inputs: {
      coeff: float({ default: 1.2, min: 0.8, max: 1.5, step: 0.05 }),
      steps: steps(10, 2, 1000),
      denoise: denoise(),
    },
    run: async ({ coeff, ...run }) => [(await schedules()).gitsSigmas(coeff, run)],
  }),
  inModule(
    'comfy_extras.nodes_lt',
    'v3',
  )({
    name: 'LTXVScheduler',
    category,
    outputs,
    inputs: {
      steps: steps(),
      max_shift: float({ default: 2.05, min: 0, max: 100, step: 0.01 }),
      base_shift: float({ default: 0.95, min: 0, max: 100, step: 0.01 }),
      stretch: boolean({ default: true, tooltip: 'Bring the last level before 0 to `terminal`.' }),
      terminal: float({ default: 0.1, min: 0, max: 0.99, step: 0.01 }),
      latent: optional(latent({})),
    },
    async run({ steps, max_shift, base_shift, stretch, terminal, latent }) {
      const { ltxvSigmas } = await schedules();
      const tokens = latent && sizeOf(latent.samples.shape.slice(2));
      const options = { maxShift: max_shift, baseShift: base_shift, stretch, terminal, tokens };
      return [ltxvSigmas(steps, options)];
    },
  }),
  inModule(
    'comfy_extras.nodes_optimalsteps',
    'v3',
  )({
    name: 'OptimalStepsScheduler',
    category,
    outputs,
    inputs: {
      model_type: combo<keyof typeof optimalSteps>(['FLUX', 'Wan', 'Chroma'], {
        multiselect: false,
      }),
      steps: steps(20, 3, 1000),
      denoise: denoise(),
    },
    async run({ model_type, ...run }) {
      const { optimalSteps, storedSigmas } = await schedules();
      return [storedSigmas(optimalSteps[model_type], run)];
    },
  }),
  inModule(
    'comfy_extras.nodes_flux',
    'v3',
  )({
    name: 'Flux2Scheduler',
    category: 'model/sampling/schedulers',
    outputs,
    inputs: {
      steps: steps(20, 1, 4096),
      width: int({ default: 1024, min: 16, max: 16384, step: 1 }),
      height: int({ default: 1024, min: 16, max: 16384, step: 1 }),
    },
    run: async ({ steps, ...size }) => [(await schedules()).flux2Sigmas(steps, size)],
  }),
  inModule(
    'comfy_extras.nodes_ideogram4',
    'v3',
  )({
    name: 'Ideogram4Scheduler',
    displayName: 'Ideogram 4 Scheduler',
    category: 'model/sampling/schedulers',
    outputs,
    inputs: {
      steps: steps(20, 1, 200),
      width: int({ default: 1024, min: 256, max: 8192, step: 16 }),
      height: int({ default: 1024, min: 256, max: 8192, step: 16 }),
      mu: float({ default: 0, min: -10, max: 10, step: 0.05 }),
      std: float({ default: 1.75, min: 0.1, max: 5, step: 0.05 }),
    },
    run: async ({ steps, ...run }) => [(await schedules()).ideogram4Sigmas(steps, run)],
  }),
];

const parts = [
  { type: 'SIGMAS', name: 'high_sigmas' },
  { type: 'SIGMAS', name: 'low_sigmas' },
];

const tools: readonly NodeDefinition[] = [
  tool({
    name: 'SplitSigmas',
    displayName: 'SplitSigmas',
    inputs: { sigmas: sigmas(), step: int({ default: 0, min: 0, max: 10000 }) },
    outputs: parts,
    async run({ sigmas, step }) {
      const { high, low } = (await schedules()).splitSigmas(sigmas, step);
      return [high, low];
    },
  }),
  tool({
    name: 'SplitSigmasDenoise',
    displayName: 'SplitSigmasDenoise',
    inputs: { sigmas: sigmas(), denoise: denoise() },
    outputs: parts,
    async run({ sigmas, denoise }) {
      const { high, low } = (await schedules()).splitSigmasDenoise(sigmas, denoise);
      return [high, low];
    },
  }),
  tool({
    name: 'FlipSigmas',
    displayName: 'FlipSigmas',
    inputs: { sigmas: sigmas() },
    outputs,
    run: async ({ sigmas }) => [(await schedules()).flipSigmas(sigmas)],
  }),
  tool({
    name: 'SetFirstSigma',
    displayName: 'SetFirstSigma',
    inputs: { sigmas: sigmas(), sigma: exact(136, 20000, { step: 0.001 }) },
    outputs,
    run: async ({ sigmas, sigma }) => [(await schedules()).setFirstSigma(sigmas, sigma)],
  }),
  tool({
    name: 'ExtendIntermediateSigmas',
    displayName: 'ExtendIntermediateSigmas',
    inputs: {
      sigmas: sigmas(),
      steps: int({ default: 2, min: 1, max: 100 }),
      start_at_sigma: exact(-1, 20000, { min: -1 }),
      end_at_sigma: exact(12, 20000),
      spacing: combo<Spacing>(['linear', 'cosine', 'sine']),
    },
    outputs,
    run: async ({ sigmas, steps, start_at_sigma: startAt, end_at_sigma: endAt, spacing }) => [
      (await schedules()).extendSigmas(sigmas, { steps, startAt, endAt, spacing }),
    ],
  }),
  tool({
    name: 'SamplingPercentToSigma',
    displayName: 'SamplingPercentToSigma',
    inputs: {
      model: model({}),
      sampling_percent: float({ default: 0, min: 0, max: 1, step: 0.0001 }),
      return_actual_sigma: boolean({ default: false }),
    },
    outputs: [{ type: 'FLOAT', name: 'sigma_value' }],
    run: async ({ model, sampling_percent, return_actual_sigma: actual }) => [
      (await schedules()).sigmaAtPercent(samplingOf(model), sampling_percent, { actual }),
    ],
  }),
];

function numberOf(text: string): number {
  const value = Number(text);
  if (!Number.isNaN(value)) return value;
  throw new NoodleError('BAD_INPUT', { subject: 'sigmas', expected: 'numbers', got: text });
}

const manualSigmas = inModule(
  module,
  'v3',
)({
  name: 'ManualSigmas',
  category: 'model/sampling/sigmas',
  experimental: true,
  inputs: { sigmas: string({ default: '1, 0.5', multiline: false }) },
  outputs,
  // whatever looks like a number, as ComfyUI reads it
  run: ({ sigmas }) => [Float32Array.from(sigmas.match(/[-+]?\d*\.*\d+/g) ?? [], numberOf)],
});

export const sigmaNodes: readonly NodeDefinition[] = [...schedulers, ...tools, manualSigmas];
