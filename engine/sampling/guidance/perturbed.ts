/** Guidance away from what a worse network predicts. */
import { axpby, sub } from '../../array/elementwise.ts';
import { NoodleError } from '../../errors.ts';
import type { GuidanceHooks } from './hooks.ts';

type After = NonNullable<GuidanceHooks['after']>[number];

/**
 * Perturbed-attention guidance (Ahn et al. 2024): scale · (positive - positive of the changed network)
 * is added to the guided prediction. Throws UNSUPPORTED for models whose network cannot be changed.
 */
export const perturbedGuidance =
  (change: { readonly identity: string }, scale: number): After =>
  async ({ run, x, sigma, cond, lists, denoised }) => {
    if (scale === 0) return denoised;
    const model = run.model.with?.([change]);
    if (!model)
      throw new NoodleError('UNSUPPORTED', { what: 'changing the attention of this model' });
    const [worse] = await run.evaluate([lists.cond], x, sigma, { model });
    return axpby(1, denoised, scale, sub(cond, worse));
  };
