/** Numbers (times, sizes, strengths) as vectors that networks read. */
import { concat, constant, cos, mul, sin, unsqueeze } from '../tensor/nn.ts';
import type { Tensor } from '../tensor/tensor.ts';

const f = Math.fround;

/**
 * cat(cos, sin)(t * 10000^(-i / half)) of t [b]: [b, width] (Ho et al. 2020, cosines first). The speeds are
 * rounded step by step as the reference's are: at large t their last digits are seen in the angles.
 */
export function sinusoidalEmbedding(t: Tensor, width: number): Tensor {
  const half = width / 2;
  const speeds = Float32Array.from({ length: half }, (_, i) =>
    Math.exp(f(f(f(-Math.log(10000)) * i) / half)),
  );
  const angles = mul(unsqueeze(t, 1), constant(speeds, [1, half])); // [b, half]
  return concat([cos(angles), sin(angles)], 1); // [b, width]
}

/**
 * cat(sin, cos)(t * 10000^(-i / (half - 1))) of t [b]: [b, width]; sines first, and the slowest speed is
 * 1 / 10000 itself (Würstchen).
 */
export function sinesFirst(t: Tensor, width: number): Tensor {
  const half = width / 2;
  const step = f(-Math.log(10000) / (half - 1));
  const speeds = Float32Array.from({ length: half }, (_, i) => Math.exp(f(step * i)));
  const angles = mul(unsqueeze(t, 1), constant(speeds, [1, half])); // [b, half]
  return concat([sin(angles), cos(angles)], 1); // [b, width]
}
