/** Sampling taken apart: guiders, noise, and the nodes that run them with any sampler and sigmas. */
import {
  boolean,
  combo,
  conditioning,
  type Context,
  float,
  inModule,
  int64,
  type Latent,
  latent,
  type Model,
  model,
  optional,
} from '../engine/node.ts';
import type { NodeDefinition } from '../engine/node.ts';
import { NoodleError } from '../engine/errors.ts';
import { cfgGuider } from '../engine/sampling/guidance/cfg.ts';
import {
  dualCfgGuider,
  dualModelGuider,
  perpNegGuider,
} from '../engine/sampling/guidance/guiders.ts';
import type { SamplerDefinition } from '../engine/sampling/samplers/sampler.ts';
import { stepProgress } from './sampling.ts';
import {
  cfgOptions,
  type GuidedBy,
  guider,
  type Noise,
  noise,
  sampler,
  seedOptions,
  sigmas,
} from './sampling-sockets.ts';

const define = inModule('comfy_extras.nodes_custom_sampler', 'v1');

interface Run {
  readonly guider: GuidedBy;
  readonly noise: Noise;
  readonly sampler: SamplerDefinition;
  readonly sigmas: Float32Array;
  readonly latent: Latent;
}

/** Runs a guider; the outputs are where sampling ended, and the last picture it predicted. */
async function sample(run: Run, context: Context): Promise<[Latent, Latent]> {
  const { sampleCustom } = await import('../engine/sampling/driver.ts');
  const { diffusion } = await import('../engine/values/model.ts');
  const { runtime } = context.services;
  const { model, second, guider } = run.guider;
  const { signal, progress } = context;
  const open = (model: Model) => diffusion(model, { runtime, signal, progress });
  const network = open(model);
  const { samples, noise_mask, batch_index } = run.latent;
  const result = await sampleCustom({
    model: network,
    guider,
    second: second && open(second),
    sampler: run.sampler,
    sigmas: run.sigmas,
    latent: samples,
    noiseMask: noise_mask,
    batchIndex: batch_index,
    seed: run.noise.seed,
    disableNoise: run.noise.disabled,
    signal,
    onStep: await stepProgress(network.latentFormat, context),
  });
  return [
    { ...run.latent, samples: result.samples },
    { ...run.latent, samples: result.denoised },
  ];
}

const outputs = [
  { type: 'LATENT', name: 'output' },
  { type: 'LATENT', name: 'denoised_output' },
];

export const samplerCustom = define({
  name: 'SamplerCustom',
  displayName: 'SamplerCustom',
  category: 'sampling/custom_sampling',
  inputs: {
    model: model(),
    add_noise: boolean({ default: true }),
    noise_seed: int64(seedOptions),
    cfg: float(cfgOptions),
    positive: conditioning(),
    negative: conditioning(),
    sampler: sampler(),
    sigmas: sigmas(),
    latent_image: latent(),
  },
  outputs,
  run: ({ model, cfg, positive, negative, sampler, sigmas, ...inputs }, context) =>
    sample(
      {
        guider: { model, guider: cfgGuider({ positive, negative, cfg }) },
        noise: { seed: inputs.noise_seed, disabled: !inputs.add_noise },
        sampler,
        sigmas,
        latent: inputs.latent_image,
      },
      context,
    ),
});

export const samplerCustomAdvanced = define({
  name: 'SamplerCustomAdvanced',
  displayName: 'SamplerCustomAdvanced',
  category: 'sampling/custom_sampling',
  inputs: {
    noise: noise(),
    guider: guider(),
    sampler: sampler(),
    sigmas: sigmas(),
    latent_image: latent(),
  },
  outputs,
  run: ({ latent_image, ...run }, context) => sample({ ...run, latent: latent_image }, context),
});

const guiders = {
  category: 'sampling/custom_sampling/guiders',
  outputs: [{ type: 'GUIDER' }],
} as const;

export const basicGuider = define({
  ...guiders,
  name: 'BasicGuider',
  displayName: 'BasicGuider',
  inputs: { model: model(), conditioning: conditioning() },
  run: ({ model, conditioning: positive }) => [
    { model, guider: cfgGuider({ positive, cfg: 1 }) } satisfies GuidedBy,
  ],
});

export const cfgGuiderNode = define({
  ...guiders,
  name: 'CFGGuider',
  displayName: 'CFGGuider',
  inputs: {
    model: model(),
    positive: conditioning(),
    negative: conditioning(),
    cfg: float(cfgOptions),
  },
  run: ({ model, positive, negative, cfg }) => [
    { model, guider: cfgGuider({ positive, negative, cfg }) } satisfies GuidedBy,
  ],
});

export const dualCfgGuiderNode = define({
  ...guiders,
  name: 'DualCFGGuider',
  displayName: 'DualCFGGuider',
  inputs: {
    model: model(),
    cond1: conditioning(),
    cond2: conditioning(),
    negative: conditioning(),
    cfg_conds: float(cfgOptions),
    cfg_cond2_negative: float(cfgOptions),
    style: combo(['regular', 'nested']),
  },
  run: ({ model, cond1, cond2, negative, ...inputs }) => [
    {
      model,
      guider: dualCfgGuider({
        cond1,
        cond2,
        negative,
        cfgConds: inputs.cfg_conds,
        cfgCond2Negative: inputs.cfg_cond2_negative,
        nested: inputs.style === 'nested',
      }),
    } satisfies GuidedBy,
  ],
});

export const perpNegGuiderNode = inModule(
  'comfy_extras.nodes_perpneg',
  'v3',
)({
  name: 'PerpNegGuider',
  category: '_for_testing',
  experimental: true,
  inputs: {
    model: model({}),
    positive: conditioning({}),
    negative: conditioning({}),
    empty_conditioning: conditioning({}),
    cfg: float(cfgOptions),
    neg_scale: float({ default: 1, min: 0, max: 100, step: 0.01 }),
  },
  outputs: [{ type: 'GUIDER' }],
  run: ({ model, positive, negative, empty_conditioning: empty, cfg, neg_scale: negScale }) => [
    {
      model,
      guider: perpNegGuider({ positive, negative, empty, cfg, negScale }),
    } satisfies GuidedBy,
  ],
});

/**
 * The second model as its side of a step runs: with its own weights, and what the first has at its sites;
 * ComfyUI keeps such patches with the run, which is the first model's.
 */
const underSitesOf = (second: Model, { patches }: Model): Model => ({
  ...second,
  patches: [
    ...second.patches.filter((patch) => !patch.at),
    ...patches.filter((patch) => patch.at !== undefined),
  ],
});

export const dualModelGuiderNode = inModule(
  'comfy_extras.nodes_custom_sampler',
  'v3',
)({
  name: 'DualModelGuider',
  displayName: 'Dual Model CFG Guider',
  category: 'model/sampling/guiders',
  description: 'Guidance whose negative side is predicted by a model of its own.',
  experimental: true,
  inputs: {
    model: model({}),
    model_negative: optional(model({})),
    positive: conditioning({}),
    cfg: float({ ...cfgOptions, default: 4 }),
    negative: optional(conditioning({})),
  },
  outputs: [{ type: 'GUIDER' }],
  run({ model, model_negative: other, positive, negative, cfg }) {
    if (!negative && cfg !== 1) {
      const subject = 'negative of DualModelGuider';
      const expected = `conditioning (${model.family.title} predicts nothing without text)`;
      throw new NoodleError('BAD_INPUT', { subject, expected, got: 'nothing' });
    }
    if (!other || !negative) return [{ model, guider: cfgGuider({ positive, negative, cfg }) }];
    const guider = dualModelGuider({ positive, negative, cfg });
    return [{ model, second: underSitesOf(other, model), guider } satisfies GuidedBy];
  },
});

const noises = {
  category: 'sampling/custom_sampling/noise',
  outputs: [{ type: 'NOISE' }],
} as const;

export const randomNoise = define({
  ...noises,
  name: 'RandomNoise',
  displayName: 'RandomNoise',
  inputs: { noise_seed: int64(seedOptions) },
  run: ({ noise_seed: seed }) => [{ seed, disabled: false } satisfies Noise],
});

export const disableNoise = define({
  ...noises,
  name: 'DisableNoise',
  displayName: 'DisableNoise',
  inputs: {},
  run: () => [{ seed: 0, disabled: true } satisfies Noise],
});

export const addNoiseNode = define({
  name: 'AddNoise',
  displayName: 'AddNoise',
  category: '_for_testing/custom_sampling/noise',
  inputs: { model: model(), noise: noise(), sigmas: sigmas(), latent_image: latent() },
  outputs: [{ type: 'LATENT' }],
  async run({ model, noise, sigmas, latent_image: given }, context) {
    const { addNoise } = await import('../engine/sampling/add-noise.ts');
    const { diffusion } = await import('../engine/values/model.ts');
    const network = diffusion(model, { runtime: context.services.runtime });
    const samples = addNoise(network, {
      latent: given.samples,
      seed: noise.disabled ? undefined : noise.seed,
      batchIndex: given.batch_index,
      sigmas,
    });
    return [{ ...given, samples }];
  },
});

export const customSamplingNodes: readonly NodeDefinition[] = [
  samplerCustom,
  samplerCustomAdvanced,
  basicGuider,
  cfgGuiderNode,
  dualCfgGuiderNode,
  perpNegGuiderNode,
  dualModelGuiderNode,
  randomNoise,
  disableNoise,
  addNoiseNode,
];
