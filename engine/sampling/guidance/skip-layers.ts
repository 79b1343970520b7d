/** Guidance away from what a network without some of its blocks predicts (Stability AI, SD3.5 medium). */
import { axpby, scale as scaled, sub } from '../../array/elementwise.ts';
import type { NDArray } from '../../array/nd.ts';
import { NoodleError } from '../../errors.ts';
import type { DiffusionModel } from '../model.ts';
import type { GuidanceHooks } from './hooks.ts';

type Change = Parameters<NonNullable<DiffusionModel['with']>>[0][number];
type After = NonNullable<GuidanceHooks['after']>[number];
type NegativeModel = NonNullable<GuidanceHooks['negativeModel']>;

/** Noise levels between which it acts, the highest first; both are in it. */
export interface Levels {
  readonly start: number;
  readonly end: number;
}

const acts = ({ start, end }: Levels, sigma: number): boolean => sigma >= end && sigma <= start;

function changed(model: DiffusionModel, change: Change): DiffusionModel {
  const other = model.with?.([change]);
  if (!other) throw new NoodleError('UNSUPPORTED', { what: 'leaving out blocks of this model' });
  return other;
}

/**
 * scale · (positive - positive of the changed network) is added to the guided prediction; `rescale` (0..1) of
 * its spread is brought back to the positive's. Throws UNSUPPORTED for models whose network cannot be changed.
 */
export const skipLayerGuidance =
  (
    change: Change,
    { scale, rescale, ...levels }: Levels & { readonly scale: number; readonly rescale: number },
  ): After =>
  async ({ run, x, sigma, cond, lists, denoised }) => {
    if (scale <= 0 || !acts(levels, sigma)) return denoised;
    const model = changed(run.model, change);
    const [worse] = await run.evaluate([lists.cond], x, sigma, { model });
    const guided = axpby(1, denoised, scale, sub(cond, worse));
    if (rescale === 0) return guided;
    const factor = spread(cond) / spread(guided);
    return scaled(guided, rescale * factor + (1 - rescale));
  };

/** The changed network predicts the negative side. */
export const skipLayersOfNegative =
  (change: Change, levels: Levels): NegativeModel =>
  (model, sigma) =>
    acts(levels, sigma) ? changed(model, change) : undefined;

/** The standard deviation of all numbers together. */
function spread({ data }: NDArray): number {
  const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
  const squares = data.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Math.sqrt(squares / (data.length - 1));
}
