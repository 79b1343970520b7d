/** From a prediction to the one number that is made small, as tensors of a program. */
import { NoodleError } from '../../errors.ts';
import { clamp, mean, mul, reshape, sub } from '../../tensor/nn.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { ElementLoss } from './losses.ts';

export interface ObjectiveParts {
  /** The network's answer, [b, ...]. */
  readonly prediction: Tensor;
  /** What it should be, of the same shape. */
  readonly target: Tensor;
  readonly loss: ElementLoss;
  /** A threshold for each sample, [b]; left out: the loss's own. */
  readonly threshold?: Tensor;
  /** Factors of elements, before any mean; broadcasts against the prediction. */
  readonly mask?: Tensor;
  /** A factor of each sample's mean, [b]. */
  readonly weight?: Tensor;
  /** The result is at most this; where it is cut off, nothing is learnt. */
  readonly maxLoss?: number;
}

export interface Objective {
  /** The mean over the batch, []. */
  readonly loss: Tensor;
  /** The weighted loss of each sample, [b]. */
  readonly perSample: Tensor;
}

/** Loss of elements, masked; its mean over each sample, weighted; the mean of those. */
export function objective(parts: ObjectiveParts): Objective {
  const { prediction, target, loss, threshold, mask, weight, maxLoss } = parts;
  const axes = prediction.shape.map((_, axis) => axis);
  const [batch, ...others] = prediction.shape;
  const given = threshold && reshape(threshold, [batch, ...others.map(() => 1)]);
  const elements = loss.of(sub(prediction, target), given ?? loss.threshold ?? NaN);
  const masked = mask ? mul(elements, mask) : elements;
  const means = mean(masked, axes.slice(1));
  const perSample = weight ? mul(means, weight) : means;
  const whole = mean(perSample, 0);
  return { loss: maxLoss === undefined ? whole : clamp(whole, -Infinity, maxLoss), perSample };
}

/**
 * The loss that keeps what a model knew: how far its prediction of another prompt, as that of the class,
 * is from the one without the adapter; both [b, ...].
 */
export const preservation = (prediction: Tensor, prior: Tensor, multiplier: number): Tensor => {
  const difference = sub(prediction, prior);
  const axes = prediction.shape.map((_, axis) => axis);
  return mul(mean(mul(difference, difference), axes), multiplier);
};

/** The factor of a batch with pictures of regularisation sets: the mean of theirs and of 1 for the others. */
export function regularisationFactor(isReg: readonly boolean[], regWeight: number): number {
  if (isReg.length === 0) {
    throw new NoodleError('BAD_INPUT', { subject: 'batch', expected: 'a picture', got: 'none' });
  }
  return isReg.reduce((sum, reg) => sum + (reg ? regWeight : 1), 0) / isReg.length;
}
