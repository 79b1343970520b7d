/** ComfyUI's sampling pipeline around the samplers: latents in and out, noise, sigmas, masks, progress. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { repeatToBatch } from '../array/batch.ts';
import { isZero } from '../array/elementwise.ts';
import { type NDArray, reshape, zeros } from '../array/nd.ts';
import { NoodleError } from '../errors.ts';
import type { Conditioning } from './conditioning.ts';
import { evaluate } from './evaluate.ts';
import { cfgGuider } from './guidance/cfg.ts';
import type {
  Evaluate,
  GuidanceHooks,
  GuidedModel,
  Guider,
  GuiderRun,
  Predict,
} from './guidance/hooks.ts';
import { inpaintDenoise, prepareMask } from './inpaint.ts';
import type { LatentFormat } from './latent/formats.ts';
import { processIn, processOut } from './latent/process.ts';
import { brownianNoise, type NoiseSampler } from './noise/brownian-tree.ts';
import { drawNoise, prepareNoise, seededNoise } from './noise/prepare-noise.ts';
import { toSeed } from './noise/seed.ts';
import { TorchGenerator } from './noise/torch-generator.ts';
import type { DiffusionModel, RunMemory } from './model.ts';
import { prepareConditioning } from './prepare-conditioning.ts';
import type { PreparedLists } from './prepared.ts';
import type { Denoise, SamplerDefinition } from './samplers/sampler.ts';
import { samplerByName } from './samplers/table.ts';
import { cutSigmas, ksamplerSigmas } from './schedules/schedules.ts';

/** What a step reports: 0-based number, planned steps, and pictures in network units. */
export interface StepReport {
  readonly step: number;
  readonly steps: number;
  readonly x: NDArray;
  readonly denoised: NDArray;
}

interface RunOptions {
  readonly model: GuidedModel;
  /** [b, c, ...spatial] in VAE units. */
  readonly latent: NDArray;
  readonly noiseMask?: NDArray | undefined;
  readonly batchIndex?: readonly number[] | undefined;
  readonly seed: number | bigint;
  /** Start from the latent as it is: the noise is 0. */
  readonly disableNoise?: boolean;
  readonly signal?: AbortSignal;
  readonly onStep?: (report: StepReport) => void | Promise<void>;
}

export interface KSamplerOptions extends RunOptions {
  readonly positive: Conditioning;
  readonly negative: Conditioning;
  readonly cfg: number;
  readonly sampler: string;
  readonly scheduler: string;
  readonly steps: number;
  readonly denoise?: number;
  readonly startStep?: number;
  readonly lastStep?: number;
  readonly forceFullDenoise?: boolean;
}

/** KSampler: a named sampler on a named schedule with classifier-free guidance. Result in VAE units. */
export async function sampleLatent(options: KSamplerOptions): Promise<NDArray> {
  const { model, positive, negative, cfg, scheduler, steps, denoise } = options;
  const sampler = samplerByName(options.sampler);
  const { dropPenultimate } = sampler;
  const schedule = ksamplerSigmas(model.modelSampling, scheduler, {
    steps,
    dropPenultimate,
    denoise,
  });
  const sigmas = cutSigmas(schedule, options);
  const guider = cfgGuider({ positive, negative, cfg });
  const { samples } = await sampleCustom({ ...options, guider, sampler, sigmas });
  return samples;
}

export interface CustomOptions extends RunOptions {
  readonly guider: Guider;
  readonly sampler: SamplerDefinition;
  /** None: the latent is returned as it is. */
  readonly sigmas: Float32Array;
  /** As large as the latent (after `fitLatent`); default: drawn from the seed. */
  readonly noise?: NDArray;
  /** In place of the sampler's own noise. */
  readonly noiseSampler?: NoiseSampler;
  /** The other model of a guider that asks two. */
  readonly second?: DiffusionModel | undefined;
}

/**
 * SamplerCustom: any guider, sampler and sigmas. Returns the samples and the last denoised prediction,
 * both in VAE units. Throws INTERRUPTED between model calls once `signal` is aborted.
 */
export async function sampleCustom(
  options: CustomOptions,
): Promise<{ readonly samples: NDArray; readonly denoised: NDArray }> {
  const { model, guider, sampler, signal } = options;
  const { latentFormat, modelSampling: sampling } = model;
  const latent = fitLatent(latentFormat, options.latent);
  if (options.sigmas.length === 0) return { samples: latent, denoised: latent };
  const [first] = options.sigmas;
  const noise = startNoise(options, latent.shape);
  const sigmas = reachable(options.sigmas, sampler);

  const start = networkUnits(latentFormat, latent);
  const mask = options.noiseMask && prepareMask(options.noiseMask, latent.shape);
  const hooks: GuidanceHooks = {
    ...model.guidance,
    alwaysUncond: sampler.usesUncond || model.guidance?.alwaysUncond,
  };
  const prepared = (asked: DiffusionModel, lists: Guider['lists']): Promise<PreparedLists> =>
    prepareConditioning(asked, lists, {
      latentShape: latent.shape,
      noise,
      seed: options.seed,
      latentImage: asked === model ? start : networkUnits(asked.latentFormat, latent),
      denoiseMask: mask,
    });
  const memory: RunMemory = {
    state: new Map(),
    generator: globalGenerator(options, noise.shape),
    sigmas,
  };
  const hooked = (asked: DiffusionModel): DiffusionModel =>
    hooks.network
      ? { ...asked, apply: hooks.network((input) => asked.apply(input), { memory, sampling }) }
      : asked;
  const plainly: Evaluate = (entries, x, sigma, other) =>
    evaluate(hooked(other?.model ?? model), entries, x, { sigma, signal, run: memory });
  const run: GuiderRun = {
    hooks,
    model,
    state: memory.state,
    second: options.second,
    lists: await prepared(model, guider.lists),
    prepare: async (list, asked = model) => (await prepared(asked, { list }))['list'],
    evaluate: hooks.evaluate?.(plainly, { memory, sampling }) ?? plainly,
  };
  const guided = (hooks.predict ?? []).reduce<Predict>(
    (next, hook) => hook(next, { memory, sampling }),
    ({ x, sigma, cfg }) => guider.predict(run, x, sigma, cfg),
  );
  const predict: Denoise = (x, sigma) => {
    throwIfAborted(signal);
    return guided({ x, sigma: Math.fround(sigma) });
  };
  const noisy = hooks.noise?.(noise, options.seed) ?? noise;
  const denoise = mask
    ? masked(predict, { options, mask, start, sigmas, hooks, noise: noisy })
    : predict;

  let lastDenoised: NDArray | undefined;
  const result = await sampler.run(
    denoise,
    sampling.noiseScaling(first, noisy, start, startsAtTop(first, sampling.sigmaMax)),
    sigmas,
    {
      sampling,
      noise: noiseFor(options, noise.shape),
      globalNoise: (shape) => memory.generator().randn(shape),
      step: async ({ i, x, denoised }) => {
        lastDenoised = denoised;
        throwIfAborted(signal);
        await options.onStep?.({ step: i, steps: sigmas.length - 1, x, denoised });
        await nextTurn();
      },
    },
  );
  const samples = sampling.inverseNoiseScaling(sigmas[sigmas.length - 1], result);
  const out = processOut(latentFormat, samples);
  return { samples: out, denoised: lastDenoised ? processOut(latentFormat, lastDenoised) : out };
}

/**
 * A latent as the model needs it: an empty one gets the model's channels, and models of video get a
 * time axis where there is none. Throws BAD_INPUT for another model's latent.
 */
export function fitLatent(format: LatentFormat, latent: NDArray): NDArray {
  const { shape } = latent;
  let fitted = latent;
  if (shape[1] !== format.channels && isZero(latent)) {
    fitted = zeros([shape[0], format.channels, ...shape.slice(2)]);
  }
  if (format.dimensions === 3 && shape.length === 4) {
    const [b, c, h, w] = fitted.shape;
    fitted = reshape(fitted, [b, c, 1, h, w]);
  }
  if (fitted.shape[1] !== format.channels) {
    const expected = `${format.channels} channels (${format.name})`;
    throw new NoodleError('BAD_INPUT', { subject: 'latent', expected, got: fitted.shape[1] });
  }
  return fitted;
}

/** A latent as the network takes it; an empty one stays empty also in formats that shift. */
const networkUnits = (format: LatentFormat, latent: NDArray): NDArray =>
  isZero(latent) ? latent : processIn(format, latent);

function masked(
  predict: Denoise,
  given: {
    options: CustomOptions;
    mask: NDArray;
    start: NDArray;
    sigmas: Float32Array;
    hooks: GuidanceHooks;
    noise: NDArray;
  },
): Denoise {
  const { options, mask, start, sigmas, hooks } = given;
  const { model, sampler, seed } = options;
  const sampling = model.modelSampling;
  const noise = sampler.freshInpaintNoise
    ? prepareNoise(given.noise.shape, toSeed(seed) + 1n)
    : repeatToBatch(given.noise, start.shape[0]);
  return inpaintDenoise(predict, {
    mask,
    latent: start,
    noisy: (sigma) =>
      model.inpaintLatent?.(sigma, noise, start) ?? sampling.noiseScaling(sigma, noise, start),
    maskAt:
      hooks.mask && ((sigma, soft) => hooks.mask!(Math.fround(sigma), soft, { sigmas, sampling })),
  });
}

function startNoise(
  { noise, disableNoise, seed, batchIndex }: CustomOptions,
  shape: readonly number[],
): NDArray {
  return noise ?? (disableNoise ? zeros(shape) : prepareNoise(shape, seed, batchIndex));
}

function noiseFor(
  { sampler, sigmas, seed, noiseSampler }: CustomOptions,
  shape: readonly number[],
): NoiseSampler {
  if (noiseSampler) return noiseSampler;
  return sampler.noise === 'brownian'
    ? brownianNoise(shape, sigmas, seed)
    : seededNoise(shape, seed);
}

/** torch's global generator, which goes on where the initial noise stopped. */
function globalGenerator(
  { seed, batchIndex }: CustomOptions,
  initial: readonly number[],
): () => TorchGenerator {
  let generator: TorchGenerator | undefined;
  return () => {
    if (!generator) {
      generator = new TorchGenerator(seed);
      drawNoise(generator, initial, batchIndex);
    }
    return generator;
  };
}

/** The schedule as the sampler can walk it. */
function reachable(
  sigmas: Float32Array,
  { lastSigma }: Pick<SamplerDefinition, 'lastSigma'>,
): Float32Array {
  const last = sigmas.length - 1;
  return lastSigma !== undefined && sigmas[last] === 0
    ? Float32Array.from(sigmas, (sigma, i) => (i === last ? lastSigma : sigma))
    : sigmas;
}

/** Whether a run begins at (or within rounding of) the model's highest noise level. */
const startsAtTop = (sigma: number, max: number): boolean =>
  sigma > max || Math.abs(sigma - max) <= 1e-5 * Math.max(Math.abs(sigma), Math.abs(max));

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new NoodleError('INTERRUPTED');
}
