/** Activation functions. */
import { onEach } from '../host.ts';
import { type DecomposedOp, type Tensor, node, opTable, row } from '../tensor.ts';
import {
  type None,
  add,
  erf,
  errorFunction,
  mul,
  tanh,
  unary,
  unaryFunctions,
} from './elementwise.ts';

/** A function of one number, and what it is made of. */
const made = (f: (x: number) => number, steps: (x: Tensor) => Tensor): DecomposedOp<None> =>
  row<None>({
    shape: ([x]) => x.shape,
    kernel: onEach(f),
    decompose: ({ inputs: [x] }) => steps(x),
  });

const logistic = (x: number): number => 1 / (1 + Math.exp(-x));
const tanhOfGelu = Math.sqrt(2 / Math.PI);

const primitives = opTable({
  sigmoid: unary(logistic),
  /** log(1 + exp(x)) */
  softplus: unary((x) => Math.log1p(Math.exp(-Math.abs(x))) + Math.max(x, 0)),
  relu: unary((x) => Math.max(x, 0)),
});
export const { sigmoid, softplus, relu } = unaryFunctions(primitives);

const composites = opTable({
  /** x * sigmoid(x) */
  silu: made(
    (x) => x * logistic(x),
    (x) => mul(x, sigmoid(x)),
  ),
  /** x * Phi(x), with the error function */
  gelu: made(
    (x) => 0.5 * x * (1 + errorFunction(x / Math.SQRT2)),
    (x) => mul(mul(x, 0.5), add(erf(mul(x, Math.SQRT1_2)), 1)),
  ),
  /** The tanh approximation of gelu. */
  geluTanh: made(
    (x) => 0.5 * x * (1 + Math.tanh(tanhOfGelu * (x + 0.044715 * x ** 3))),
    (x) => {
      const inner = mul(add(x, mul(mul(mul(x, x), x), 0.044715)), tanhOfGelu);
      return mul(mul(x, 0.5), add(tanh(inner), 1));
    },
  ),
  /** x * sigmoid(1.702 * x) */
  quickGelu: made(
    (x) => x * logistic(1.702 * x),
    (x) => mul(x, sigmoid(mul(x, 1.702))),
  ),
});
export const { silu, gelu, geluTanh, quickGelu } = unaryFunctions(composites);

const withSlope = opTable({
  leakyRelu: row<{ readonly slope: number }>({
    shape: ([x]) => x.shape,
    kernel: ([x], { slope }) => ({
      shape: x.shape,
      data: x.data.map((v) => (v < 0 ? v * slope : v)),
    }),
  }),
});

/** x where positive, slope * x elsewhere. */
export const leakyRelu = (x: Tensor, slope = 0.01): Tensor =>
  node(withSlope.leakyRelu, [x], { slope });

export const activationOps = { ...primitives, ...composites, ...withSlope };
