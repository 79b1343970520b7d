/**
 * Guiders: how predictions under several conditionings become one. Classifier-free guidance is Ho and
 * Salimans 2022; other guidance plugs into it through hooks, or is a guider of its own.
 */
import { axpby } from '../../array/elementwise.ts';
import type { NDArray } from '../../array/nd.ts';
import type { Conditioning } from '../conditioning.ts';
import type { Prediction } from '../samplers/sampler.ts';
import type { GuidanceInput, Guider, GuiderRun } from './hooks.ts';

/** Classifier-free guidance; without `negative` (or at cfg 1) only the positive side is evaluated. */
export function cfgGuider(options: {
  positive: Conditioning;
  negative?: Conditioning;
  cfg: number;
}): Guider {
  const { positive, negative } = options;
  return {
    lists: { positive, ...(negative && { negative }) },
    async predict(run, x, sigma, cfg = options.cfg) {
      const { positive: pos, negative: neg } = run.lists;
      const hasUncond = neg !== undefined && (!isOne(cfg) || run.hooks.alwaysUncond === true);
      const lists = { cond: pos, uncond: hasUncond ? neg : undefined };
      const [cond, uncond] = await bothSides(run, lists, x, sigma);
      return guide({ x, sigma, cfg, cond, uncond, hasUncond, lists, run });
    },
  };
}

/** What both sides predict, the negative one perhaps by another network. */
async function bothSides(
  run: GuiderRun,
  { cond, uncond }: GuidanceInput['lists'],
  x: NDArray,
  sigma: number,
): Promise<NDArray[]> {
  const model = uncond && run.hooks.negativeModel?.(run.model, sigma);
  if (!model) return run.evaluate([cond, uncond], x, sigma);
  const positive = await run.evaluate([cond], x, sigma);
  return [...positive, ...(await run.evaluate([uncond], x, sigma, { model }))];
}

/** Both sides joined, with the hooks before, in place of and after that. */
export async function guide(sides: GuidanceInput): Promise<Prediction> {
  let input = sides;
  for (const hook of input.run.hooks.before ?? []) input = { ...input, ...(await hook(input)) };
  return { denoised: await combineCfg(input), uncond: input.uncond };
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
