/** Guiders with more than a positive and a negative side. */
import { axpby, weightedSum } from '../../array/elementwise.ts';
import { zeros } from '../../array/nd.ts';
import type { Conditioning } from '../conditioning.ts';
import { combineCfg, finishCfg, guide, isOne } from './cfg.ts';
import type { PreparedEntry } from '../prepared.ts';
import type { GuidanceInput, Guider } from './hooks.ts';
import { perpNeg } from './projected.ts';

/**
 * DualCFGGuider: cond1 is guided away from cond2, and cond2 away from the negative. Nested, the first
 * guidance is the thing that is guided by the second; regular, both differences are added.
 */
export function dualCfgGuider(options: {
  cond1: Conditioning;
  cond2: Conditioning;
  negative: Conditioning;
  cfgConds: number;
  cfgCond2Negative: number;
  nested: boolean;
}): Guider {
  const { cond1, cond2, negative, cfgConds, cfgCond2Negative, nested } = options;
  return {
    lists: { positive: cond1, middle: cond2, negative },
    async predict(run, x, sigma) {
      const { positive, middle, negative: low } = run.lists;
      const maySkip = !nested && !run.hooks.alwaysUncond && isOne(cfgCond2Negative);
      const lists = [unless(maySkip, low), unless(maySkip && isOne(cfgConds), middle), positive];
      const [n, m, p] = await run.evaluate(lists, x, sigma);
      const shared = { x, sigma, run, hasUncond: true };
      if (nested) {
        const inner = await combineCfg({
          ...shared,
          cfg: cfgConds,
          cond: p,
          uncond: m,
          lists: { cond: positive, uncond: middle },
        });
        return { denoised: axpby(1 - cfgCond2Negative, n, cfgCond2Negative, inner), uncond: m };
      }
      const base = await combineCfg({
        ...shared,
        cfg: cfgCond2Negative,
        cond: m,
        uncond: n,
        hasUncond: !maySkip,
        lists: { cond: middle, uncond: unless(maySkip, low) },
      });
      return { denoised: weightedSum([1, base], [cfgConds, p], [-cfgConds, m]), uncond: n };
    },
  };
}

const unless = <T>(skip: boolean, list: T): T | undefined => (skip ? undefined : list);

/** PerpNegGuider: positive, negative and empty prompt in one evaluation. */
export function perpNegGuider(options: {
  positive: Conditioning;
  negative: Conditioning;
  empty: Conditioning;
  cfg: number;
  negScale: number;
}): Guider {
  const { positive, negative, empty, negScale } = options;
  const unscaled = negScale === 0;
  return {
    lists: { positive, empty, negative },
    async predict(run, x, sigma, cfg = options.cfg) {
      const { hooks } = run;
      const skipNegative = unscaled && !hooks.alwaysUncond;
      const { positive, negative, empty } = run.lists;
      const sides = { cond: positive, uncond: unless(skipNegative, negative) };
      const lists = [sides.cond, sides.uncond, unless(skipNegative && isOne(cfg), empty)];
      const [p, n, e] = await run.evaluate(lists, x, sigma);
      const shared = { x, sigma, cfg, hasUncond: !skipNegative, lists: sides, run };
      let input: GuidanceInput = { ...shared, cond: p, uncond: n };
      for (const hook of hooks.before ?? []) input = { ...input, ...(await hook(input)) };
      const { cond, uncond } = input;
      const joined = perpNeg({ cond, uncond, empty: e, cfg, negScale });
      return { denoised: await finishCfg({ ...input, denoised: joined }), uncond };
    },
  };
}

/**
 * DualModelGuider: the positive side is predicted by the model that is sampled, the negative one by the
 * run's second model (which needs to be there unless cfg is 1).
 */
export function dualModelGuider(options: {
  positive: Conditioning;
  negative: Conditioning;
  cfg: number;
}): Guider {
  const key = {};
  return {
    lists: { positive: options.positive },
    async predict(run, x, sigma, cfg = options.cfg) {
      const { positive } = run.lists;
      const [cond] = await run.evaluate([positive], x, sigma);
      const single = isOne(options.cfg) || (isOne(cfg) && !run.hooks.alwaysUncond);
      if (single || !run.second) return { denoised: cond, uncond: zeros(cond.shape) };
      let negative = run.state.get(key) as readonly PreparedEntry[] | undefined;
      if (!negative) {
        negative = await run.prepare(options.negative, run.second);
        run.state.set(key, negative);
      }
      const [uncond] = await run.evaluate([negative], x, sigma, { model: run.second });
      const lists = { cond: positive, uncond: negative };
      return guide({ x, sigma, cfg, cond, uncond, hasUncond: true, lists, run });
    },
  };
}
