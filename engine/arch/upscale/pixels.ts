/** Small parts that many upscalers have: pixels and channels, and the sizes that tell them. */
import type { Weights } from '../../tensor/cursor.ts';
import { conv2d, layerNorm } from '../../tensor/layers.ts';
import {
  add,
  constant,
  div,
  maximum,
  mean,
  minimum,
  mul,
  permute,
  rearrange,
  relu,
  reshape,
  sigmoid,
  slice,
  softplus,
  sqrt,
  sub,
  sum,
  tanh,
} from '../../tensor/nn.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/** [b, c*r*r, h, w] as [b, c, h*r, w*r] (Shi et al. 2016). */
export const pixelShuffle = (x: Tensor, r: number): Tensor =>
  r === 1 ? x : rearrange(x, 'b (c i j) h w -> b c (h i) (w j)', { i: r, j: r });

/** [b, c, h*r, w*r] as [b, c*r*r, h, w]. */
export const pixelUnshuffle = (x: Tensor, r: number): Tensor =>
  r === 1 ? x : rearrange(x, 'b c (h i) (w j) -> b (c i j) h w', { i: r, j: r });

/** Features of a picture [1, c, h, w] with their channels last: [1, h, w, c]. */
export const channelsLast = (x: Tensor): Tensor => permute(x, [0, 2, 3, 1]);

/** The inverse of `channelsLast`. */
export const channelsFirst = (x: Tensor): Tensor => permute(x, [0, 3, 1, 2]);

/** Layer norm over the channels of x [1, c, h, w]. */
export const channelNorm = (w: Weights, x: Tensor, { eps = 1e-6 } = {}): Tensor =>
  channelsFirst(layerNorm(w, channelsLast(x), { eps }));

/**
 * Batch norm of x [b, c, h, w] by the mean and variance that training left in the file, with weight and bias
 * where it has them.
 */
export function batchNorm(w: Weights, x: Tensor, { eps = 1e-5 } = {}): Tensor {
  const isAffine = w.has('weight');
  const deviation = sqrt(add(w.param('running_var'), eps));
  const scale = div(isAffine ? w.param('weight') : 1, deviation);
  const shift = sub(isAffine ? w.param('bias') : 0, mul(w.param('running_mean'), scale));
  return add(mul(x, reshape(scale, [-1, 1, 1])), reshape(shift, [-1, 1, 1]));
}

/** x of length 1 along the last axis. */
export const unit = (x: Tensor): Tensor =>
  div(x, maximum(sqrt(sum(mul(x, x), -1, { keep: true })), 1e-12));

/** x [1, c, h, w] times a weight for each channel that two layers make of the means of all (RCAN). */
export function channelAttention(x: Tensor, first: Weights, second: Weights): Tensor {
  const means = mean(x, [2, 3], { keep: true }); // [1, c, 1, 1]
  return mul(x, sigmoid(conv2d(second, relu(conv2d(first, means)))));
}

/** x * tanh(softplus(x)) (Misra 2019). */
export const mish = (x: Tensor): Tensor => mul(x, tanh(softplus(x)));

/** x in two: its first `n` channels [1, n, h, w], and the others. */
export const splitChannels = (x: Tensor, n: number): [Tensor, Tensor] => [
  slice(x, 1, 0, n),
  slice(x, 1, n),
];

/** x where positive, elsewhere times the channel's slope (`weight`, one or one a channel). */
export function prelu(w: Weights, x: Tensor): Tensor {
  const slope = reshape(w.param('weight'), [-1, 1, 1]);
  return add(relu(x), mul(minimum(x, 0), slope));
}

/** The mean of the colours of DIV2K, which most networks take from their pictures. */
const meanColour = [0.4488, 0.4371, 0.404];

/** (x - mean) * range for RGB pictures [b, 3, h, w]; other pictures have no mean. */
export const centred = (x: Tensor, range = 1): Tensor => {
  const moved = x.shape[1] === 3 ? sub(x, constant(meanColour, [1, 3, 1, 1])) : x;
  return range === 1 ? moved : mul(moved, range);
};

/** The inverse of `centred`. */
export const uncentred = (x: Tensor, range = 1): Tensor => {
  const scaled = range === 1 ? x : div(x, range);
  return x.shape[1] === 3 ? add(scaled, constant(meanColour, [1, 3, 1, 1])) : scaled;
};

/**
 * Scale and output channels whose product scale^2 * channels is the number of channels before a
 * pixel shuffle; the output is taken to have as many channels as the input, else 3, 4 or 1.
 */
export function shuffleSizes(
  channels: number,
  inputChannels: number,
): { readonly scale: number; readonly outputChannels: number } | undefined {
  for (const outputChannels of [inputChannels, 3, 4, 1]) {
    const scale = Math.sqrt(channels / outputChannels);
    if (Number.isInteger(scale) && scale > 0) return { scale, outputChannels };
  }
  return undefined;
}

/** The numbers n for which keys `path.n` or `path.n.…` exist, in order; lists may have gaps. */
export function numbersUnder(w: Weights, path = ''): number[] {
  const full = [w.scope, path, ''].filter((part, i) => part !== '' || i === 2).join('.');
  const found = new Set<number>();
  for (const key of w.ledger.source.tensors.keys()) {
    const number = key.startsWith(full) ? /^\d+/.exec(key.slice(full.length))?.[0] : undefined;
    if (number !== undefined) found.add(Number(number));
  }
  return [...found].sort((a, b) => a - b);
}
