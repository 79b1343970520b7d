/** Derivatives of moved, cut and joined numbers. */
import { permute, reshape, slice } from '../../tensor/nn.ts';
import type { movementOps } from '../../tensor/ops/movement.ts';
import { type Dim, addDim } from '../../tensor/shape.ts';
import type { AttrsOf } from '../../tensor/tensor.ts';
import type { Derivation } from '../rule.ts';
import { sumTo, unslice } from '../shapes.ts';

export const movementRules: {
  readonly [K in keyof typeof movementOps]: Derivation<AttrsOf<(typeof movementOps)[K]>>;
} = {
  reshape: (y, g) => [reshape(g, y.inputs[0].shape)],
  settle: (_, g) => [g],
  after: (_, g) => [g, undefined],
  detach: 'constant',
  expand: (y, g) => [sumTo(g, y.inputs[0].shape)],
  permute: (y, g) => {
    const back = new Array<number>(y.attrs.order.length);
    y.attrs.order.forEach((axis, i) => (back[axis] = i));
    return [permute(g, back)];
  },
  slice: (y, g) => [unslice(g, y.inputs[0].shape, y.attrs)],
  concat: (y, g) => {
    let start: Dim = 0;
    return y.inputs.map((part) => {
      const end: Dim = addDim(start, part.shape[y.attrs.axis]);
      const own = slice(g, y.attrs.axis, start, end);
      start = end;
      return own;
    });
  },
};
