/**
 * Guiders: how predictions under several conditionings become one. Classifier-free guidance is Ho and
 * Salimans 2022; other guidance plugs into it through hooks, or is a guider of its own.
 */
import { axpby } from '../array/elementwise.ts';
import type { NDArray } from '../array/nd.ts';
import type { Conditioning } from './conditioning.ts';
import type { ModelSampling } from './model-sampling.ts';
import type { PreparedEntry, PreparedLists } from './prepare-conditioning.ts';

/** What is known at one evaluation when predictions are combined. */
export interface GuidanceInput {
  readonly x: NDArray;
  readonly sigma: number;
  readonly cfg: number;
  /** Denoised under the positive conditioning. */
  readonly cond: NDArray;
  /** Denoised under the negative conditioning (0 where it was not evaluated). */
  readonly uncond: NDArray;
  readonly sampling: ModelSampling;
  /** Denoised pictures under other lists or at another x. */
  readonly evaluate: Evaluate;
  readonly lists: PreparedLists;
}

export type Evaluate = (
  lists: readonly (readonly PreparedEntry[] | undefined)[],
  x: NDArray,
  sigma: number,
) => Promise<NDArray[]>;

type MaybePromise<T> = T | Promise<T>;

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
  readonly evaluate: Evaluate;
  readonly hooks: GuidanceHooks;
  readonly sampling: ModelSampling;
}

export interface Prediction {
  readonly denoised: NDArray;
  /** The unconditional side, for CFG++ samplers. */
  readonly uncond: NDArray;
}

/** A value on GUIDER wires, less its model: conditioning lists by name and what to do with them. */
export interface Guider {
  readonly lists: Readonly<Record<string, Conditioning>>;
  predict(run: GuiderRun, x: NDArray, sigma: number): Promise<Prediction>;
}

/** Classifier-free guidance; without `negative` (or at cfg 1) only the positive side is evaluated. */
export function cfgGuider(options: {
  positive: Conditioning;
  negative?: Conditioning;
  cfg: number;
}): Guider {
  const { positive, negative, cfg } = options;
  return {
    lists: { positive, ...(negative && { negative }) },
    async predict({ lists, evaluate, hooks, sampling }, x, sigma) {
      const single = isOne(cfg) && !hooks.alwaysUncond;
      const [cond, uncond] = await evaluate(
        [lists['positive'], single ? undefined : lists['negative']],
        x,
        sigma,
      );
      return combineCfg({ x, sigma, cfg, cond, uncond, sampling, evaluate, lists }, hooks);
    },
  };
}

/** Joins both sides and runs the hooks around it. */
export async function combineCfg(given: GuidanceInput, hooks: GuidanceHooks): Promise<Prediction> {
  let input = given;
  for (const hook of hooks.before ?? []) input = { ...input, ...(await hook(input)) };
  const { cond, uncond, cfg } = input;
  let denoised = hooks.combine ? await hooks.combine(input) : axpby(1 - cfg, uncond, cfg, cond);
  for (const hook of hooks.after ?? []) denoised = await hook({ ...input, denoised });
  return { denoised, uncond };
}

/** Python's `math.isclose(x, 1)`. */
const isOne = (x: number): boolean => Math.abs(x - 1) <= 1e-9 * Math.max(Math.abs(x), 1);
