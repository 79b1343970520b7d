/** OFT (Qiu et al. 2023) in training: its rotation is computed in the program, so that it can be derived. */
import type { NDArray } from '../../array/nd.ts';
import { sizeOf } from '../../array/nd.ts';
import type { AdapterAct } from '../../patch/lora/kinds.ts';
import {
  add,
  concat,
  constant,
  div,
  expand,
  greater,
  matmul,
  maximum,
  mul,
  permute,
  reshape,
  scalar,
  slice,
  sqrt,
  sub,
  sum,
  where,
} from '../../tensor/nn.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/**
 * Blocks [n, s, s] that turn the s rows of each of n parts of a weight [n*s, ...]: with Q = B - Bᵀ, brought
 * to a norm of at most `limit` (0: any), R = (I + Q)(I - Q)⁻¹ and every part Rᵀ times itself.
 */
export function oftInTraining(
  blocks: NDArray,
  shape: readonly number[],
  limit: number,
): AdapterAct | undefined {
  const [count, size] = blocks.shape;
  if (count * size !== shape[0]) return undefined;
  return {
    arrays: { blocks },
    change: (weight, fed) => {
      const b = fed('blocks');
      const q = limited(sub(b, permute(b, [0, 2, 1])), limit);
      const one = expand(identity(size), [count, size, size]);
      const rotation = matmul(add(one, q), inverse(sub(one, q)));
      const parts = reshape(weight, [count, size, sizeOf(shape.slice(1))]);
      return reshape(matmul(permute(rotation, [0, 2, 1]), parts), shape);
    },
  };
}

/** Under this the root of a sum of squares has no useful slope: all are 0. */
const tiny = 1e-30;

function limited(q: Tensor, limit: number): Tensor {
  if (limit <= 0) return q;
  const squares = maximum(sum(mul(q, q), [0, 1, 2]), scalar(tiny));
  const norm = add(sqrt(squares), 1e-8);
  return mul(q, where(greater(norm, limit), div(scalar(limit), norm), 1));
}

const identity = (n: number): Tensor =>
  constant(
    Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0)),
    [1, n, n],
  );

/**
 * Inverses of matrices [n, s, s] by Gauss and Jordan without pivots: what I - Q of a skew-symmetric Q allows, for its
 * symmetric part is I.
 */
function inverse(matrices: Tensor): Tensor {
  const [count, size] = matrices.shape as readonly number[];
  let rows = concat([matrices, expand(identity(size), [count, size, size])], 2); // [n, s, 2s]
  for (let column = 0; column < size; column++) {
    const pivot = slice(rows, 1, column, column + 1);
    const row = div(pivot, slice(pivot, 2, column, column + 1));
    const own = constant(
      Array.from({ length: size }, (_, i) => (i === column ? 1 : 0)),
      [1, size, 1],
    );
    // the pivot's row becomes `row`, the others lose what they have in its column
    rows = sub(rows, mul(sub(slice(rows, 2, column, column + 1), own), row));
  }
  return slice(rows, 2, size, 2 * size);
}
