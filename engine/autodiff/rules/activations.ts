/** Derivatives of activation functions, each in few passes over memory. */
import { add, erf, exp, greater, mul, sigmoid, sub, where } from '../../tensor/nn.ts';
import type { activationOps } from '../../tensor/ops/activations.ts';
import type { AttrsOf, Tensor } from '../../tensor/tensor.ts';
import { type Derivation, ownSteps } from '../rule.ts';
import { byDerivative } from './elementwise.ts';

/** Of x * sigmoid(a x): s + a x s (1 - s). */
const gated = (x: Tensor, a: number): Tensor => {
  const s = sigmoid(a === 1 ? x : mul(x, a));
  return mul(s, add(mul(mul(x, a), sub(1, s)), 1));
};

export const activationRules: {
  readonly [K in keyof typeof activationOps]: Derivation<AttrsOf<(typeof activationOps)[K]>>;
} = {
  sigmoid: byDerivative((_, y) => mul(y, sub(1, y))),
  softplus: byDerivative((x) => sigmoid(x)),
  relu: (y, g) => [where(greater(y.inputs[0], 0), g, 0)],
  silu: byDerivative((x) => gated(x, 1)),
  // Phi(x) + x phi(x)
  gelu: byDerivative((x) => {
    const below = mul(add(erf(mul(x, Math.SQRT1_2)), 1), 0.5);
    const density = mul(exp(mul(mul(x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
    return add(below, mul(x, density));
  }),
  geluTanh: { steps: ownSteps },
  quickGelu: byDerivative((x) => gated(x, 1.702)),
  leakyRelu: (y, g) => [where(greater(y.inputs[0], 0), g, mul(g, y.attrs.slope))],
};
