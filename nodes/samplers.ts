/** SAMPLER: samplers by name, and samplers with options. */
import { boolean, combo, float, inModule, int, model, socket } from '../engine/node.ts';
import type { NodeDefinition } from '../engine/node.ts';
import type { UpscaleMethod } from '../engine/array/resize.ts';
import { createModelSampling } from '../engine/sampling/model-sampling.ts';
import { type SamplerName, samplerNames } from '../engine/sampling/names.ts';
import type { Sampler, SamplerDefinition } from '../engine/sampling/samplers/sampler.ts';

const shared = {
  category: 'sampling/custom_sampling/samplers',
  outputs: [{ type: 'SAMPLER' }],
} as const;
const define = inModule('comfy_extras.nodes_custom_sampler', 'v1', shared);
const defineAdvanced = inModule('comfy_extras.nodes_advanced_samplers', 'v3', {
  outputs: shared.outputs,
});

const erSolvers = { 'ER-SDE': 'er-sde', 'Reverse-time SDE': 'reverse', ODE: 'ode' } as const;

/** Loaded when the first sampler is asked for: a server only lists nodes. */
const samplers = () => import('../engine/sampling/samplers/index.ts');

const plain = (run: Sampler): [SamplerDefinition] => [{ run }];
const brownian = (run: Sampler): [SamplerDefinition] => [{ run, noise: 'brownian' }];

/** An option from 0 to `max` in steps of 0.01 that is not rounded. */
const option = (value: number, max = 100) =>
  float({ default: value, min: 0, max, step: 0.01, round: false });
/** The same as 0.33 shows it. */
const later = (value: number) =>
  float({ default: value, min: 0, max: 100, step: 0.01, round: false, advanced: true });
const ancestral = () => ({ eta: option(1), s_noise: option(1) });
/** ComfyUI can draw the noise on either device; here both are the processor. */
const noiseDevice = () => combo(['gpu', 'cpu']);

export const samplerNodes: readonly NodeDefinition[] = [
  define({
    name: 'KSamplerSelect',
    displayName: 'KSamplerSelect',
    inputs: { sampler_name: combo<SamplerName>(samplerNames) },
    run: async ({ sampler_name }) => [(await samplers()).samplerByName(sampler_name)],
  }),
  define({
    name: 'SamplerEulerAncestral',
    displayName: 'SamplerEulerAncestral',
    inputs: ancestral(),
    run: async ({ eta, s_noise: sNoise }) =>
      plain((await samplers()).eulerAncestral({ eta, sNoise })),
  }),
  define({
    name: 'SamplerEulerAncestralCFGPP',
    displayName: 'SamplerEulerAncestralCFG++',
    inputs: { eta: option(1, 1), s_noise: option(1, 10) },
    async run({ eta, s_noise: sNoise }) {
      const { eulerCfgPp } = await samplers();
      return [{ run: eulerCfgPp({ eta, sNoise }), usesUncond: true } satisfies SamplerDefinition];
    },
  }),
  define({
    name: 'SamplerLMS',
    displayName: 'SamplerLMS',
    inputs: { order: int({ default: 4, min: 1, max: 100 }) },
    run: async ({ order }) => plain((await samplers()).lms(order)),
  }),
  define({
    name: 'SamplerDPMPP_3M_SDE',
    displayName: 'SamplerDPMPP_3M_SDE',
    inputs: { ...ancestral(), noise_device: noiseDevice() },
    run: async ({ eta, s_noise: sNoise }) =>
      brownian((await samplers()).dpmpp3mSde({ eta, sNoise })),
  }),
  define({
    name: 'SamplerDPMPP_2M_SDE',
    displayName: 'SamplerDPMPP_2M_SDE',
    inputs: {
      solver_type: combo<'midpoint' | 'heun'>(['midpoint', 'heun']),
      ...ancestral(),
      noise_device: noiseDevice(),
    },
    run: async ({ solver_type: solver, eta, s_noise: sNoise }) =>
      brownian((await samplers()).dpmpp2mSde({ eta, sNoise, solver })),
  }),
  define({
    name: 'SamplerDPMPP_SDE',
    displayName: 'SamplerDPMPP_SDE',
    inputs: { ...ancestral(), r: option(0.5), noise_device: noiseDevice() },
    run: async ({ eta, s_noise: sNoise, r }) =>
      brownian((await samplers()).dpmppSde({ eta, sNoise, r })),
  }),
  define({
    name: 'SamplerDPMPP_2S_Ancestral',
    displayName: 'SamplerDPMPP_2S_Ancestral',
    inputs: ancestral(),
    run: async ({ eta, s_noise: sNoise }) =>
      plain((await samplers()).dpmpp2sAncestral({ eta, sNoise })),
  }),
  define({
    name: 'SamplerDPMAdaptative',
    displayName: 'SamplerDPMAdaptative',
    inputs: {
      order: int({ default: 3, min: 2, max: 3 }),
      rtol: option(0.05),
      atol: option(0.0078),
      h_init: option(0.05),
      pcoeff: option(0),
      icoeff: option(1),
      dcoeff: option(0),
      accept_safety: option(0.81),
      eta: option(0),
      s_noise: option(1),
    },
    run: async ({ order, rtol, atol, eta, s_noise: sNoise, ...pid }) =>
      plain(
        (await samplers()).dpmAdaptive({
          order: order === 2 ? 2 : 3,
          rtol,
          atol,
          hInit: pid.h_init,
          pCoeff: pid.pcoeff,
          iCoeff: pid.icoeff,
          dCoeff: pid.dcoeff,
          acceptSafety: pid.accept_safety,
          eta,
          sNoise,
        }),
      ),
  }),
  define({
    name: 'SamplerER_SDE',
    displayName: 'SamplerER_SDE',
    inputs: {
      solver_type: socket<keyof typeof erSolvers>('COMBO', {
        options: ['ER-SDE', 'Reverse-time SDE', 'ODE'],
      }),
      max_stage: int({ default: 3, min: 1, max: 3 }),
      ...ancestral(),
    },
    run: async ({ solver_type, max_stage: maxStage, eta, s_noise: sNoise }) =>
      plain((await samplers()).erSde({ solver: erSolvers[solver_type], maxStage, eta, sNoise })),
  }),
  define({
    name: 'SamplerSASolver',
    displayName: 'SamplerSASolver',
    inputs: {
      model: model({}),
      eta: option(1, 10),
      sde_start_percent: float({ default: 0.2, min: 0, max: 1, step: 0.001 }),
      sde_end_percent: float({ default: 0.8, min: 0, max: 1, step: 0.001 }),
      s_noise: option(1),
      predictor_order: int({ default: 3, min: 1, max: 6 }),
      corrector_order: int({ default: 4, min: 0, max: 6 }),
      use_pece: boolean({}),
      simple_order_2: boolean({}),
    },
    async run({ model, eta, s_noise: sNoise, ...inputs }) {
      const { saSolver, tauBetween } = await samplers();
      const { percentToSigma } = createModelSampling(model.sampling);
      const start = percentToSigma(inputs.sde_start_percent);
      const end = percentToSigma(inputs.sde_end_percent);
      return plain(
        saSolver({
          predictorOrder: inputs.predictor_order,
          correctorOrder: inputs.corrector_order,
          pece: inputs.use_pece,
          simpleOrder2: inputs.simple_order_2,
          sNoise,
          tau: tauBetween(start, end, eta),
        }),
      );
    },
  }),
  inModule(
    'comfy_extras.nodes_custom_sampler',
    'v3',
  )({
    name: 'SamplerSEEDS2',
    outputs: shared.outputs,
    category: 'model/sampling/samplers',
    inputs: {
      solver_type: combo<'phi_1' | 'phi_2'>(['phi_1', 'phi_2'], { multiselect: false }),
      eta: later(1),
      s_noise: later(1),
      r: float({ default: 0.5, min: 0.01, max: 1, step: 0.01, round: false, advanced: true }),
    },
    run: async ({ solver_type: solver, eta, s_noise: sNoise, r }) =>
      plain((await samplers()).seeds2({ solver, eta, sNoise, r })),
  }),
  defineAdvanced({
    name: 'SamplerLCM',
    category: 'model/sampling/samplers',
    inputs: {
      s_noise: float({ default: 1, min: 0, max: 64, step: 0.01 }),
      s_noise_end: float({ default: 1, min: 0, max: 64, step: 0.01 }),
      noise_clip_std: float({ default: 0, min: 0, max: 10, step: 0.01 }),
    },
    run: async ({ s_noise: sNoise, s_noise_end: sNoiseEnd, noise_clip_std: clip }) =>
      plain((await samplers()).lcm({ sNoise, sNoiseEnd, clip })),
  }),
  defineAdvanced({
    name: 'SamplerLCMUpscale',
    category: shared.category,
    inputs: {
      scale_ratio: float({ default: 1, min: 0.1, max: 20, step: 0.01 }),
      scale_steps: int({ default: -1, min: -1, max: 1000, step: 1 }),
      upscale_method: combo<UpscaleMethod>(
        ['bislerp', 'nearest-exact', 'bilinear', 'area', 'bicubic'],
        { multiselect: false },
      ),
    },
    run: async ({ scale_ratio: ratio, scale_steps: steps, upscale_method: method }) =>
      plain((await samplers()).lcmUpscale({ ratio, method, steps: steps < 0 ? undefined : steps })),
  }),
  defineAdvanced({
    name: 'SamplerEulerCFGpp',
    displayName: 'SamplerEulerCFG++',
    category: '_for_testing',
    experimental: true,
    inputs: { version: combo(['regular', 'alternative'], { multiselect: false }) },
    async run({ version }) {
      const { eulerCfgPp, eulerPp } = await samplers();
      const run = version === 'regular' ? eulerCfgPp() : eulerPp();
      return [{ run, usesUncond: true } satisfies SamplerDefinition];
    },
  }),
];
