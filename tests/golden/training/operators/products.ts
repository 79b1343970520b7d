/** Matrix products, linear layers and convolutions. */
import {
  concat,
  constant,
  div,
  expand,
  matmul,
  mul,
  padZero,
  reshape,
  slice,
  split,
  squeeze,
  sub,
  transpose,
  unsqueeze,
} from '../../../../engine/tensor/nn.ts';
import { productOps } from '../../../../engine/tensor/ops/products.ts';
import { convAttrs, spread, windowOps } from '../../../../engine/tensor/ops/windows.ts';
import { fixedDim } from '../../../../engine/tensor/shape.ts';
import { type Tensor, node } from '../../../../engine/tensor/tensor.ts';
import { einsum } from './einsum.ts';
import type { Operator, Operators } from './operator.ts';

const given = (...inputs: readonly (Tensor | undefined)[]): Tensor[] =>
  inputs.filter((input) => input !== undefined);

/** x [..., in] times weight [out, in], plus bias. */
export const linear = (x: Tensor, weight: Tensor, bias?: Tensor): Tensor =>
  node(productOps.linear, given(x, weight, bias), {});

/** A convolution with a bias. */
export const convolution = (
  x: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
  options: Parameters<typeof convAttrs>[1] = {},
): Tensor => node(windowOps.conv, given(x, weight, bias), convAttrs(weight, options));

const conv: Operator = ({ x, w, b }, { padding = 0, stride, dilation, groups }) => {
  const sides = typeof padding === 'number' ? padding : [...padding, ...padding];
  return convolution(x, w, b, { pad: sides, stride, dilation, groups });
};

const convTranspose: Operator = (
  { x, w, b },
  { padding = 0, stride = 1, output_padding: outputPad = 0, groups = 1 },
) => {
  const n = w.shape.length - 2;
  return node(windowOps.convTranspose, given(x, w, b), {
    strides: spread(stride, n),
    pads: spread(padding, 2 * n),
    outputPads: spread(outputPad, n),
    groups,
  });
};

const sum: Operator = ({ x0, x1, x2 }, { equation }) => einsum(equation, ...given(x0, x1, x2));

/** a [m, n] times every number of b [p, q], as [m·p, n·q]. */
function kronecker(a: Tensor, b: Tensor): Tensor {
  const [m, n, p, q] = [...a.shape, ...b.shape].map((dim) => fixedDim(dim, 'an axis'));
  return reshape(mul(reshape(a, [m, 1, n, 1]), reshape(b, [1, p, 1, q])), [m * p, n * q]);
}

/** The inverse of I - Q with Q = q - qᵀ [k, n, n]: elimination, for which no pivot is ever below 1. */
function inverse(q: Tensor): Tensor {
  const n = fixedDim(q.shape[1], 'the matrix');
  const ones = new Array<number>(n).fill(1);
  const eye = Float32Array.from({ length: n * n }, (_, i) => Number(i % (n + 1) === 0));
  const identity = expand(constant(eye, [1, n, n]), q.shape);
  const skew = sub(q, transpose(q, 1, 2));
  let rows = split(concat([sub(identity, skew), identity], 2), ones, 1); // of [k, n, 2n]
  for (let i = 0; i < n; i++) {
    const entry = (row: Tensor): Tensor => slice(row, 2, i, i + 1);
    const pivot = div(rows[i], entry(rows[i]));
    rows = rows.map((row, j) => (j === i ? pivot : sub(row, mul(entry(row), pivot))));
  }
  return slice(concat(rows, 1), 2, n);
}

export const products: Operators = {
  linear_bias: ({ x, w, b }) => linear(x, w, b),
  linear_nobias: ({ x, w }) => linear(x, w),
  matmul_2d: ({ a, b }) => matmul(a, b),
  matmul_batched: ({ a, b }) => matmul(a, b),
  matmul_broadcast: ({ a, b }) => matmul(a, b),
  matmul_vector: ({ a, v, w }) => [
    squeeze(matmul(a, unsqueeze(v, 1)), -1),
    squeeze(matmul(unsqueeze(w, 0), a), 1),
  ],
  einsum_av: sum,
  einsum_blocks: sum,
  einsum_outer: sum,
  einsum_qk: sum,
  einsum_trace_mean: sum,
  einsum_tucker: sum,
  kron: ({ a, b }) => kronecker(a, b),
  inverse: ({ q }) => inverse(q),

  conv1d_k3: conv,
  conv2d_1x1: conv,
  conv2d_1x1_nobias: conv,
  conv2d_3x3_pad1: conv,
  conv2d_3x3_stride2: conv,
  conv2d_depthwise: conv,
  conv2d_dilated: conv,
  conv2d_groups: conv,
  conv2d_patch: conv,
  conv3d_3x1x1: conv,
  conv3d_3x3x3: conv,
  conv2d_pad_right_bottom_stride2: ({ x, w, b }, { pad: [left, right, top, bottom], stride }) => {
    const padded = padZero(x, [
      [top, bottom],
      [left, right],
    ]);
    return convolution(padded, w, b, { stride });
  },
  conv_transpose2d: convTranspose,
  conv_transpose2d_k2: convTranspose,
};
