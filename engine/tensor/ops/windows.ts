/** What slides over the spatial axes of x [b, c, ...spatial]: convolutions and pools. */
import { sizeOf } from '../../array/nd.ts';
import { type Kernel, at, build, each, flatOf } from '../host.ts';
import { expectShape, expectVector, staticShape, windowSizes } from '../shape-rules.ts';
import { addDim, mulDim, subDim } from '../shape.ts';
import { type Op, type Tensor, node, opTable, row } from '../tensor.ts';

/** Pads are the starts of all spatial axes, then the ends. */
export interface ConvAttrs {
  readonly strides: readonly number[];
  readonly pads: readonly number[];
  readonly dilations: readonly number[];
  readonly groups: number;
}
interface ConvTransposeAttrs {
  readonly strides: readonly number[];
  readonly pads: readonly number[];
  readonly outputPads: readonly number[];
  /** Left out: 1. */
  readonly dilations?: readonly number[];
  readonly groups: number;
}
interface Pool {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly pads: readonly number[];
}

const convKernel: Kernel<ConvAttrs> = (
  [x, weight, bias],
  { strides, pads, dilations, groups },
  { shape },
) => {
  const [outputs, perGroup, ...kernel] = weight.shape;
  return build(shape, ([b, o, ...position]) => {
    const first = Math.floor(o / (outputs / groups)) * perGroup;
    let acc = bias?.data[o] ?? 0;
    each([perGroup, ...kernel], ([c, ...offset]) => {
      const from = kernel.map(
        (_, i) => position[i] * strides[i] - pads[i] + offset[i] * dilations[i],
      );
      if (from.some((p, i) => p < 0 || p >= x.shape[i + 2])) return;
      acc += at(x, [b, first + c, ...from]) * at(weight, [o, c, ...offset]);
    });
    return acc;
  });
};

const convTransposeKernel: Kernel<ConvTransposeAttrs> = (
  [x, weight, bias],
  { strides, pads, dilations, groups },
  { shape },
) => {
  const result = build(shape, ([, channel]) => bias?.data[channel] ?? 0);
  const [channels, perGroup, ...kernel] = weight.shape;
  each(x.shape, ([b, c, ...position]) => {
    const value = at(x, [b, c, ...position]);
    const group = Math.floor(c / (channels / groups));
    each([perGroup, ...kernel], ([o, ...offset]) => {
      const to = kernel.map(
        (_, i) => position[i] * strides[i] - pads[i] + offset[i] * (dilations?.[i] ?? 1),
      );
      if (to.some((p, i) => p < 0 || p >= shape[i + 2])) return;
      const flat = flatOf(shape, [b, group * perGroup + o, ...to]);
      result.data[flat] += value * at(weight, [c, o, ...offset]);
    });
  });
  return result;
};

const pool = (
  start: number,
  step: (acc: number, x: number) => number,
  { mean }: { mean: boolean },
): Op<Pool> =>
  row<Pool>({
    shape: ([x], { kernel, strides, pads }) => [
      ...x.shape.slice(0, 2),
      ...windowSizes(x.shape.slice(2), kernel, { strides, pads }),
    ],
    kernel: ([x], { kernel, strides, pads }, { shape }) =>
      build(shape, (index) => {
        let acc = start;
        each(kernel, (offset) => {
          const from = kernel.map((_, i) => index[i + 2] * strides[i] - pads[i] + offset[i]);
          const inside = from.every((p, i) => p >= 0 && p < x.shape[i + 2]);
          if (inside) acc = step(acc, at(x, [index[0], index[1], ...from]));
        });
        return mean ? acc / sizeOf(kernel) : acc;
      }),
  });

export const windowOps = opTable({
  /** x [b, in, ...spatial], weight [out, in / groups, ...kernel], bias [out] or none. */
  conv: row<ConvAttrs>({
    shape: ([x, weight, bias], { strides, pads, dilations, groups }) => {
      const [outputs, perGroup, ...kernel] = staticShape(weight.shape, 'the weight');
      expectShape(
        x.shape[1] === perGroup * groups,
        `the weight takes ${perGroup * groups} channels`,
      );
      expectVector(bias, outputs, 'bias');
      const sizes = windowSizes(x.shape.slice(2), kernel, { strides, pads, dilations });
      return [x.shape[0], outputs, ...sizes];
    },
    kernel: convKernel,
  }),
  /** x [b, in, ...spatial], weight [in, out / groups, ...kernel], bias [out] or none. */
  convTranspose: row<ConvTransposeAttrs>({
    shape: ([x, weight, bias], { strides, pads, outputPads, dilations, groups }) => {
      const [channels, perGroup, ...kernel] = staticShape(weight.shape, 'the weight');
      expectShape(x.shape[1] === channels, `the weight takes ${channels} channels`);
      expectVector(bias, perGroup * groups, 'bias');
      const n = kernel.length;
      const sizes = x.shape.slice(2).map((size, i) => {
        const steps = mulDim(subDim(size, 1), strides[i]);
        const reach = (kernel[i] - 1) * (dilations?.[i] ?? 1) + 1;
        return addDim(steps, reach + outputPads[i] - pads[i] - pads[i + n]);
      });
      return [x.shape[0], perGroup * groups, ...sizes];
    },
    kernel: convTransposeKernel,
  }),
  /** Mean of each window; padding counts as zeros. */
  avgPool: pool(0, (acc, x) => acc + x, { mean: true }),
  maxPool: pool(-Infinity, Math.max, { mean: false }),
});

export interface ConvOptions {
  readonly stride?: number | readonly number[];
  /** One number for all sides, or the start of every spatial axis followed by the ends. */
  readonly pad?: number | readonly number[];
  readonly dilation?: number;
  readonly groups?: number;
}

/** Convolution over the spatial axes of the weight [out, in / groups, ...kernel]; 1-D, 2-D or 3-D. */
export const conv = (x: Tensor, weight: Tensor, options: ConvOptions = {}): Tensor =>
  node(windowOps.conv, [x, weight], convAttrs(weight, options));

/** The options of a convolution spelled out for the weight's spatial axes. */
export function convAttrs(
  weight: Tensor,
  { stride = 1, pad = 0, dilation = 1, groups = 1 }: ConvOptions,
): ConvAttrs {
  const n = weight.shape.length - 2;
  return {
    strides: spread(stride, n),
    pads: spread(pad, 2 * n),
    dilations: spread(dilation, n),
    groups,
  };
}

interface PoolOptions {
  readonly kernel: number | readonly number[];
  readonly stride?: number | readonly number[];
  readonly pad?: number | readonly number[];
}

/** Mean of windows of x [b, c, h, w]; a kernel of n without stride cuts the picture in n x n tiles. */
export const avgPool = (x: Tensor, options: PoolOptions): Tensor =>
  node(windowOps.avgPool, [x], poolAttrs(x, options));

/** Largest value of windows of x [b, c, h, w]. */
export const maxPool = (x: Tensor, options: PoolOptions): Tensor =>
  node(windowOps.maxPool, [x], poolAttrs(x, options));

function poolAttrs(x: Tensor, { kernel, stride = kernel, pad = 0 }: PoolOptions): Pool {
  const n = x.shape.length - 2;
  return { kernel: spread(kernel, n), strides: spread(stride, n), pads: spread(pad, 2 * n) };
}

/** One number for each of n axes, or the numbers as they are. */
export function spread(value: number | readonly number[], n: number): readonly number[] {
  return typeof value === 'number' ? new Array<number>(n).fill(value) : value;
}
