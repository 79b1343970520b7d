/** Functions of one number or two, and activations. */
import {
  abs,
  add,
  clamp,
  cos,
  div,
  erf,
  exp,
  gelu,
  geluTanh,
  greater,
  leakyRelu,
  log,
  maximum,
  minimum,
  mul,
  neg,
  pow,
  quickGelu,
  relu,
  sigmoid,
  silu,
  sin,
  softplus,
  sqrt,
  sub,
  tanh,
  where,
} from '../../../../engine/tensor/nn.ts';
import type { Tensor } from '../../../../engine/tensor/tensor.ts';
import type { Operator, Operators } from './operator.ts';

const ofX =
  (f: (x: Tensor) => Tensor | readonly Tensor[]): Operator =>
  ({ x }) =>
    f(x);
const ofPair =
  (f: (a: Tensor, b: Tensor) => Tensor | readonly Tensor[]): Operator =>
  ({ a, b }) =>
    f(a, b);

export const functions: Operators = {
  abs: ofX(abs),
  exp: ofX(exp),
  erf: ofX(erf),
  log: ofX(log),
  log1p: ofX((x) => log(add(x, 1))),
  sqrt: ofX(sqrt),
  rsqrt: ofX((x) => div(1, sqrt(x))),
  reciprocal: ofX((x) => div(1, x)),
  pow_2p5: ofX((x) => pow(x, 2.5)),
  pow_half: ofX((x) => pow(x, 0.5)),
  pow_minus_2: ofX((x) => pow(x, -2)),
  neg_square_cube: ofX((x) => [neg(x), mul(x, x), pow(x, 3)]),
  sin_cos: ofX((x) => [sin(x), cos(x)]),
  clamp_both: ({ x }, { min, max }) => clamp(x, min, max),
  clamp_min: ({ x }, { min }) => clamp(x, min),

  add_broadcast: ofPair(add),
  sub_broadcast: ofPair(sub),
  mul_broadcast: ofPair(mul),
  div_broadcast: ofPair(div),
  pow_tensor: ofPair(pow),
  maximum_minimum: ofPair((a, b) => [maximum(a, b), minimum(a, b)]),
  add_scalar_tensor: ({ a, s, t }) => add(mul(a, s), t),
  where: ({ mask, a, b }) => where(greater(mask, 0), a, b),

  relu: ofX(relu),
  tanh: ofX(tanh),
  sigmoid: ofX(sigmoid),
  silu: ofX(silu),
  softplus: ofX(softplus),
  gelu_erf: ofX(gelu),
  gelu_tanh: ofX(geluTanh),
  quick_gelu: ofX(quickGelu),
  leaky_relu: ({ x }, { slope }) => leakyRelu(x, slope),
  mish: ofX((x) => mul(x, tanh(softplus(x)))),
  elu: ofX((x) => where(greater(x, 0), x, sub(exp(clamp(x, -Infinity, 0)), 1))),
  hardswish: ofX((x) => mul(mul(x, clamp(add(x, 3), 0, 6)), 1 / 6)),
};
