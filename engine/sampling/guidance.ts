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
  /** False when the negative side was left out. */
  readonly hasUncond: boolean;
  readonly run: GuiderRun;
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
  /** Denoised pictures under any lists at any x. */
  readonly evaluate: Evaluate;
  /** Makes other conditioning ready for `evaluate`. */
  readonly prepare: (list: Conditioning) => Promise<readonly PreparedEntry[]>;
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
    async predict(run, x, sigma) {
      const { positive: pos, negative: neg } = run.lists;
      const hasUncond = neg !== undefined && (!isOne(cfg) || run.hooks.alwaysUncond === true);
      const [cond, uncond] = await run.evaluate([pos, hasUncond ? neg : undefined], x, sigma);
      let input: GuidanceInput = { x, sigma, cfg, cond, uncond, hasUncond, run };
      for (const hook of run.hooks.before ?? []) input = { ...input, ...(await hook(input)) };
      return { denoised: await combineCfg(input), uncond: input.uncond };
    },
  };
}

/** uncond + cfg·(cond - uncond), or what the model's patches make of it. */
export async function combineCfg(input: GuidanceInput): Promise<NDArray> {
  const { hooks } = input.run;
  const { cond, uncond, cfg } = input;
  const combined = hooks.combine ? await hooks.combine(input) : axpby(1 - cfg, uncond, cfg, cond);
  return finishCfg({ ...input, denoised: combined });
}

/** The hooks that come after the sides are joined. */
export async function finishCfg(
  input: GuidanceInput & { readonly denoised: NDArray },
): Promise<NDArray> {
  let { denoised } = input;
  for (const hook of input.run.hooks.after ?? []) denoised = await hook({ ...input, denoised });
  return denoised;
}

/** Python's `math.isclose(x, 1)`. */
export const isOne = (x: number): boolean => Math.abs(x - 1) <= 1e-9 * Math.max(Math.abs(x), 1);
