/** Derivatives of functions of one number, and of two on tensors that broadcast. */
import {
  cos,
  div,
  equal,
  exp,
  greater,
  less,
  log,
  mul,
  neg,
  pow,
  scalar,
  sin,
  sqrt,
  sub,
  where,
} from '../../tensor/nn.ts';
import type { elementwiseOps, None } from '../../tensor/ops/elementwise.ts';
import type { AttrsOf, Tensor } from '../../tensor/tensor.ts';
import type { Derivation, Rule } from '../rule.ts';
import { sumTo } from '../shapes.ts';

type Derivations<T> = { readonly [K in keyof T]: Derivation<AttrsOf<T[K]>> };

/** From the derivative at x, where y is the result. */
export const byDerivative =
  (derivative: (x: Tensor, y: Tensor) => Tensor): Rule<None> =>
  (y, g) => [mul(g, derivative(y.inputs[0], y))];

/** From the two partial products, summed over what was stretched. */
const pair =
  (
    parts: (g: Tensor, a: Tensor, b: Tensor, y: Tensor) => [() => Tensor, () => Tensor],
  ): Rule<None> =>
  (y, g, wants) => {
    const [a, b] = y.inputs;
    return parts(g, a, b, y).map((part, i) =>
      wants[i] ? sumTo(part(), y.inputs[i].shape) : undefined,
    );
  };

/** 1 where the first counts, a half on ties. */
const shareOf = (counts: Tensor, tied: Tensor): Tensor =>
  where(counts, 1, where(tied, scalar(0.5), 0));

const extreme = (counts: (a: Tensor, b: Tensor) => Tensor): Rule<None> =>
  pair((g, a, b) => [
    () => mul(g, shareOf(counts(a, b), equal(a, b))),
    () => mul(g, shareOf(counts(b, a), equal(a, b))),
  ]);

export const elementwiseRules: Derivations<typeof elementwiseOps> = {
  neg: (_, g) => [neg(g)],
  abs: (y, g) => {
    const [x] = y.inputs;
    return [where(greater(x, 0), g, where(less(x, 0), neg(g), 0))];
  },
  exp: byDerivative((_, y) => y),
  log: (y, g) => [div(g, y.inputs[0])],
  sqrt: (y, g) => [div(mul(g, 0.5), y)],
  sin: byDerivative((x) => cos(x)),
  cos: byDerivative((x) => neg(sin(x))),
  acos: (y, g) => [neg(div(g, sqrt(sub(1, mul(y.inputs[0], y.inputs[0])))))],
  tanh: byDerivative((_, y) => sub(1, mul(y, y))),
  erf: byDerivative((x) => mul(exp(neg(mul(x, x))), 2 / Math.sqrt(Math.PI))),
  floor: 'constant',
  round: 'constant',

  add: pair((g) => [() => g, () => g]),
  sub: pair((g) => [() => g, () => neg(g)]),
  mul: pair((g, a, b) => [() => mul(g, b), () => mul(g, a)]),
  div: pair((g, _a, b, y) => [() => div(g, b), () => neg(div(mul(g, y), b))]),
  pow: pair((g, a, b, y) => [
    () => mul(g, mul(b, pow(a, sub(b, 1)))),
    () => mul(g, mul(y, log(a))),
  ]),
  minimum: extreme(less),
  maximum: extreme(greater),
  equal: 'constant',
  less: 'constant',
  greater: 'constant',

  cast: (y, g) => (y.inputs[0].dtype === 'f32' || y.dtype === 'f32' ? [g] : undefined),
  // the bounds themselves pass
  clamp: (y, g) => {
    const [x] = y.inputs;
    const { min, max } = y.attrs;
    return [where(less(x, min), 0, where(greater(x, max), 0, g))];
  },
  where: (y, g) => {
    const [condition, yes, no] = y.inputs;
    return [
      undefined,
      sumTo(where(condition, g, 0), yes.shape),
      sumTo(where(condition, 0, g), no.shape),
    ];
  },
};
