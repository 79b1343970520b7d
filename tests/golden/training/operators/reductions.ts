/** Sums, extremes, norms and losses. */
import {
  abs,
  add,
  argmax,
  concat,
  cumsum,
  div,
  equal,
  exp,
  greater,
  log,
  max,
  maximum,
  mean,
  mul,
  neg,
  range,
  softmax,
  split,
  sqrt,
  sub,
  sum,
  unsqueeze,
  where,
} from '../../../../engine/tensor/nn.ts';
import { fixedDim } from '../../../../engine/tensor/shape.ts';
import type { Tensor } from '../../../../engine/tensor/tensor.ts';
import {
  type ElementLoss,
  jobLosses,
  nodeLosses,
} from '../../../../engine/training/objective/losses.ts';
import { objective } from '../../../../engine/training/objective/objective.ts';
import type { Operator, Operators } from './operator.ts';

const axesOf = (x: Tensor): number[] => x.shape.map((_, axis) => axis);
const sizeOf = (x: Tensor, axis: number): number => fixedDim(x.shape.at(axis)!, 'the axis');

/** x in slices of one along an axis. */
const slices = (x: Tensor, axis: number): Tensor[] =>
  split(x, new Array<number>(sizeOf(x, axis)).fill(1), axis);

function cumulativeProduct(x: Tensor, axis: number): Tensor {
  const [first, ...others] = slices(x, axis);
  const products = [first];
  for (const part of others) products.push(mul(products.at(-1)!, part));
  return concat(products, axis);
}

const product = (x: Tensor, axis: number): Tensor =>
  sum(
    slices(x, axis).reduce((all, part) => mul(all, part)),
    axis,
  );

function logSumExp(x: Tensor, axis: number, { keep = false } = {}): Tensor {
  const top = max(x, axis, { keep: true });
  const whole = add(log(sum(exp(sub(x, top)), axis, { keep: true })), top);
  return keep ? whole : sum(whole, axis);
}

/** The 2-norm; its gradient is 0 where it is 0. */
function norm(x: Tensor, axes: number | number[], { keep = false } = {}): Tensor {
  const squares = sum(mul(x, x), axes, { keep });
  const isLong = greater(squares, 0);
  return where(isLong, sqrt(where(isLong, squares, 1)), 0);
}

/** The variance over axes, of n - `less` numbers. */
function variance(x: Tensor, axes: number[], less: number): Tensor {
  const centred = sub(x, mean(x, axes, { keep: true }));
  const count = axes.reduce((n, axis) => n * sizeOf(x, axis), 1);
  return mul(sum(mul(centred, centred), axes), 1 / (count - less));
}

/** The largest along axis 1, read at its place. */
const largest = (x: Tensor): Tensor => {
  const isThere = equal(range(x.shape[1]), unsqueeze(argmax(x, 1), 1));
  return sum(where(isThere, x, 0), 1);
};

const lossOf =
  (loss: ElementLoss, threshold = loss.threshold): Operator =>
  ({ pred, target }) =>
    objective({ prediction: pred, target, loss: { ...loss, threshold } }).loss;

export const reductions: Operators = {
  sum_mean_axes: ({ x }) => [
    sum(x, 1),
    sum(x, [0, 2], { keep: true }),
    mean(x, axesOf(x)),
    mean(x, [1, 2]),
  ],
  global_pool: ({ x }) => [mean(x, [2, 3]), mean(mean(x, 3), 2)],
  amax_amin: ({ x }) => [max(x, -1), neg(max(neg(x), -1))],
  max_with_index: ({ x }) => largest(x),
  prod: ({ x }) => product(x, -1),
  cumsum_cumprod: ({ x }) => [cumsum(x, 1), cumulativeProduct(x, 0)],
  logsumexp: ({ x }) => logSumExp(x, -1),
  log_softmax: ({ x }) => sub(x, logSumExp(x, -1, { keep: true })),
  softmax_last: ({ x }) => softmax(x, -1),
  softmax_axis1_large: ({ x }) => softmax(x, 1),
  norms: ({ x }) => [norm(x, -1), norm(x, axesOf(x)), sum(abs(x), 0)],
  l2_normalize: ({ x }, { axis, eps }) => div(x, maximum(norm(x, axis, { keep: true }), eps)),
  var_std: ({ x }) => [variance(x, [2], 0), variance(x, [1, 2], 1), sqrt(variance(x, [0], 1))],

  loss_mse: lossOf(nodeLosses.MSE),
  loss_l1: lossOf(nodeLosses.L1),
  loss_huber: lossOf(nodeLosses.Huber),
  loss_huber_0p5: lossOf(nodeLosses.Huber, 0.5),
  loss_smooth_l1_0p5: lossOf(nodeLosses.SmoothL1, 0.5),
  loss_pseudo_huber: lossOf(jobLosses.pseudo_huber, 0.01),
};
