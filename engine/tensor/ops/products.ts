/** Matrix products and linear layers. */
import { at, build, sumOver } from '../host.ts';
import { broadcastShapes, expectShape, expectVector } from '../shape-rules.ts';
import { dimText, sameDim } from '../shape.ts';
import { type Tensor, node, opTable, row } from '../tensor.ts';
import type { None } from './elementwise.ts';

export const productOps = opTable({
  /** a [..., m, k], b [..., k, n] (or [..., n, k] when transposeB). */
  matmul: row<{ readonly transposeB: boolean }>({
    shape: ([a, b], { transposeB }) => {
      expectShape(a.shape.length >= 2 && b.shape.length >= 2, 'expected at least 2 axes each');
      const [k, n] = transposeB
        ? [b.shape.at(-1), b.shape.at(-2)]
        : [b.shape.at(-2), b.shape.at(-1)];
      expectShape(sameDim(a.shape.at(-1)!, k!), 'the inner sizes differ');
      const lead = broadcastShapes([a.shape.slice(0, -2), b.shape.slice(0, -2)]);
      return [...lead, a.shape.at(-2)!, n!];
    },
    kernel: ([a, b], { transposeB }, { shape }) =>
      build(shape, (index) => {
        const lead = index.slice(0, -2);
        const [row, column] = index.slice(-2);
        return sumOver(
          a.shape.at(-1)!,
          (k) =>
            at(a, [...lead, row, k]) *
            at(b, transposeB ? [...lead, column, k] : [...lead, k, column]),
        );
      }),
  }),
  /** x [..., in], weight [out, in] as torch stores it, bias [out] or none. */
  linear: row<None>({
    shape: ([x, weight, bias]) => {
      expectShape(weight.shape.length === 2, 'the weight must have 2 axes');
      const [outputs, features] = weight.shape;
      expectShape(
        x.shape.length >= 1 && sameDim(x.shape.at(-1)!, features),
        `the weight takes ${dimText(features)} features`,
      );
      expectVector(bias, outputs, 'bias');
      return [...x.shape.slice(0, -1), outputs];
    },
    kernel: ([x, weight, bias], _, { shape }) =>
      build(shape, (index) => {
        const lead = index.slice(0, -1);
        const o = index.at(-1)!;
        const dot = sumOver(x.shape.at(-1)!, (i) => at(x, [...lead, i]) * at(weight, [o, i]));
        return dot + (bias?.data[o] ?? 0);
      }),
  }),
});

/** Batched matrix product of a [..., m, k] and b [..., k, n], or b [..., n, k] with `transposeB`. */
export const matmul = (a: Tensor, b: Tensor, { transposeB = false } = {}): Tensor =>
  node(productOps.matmul, [a, b], { transposeB });

/** x [..., in] times weight [out, in] as torch stores it: [..., out]. */
export const linear = (x: Tensor, weight: Tensor): Tensor =>
  node(productOps.linear, [x, weight], {});
