/** Golden cases of KSampler and KSamplerAdvanced: whole runs by sampler and scheduler name. */
import { type NDArray, zeros } from '../../../engine/array/nd.ts';
import { sampleLatent } from '../../../engine/sampling/driver.ts';
import type { GuidanceHooks } from '../../../engine/sampling/guidance/hooks.ts';
import { differentialDiffusion, prepareMask } from '../../../engine/sampling/inpaint.ts';
import { prepareNoise } from '../../../engine/sampling/noise/prepare-noise.ts';
import { samplerByName } from '../../../engine/sampling/samplers/table.ts';
import { type CaseResult, type Comparison, compare } from '../area.ts';
import type { GoldenCase } from '../open-case.ts';
import { analyticModel } from './analytic-model.ts';
import {
  compareTrajectory,
  conditioningOf,
  runTrajectory,
  type TrajectoryParams,
} from './trajectory.ts';

interface KSamplerParams extends TrajectoryParams {
  readonly scheduler: string;
  readonly steps: number;
  readonly denoise?: number;
  readonly add_noise?: boolean;
  readonly start_step?: number | null;
  readonly last_step?: number | null;
  readonly return_with_leftover_noise?: boolean;
  readonly batch_index?: readonly number[];
  readonly differential_strength?: number;
}

/** First with the reference's noises, then the whole pipeline from the seed on. */
export async function ksampler(golden: GoldenCase<KSamplerParams>): Promise<CaseResult> {
  const { params, tolerance } = golden;
  const sampler = samplerByName(params.sampler);
  const strength = params.differential_strength;
  const guidance = strength === undefined ? {} : { mask: differentialDiffusion(strength) };
  const comparisons: Comparison[] = [];
  if (golden.has('in.sigmas')) {
    comparisons.push(
      ...compareTrajectory(golden, await runTrajectory(golden, { sampler, guidance }, 'given')),
    );
  }
  const exact = { atol: 2e-6, rtol: 0 };
  if (params.add_noise ?? true) {
    const noise = prepareNoise(params.shape, BigInt(params.seed), params.batch_index);
    comparisons.push(compare('in.noise', noise, golden.array('in.noise'), exact));
  }
  if (golden.has('mid.noise_mask_prepared')) {
    const name = 'mid.noise_mask_prepared';
    const mask = prepareMask(golden.array('in.noise_mask'), params.shape);
    comparisons.push(compare(name, mask, golden.array(name), exact));
  }
  if (golden.has('mid.inpaint_noise')) {
    const noise = prepareNoise(params.shape, BigInt(params.seed) + 1n);
    const expected = golden.array('mid.inpaint_noise');
    comparisons.push(compare('mid.inpaint_noise', noise, expected, exact));
  }
  const samples = await wholePipeline(golden, guidance);
  const expected = golden.array('out.samples');
  comparisons.push(compare('samples from the seed', samples, expected, tolerance));
  return { comparisons };
}

function wholePipeline(
  golden: GoldenCase<KSamplerParams>,
  guidance: GuidanceHooks,
): Promise<NDArray> {
  const { params } = golden;
  const noiseMask = golden.optional('in.noise_mask');
  const { start_step: start, last_step: last, return_with_leftover_noise: leftover } = params;
  return sampleLatent({
    model: analyticModel(params.model, params.shape, { guidance }),
    ...conditioningOf(golden),
    cfg: params.cfg,
    sampler: params.sampler,
    scheduler: params.scheduler,
    steps: params.steps,
    denoise: params.denoise ?? 1,
    latent: golden.optional('in.latent') ?? zeros(params.shape),
    seed: BigInt(params.seed),
    disableNoise: params.add_noise === false,
    forceFullDenoise: leftover === false,
    ...(start != null && { startStep: start }),
    ...(last != null && { lastStep: last }),
    ...(params.batch_index && { batchIndex: params.batch_index }),
    ...(noiseMask && { noiseMask }),
  });
}
