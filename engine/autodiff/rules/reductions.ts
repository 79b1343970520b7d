/** Derivatives of what reads a whole axis. */
import { add, cast, cumsum, div, equal, expand, mul, reshape, sub, sum } from '../../tensor/nn.ts';
import type { reductionOps } from '../../tensor/ops/reductions.ts';
import type { AttrsOf, Node, Tensor } from '../../tensor/tensor.ts';
import type { Derivation } from '../rule.ts';
import { countOf, dividedBy } from '../shapes.ts';

type Reduce = AttrsOf<typeof reductionOps.reduceSum>;

/** A reduction's result or gradient with the reduced axes back, one long. */
function withAxes(x: Tensor, { inputs: [from], attrs }: Node<Reduce>): Tensor {
  if (attrs.keep) return x;
  return reshape(
    x,
    from.shape.map((dim, axis) => (attrs.axes.includes(axis) ? 1 : dim)),
  );
}

export const reductionRules: {
  readonly [K in keyof typeof reductionOps]: Derivation<AttrsOf<(typeof reductionOps)[K]>>;
} = {
  reduceSum: (y, g) => [expand(withAxes(g, y), y.inputs[0].shape)],
  reduceMean: (y, g) => {
    const [x] = y.inputs;
    return [expand(dividedBy(withAxes(g, y), countOf(x, y.attrs.axes)), x.shape)];
  },
  // equal ones share
  reduceMax: (y, g) => {
    const [x] = y.inputs;
    const tops = cast(equal(x, withAxes(y, y)), 'f32');
    const count = sum(tops, y.attrs.axes, { keep: true });
    return [mul(tops, div(withAxes(g, y), count))];
  },
  argmax: 'constant',
  argsort: 'constant',
  // the sum from each place on
  cumsum: (y, g) => {
    const { axis } = y.attrs;
    return [add(sub(sum(g, axis, { keep: true }), cumsum(g, axis)), g)];
  },
  softmax: (y, g) => {
    const product = mul(g, y);
    return [sub(product, mul(y, sum(product, y.attrs.axis, { keep: true })))];
  },
};
