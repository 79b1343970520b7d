/**
 * Losses of one element, as functions of the difference d = prediction - target. A threshold is a number
 * or a tensor that broadcasts against d, such as one for each sample.
 */
import { abs, add, div, minimum, mul, sqrt, sub } from '../../tensor/nn.ts';
import type { Tensor } from '../../tensor/tensor.ts';

export type Threshold = Tensor | number;

export interface ElementLoss {
  readonly of: (difference: Tensor, threshold: Threshold) => Tensor;
  /** The threshold where none is given, of losses that have one. */
  readonly threshold?: number;
}

/** d²/2 up to delta, delta·(|d| - delta/2) beyond (Huber 1964). */
function huberOf(d: Tensor, delta: Threshold): Tensor {
  const size = abs(d);
  const inner = minimum(size, delta);
  return mul(inner, sub(size, mul(inner, 0.5)));
}

/** sqrt(d² + c²) - c (Charbonnier et al. 1994). */
const pseudoHuberOf = (d: Tensor, c: Threshold): Tensor => sub(sqrt(add(mul(d, d), mul(c, c))), c);

const mse: ElementLoss = { of: (d) => mul(d, d) };
const l1: ElementLoss = { of: (d) => abs(d) };
const huber: ElementLoss = { of: huberOf, threshold: 1 };
const smoothL1: ElementLoss = { of: (d, beta) => div(huberOf(d, beta), beta), threshold: 1 };
const pseudoHuber: ElementLoss = { of: pseudoHuberOf, threshold: 0.01 };

/** The names of `loss_function` of ComfyUI's training node. */
export const nodeLosses = { MSE: mse, L1: l1, Huber: huber, SmoothL1: smoothL1 } as const;

/** The names of `loss_type` in ai-toolkit's job files. */
export const jobLosses = { mse, mae: l1, pseudo_huber: pseudoHuber } as const;

/**
 * The names of `loss_type` of sd-scripts, whose Huber losses are smooth ones: twice the pseudo-Huber loss,
 * scaled to meet d² at 0 or 2·|d| far away. Thresholds: `huberThresholds`.
 */
export const scriptLosses = {
  l2: mse,
  l1,
  huber: { of: (d, c) => mul(mul(c, 2), pseudoHuberOf(d, c)), threshold: 0.1 },
  smooth_l1: { of: (d, c) => mul(pseudoHuberOf(d, c), 2), threshold: 0.1 },
} as const satisfies Readonly<Record<string, ElementLoss>>;
