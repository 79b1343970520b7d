/** Numbers (times, sizes, strengths) as vectors that networks read. */
import { concat, constant, cos, mul, sin, unsqueeze } from '../tensor/nn.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** cat(cos, sin)(t * 10000^(-i / half)) of t [b]: [b, width] (Ho et al. 2020, cosines first). */
export function sinusoidalEmbedding(t: Tensor, width: number): Tensor {
  const half = width / 2;
  const frequencies = Float32Array.from({ length: half }, (_, i) =>
    Math.exp((-Math.log(10000) * i) / half),
  );
  const angles = mul(unsqueeze(t, 1), constant(frequencies, [1, half])); // [b, half]
  return concat([cos(angles), sin(angles)], 1); // [b, width]
}
