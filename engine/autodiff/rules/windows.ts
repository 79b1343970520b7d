/** Derivatives of convolutions and pools. */
import {
  add,
  concat,
  greater,
  matmul,
  mul,
  pad,
  reshape,
  slice,
  sum,
  where,
} from '../../tensor/nn.ts';
import { type ConvAttrs, windowOps } from '../../tensor/ops/windows.ts';
import { type Dim, addDim, fixedDim, mulDim, sizeOfShape, subDim } from '../../tensor/shape.ts';
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
      return slice(tap, i + 2, start, end, { step: strides[i] });
    }, padded);
}

/** [b, c, ...spatial] as [b, c, positions]. */
const flat = (x: Tensor): Tensor =>
  reshape(x, [...x.shape.slice(0, 2), sizeOfShape(x.shape.slice(2))]);

/**
 * The gradient [out, in / groups, ...kernel] of the weight of a convolution from x to what has the gradient g:
 * for each place in the kernel one matrix product over all positions.
 */
function ofWeight(x: Tensor, g: Tensor, kernel: readonly number[], attrs: ConvAttrs): Tensor {
  const { groups } = attrs;
  const tap = taps(x, attrs, g.shape.slice(2));
  const [out, inputs] = [g, x].map((t) => fixedDim(t.shape[1], 'channels') / groups);
  const places = offsets(kernel).map((offset) => {
    const [gradient, read] = [flat(g), flat(tap(offset))];
    const parts = Array.from({ length: groups }, (_, i) => {
      const rows = groups === 1 ? gradient : slice(gradient, 1, i * out, (i + 1) * out);
      const columns = groups === 1 ? read : slice(read, 1, i * inputs, (i + 1) * inputs);
      return sum(matmul(rows, columns, { transposeB: true }), 0); // [out, in]
    });
    return groups === 1 ? parts[0] : concat(parts, 0);
  });
  const shape = [out * groups, inputs, ...kernel];
  if (places.length === 1) return reshape(places[0], shape);
  const stacked = places.map((place) => reshape(place, [out * groups, inputs, 1]));
  return reshape(concat(stacked, 2), shape);
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
