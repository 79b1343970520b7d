/** Derivatives of convolutions and pools. */
import {
  add,
  concat,
  greater,
  matmul,
  mul,
  pad,
  permute,
  reshape,
  slice,
  sum,
  where,
} from '../../tensor/nn.ts';
import { type ConvAttrs, windowOps } from '../../tensor/ops/windows.ts';
import {
  type Dim,
  addDim,
  fixedDim,
  mulDim,
  sameDim,
  sizeOfShape,
  subDim,
} from '../../tensor/shape.ts';
import { type AttrsOf, type Node, type Tensor, node } from '../../tensor/tensor.ts';
import type { Derivation, Rule } from '../rule.ts';

interface Windows {
  readonly strides: readonly number[];
  readonly pads: readonly number[];
  readonly dilations?: readonly number[];
}

/** All offsets within a kernel, in row-major order. */
function offsets(kernel: readonly number[]): number[][] {
  return kernel.reduce<number[][]>(
    (all, size) => all.flatMap((head) => Array.from({ length: size }, (_, i) => [...head, i])),
    [[]],
  );
}

/** x [b, c, ...spatial] with its padding, and what each window reads at one offset: [b, c, ...windows]. */
function taps(
  x: Tensor,
  { strides, pads, dilations }: Windows,
  windows: readonly Dim[],
  value = 0,
) {
  const n = strides.length;
  const sides = strides.map((_, i) => [pads[i], pads[i + n]] as const);
  const padded = pads.some((size) => size > 0) ? pad(x, sides, { value }) : x;
  return (offset: readonly number[]): Tensor =>
    offset.reduce((tap, at, i) => {
      const start = at * (dilations?.[i] ?? 1);
      const end = addDim(start + 1, mulDim(subDim(windows[i], 1), strides[i]));
      const isAll = start === 0 && strides[i] === 1 && sameDim(end, tap.shape[i + 2]);
      return isAll ? tap : slice(tap, i + 2, start, end, { step: strides[i] });
    }, padded);
}

/**
 * The gradient [out, in / groups, ...kernel] of the weight of a convolution from x to what has the gradient g: one
 * matrix product over all positions of what all places in the kernel read with g. Where windows lie side by
 * side, what they write of a narrower g can be moved against x instead.
 */
function ofWeight(x: Tensor, g: Tensor, kernel: readonly number[], attrs: ConvAttrs): Tensor {
  const { groups } = attrs;
  const [out, inputs] = [g, x].map((t) => fixedDim(t.shape[1], 'channels') / groups);
  const back = out <= inputs ? backwards(kernel, attrs) : undefined;
  const [moved, still, rows, columns] = back ? [g, x, out, inputs] : [x, g, inputs, out];
  const places = offsets(kernel).map(taps(moved, back ?? attrs, still.shape.slice(2)));
  if (back) places.reverse();
  const count = places.length;
  const positions = sizeOfShape(still.shape.slice(2));
  const all = count === 1 ? places[0] : concat(places, 1);
  const [batch] = x.shape;
  const apart = reshape(all, [batch, count, groups, rows, positions]);
  const inGroups = groups === 1 || count === 1 ? apart : permute(apart, [0, 2, 1, 3, 4]);
  const product = matmul(
    reshape(inGroups, [batch, groups, count * rows, positions]),
    reshape(still, [batch, groups, columns, positions]),
    { transposeB: true },
  );
  const found = reshape(sum(product, 0), [groups, count, rows, columns]);
  const order = back ? [0, 2, 3, 1] : [0, 3, 2, 1];
  const isInOrder = back !== undefined && count === 1;
  return reshape(isInOrder ? found : permute(found, order), [out * groups, inputs, ...kernel]);
}

/** The windows in which each number of x is written to g, last place first; undefined where these are not whole windows. */
function backwards(
  kernel: readonly number[],
  { strides, pads, dilations }: ConvAttrs,
): Windows | undefined {
  const n = kernel.length;
  const reach = kernel.map((size, i) => (size - 1) * dilations[i]);
  const other = pads.map((size, i) => reach[i % n] - size);
  const isWhole = strides.every((stride) => stride === 1) && other.every((size) => size >= 0);
  return isWhole ? { strides, pads: other, dilations } : undefined;
}

const overPositions = (g: Tensor): Tensor => sum(g, [0, ...g.shape.slice(2).map((_, i) => i + 2)]);

const kernelOf = (weight: Tensor): readonly number[] =>
  weight.shape.slice(2).map((dim) => fixedDim(dim, 'the kernel'));

const conv: Rule<ConvAttrs> = (y, g, wants) => {
  const [x, weight] = y.inputs;
  const { strides, pads, dilations, groups } = y.attrs;
  /** The transposed convolution by the same weight, at least as large as x. */
  const ofX = (): Tensor => {
    const outputPads = strides.map((stride) => stride - 1);
    const attrs = { strides, pads, outputPads, dilations, groups };
    const spread = node(windowOps.convTranspose, [g, weight], attrs, y.scope);
    return strides.reduce(
      (part, stride, i) => (stride === 1 ? part : slice(part, i + 2, 0, x.shape[i + 2])),
      spread as Tensor,
    );
  };
  return [
    wants[0] ? ofX() : undefined,
    wants[1] ? ofWeight(x, g, kernelOf(weight), y.attrs) : undefined,
    wants[2] ? overPositions(g) : undefined,
  ];
};

const convTranspose: Rule<AttrsOf<typeof windowOps.convTranspose>> = (y, g, wants) => {
  const [x, weight] = y.inputs;
  const { strides, pads, groups, dilations = strides.map(() => 1) } = y.attrs;
  const attrs: ConvAttrs = { strides, pads, dilations, groups };
  return [
    wants[0] ? node(windowOps.conv, [g, weight], attrs, y.scope) : undefined,
    wants[1] ? ofWeight(g, x, kernelOf(weight), attrs) : undefined,
    wants[2] ? overPositions(g) : undefined,
  ];
};

type Pool = AttrsOf<typeof windowOps.avgPool>;

/** What every window reads, one offset after the other. */
function reads({ inputs: [x], attrs, shape }: Node<Pool>, value?: number): Tensor[] {
  return offsets(attrs.kernel).map(taps(x, attrs, shape.slice(2), value));
}

export const windowRules: {
  readonly [K in keyof typeof windowOps]: Derivation<AttrsOf<(typeof windowOps)[K]>>;
} = {
  conv,
  convTranspose,
  avgPool: {
    steps: (y) => {
      const all = reads(y);
      return mul(
        all.reduce((total, part) => add(total, part)),
        1 / all.length,
      );
    },
  },
  // of equal ones the first, as torch
  maxPool: {
    steps: (y) =>
      reads(y, -3.4028234663852886e38).reduce((top, part) => where(greater(part, top), part, top)),
  },
};
