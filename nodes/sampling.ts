/** KSampler and KSampler (Advanced). What runs is loaded when it first runs: servers only list nodes. */
import {
  combo,
  conditioning,
  type Context,
  defineNode,
  float,
  int,
  int64,
  type Latent,
  latent,
  model,
} from '../engine/node.ts';
import type { Model, NodeDefinition } from '../engine/node.ts';
import type { KSamplerOptions, StepReport } from '../engine/sampling/driver.ts';
import type { LatentFormat } from '../engine/sampling/latent/formats.ts';
import { samplerNames, schedulerNames } from '../engine/sampling/names.ts';
import { cfgOptions, seedOptions } from './sampling-sockets.ts';

const stepsOptions = { default: 20, min: 1, max: 10000 };

/** Reports each step as progress, with a preview picture when previews are on. */
export async function stepProgress(
  format: LatentFormat,
  { services, signal, progress }: Context,
): Promise<(report: StepReport) => Promise<void>> {
  const { createPreviewer } = await import('../engine/values/previewer.ts');
  const { runtime, folders, log, options } = services;
  const preview = createPreviewer(options.previewMethod, format, { runtime, signal, folders, log });
  return async ({ step, steps, denoised }) => progress(step + 1, steps, await preview?.(denoised));
}

interface Run extends Omit<
  KSamplerOptions,
  'model' | 'latent' | 'noiseMask' | 'batchIndex' | 'signal' | 'onStep'
> {
  readonly model: Model;
  readonly latent: Latent;
}

/** Samples a LATENT and puts the result in its place; its mask and batch numbers stay. */
async function sample(run: Run, context: Context): Promise<[Latent]> {
  const { sampleLatent } = await import('../engine/sampling/driver.ts');
  const { diffusion } = await import('../engine/values/model.ts');
  const { signal, progress } = context;
  const network = diffusion(run.model, { runtime: context.services.runtime, signal, progress });
  const { samples, noise_mask, batch_index } = run.latent;
  const result = await sampleLatent({
    ...run,
    model: network,
    latent: samples,
    signal,
    onStep: await stepProgress(network.latentFormat, context),
    noiseMask: noise_mask,
    batchIndex: batch_index,
  });
  return [{ ...run.latent, samples: result }];
}

export const kSampler = defineNode({
  name: 'KSampler',
  displayName: 'KSampler',
  category: 'sampling',
  module: 'nodes',
  form: 'v1',
  description: 'Denoises a latent with a model, guided by positive and negative conditioning.',
  inputs: {
    model: model({ tooltip: 'The model that removes the noise.' }),
    seed: int64({ ...seedOptions, tooltip: 'Decides the noise that sampling starts from.' }),
    steps: int({ ...stepsOptions, tooltip: 'How many steps are taken.' }),
    cfg: float({
      ...cfgOptions,
      tooltip: 'How strongly the prompt counts. High values follow it more closely but burn out.',
    }),
    sampler_name: combo(samplerNames, { tooltip: 'How each step is computed.' }),
    scheduler: combo(schedulerNames, { tooltip: 'Which noise levels the steps visit.' }),
    positive: conditioning({ tooltip: 'What should be in the picture.' }),
    negative: conditioning({ tooltip: 'What should not be in the picture.' }),
    latent_image: latent({ tooltip: 'The latent to start from.' }),
    denoise: float({
      default: 1,
      min: 0,
      max: 1,
      step: 0.01,
      tooltip: 'How much of the start is replaced; less than 1 keeps its structure.',
    }),
  },
  outputs: [{ type: 'LATENT', tooltip: 'The denoised latent.' }],
  run: ({ sampler_name, latent_image, ...inputs }, context) =>
    sample({ ...inputs, sampler: sampler_name, latent: latent_image }, context),
});

export const kSamplerAdvanced = defineNode({
  name: 'KSamplerAdvanced',
  displayName: 'KSampler (Advanced)',
  category: 'sampling',
  module: 'nodes',
  form: 'v1',
  inputs: {
    model: model(),
    add_noise: combo(['enable', 'disable']),
    noise_seed: int64(seedOptions),
    steps: int(stepsOptions),
    cfg: float(cfgOptions),
    sampler_name: combo(samplerNames),
    scheduler: combo(schedulerNames),
    positive: conditioning(),
    negative: conditioning(),
    latent_image: latent(),
    start_at_step: int({ default: 0, min: 0, max: 10000 }),
    end_at_step: int({ default: 10000, min: 0, max: 10000 }),
    return_with_leftover_noise: combo(['disable', 'enable']),
  },
  outputs: [{ type: 'LATENT' }],
  run: ({ latent_image, ...inputs }, context) =>
    sample(
      {
        model: inputs.model,
        positive: inputs.positive,
        negative: inputs.negative,
        cfg: inputs.cfg,
        steps: inputs.steps,
        seed: inputs.noise_seed,
        sampler: inputs.sampler_name,
        scheduler: inputs.scheduler,
        latent: latent_image,
        disableNoise: inputs.add_noise === 'disable',
        startStep: inputs.start_at_step,
        lastStep: inputs.end_at_step,
        forceFullDenoise: inputs.return_with_leftover_noise === 'disable',
      },
      context,
    ),
});

export const samplingNodes: readonly NodeDefinition[] = [kSampler, kSamplerAdvanced];
