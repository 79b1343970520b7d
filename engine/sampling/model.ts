/**
 * A diffusion model as the samplers see it: a raw network plus the numbers that turn its output
 * into a denoised picture. Implemented by `engine/values/model.ts` on an ONNX Runtime session,
 * and by small analytic functions in tests.
 */
import type { NDArray } from '../array/nd.ts';
import type { ConditioningEntry } from './conditioning.ts';
import type { LatentFormat } from './latent/formats.ts';
import type { ModelSampling } from './model-sampling.ts';
import type { TorchGenerator } from './noise/torch-generator.ts';

/**
 * A tensor that conditioning brings to the network, and what it lies along beside its rows:
 * - `row`: nothing more; one value for the whole picture.
 * - `tokens` [b, tokens, …]: a sequence, which may be repeated to the length of another entry's.
 * - `grid` [b, c, …spatial of the latent]: cells of the picture, cut with an entry's area.
 */
export interface CondTensor {
  readonly value: NDArray;
  readonly along: 'row' | 'tokens' | 'grid';
}

/** What one run of a sampler remembers from call to call. */
export interface RunMemory {
  /** What guidance and patches keep, under keys of their own; new for every run. */
  readonly state: Map<object, unknown>;
  /** The noise levels of the run; none where no sampler asks. */
  readonly sigmas?: Float32Array;
  /** torch's global generator, where the draw of the initial noise left it. */
  readonly generator: () => TorchGenerator;
}

/** Everything one batched network call needs; row r of every tensor belongs together. */
export interface ModelInput {
  /** Scaled input [n, c, h, w] (without concat channels). */
  readonly x: NDArray;
  /** Model time of each row (n values). */
  readonly timesteps: Float32Array;
  /** Per row conditioning tensors by name as `encodeConditioning` made them, already batched. */
  readonly cond: Readonly<Record<string, NDArray>>;
  /** The noise level of all rows. */
  readonly sigma: number;
  /**
   * Which conditioning each equal share of the rows belongs to, in order; list 0 is the positive. All
   * of them carry the same changes of the network.
   */
  readonly parts: readonly { readonly list: number; readonly entry: ConditioningEntry }[];
  readonly run: RunMemory;
}

/** What `encodeConditioning` may need to know about the run. */
export interface ConditioningRun {
  /** Shape of the latent being sampled [b, c, h, w]. */
  readonly latentShape: readonly number[];
  readonly noise: NDArray;
  /** The run's seed; conditions that are noised draw theirs from it. */
  readonly seed?: number | bigint;
  /** Present while inpainting: [b, 1, h, w] latent-sized mask, and the scaled latent. */
  readonly denoiseMask?: NDArray;
  readonly latentImage?: NDArray;
}

export interface DiffusionModel {
  readonly modelSampling: ModelSampling;
  readonly latentFormat: LatentFormat;
  /**
   * The tensors this model wants for one conditioning entry by name, batch 1 or [b, …]. Entries share
   * a call when they have the same names and fitting shapes.
   */
  encodeConditioning(
    entry: ConditioningEntry,
    run: ConditioningRun,
  ): Promise<Readonly<Record<string, CondTensor>>>;
  /** The raw network output for `input`, fp32, same spatial shape as x. */
  apply(input: ModelInput): Promise<NDArray>;
  /**
   * How many rows [c, h, w] are best evaluated in one call on this device
   * (1 = evaluate cond and uncond one after the other), with the changes that `entry` brings.
   */
  bestBatch(rowShape: readonly number[], entry?: ConditioningEntry): number;
  /** What the kept part looks like to the network while inpainting; default: noised to `sigma`. */
  inpaintLatent?(sigma: number, noise: NDArray, latent: NDArray): NDArray;
  /**
   * The same model with more patches on its network, inside those it has, for guidance that compares the
   * two (perturbed attention, skipped layers). Whoever implements it says which kinds of patches it takes.
   */
  with?(patches: readonly { readonly identity: string }[]): DiffusionModel;
}
