/** Sums, extremes and what else reads a whole axis. */
import { type Kernel, at, build, each, flatOf, sumOver, withAxis } from '../host.ts';
import { frontAxis, reducedShape } from '../shape-rules.ts';
import { type Op, type Tensor, node, opTable, row } from '../tensor.ts';

interface Reduce {
  readonly axes: readonly number[];
  readonly keep: boolean;
}
interface Axis {
  readonly axis: number;
}

const reduce = (kernel: Kernel<Reduce>, longSum = false): Op<Reduce> =>
  row<Reduce>({
    shape: ([x], { axes, keep }) => reducedShape(x.shape, axes, keep),
    kernel,
    longSum,
  });

/** Goes through all elements that share a result. */
const fold =
  (start: number, step: (acc: number, x: number) => number, mean = false): Kernel<Reduce> =>
  ([x], { axes }, { shape }) => {
    const kept = x.shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim));
    const acc = build(kept, () => start);
    const count = axes.reduce((n, axis) => n * x.shape[axis], 1);
    each(x.shape, (index) => {
      const flat = flatOf(kept, index);
      acc.data[flat] = step(acc.data[flat], at(x, index));
    });
    return { shape, data: mean ? acc.data.map((v) => v / count) : acc.data };
  };

export const reductionOps = opTable({
  reduceSum: reduce(
    fold(0, (acc, x) => acc + x),
    true,
  ),
  reduceMean: reduce(
    fold(0, (acc, x) => acc + x, true),
    true,
  ),
  reduceMax: reduce(fold(-Infinity, Math.max)),
  /** Index of the first largest value along an axis (removed). */
  argmax: row<Axis>({
    shape: ([x], { axis }) => reducedShape(x.shape, [axis], false),
    dtype: () => 'i64',
    kernel: ([x], { axis }, { shape }) =>
      build(shape, (index) => {
        const value = (i: number): number =>
          at(x, [...index.slice(0, axis), i, ...index.slice(axis)]);
        let best = 0;
        for (let i = 1; i < x.shape[axis]; i++) if (value(i) > value(best)) best = i;
        return best;
      }),
  }),
  /** Indices that sort an axis; equal values keep their order. */
  argsort: row<Axis & { readonly descending: boolean }>({
    shape: ([x]) => x.shape,
    dtype: () => 'i64',
    kernel: ([x], { axis, descending }) => {
      const sign = descending ? -1 : 1;
      const orders = new Map<string, number[]>();
      return build(x.shape, (index) => {
        const lane = withAxis(index, axis, 0).join();
        let order = orders.get(lane);
        if (!order) {
          const values = Array.from({ length: x.shape[axis] }, (_, i) =>
            at(x, withAxis(index, axis, i)),
          );
          order = values.map((_, i) => i).sort((i, j) => sign * (values[i] - values[j]));
          orders.set(lane, order);
        }
        return order[index[axis]];
      });
    },
  }),
  cumsum: row<Axis>({
    shape: ([x]) => x.shape,
    kernel: ([x], { axis }) =>
      build(x.shape, (index) => sumOver(index[axis] + 1, (i) => at(x, withAxis(index, axis, i)))),
    longSum: true,
  }),
  softmax: row<Axis>({
    shape: ([x]) => x.shape,
    kernel: ([x], { axis }) => {
      const n = x.shape[axis];
      return build(x.shape, (index) => {
        const value = (i: number): number => at(x, withAxis(index, axis, i));
        let top = -Infinity;
        for (let i = 0; i < n; i++) top = Math.max(top, value(i));
        return Math.exp(at(x, index) - top) / sumOver(n, (i) => Math.exp(value(i) - top));
      });
    },
    longSum: true,
  }),
});

type Axes = number | readonly number[];
const reduction =
  (op: Op<Reduce>) =>
  (x: Tensor, axes: Axes, { keep = false }: { keep?: boolean } = {}): Tensor =>
    node(op, [x], {
      axes: [axes]
        .flat()
        .map((axis) => frontAxis(x, axis))
        .sort(),
      keep,
    });

export const sum = reduction(reductionOps.reduceSum);
export const mean = reduction(reductionOps.reduceMean);
export const max = reduction(reductionOps.reduceMax);

/** Index of the first largest value along an axis, which is removed. */
export const argmax = (x: Tensor, axis: number): Tensor =>
  node(reductionOps.argmax, [x], { axis: frontAxis(x, axis) });

/** Indices (i64) that sort an axis; equal values keep their order (torch's stable argsort). */
export const argsort = (x: Tensor, axis: number, { descending = false } = {}): Tensor =>
  node(reductionOps.argsort, [x], { axis: frontAxis(x, axis), descending });

/** Running sum along an axis. */
export const cumsum = (x: Tensor, axis: number): Tensor =>
  node(reductionOps.cumsum, [x], { axis: frontAxis(x, axis) });

/** exp(x) / sum(exp(x)) along an axis. */
export const softmax = (x: Tensor, axis: number): Tensor =>
  node(reductionOps.softmax, [x], { axis: frontAxis(x, axis) });
