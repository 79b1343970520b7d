/** Host kernels of the interpreter: one row per op, written as the definition reads. */
import { isInteger } from './dtype.ts';
import type { OpName, OpParams } from './ops.ts';
import { type Bindings, evalDim } from './shape.ts';

/** A concrete tensor of any element type, its numbers as doubles. */
export interface HostTensor {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

interface Context {
  /** The result's shape, from the op's shape rule. */
  readonly shape: readonly number[];
  readonly bindings: Bindings;
}
type Kernel<A> = (inputs: readonly HostTensor[], attrs: A, context: Context) => HostTensor;
type Index = readonly number[];

// ---- index arithmetic ----

const sizeOf = (shape: Index): number => shape.reduce((size, dim) => size * dim, 1);

/** Calls f for every index of a shape in row-major order; gives a tensor of its results. */
function build(shape: Index, f: (index: number[], flat: number) => number): HostTensor {
  const data = new Float64Array(sizeOf(shape));
  const index = new Array<number>(shape.length).fill(0);
  for (let flat = 0; flat < data.length; flat++) {
    data[flat] = f(index, flat);
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis] === shape[axis]; axis--) {
      index[axis] = 0;
    }
  }
  return { shape, data };
}

/** Calls f for every index of a shape. */
function each(shape: Index, f: (index: number[]) => void): void {
  build(shape, (index) => {
    f(index);
    return 0;
  });
}

/** The element at an index; axes of size 1 and missing leading axes stretch. */
function at(x: HostTensor, index: Index): number {
  let flat = 0;
  const skip = index.length - x.shape.length;
  for (let axis = 0; axis < x.shape.length; axis++) {
    flat = flat * x.shape[axis] + (x.shape[axis] === 1 ? 0 : index[axis + skip]);
  }
  return x.data[flat];
}

const withAxis = (index: Index, axis: number, value: number): number[] =>
  index.map((i, a) => (a === axis ? value : i));

/** Sum of f(i) for i = 0 .. n-1. */
function sumOver(n: number, f: (i: number) => number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += f(i);
  return sum;
}

// ---- makers of kernels ----

const unary =
  (f: (x: number) => number): Kernel<unknown> =>
  ([x]) => ({ shape: x.shape, data: x.data.map(f) });

const binary =
  (f: (a: number, b: number) => number): Kernel<unknown> =>
  ([a, b], _, { shape }) =>
    build(shape, (index) => f(at(a, index), at(b, index)));

const reduction =
  (
    start: number,
    step: (acc: number, x: number) => number,
    mean = false,
  ): Kernel<OpParams['reduceSum']> =>
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

function flatOf(shape: Index, index: Index): number {
  return shape.reduce((flat, dim, axis) => flat * dim + (dim === 1 ? 0 : index[axis]), 0);
}

const pooling =
  (
    start: number,
    step: (acc: number, x: number) => number,
    mean: boolean,
  ): Kernel<OpParams['avgPool']> =>
  ([x], { kernel, strides, pads }, { shape }) =>
    build(shape, (index) => {
      let acc = start;
      each(kernel, (offset) => {
        const from = kernel.map((_, i) => index[i + 2] * strides[i] - pads[i] + offset[i]);
        const inside = from.every((p, i) => p >= 0 && p < x.shape[i + 2]);
        if (inside) acc = step(acc, at(x, [index[0], index[1], ...from]));
      });
      return mean ? acc / sizeOf(kernel) : acc;
    });

/** Normalises runs of `run` elements that share a mean and a variance; scale and shift per element. */
function normalise(
  x: HostTensor,
  run: number,
  { eps, centre }: { eps: number; centre: boolean },
  affine: (y: number, flat: number) => number,
): HostTensor {
  const data = new Float64Array(x.data.length);
  for (let start = 0; start < data.length; start += run) {
    const mean = centre ? sumOver(run, (i) => x.data[start + i]) / run : 0;
    const variance = sumOver(run, (i) => (x.data[start + i] - mean) ** 2) / run;
    for (let i = start; i < start + run; i++) {
      data[i] = affine((x.data[i] - mean) / Math.sqrt(variance + eps), i);
    }
  }
  return { shape: x.shape, data };
}

// ---- functions without a name in Math ----

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** Error function to double precision: Maclaurin series near 0, continued fraction in the tails. */
export function erf(x: number): number {
  const a = Math.abs(x);
  if (a > 6) return Math.sign(x);
  if (a < 2.5) {
    let term = a;
    let sum = a;
    for (let n = 1; Math.abs(term) > 1e-17 * sum; n++) {
      term *= -(a * a) / n;
      sum += term / (2 * n + 1);
    }
    return Math.sign(x) * (2 / Math.sqrt(Math.PI)) * sum;
  }
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (a + fraction);
  return Math.sign(x) * (1 - Math.exp(-a * a) / (Math.sqrt(Math.PI) * (a + fraction)));
}

function roundEven(x: number): number {
  const nearest = Math.round(x);
  return Math.abs(x % 1) === 0.5 && nearest % 2 !== 0 ? nearest - 1 : nearest;
}

function convTranspose(
  [x, weight, bias]: readonly HostTensor[],
  { strides, pads, groups }: OpParams['convTranspose'],
  { shape }: Context,
): HostTensor {
  const result = build(shape, ([, channel]) => bias?.data[channel] ?? 0);
  const [channels, perGroup, ...kernel] = weight.shape;
  each(x.shape, ([b, c, ...position]) => {
    const value = at(x, [b, c, ...position]);
    const group = Math.floor(c / (channels / groups));
    each([perGroup, ...kernel], ([o, ...offset]) => {
      const to = kernel.map((_, i) => position[i] * strides[i] - pads[i] + offset[i]);
      if (to.some((p, i) => p < 0 || p >= shape[i + 2])) return;
      const flat = flatOf(shape, [b, group * perGroup + o, ...to]);
      result.data[flat] += value * at(weight, [c, o, ...offset]);
    });
  });
  return result;
}

function attention(
  [q, k, v, mask]: readonly HostTensor[],
  { heads, kvHeads, causal, scale }: OpParams['attention'],
  { shape }: Context,
): HostTensor {
  const d = q.shape[2] / heads;
  const e = v.shape[2] / kvHeads;
  const length = k.shape[1];
  const weights = (b: number, head: number, t: number): number[] => {
    const kv = Math.floor((head * kvHeads) / heads);
    const scores = Array.from({ length }, (_, s) => {
      if (causal && s > t) return -Infinity;
      const dot = sumOver(d, (i) => at(q, [b, t, head * d + i]) * at(k, [b, s, kv * d + i]));
      return dot * scale + (mask ? at(mask, [b, head, t, s]) : 0);
    });
    const top = Math.max(...scores);
    const powers = scores.map((score) => Math.exp(score - top));
    const total = powers.reduce((sum, p) => sum + p, 0);
    return powers.map((p) => p / total);
  };
  const result = build(shape, () => 0);
  each([shape[0], heads, shape[1]], ([b, head, t]) => {
    const kv = Math.floor((head * kvHeads) / heads);
    const p = weights(b, head, t);
    for (let i = 0; i < e; i++) {
      result.data[flatOf(shape, [b, t, head * e + i])] = sumOver(
        length,
        (s) => p[s] * at(v, [b, s, kv * e + i]),
      );
    }
  });
  return result;
}

function resize(
  [x]: readonly HostTensor[],
  { mode }: OpParams['resize'],
  { shape }: Context,
): HostTensor {
  const [, , fromH, fromW] = x.shape;
  const [, , toH, toW] = shape;
  const limit = (i: number, size: number): number => Math.min(Math.max(i, 0), size - 1);
  return build(shape, ([b, c, y, z]) => {
    if (mode === 'nearest') {
      return at(x, [b, c, nearest(y, fromH, toH), nearest(z, fromW, toW)]);
    }
    const sy = limit(((y + 0.5) * fromH) / toH - 0.5, fromH);
    const sz = limit(((z + 0.5) * fromW) / toW - 0.5, fromW);
    const [y0, z0] = [Math.floor(sy), Math.floor(sz)];
    const pixel = (dy: number, dz: number): number =>
      at(x, [b, c, limit(y0 + dy, fromH), limit(z0 + dz, fromW)]);
    const [fy, fz] = [sy - y0, sz - z0];
    const top = pixel(0, 0) * (1 - fz) + pixel(0, 1) * fz;
    const bottom = pixel(1, 0) * (1 - fz) + pixel(1, 1) * fz;
    return top * (1 - fy) + bottom * fy;
  });
}

/** torch's nearest source index, with its f32 rounding. */
function nearest(i: number, from: number, to: number): number {
  return Math.min(Math.floor(Math.fround(i * Math.fround(from / to))), from - 1);
}

/** Where a padded position reads from: outside positions mirror, stick to the edge, or are -1. */
function padSource(position: number, size: number, mode: OpParams['pad']['mode']): number {
  if (position >= 0 && position < size) return position;
  if (mode === 'constant') return -1;
  if (mode === 'edge') return position < 0 ? 0 : size - 1;
  return position < 0 ? -position : 2 * (size - 1) - position;
}

// ---- the table ----

export const kernels: {
  readonly [K in Exclude<OpName, 'input' | 'param'>]: Kernel<OpParams[K]>;
} = {
  constant: (_, { values }, { shape }) => ({ shape, data: Float64Array.from(values) }),
  range: (_, __, { shape }) => build(shape, ([i]) => i),
  size: (_, { dim }, { bindings }) => build([], () => evalDim(dim, bindings)),

  cast: ([x], { to }) => {
    if (to === 'bool') return { shape: x.shape, data: x.data.map((v) => (v !== 0 ? 1 : 0)) };
    return isInteger(to) ? { shape: x.shape, data: x.data.map(Math.trunc) } : x;
  },
  neg: unary((x) => -x),
  abs: unary(Math.abs),
  exp: unary(Math.exp),
  log: unary(Math.log),
  sqrt: unary(Math.sqrt),
  sin: unary(Math.sin),
  cos: unary(Math.cos),
  acos: unary(Math.acos),
  tanh: unary(Math.tanh),
  erf: unary(erf),
  floor: unary(Math.floor),
  round: unary(roundEven),
  sigmoid: unary(sigmoid),
  softplus: unary((x) => Math.log1p(Math.exp(-Math.abs(x))) + Math.max(x, 0)),
  relu: unary((x) => Math.max(x, 0)),
  silu: unary((x) => x * sigmoid(x)),
  gelu: unary((x) => 0.5 * x * (1 + erf(x / Math.SQRT2))),
  geluTanh: unary(
    (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  ),
  quickGelu: unary((x) => x * sigmoid(1.702 * x)),
  leakyRelu: ([x], { slope }) => ({
    shape: x.shape,
    data: x.data.map((v) => (v < 0 ? v * slope : v)),
  }),
  clamp: ([x], { min, max }) => ({
    shape: x.shape,
    data: x.data.map((v) => Math.min(Math.max(v, min), max)),
  }),
  add: binary((a, b) => a + b),
  sub: binary((a, b) => a - b),
  mul: binary((a, b) => a * b),
  div: binary((a, b) => a / b),
  pow: binary((a, b) => a ** b),
  minimum: binary(Math.min),
  maximum: binary(Math.max),
  equal: binary((a, b) => (a === b ? 1 : 0)),
  less: binary((a, b) => (a < b ? 1 : 0)),
  greater: binary((a, b) => (a > b ? 1 : 0)),
  where: ([condition, yes, no], _, { shape }) =>
    build(shape, (index) => (at(condition, index) ? at(yes, index) : at(no, index))),

  matmul: ([a, b], { transposeB }, { shape }) =>
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
  linear: ([x, weight, bias], _, { shape }) =>
    build(shape, (index) => {
      const lead = index.slice(0, -1);
      const o = index.at(-1)!;
      const dot = sumOver(x.shape.at(-1)!, (i) => at(x, [...lead, i]) * at(weight, [o, i]));
      return dot + (bias?.data[o] ?? 0);
    }),
  conv: ([x, weight, bias], { strides, pads, dilations, groups }, { shape }) => {
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
  },
  convTranspose,
  groupNorm: ([x, weight, bias], { groups, eps }) => {
    const channels = x.shape[1];
    const area = sizeOf(x.shape.slice(2));
    return normalise(x, (channels / groups) * area, { eps, centre: true }, (y, flat) => {
      const channel = Math.floor(flat / area) % channels;
      return weight ? y * weight.data[channel] + bias.data[channel] : y;
    });
  },
  layerNorm: ([x, weight, bias], { eps }) => {
    const n = x.shape.at(-1)!;
    return normalise(x, n, { eps, centre: true }, (y, flat) => {
      return y * (weight?.data[flat % n] ?? 1) + (bias?.data[flat % n] ?? 0);
    });
  },
  rmsNorm: ([x, weight], { eps }) => {
    const n = x.shape.at(-1)!;
    return normalise(x, n, { eps, centre: false }, (y, i) => y * (weight?.data[i % n] ?? 1));
  },
  attention,
  softmax: ([x], { axis }) => {
    const n = x.shape[axis];
    return build(x.shape, (index) => {
      const value = (i: number): number => at(x, withAxis(index, axis, i));
      let top = -Infinity;
      for (let i = 0; i < n; i++) top = Math.max(top, value(i));
      return Math.exp(at(x, index) - top) / sumOver(n, (i) => Math.exp(value(i) - top));
    });
  },

  reduceSum: reduction(0, (acc, x) => acc + x),
  reduceMean: reduction(0, (acc, x) => acc + x, true),
  reduceMax: reduction(-Infinity, Math.max),
  argmax: ([x], { axis }, { shape }) =>
    build(shape, (index) => {
      const value = (i: number): number =>
        at(x, [...index.slice(0, axis), i, ...index.slice(axis)]);
      let best = 0;
      for (let i = 1; i < x.shape[axis]; i++) if (value(i) > value(best)) best = i;
      return best;
    }),
  argsort: ([x], { axis, descending }) => {
    const lanes = new Map<string, number[]>();
    return build(x.shape, (index) => {
      const lane = withAxis(index, axis, 0).join();
      let order = lanes.get(lane);
      if (!order) {
        const values = Array.from({ length: x.shape[axis] }, (_, i) =>
          at(x, withAxis(index, axis, i)),
        );
        const sign = descending ? -1 : 1;
        order = values.map((_, i) => i).sort((i, j) => sign * (values[i] - values[j]));
        lanes.set(lane, order);
      }
      return order[index[axis]];
    });
  },
  cumsum: ([x], { axis }) =>
    build(x.shape, (index) => sumOver(index[axis] + 1, (i) => at(x, withAxis(index, axis, i)))),
  avgPool: pooling(0, (acc, x) => acc + x, true),
  maxPool: pooling(-Infinity, Math.max, false),

  reshape: ([x], _, { shape }) => ({ shape, data: x.data }),
  expand: ([x], _, { shape }) => build(shape, (index) => at(x, index)),
  permute: ([x], { order }, { shape }) =>
    build(shape, (index) => {
      const from = new Array<number>(order.length);
      order.forEach((axis, i) => (from[axis] = index[i]));
      return at(x, from);
    }),
  slice: ([x], { axis, start, step }, { shape, bindings }) => {
    const first = evalDim(start, bindings);
    return build(shape, (index) => at(x, withAxis(index, axis, first + index[axis] * step)));
  },
  concat: (inputs, { axis }, { shape }) =>
    build(shape, (index) => {
      let position = index[axis];
      let part = 0;
      while (position >= inputs[part].shape[axis]) position -= inputs[part++].shape[axis];
      return at(inputs[part], withAxis(index, axis, position));
    }),
  pad: ([x], { before, mode, value }, { shape, bindings }) => {
    const start = before.map((dim) => evalDim(dim, bindings));
    return build(shape, (index) => {
      const from = index.map((i, axis) => padSource(i - start[axis], x.shape[axis], mode));
      return from.includes(-1) ? value : at(x, from);
    });
  },
  resize,
  gather: ([x, indices], { axis }, { shape }) =>
    build(shape, (index) => {
      const rank = indices.shape.length;
      const i = at(indices, index.slice(axis, axis + rank));
      const position = i < 0 ? i + x.shape[axis] : i;
      return at(x, [...index.slice(0, axis), position, ...index.slice(axis + rank)]);
    }),
  scatterAdd: ([x, indices, updates], { axis }) => {
    const result = { shape: x.shape, data: x.data.slice() };
    each(indices.shape, (index) => {
      const i = at(indices, index);
      const position = i < 0 ? i + x.shape[axis] : i;
      result.data[flatOf(x.shape, withAxis(index, axis, position))] += at(updates, index);
    });
    return result;
  },
};
