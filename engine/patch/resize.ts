/** Resizing inside a network by tables that are made outside: one program for all sizes. */
import { slerpSteps } from '../array/bislerp.ts';
import { type SeparableMethod, resampleTaps } from '../array/resample-taps.ts';
import type { InterpolateMethod } from '../array/resize.ts';
import {
  acos,
  add,
  clamp,
  div,
  gather,
  greater,
  input,
  less,
  matmul,
  mul,
  reshape,
  sin,
  sqrt,
  sub,
  sum,
  where,
} from '../tensor/nn.ts';
import type { Dim } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Feeds } from './patch.ts';

/** Height and width. */
export type Size<D = number> = readonly [D, D];

/**
 * x [b, c, h, w] at another size by one of torch's methods or bislerp; the tables are inputs of the program
 * under names that begin with `name`, whose values `resizeFeeds` makes.
 */
export function resizeBy(
  name: string,
  method: InterpolateMethod,
  x: Tensor,
  [height, width]: Size<Dim>,
): Tensor {
  if (method === 'bislerp') return slerpAxis(name, slerpAxis(name, x, 3, width), 2, height);
  const rows = input(`${name}/rows`, 'f32', [height, x.shape[2]]);
  const columns = input(`${name}/columns`, 'f32', [width, x.shape[3]]);
  return matmul(matmul(rows, x), columns, { transposeB: true });
}

/** The tables for a resize from one size to another. */
export function resizeFeeds(
  name: string,
  method: InterpolateMethod,
  from: Size,
  to: Size,
): Record<string, Feeds[string]> {
  if (method === 'bislerp') {
    return { ...slerpFeeds(name, 2, from[0], to[0]), ...slerpFeeds(name, 3, from[1], to[1]) };
  }
  const fused = to[0] + to[1] > 128; // as `interpolate`
  return {
    [`${name}/rows`]: matrix(method, from[0], to[0], fused),
    [`${name}/columns`]: matrix(method, from[1], to[1], fused),
  };
}

/** The resize of one axis as a matrix [to, from]. */
function matrix(method: SeparableMethod, from: number, to: number, fused: boolean) {
  const { offset, index, weight } = resampleTaps(method, from, to, fused);
  const data = new Float32Array(to * from);
  for (let o = 0; o < to; o++) {
    for (let k = offset[o]; k < offset[o + 1]; k++) data[o * from + index[k]] += weight[k];
  }
  return { data, shape: [to, from] };
}

function slerpFeeds(name: string, axis: number, from: number, to: number) {
  const { first, second, ratio } = slerpSteps(from, to);
  const ids = (values: Int32Array) => ({ ids: BigInt64Array.from(values, BigInt), shape: [to] });
  return {
    [`${name}/first${axis}`]: ids(first),
    [`${name}/second${axis}`]: ids(second),
    [`${name}/ratio${axis}`]: { data: ratio, shape: [to] },
  };
}

/** bislerp along one axis: channel vectors p and q of neighbouring cells, turned by a ratio. */
function slerpAxis(name: string, x: Tensor, axis: 2 | 3, size: Dim): Tensor {
  const cells = (which: string): Tensor =>
    gather(x, input(`${name}/${which}${axis}`, 'i64', [size]), axis);
  const [p, q] = [cells('first'), cells('second')];
  const ratio = input(`${name}/ratio${axis}`, 'f32', [size]);
  const r = reshape(ratio, axis === 3 ? [1, 1, 1, size] : [1, 1, size, 1]);
  const rest = sub(1, r);
  const length = (v: Tensor): Tensor => sqrt(sum(mul(v, v), 1, { keep: true }));
  const [lengthP, lengthQ] = [length(p), length(q)];
  const unit = (v: Tensor, n: Tensor): Tensor => div(v, clamp(n, tiny));
  const [unitP, unitQ] = [unit(p, lengthP), unit(q, lengthQ)];
  const dot = sum(mul(unitP, unitQ), 1, { keep: true });
  const omega = acos(clamp(dot, -nearOne, nearOne));
  const turned = add(mul(sin(mul(rest, omega)), unitP), mul(sin(mul(r, omega)), unitQ));
  const between = add(mul(lengthP, rest), mul(lengthQ, r));
  const slerped = mul(turned, div(between, sin(omega)));
  const mixed = add(mul(p, rest), mul(q, r));
  return where(greater(dot, nearOne), p, where(less(dot, -nearOne), mixed, slerped));
}

/** Beyond this cosine two vectors count as parallel. */
const nearOne = 1 - 1e-5;
/** Keeps vectors of length 0 from being divided by it. */
const tiny = 1e-30;
