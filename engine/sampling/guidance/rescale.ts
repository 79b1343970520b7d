/** Guidance that keeps the size of the prediction in check. */
import { axpby, map, sub, weightedSum, zip } from '../../array/elementwise.ts';
import { halfLogSnr } from '../half-log-snr.ts';
import type { GuidanceHooks } from './hooks.ts';
import { channelDot, deviation, dot, groupSum, perItem, scaleCells } from './groups.ts';

type Combine = NonNullable<GuidanceHooks['combine']>;
type After = NonNullable<GuidanceHooks['after']>[number];
type PredictHook = NonNullable<GuidanceHooks['predict']>[number];

/**
 * RescaleCFG (Lin et al. 2023): in v space the guided prediction gets the deviation of the positive
 * one, mixed in by `multiplier`.
 */
export const rescaleCfg =
  (multiplier: number): Combine =>
  ({ x, sigma, cfg, cond, uncond }) => {
    const variance = sigma * sigma + 1;
    const k = Math.sqrt(variance) / sigma;
    const v = (denoised: typeof x): typeof x => axpby(k / variance, x, -k, denoised);
    const positive = v(cond);
    const guided = axpby(1 - cfg, v(uncond), cfg, positive);
    const items = perItem(guided);
    const [wanted, got] = [deviation(positive, items), deviation(guided, items)];
    const gain = wanted.map((d, i) => (multiplier * d) / got[i] + 1 - multiplier);
    const rescaled = groupSum(items, [gain, guided]);
    return axpby(1 / variance, x, -1 / k, rescaled);
  };

/**
 * RenormCFG (Lumina-Image 2.0): above `cfgTrunc` only the positive prediction counts; below it the guided
 * one may be at most `renorm` times as long as the positive one (0: any length). Lengths per item.
 */
export const renormCfg =
  ({ cfgTrunc, renorm }: { cfgTrunc: number; renorm: number }): Combine =>
  ({ sigma, cfg, cond, uncond }) => {
    if (sigma >= cfgTrunc) return cond;
    const guided = axpby(1 - cfg, uncond, cfg, cond);
    if (renorm <= 0) return guided;
    const items = perItem(guided);
    const [wanted, got] = [dot(cond, cond, items), dot(guided, guided, items)];
    const gains = got.map((square, i) => Math.min(1, renorm * Math.sqrt(wanted[i] / square)));
    return groupSum(items, [gains, guided]);
  };

/** CFG-Zero* (Fan et al. 2025): the unconditional side is scaled to fit the positive one best. */
export const cfgZeroStar: After = ({ x, cfg, cond, uncond, denoised }) => {
  const [c, u] = [sub(x, cond), sub(x, uncond)];
  const items = perItem(x);
  const squares = dot(u, u, items);
  const gain = dot(c, u, items).map(
    (product, i) => (product / (squares[i] + 1e-8) - 1) * (1 - cfg),
  );
  return groupSum(items, [gain.map(() => 1), denoised], [gain, uncond]);
};

/** CFGNorm: no cell may be longer (over channels) than the positive prediction there. */
export const cfgNorm =
  (strength: number): After =>
  ({ cond, denoised }) => {
    const [wanted, got] = [channelDot(cond, cond), channelDot(denoised, denoised)];
    return scaleCells(denoised, (i) => {
      const ratio = Math.sqrt(wanted[i]) / (Math.sqrt(got[i]) + 1e-8);
      return Math.min(1, Math.max(0, ratio)) * strength;
    });
  };

/**
 * The other CFGNorm, before guidance is joined: in noise space the guided prediction gets the length (over
 * channels) of the positive one in every cell; `strength` blends to plain guidance.
 */
export const cfgNormBefore =
  (strength: number): Combine =>
  ({ x, cfg, cond, uncond }) => {
    const positive = sub(x, cond);
    const guided = axpby(1 - cfg, sub(x, uncond), cfg, positive);
    const [wanted, got] = [channelDot(positive, positive), channelDot(guided, guided)];
    const rescaled = scaleCells(guided, (i) => {
      const ratio = got[i] > 0 ? Math.sqrt(wanted[i]) / Math.max(Math.sqrt(got[i]), 1e-12) : 1;
      return strength * ratio + 1 - strength;
    });
    return sub(x, rescaled);
  };

/**
 * Temporal score rescaling (Xu et al. 2025, arXiv 2510.01184): the noise is scaled by a ratio that goes
 * from 1 at high noise to `k` at none; `sigma` says how early.
 */
export const temporalScoreRescaling =
  ({ k, sigma: reach }: { k: number; sigma: number }): After =>
  ({ x, sigma, denoised, run }) => {
    if (k === 1 || sigma === 0) return denoised;
    const { lambda, alpha } = halfLogSnr(run.model.modelSampling).at(sigma);
    const snr = Math.exp(2 * lambda);
    if (snr === 0) return denoised;
    const seen = snr * reach ** 2;
    const ratio = snr === Infinity ? k : (seen + 1) / (seen / k + 1);
    return axpby((1 - ratio) / alpha, x, ratio, denoised);
  };

/** Another cfg while end <= sigma <= start; of several that act the one put on last counts. */
export const cfgBetween =
  (cfg: number, { start, end }: { start: number; end: number }): PredictHook =>
  (next, { sampling }) => {
    const [high, low] = [start, end].map((percent) =>
      Math.fround(sampling.percentToSigma(percent)),
    );
    return (at) =>
      next(at.sigma <= high && at.sigma >= low && at.cfg === undefined ? { ...at, cfg } : at);
  };

const signedRoot = (value: number): number => Math.sign(value) * Math.sqrt(Math.abs(value));

/** Mahiro: leans on the positive prediction alone the less it agrees with the negative one. */
export const mahiro: After = ({ cfg, cond, uncond, denoised }) => {
  const merged = map(
    zip(cond, denoised, (c, d) => (c * cfg + d) / 2),
    signedRoot,
  );
  const negative = map(uncond, (u) => signedRoot(u * cfg));
  const [ab, aa, bb] = [
    channelDot(negative, merged),
    channelDot(negative, negative),
    channelDot(merged, merged),
  ];
  const cosines = ab.map((product, i) => {
    const lengths = Math.max(Math.sqrt(aa[i]), 1e-8) * Math.max(Math.sqrt(bb[i]), 1e-8);
    return product / lengths;
  });
  const similarity = cosines.reduce((sum, c) => sum + c, 0) / cosines.length;
  const weight = 2 * (similarity + 1);
  return axpby(weight / 4, denoised, ((4 - weight) * cfg) / 4, cond);
};

/** Epsilon scaling (Ning et al. 2023): the predicted noise divided by a factor near 1. */
export const epsilonScaling =
  (factor: number): After =>
  ({ x, denoised }) =>
    weightedSum([1 - 1 / factor, x], [1 / factor, denoised]);

/** Guidance that grows linearly over the frames (rows), from `minCfg` to cfg. */
export const videoLinearCfg =
  (minCfg: number): Combine =>
  ({ cfg, cond, uncond }) =>
    perFrame(cond, uncond, (part) => minCfg + (cfg - minCfg) * part);

/** Guidance that is `minCfg` at both ends of the frames (rows) and cfg in the middle. */
export const videoTriangleCfg =
  (minCfg: number): Combine =>
  ({ cfg, cond, uncond }) =>
    perFrame(cond, uncond, (part) => {
      const height = 2 * Math.abs(part - Math.floor(part + 0.5));
      return height * (cfg - minCfg) + minCfg;
    });

function perFrame(
  cond: Parameters<typeof perItem>[0],
  uncond: Parameters<typeof perItem>[0],
  weight: (part: number) => number,
): typeof cond {
  const items = perItem(cond);
  const weights = Float64Array.from({ length: items.count }, (_, i) =>
    weight(items.count === 1 ? 0 : i / (items.count - 1)),
  );
  return groupSum(items, [weights.map((w) => 1 - w), uncond], [weights, cond]);
}
