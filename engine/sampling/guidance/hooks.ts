/** How guidance is plugged together: what guiders and the hooks of a model's patches are given. */
import type { NDArray } from '../../array/nd.ts';
import type { Conditioning } from '../conditioning.ts';
import type { DiffusionModel, RunMemory } from '../model.ts';
import type { ModelSampling } from '../model-sampling.ts';
import type { Prediction } from '../samplers/sampler.ts';
import type { PreparedEntry, PreparedLists } from '../prepared.ts';

/** What is known at one evaluation when predictions are combined. */
export interface GuidanceInput {
  readonly x: NDArray;
  readonly sigma: number;
  readonly cfg: number;
  /** Denoised under the positive conditioning. */
  readonly cond: NDArray;
  /** Denoised under the negative conditioning (0 where it was not evaluated). */
  readonly uncond: NDArray;
  /** False when the negative side was left out. */
  readonly hasUncond: boolean;
  /** What cond and uncond were predicted under; uncond undefined where it was not evaluated. */
  readonly lists: {
    readonly cond: readonly PreparedEntry[];
    readonly uncond: readonly PreparedEntry[] | undefined;
  };
  readonly run: GuiderRun;
}

/**
 * Denoised pictures under any lists at any x, one per list; `model` asks another network than the one
 * that is sampled (`run.model.with?.(patches)`).
 */
export type Evaluate = (
  lists: readonly (readonly PreparedEntry[] | undefined)[],
  x: NDArray,
  sigma: number,
  options?: { readonly model?: DiffusionModel },
) => Promise<NDArray[]>;

export type MaybePromise<T> = T | Promise<T>;

/** What a hook around calls knows of the run. */
export interface HookRun {
  readonly memory: RunMemory;
  readonly sampling: ModelSampling;
}

export type Apply = DiffusionModel['apply'];

/** One prediction of a guider; `cfg` replaces its own. */
export type Predict = (at: {
  readonly x: NDArray;
  readonly sigma: number;
  readonly cfg?: number;
}) => Promise<Prediction>;

/** What patches of a model add to classifier-free guidance; lists run in the order they were added. */
export interface GuidanceHooks {
  /** Replaces uncond + cfg·(cond - uncond). */
  readonly combine?: (input: GuidanceInput) => MaybePromise<NDArray>;
  /** Change cond and uncond before they are combined. */
  readonly before?: readonly ((
    input: GuidanceInput,
  ) => MaybePromise<{ readonly cond: NDArray; readonly uncond: NDArray }>)[];
  /** Each changes the result of the one before it. */
  readonly after?: readonly ((
    input: GuidanceInput & { readonly denoised: NDArray },
  ) => MaybePromise<NDArray>)[];
  /** Evaluate the negative side even at cfg 1. */
  readonly alwaysUncond?: boolean;
  /** The network that predicts the negative side at a noise level; none: the one that is sampled. */
  readonly negativeModel?: (model: DiffusionModel, sigma: number) => DiffusionModel | undefined;
  /** Around every call of the network, made anew for each evaluation (caches). */
  readonly network?: (next: Apply, run: HookRun) => Apply;
  /** Around the evaluation of conditioning (context windows). */
  readonly evaluate?: (next: Evaluate, run: HookRun) => Evaluate;
  /** Changes the noise that sampling starts from. */
  readonly noise?: (noise: NDArray, seed: number | bigint) => NDArray;
  /** Around the guider: each wraps those before it (caches, another cfg at some levels). */
  readonly predict?: readonly ((next: Predict, run: HookRun) => Predict)[];
  /** Changes the inpainting mask at a noise level (differential diffusion). */
  readonly mask?: (
    sigma: number,
    mask: NDArray,
    run: { readonly sigmas: Float32Array; readonly sampling: ModelSampling },
  ) => NDArray;
}

/** What a guider is given at each evaluation. */
export interface GuiderRun {
  readonly lists: PreparedLists;
  /** The model that is sampled. */
  readonly model: DiffusionModel;
  readonly evaluate: Evaluate;
  /** A further model, which the guider asks under the hooks of the one that is sampled. */
  readonly second?: DiffusionModel | undefined;
  /** Makes other conditioning ready for `evaluate`, of another model where one is named. */
  readonly prepare: (
    list: Conditioning,
    model?: DiffusionModel,
  ) => Promise<readonly PreparedEntry[]>;
  readonly hooks: GuidanceHooks;
  /** What hooks keep from one evaluation to the next, under keys of their own; new for every run. */
  readonly state: Map<object, unknown>;
}

/** A model as it is sampled: its network, and what patches added to guidance. */
export interface GuidedModel extends DiffusionModel {
  readonly guidance?: GuidanceHooks;
}

/** A value on GUIDER wires, less its model: conditioning lists by name and what to do with them. */
export interface Guider {
  readonly lists: Readonly<Record<string, Conditioning>>;
  /** Guiders of one cfg take `cfg` in its place. */
  predict(run: GuiderRun, x: NDArray, sigma: number, cfg?: number): Promise<Prediction>;
}
