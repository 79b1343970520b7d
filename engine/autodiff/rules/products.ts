/** Derivatives of matrix products. */
import { matmul, permute, reshape, sum, transpose } from '../../tensor/nn.ts';
import type { None } from '../../tensor/ops/elementwise.ts';
import { sizeOfShape } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { Rule } from '../rule.ts';
import { sumTo } from '../shapes.ts';

/** x [..., n] as [all rows, n]. */
export const asRows = (x: Tensor): Tensor =>
  x.shape.length === 2 ? x : reshape(x, [sizeOfShape(x.shape.slice(0, -1)), x.shape.at(-1)!]);

const matmulRule: Rule<{ readonly transposeB: boolean }> = (y, g, wants) => {
  const [a, b] = y.inputs;
  const { transposeB } = y.attrs;
  const ofB = (): Tensor => {
    // one matrix for many: all rows at once
    const [left, right] = b.shape.length === 2 ? [asRows(a), asRows(g)] : [a, g];
    return transposeB
      ? matmul(transpose(right, -1, -2), left)
      : matmul(transpose(left, -1, -2), right);
  };
  return [
    wants[0] ? sumTo(matmul(g, b, { transposeB: !transposeB }), a.shape) : undefined,
    wants[1] ? sumTo(ofB(), b.shape) : undefined,
  ];
};

/** The weight serves as it lies in the file: no transposed copy of it is made. */
const linearRule: Rule<None> = (y, g, wants) => {
  const [x, weight] = y.inputs;
  const rows = asRows(g);
  const ofX = (): Tensor =>
    x.shape.length === 1 ? reshape(matmul(rows, weight), x.shape) : matmul(g, weight);
  return [
    wants[0] ? ofX() : undefined,
    wants[1] ? matmul(permute(rows, [1, 0]), asRows(x)) : undefined,
    wants[2] ? sum(rows, 0) : undefined,
  ];
};

export const productRules = { matmul: matmulRule, linear: linearRule };
