/** Guidance that looks at directions: projections of one prediction on another. */
import { axpby, sub, weightedSum } from '../../array/elementwise.ts';
import type { NDArray } from '../../array/nd.ts';
import type { Conditioning } from '../conditioning.ts';
import type { GuidanceHooks } from './hooks.ts';
import { dot, groupSum, perItem, perPicture } from './groups.ts';

type Before = NonNullable<GuidanceHooks['before']>[number];
type Combine = NonNullable<GuidanceHooks['combine']>;

/** What adaptive projected guidance keeps for the next evaluation. */
interface Average {
  readonly guidance: NDArray;
  readonly sigma: number;
}

/**
 * Adaptive projected guidance (Sadat et al. 2024): the part of the guidance along the positive
 * prediction is scaled by `eta`, its length limited, and a running average kept over the steps.
 */
export function adaptiveProjectedGuidance(options: {
  eta: number;
  normThreshold: number;
  momentum: number;
}): Before {
  const { eta, normThreshold, momentum } = options;
  const key = {};
  return ({ cond, uncond, sigma, cfg, run }) => {
    let guidance = sub(cond, uncond);
    if (momentum !== 0) {
      const before = run.state.get(key) as Average | undefined;
      // like the reference, samplers that go up again start anew
      if (before && sigma <= before.sigma) guidance = axpby(momentum, before.guidance, 1, guidance);
      run.state.set(key, { guidance, sigma } satisfies Average);
    }
    const pictures = perPicture(cond);
    if (normThreshold > 0) {
      const squares = dot(guidance, guidance, pictures);
      const gains = squares.map((square) => Math.min(1, normThreshold / Math.sqrt(square)));
      guidance = groupSum(pictures, [gains, guidance]);
    }
    const squares = dot(cond, cond, pictures);
    const along = dot(guidance, cond, pictures).map(
      (product, i) => (product * (eta - 1)) / Math.max(squares[i], 1e-24),
    );
    const projected = groupSum(pictures, [along.map(() => 1), guidance], [along, cond]);
    const modified = weightedSum([1 - 1 / cfg, uncond], [1, projected], [1 / cfg, cond]);
    return { cond: modified, uncond };
  };
}

/**
 * Tangential damping (Kwon et al. 2025): the negative score keeps only its part along the first
 * singular direction of both scores.
 */
export const tangentialDamping: Before = ({ x, cond, uncond, hasUncond }) => {
  if (!hasUncond) return { cond, uncond };
  const [u, c] = [sub(x, uncond), sub(x, cond)];
  const items = perItem(x);
  const [uu, uc, cc] = [dot(u, u, items), dot(u, c, items), dot(c, c, items)];
  // The right singular vector is a·u + b·c, with (a, b) the top eigenvector of the 2 x 2 Gram matrix.
  const onU = new Float64Array(items.count);
  const onC = new Float64Array(items.count);
  for (let i = 0; i < items.count; i++) {
    const angle = Math.atan2(2 * uc[i], uu[i] - cc[i]) / 2;
    const [a, b] = [Math.cos(angle), Math.sin(angle)];
    const square = a * a * uu[i] + 2 * a * b * uc[i] + b * b * cc[i];
    const projection = square === 0 ? 0 : (a * uu[i] + b * uc[i]) / square;
    onU[i] = projection * a;
    onC[i] = projection * b;
  }
  const damped = groupSum(items, [onU, u], [onC, c]);
  return { cond, uncond: sub(x, damped) };
};

/**
 * Perp-Neg (Armandpour et al. 2023): from the negative direction only what is perpendicular to the
 * positive one is taken away; `empty` is the prediction without a prompt. Over the whole batch.
 */
export function perpNeg(options: {
  cond: NDArray;
  uncond: NDArray;
  empty: NDArray;
  cfg: number;
  negScale: number;
}): NDArray {
  const { cond, uncond, empty, cfg, negScale } = options;
  const [positive, negative] = [sub(cond, empty), sub(uncond, empty)];
  const all = { count: 1, size: cond.data.length };
  const [product] = dot(negative, positive, all);
  const [square] = dot(positive, positive, all);
  return weightedSum(
    [1, empty],
    [cfg * (1 + (negScale * product) / square), positive],
    [-cfg * negScale, negative],
  );
}

/** Perp-Neg as a patch of a model: the empty prompt is evaluated beside the usual two. */
export const perpNegPatch =
  (emptyConditioning: Conditioning, negScale: number): Combine =>
  async ({ x, sigma, cfg, cond, uncond, run }) => {
    const [empty] = await run.evaluate([await run.prepare(emptyConditioning)], x, sigma);
    return perpNeg({ cond, uncond, empty, cfg, negScale });
  };
