/** UniPC (Zhao et al. 2023, arXiv 2302.04867): unified predictor-corrector, multistep, data prediction. */
import { scale, sub, weightedSum } from '../../array/elementwise.ts';
import type { NDArray } from '../../array/nd.ts';
import { solveLinear } from '../../array/solve.ts';
import type { Sampler } from './sampler.ts';

interface Point {
  readonly sigma: number;
  /** The denoised picture there. */
  readonly m: NDArray;
}

/** Variance-preserving scaling of a level: x is divided by sqrt(1 + sigma²) for every model type. */
const alphaOf = (sigma: number): number => 1 / Math.hypot(1, sigma);

/**
 * Order 3 (less for short runs, ramping up at the start and down at the end). It cannot reach 0, so its
 * schedules end at 0.001 (`lastSigma` of its definition).
 */
export const uniPc =
  (variant: 'bh1' | 'bh2'): Sampler =>
  async (denoise, noisy, sigmas, { step }) => {
    const last = sigmas.length - 1;
    const order = Math.min(3, sigmas.length - 2);
    let x = scale(noisy, alphaOf(sigmas[0]));
    const evaluate = async (y: NDArray, sigma: number): Promise<NDArray> =>
      (await denoise(scale(y, 1 / alphaOf(sigma)), sigma)).denoised;
    const history: Point[] = [];
    for (let i = 0; i < last; i++) {
      if (i === 0) {
        history.push({ sigma: sigmas[0], m: await evaluate(x, sigmas[0]) });
      } else {
        const update = await advance(variant, x, history.slice(-Math.min(i, order)), {
          sigma: sigmas[i],
          // the order sinks towards the end
          order: i < order ? i : Math.min(order, last + 1 - i),
          evaluate,
        });
        x = update.x;
        history.push({ sigma: sigmas[i], m: update.m });
        history.splice(0, history.length - Math.max(order, 1));
        if (i === last - 1) {
          x = predict(variant, x, history, { sigma: sigmas[last], order: Math.min(order, 1) }).x;
        }
      }
      await step({ i, x, denoised: history[history.length - 1].m });
    }
    return scale(x, 1 / alphaOf(sigmas[last]));
  };

interface Target {
  readonly sigma: number;
  readonly order: number;
}

/** Predicts x at `sigma`, evaluates there, and corrects x with what was found. */
async function advance(
  variant: 'bh1' | 'bh2',
  x: NDArray,
  history: readonly Point[],
  target: Target & { evaluate: (y: NDArray, sigma: number) => Promise<NDArray> },
): Promise<{ readonly x: NDArray; readonly m: NDArray }> {
  const { base, terms, unit, R, b, x: predicted } = predict(variant, x, history, target);
  const m = await target.evaluate(predicted, target.sigma);
  const rho = target.order === 1 ? [0.5] : solveLinear(R, b);
  const newest = sub(m, history[history.length - 1].m);
  const corrections = [...terms, newest].map((d, k): [number, NDArray] => [-unit * rho[k], d]);
  return { x: weightedSum([1, base], ...corrections), m };
}

/** The predictor, and the linear system that the corrector solves again with one more point. */
function predict(
  variant: 'bh1' | 'bh2',
  x: NDArray,
  history: readonly Point[],
  { sigma, order }: Target,
): {
  readonly x: NDArray;
  readonly base: NDArray;
  readonly terms: readonly NDArray[];
  readonly unit: number;
  readonly R: readonly (readonly number[])[];
  readonly b: readonly number[];
} {
  const [current, ...older] = history.slice(-order).reverse();
  const h = Math.log(current.sigma / sigma);
  const ratios = older.map((point) => Math.log(current.sigma / point.sigma) / h);
  const terms = older.map(({ m }, k) => scale(sub(m, current.m), 1 / ratios[k]));
  const nodes = [...ratios, 1];

  const growth = Math.expm1(-h);
  const unitless = variant === 'bh1' ? -h : growth;
  const R: number[][] = [];
  const b: number[] = [];
  let phi = growth / -h - 1;
  let factorial = 1;
  for (let i = 1; i <= order; i++) {
    R.push(nodes.map((r) => r ** (i - 1)));
    b.push((phi * factorial) / unitless);
    factorial *= i + 1;
    phi = phi / -h - 1 / factorial;
  }

  const alpha = alphaOf(sigma);
  const shrink = (sigma * alpha) / (current.sigma * alphaOf(current.sigma));
  const base = weightedSum([shrink, x], [-alpha * growth, current.m]);
  const unit = alpha * unitless;
  const rho =
    order === 2
      ? [0.5]
      : solveLinear(
          R.slice(0, -1).map((row) => row.slice(0, -1)),
          b.slice(0, -1),
        );
  const predictions = terms.map((d, k): [number, NDArray] => [-unit * rho[k], d]);
  return { x: weightedSum([1, base], ...predictions), base, terms, unit, R, b };
}
