/**
 * What ComfyUI's TrainLoraNode does, draw for draw: adapters on every weight of a diffusion model, offsets of every
 * other parameter, held against the clean latents. Facts: README of the golden area `training`.
 */
import { concat, rows } from '../array/batch.ts';
import { type NDArray, zeros } from '../array/nd.ts';
import { NoodleError } from '../errors.ts';
import type { AdapterParts } from '../patch/lora/kinds.ts';
import { readAdapters } from '../patch/lora/read.ts';
import type { Conditioning } from '../sampling/conditioning.ts';
import { processIn } from '../sampling/latent/process.ts';
import type { ModelInput } from '../sampling/model.ts';
import type { ModelSampling } from '../sampling/model-sampling.ts';
import { TorchGenerator } from '../sampling/noise/torch-generator.ts';
import { type Model, diffusion } from '../values/model.ts';
import type { NetworkRun } from '../values/network.ts';
import type { WeightSource } from '../weights/source.ts';
import { type Told, averaged, denoisedWeights, denoisingTrainer } from './denoising.ts';
import { dialects, fullName } from './files/dialects.ts';
import { savedTensors } from './files/tensors.ts';
import { trainedModules } from './modules/choose.ts';
import { type Adapter, trainedParts, trainedWeights } from './networks/adapter.ts';
import { nodeStarts } from './networks/node-start.ts';
import { trainedNetwork } from './networks/trained.ts';
import { nodeLosses } from './objective/losses.ts';
import { createOptimizer } from './optimizers/index.ts';
import { joinedPrompts } from './prompts.ts';
import { type Pick, picksOf } from './picks.ts';

export interface TrainLoraSettings {
  readonly batchSize: number;
  readonly accumulation: number;
  readonly steps: number;
  readonly rate: number;
  /** Rank of LoRA and LoHa, factor of LoKr, block size of OFT. */
  readonly rank: number;
  readonly optimizer: string;
  readonly loss: keyof typeof nodeLosses;
  readonly seed: bigint | number;
  readonly algorithm: string;
  readonly recompute: boolean;
  /** A file that training goes on from. */
  readonly existing?: WeightSource;
  /** Where the draws of the adapters come from; left out: a generator of `seed`. */
  readonly begin?: TorchGenerator;
}

export interface TrainedLora {
  /** By the names of ComfyUI's node. */
  readonly tensors: ReadonlyMap<string, NDArray>;
  /** One a micro-step. */
  readonly losses: readonly number[];
}

export interface TrainLoraData {
  /** Batches [n, c, ...] as they travel between nodes, of one size or of several. */
  readonly latents: readonly NDArray[];
  /** A caption for each latent, in their order, or one for all. */
  readonly positive: Conditioning;
  /** Whether only latents of one batch are looked at together. */
  readonly bucketed?: boolean;
}

/** Hears of every micro-step. */
export type Heard = (done: number, total: number, loss: number) => void;

/**
 * Trains adapters of a model, which stays as it is. Throws BAD_INPUT where latents and captions do not go together,
 * INTERRUPTED between micro-steps, and what sessions throw.
 */
export async function trainLora(
  model: Model,
  data: TrainLoraData,
  settings: TrainLoraSettings,
  run: NetworkRun & { readonly heard?: Heard },
): Promise<TrainedLora> {
  const { steps, accumulation, rate, recompute } = settings;
  const next = passes(model, data, settings, run);
  const adapters = await adaptersOf(model, settings);
  const network = trainedNetwork(trainedWeights(adapters, model.source));
  const values = network.start();
  const optimizer = createOptimizer(settings.optimizer, network.layout, {}, values);
  const judgement = { loss: nodeLosses[settings.loss], lossName: settings.loss };
  const trainer = denoisingTrainer(model, run, { network, values }, { judgement, recompute });

  const gradient = new Float32Array(network.layout.size);
  const losses: number[] = [];
  const total = steps * accumulation;
  for (let i = 0; i < total; i++) {
    if (run.signal?.aborted) throw new NoodleError('INTERRUPTED');
    let loss = 0;
    for (const { input, told } of await next()) {
      loss += (await trainer.step(input, told, gradient)).loss;
    }
    losses.push(loss);
    run.heard?.(i + 1, total, loss);
    if ((i + 1) % accumulation !== 0) continue;
    optimizer.step(values, gradient, () => rate);
    gradient.fill(0);
  }
  return {
    tensors: savedTensors(trainedParts(adapters, network, values), dialects.comfyui),
    losses,
  };
}

/** One entry of conditioning for each latent. */
function captionsFor(count: number, positive: Conditioning): Conditioning {
  if (positive.length === 1) return new Array<Conditioning[number]>(count).fill(positive[0]);
  if (positive.length === count) return positive;
  throw new NoodleError('BAD_INPUT', {
    subject: 'positive',
    expected: `one conditioning, or one for each of ${count} images`,
    got: `Number of positive conditions (${positive.length}) does not match number of images (${count}).`,
  });
}

/** The adapters at the start, in the order in which their numbers are drawn. */
async function adaptersOf(
  model: Model,
  { algorithm, rank, seed, existing, begin = new TorchGenerator(seed) }: TrainLoraSettings,
): Promise<Adapter[]> {
  const entries = existing ? (await readAdapters(existing)).entries : [];
  const known = new Map(entries.map((entry) => [entry.name, entry]));
  return trainedModules(model.source, model.family, 'everything').map((module): Adapter => {
    if (module.as === 'offset') return { module, parts: { diff: zeros(module.shape) } };
    const found = known.get(fullName(module));
    const isKept = found?.kind !== undefined && found.kind.name !== 'diff';
    const parts = isKept
      ? continued(found.parts, begin)
      : nodeStarts[algorithm](module.shape, rank, begin);
    return { module, parts, alpha: 1 };
  });
}

/** What a file has of an adapter is kept; layers are made for it all the same, whose numbers are drawn. */
function continued(
  { alpha: _alpha, bias: _bias, dora: _dora, ...parts }: AdapterParts,
  generator: TorchGenerator,
): AdapterParts {
  if (parts.up && parts.down) {
    generator.rand(parts.up.data.length);
    generator.rand(parts.down.data.length);
  }
  return parts;
}

interface Batch {
  readonly input: ModelInput;
  readonly told: Told;
}

/** The micro-steps' batches one after the other: which items, their noise and its level. */
function passes(
  model: Model,
  { latents, positive, bucketed = false }: TrainLoraData,
  { batchSize, seed }: TrainLoraSettings,
  run: NetworkRun,
): () => Promise<readonly Batch[]> {
  const picks = picksOf(latents, batchSize, bucketed);
  const captions = captionsFor(picks.latents.length, positive);
  const sampled = diffusion(model, run);
  const { modelSampling: sampling, latentFormat } = sampled;
  // ComfyUI 0.33 forgets to scale latents of several sizes, which is not followed
  const clean = picks.latents.map((latent) => processIn(latentFormat, latent));
  let generator = new TorchGenerator(seed);
  // the node draws noise for all latents first, and does not use it
  generator.randn([clean.length, ...clean[0].shape.slice(1)]);
  let step = 0n;
  const state = new Map<object, unknown>();

  const batchOf = async ({ items, share }: Pick, noiseSeed: bigint): Promise<Batch> => {
    generator = new TorchGenerator(noiseSeed);
    const x0 = concat(items.map((i) => clean[i]));
    const noise = generator.randn(x0.shape);
    const sigmas = items.map(() => sampling.percentToSigma(generator.rand(1)[0]));
    const row = (x: NDArray, i: number): NDArray => rows(x, i, i + 1);
    const noisy = concat(
      sigmas.map((sigma, i) => sampling.noiseScaling(sigma, row(noise, i), row(x0, i))),
    );
    const entries = items.map((i) => captions[i]);
    const about = { latentShape: noisy.shape, noise, seed };
    const encoded = await Promise.all(
      entries.map((entry) => sampled.encodeConditioning(entry, about)),
    );
    const levels = entries.flatMap(() => sigmas);
    const input: ModelInput = {
      x: sampling.calculateInput(levels, concat(entries.map(() => noisy))),
      sigma: sigmas[0],
      timesteps: Float32Array.from(levels, (sigma) => sampling.timestep(sigma)),
      cond: joinedPrompts(encoded, items.length),
      parts: entries.map((entry) => ({ list: 0, entry })),
      run: { state, generator: () => generator, sigmas: Float32Array.from(sigmas) },
    };
    const told = toldOf(sampling, sigmas, { noisy, x0, prompts: entries.length });
    if (share === 1) return { input, told };
    return { input, told: { ...told, weight: new Float32Array(items.length).fill(share) } };
  };

  return async () => {
    const noiseSeed = BigInt.asUintN(64, BigInt(seed) + 1000n * step++);
    const batches: Batch[] = [];
    for (const pick of picks.next(generator)) batches.push(await batchOf(pick, noiseSeed));
    return batches;
  };
}

/** The denoised picture, the mean over all prompts, is held against the clean one. */
function toldOf(
  sampling: ModelSampling,
  sigmas: readonly number[],
  {
    noisy,
    x0,
    prompts,
  }: { readonly noisy: NDArray; readonly x0: NDArray; readonly prompts: number },
): Told {
  const weights = sigmas.map((sigma) => denoisedWeights(sampling, sigma));
  const size = x0.data.length / sigmas.length;
  return {
    mix: averaged(sigmas.length, prompts),
    scale: Float32Array.from(weights, ([, b]) => b),
    target: {
      data: x0.data.map((v, i) => v - weights[Math.floor(i / size)][0] * noisy.data[i]),
      shape: x0.shape,
    },
  };
}
