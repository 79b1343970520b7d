/** Runs of samplers on the analytic models, compared evaluation by evaluation. */
import { concat } from '../../../engine/array/batch.ts';
import { type NDArray, nd, reshape, zeros } from '../../../engine/array/nd.ts';
import type { Conditioning } from '../../../engine/sampling/conditioning.ts';
import { type CustomOptions, sampleCustom } from '../../../engine/sampling/driver.ts';
import type { GuidanceHooks, Guider } from '../../../engine/sampling/guidance/hooks.ts';
import { cfgGuider } from '../../../engine/sampling/guidance/cfg.ts';
import type { NoiseSampler } from '../../../engine/sampling/noise/brownian-tree.ts';
import type { SamplerDefinition } from '../../../engine/sampling/samplers/sampler.ts';
import { type Comparison, compare } from '../area.ts';
import type { GoldenCase } from '../open-case.ts';
import { analyticModel, type ModelCall, type ModelParams, muEntry } from './analytic-model.ts';

export interface TrajectoryParams {
  readonly op: string;
  readonly model: ModelParams;
  readonly sampler: string;
  readonly cfg: number;
  readonly seed: string;
  readonly shape: readonly number[];
  readonly mu_pos?: readonly number[];
  readonly mu_neg?: readonly number[];
  readonly mu_mid?: readonly number[];
  readonly model_batches_cond_or_uncond?: readonly (readonly number[])[];
  readonly options?: Readonly<Record<string, number | string | boolean>>;
}

export type TrajectoryCase = GoldenCase<TrajectoryParams>;

/** The conditioning lists of a case. */
export function conditioningOf({ params, has, array }: TrajectoryCase): {
  positive: Conditioning;
  negative: Conditioning;
} {
  const vector = (mu: readonly number[] | undefined, name: string): Conditioning => [
    has(name) ? { cross: array(name) } : muEntry(mu ?? []),
  ];
  return {
    positive: vector(params.mu_pos, 'in.cross_attn_pos'),
    negative: vector(params.mu_neg, 'in.cross_attn_neg'),
  };
}

/** Plays back the noise that the reference sampler drew. */
export function replayedNoise({ has, array }: TrajectoryCase): NoiseSampler | undefined {
  if (!has('mid.sampler_noise')) return undefined;
  const recorded = array('mid.sampler_noise');
  const [count, ...shape] = recorded.shape;
  const size = recorded.data.length / count;
  let next = 0;
  return () => {
    if (next >= count) throw new Error(`the sampler asked for more than ${count} noises`);
    return nd(recorded.data.subarray(next * size, ++next * size), shape);
  };
}

export interface RunSettings {
  readonly sampler: SamplerDefinition;
  readonly guider?: Guider;
  readonly guidance?: GuidanceHooks;
}

interface Recorded {
  readonly samples: NDArray;
  readonly steps: readonly { readonly x: NDArray; readonly denoised: NDArray }[];
  readonly evaluations: readonly { x: NDArray; sigma: number; denoised: NDArray }[];
  readonly calls: readonly ModelCall[];
}

/** Runs a case on its own sigmas; `noises: 'given'` replays every noise, 'own' draws them by seed. */
export async function runTrajectory(
  golden: TrajectoryCase,
  settings: RunSettings,
  noises: 'given' | 'own',
): Promise<Recorded> {
  const { params } = golden;
  const calls: ModelCall[] = [];
  const steps: { x: NDArray; denoised: NDArray }[] = [];
  const evaluations: { x: NDArray; sigma: number; denoised: NDArray }[] = [];
  const { guidance } = settings;
  const model = analyticModel(params.model, params.shape, {
    onCall: (call) => calls.push(call),
    ...(guidance && { guidance }),
  });
  const { positive, negative } = conditioningOf(golden);
  const noiseSampler = noises === 'given' ? replayedNoise(golden) : undefined;
  const noiseMask = golden.optional('in.noise_mask');
  const options: CustomOptions = {
    model,
    guider: settings.guider ?? cfgGuider({ positive, negative, cfg: params.cfg }),
    sampler: recorded(settings.sampler, evaluations),
    sigmas: golden.array('in.sigmas').data,
    noise: golden.array('in.noise'),
    latent: golden.optional('in.latent') ?? zeros(params.shape),
    seed: BigInt(params.seed),
    onStep: ({ x, denoised }) => void steps.push({ x, denoised }),
    ...(noiseMask && { noiseMask }),
    ...(noiseSampler && { noiseSampler }),
  };
  const { samples } = await sampleCustom(options);
  return { samples, steps, evaluations, calls };
}

/** The sampler with every call of its denoiser (after guidance and mask) written down. */
function recorded(
  definition: SamplerDefinition,
  evaluations: { x: NDArray; sigma: number; denoised: NDArray }[],
): SamplerDefinition {
  return {
    ...definition,
    run: (denoise, x, sigmas, tools) =>
      definition.run(
        async (y, sigma) => {
          const prediction = await denoise(y, sigma);
          evaluations.push({ x: y, sigma, denoised: prediction.denoised });
          return prediction;
        },
        x,
        sigmas,
        tools,
      ),
  };
}

const stack = (items: readonly NDArray[]): NDArray =>
  concat(items.map((item) => reshape(item, [1, ...item.shape])));

/** Everything of a run that the case recorded. */
export function compareTrajectory(golden: TrajectoryCase, run: Recorded): Comparison[] {
  const { tolerance, params } = golden;
  // The tolerance is that of the result; on the way there fp32 cancellation may be larger.
  const between = { ...tolerance, atol: 3 * tolerance.atol };
  const results: Comparison[] = [];
  const check = (name: string, items: readonly NDArray[]): void => {
    if (golden.has(name) && items.length > 0) {
      results.push(compare(name, stack(items), golden.array(name), between));
    }
  };
  results.push(compare('out.samples', run.samples, golden.array('out.samples'), tolerance));
  check(
    'mid.eval_x',
    run.evaluations.map(({ x }) => x),
  );
  check(
    'mid.eval_denoised',
    run.evaluations.map(({ denoised }) => denoised),
  );
  check(
    'mid.step_x',
    run.steps.map(({ x }) => x),
  );
  check(
    'mid.step_denoised',
    run.steps.map(({ denoised }) => denoised),
  );
  check(
    'mid.unet_x',
    run.calls.map(({ x }) => x),
  );
  check(
    'mid.unet_t',
    run.calls.map(({ timesteps }) => nd(timesteps, [timesteps.length])),
  );
  if (golden.has('mid.eval_sigma')) {
    const rows = golden.array('mid.eval_sigma').shape[1];
    const sigmas = run.evaluations.map(({ sigma }) =>
      nd(new Float32Array(rows).fill(sigma), [rows]),
    );
    check('mid.eval_sigma', sigmas);
  }
  const batches = params.model_batches_cond_or_uncond;
  if (batches && batches.length > 0) {
    const got = run.calls.slice(0, batches.length).map(({ lists }) => lists);
    const flat = { data: got.flat(), shape: [got.flat().length] };
    const expected = { data: batches.flat(), shape: [batches.flat().length] };
    results.push(compare('order of the rows in a batch', flat, expected, { atol: 0, rtol: 0 }));
  }
  return results;
}
