/** Functions of one number, or of two on tensors that broadcast. Activations: activations.ts. */
import { type Dtype, isInteger } from '../dtype.ts';
import { at, build, onEach, onPairs } from '../host.ts';
import { broadcast } from '../shape-rules.ts';
import { type Op, type Tensor, node, opTable, row } from '../tensor.ts';
import { scalar } from './leaves.ts';

/** Parameters of an op that has none. */
export type None = Readonly<Record<string, never>>;

/** A function of one number without parameters; it keeps shape and type. */
export const unary = (f: (x: number) => number): Op<None> =>
  row<None>({ shape: ([x]) => x.shape, kernel: onEach(f) });

const arithmetic = (f: (a: number, b: number) => number): Op<None> =>
  row<None>({ shape: broadcast, kernel: onPairs(f) });

/** A comparison gives flags. */
const comparison = (f: (a: number, b: number) => boolean): Op<None> =>
  row<None>({ shape: broadcast, dtype: () => 'bool', kernel: onPairs((a, b) => +f(a, b)) });

const unaryOps = opTable({
  neg: unary((x) => -x),
  abs: unary(Math.abs),
  exp: unary(Math.exp),
  log: unary(Math.log),
  sqrt: unary(Math.sqrt),
  sin: unary(Math.sin),
  cos: unary(Math.cos),
  acos: unary(Math.acos),
  tanh: unary(Math.tanh),
  /** The error function. */
  erf: unary(errorFunction),
  floor: unary(Math.floor),
  /** To the nearest integer, halves to even. */
  round: unary(roundEven),
});

const binaryOps = opTable({
  add: arithmetic((a, b) => a + b),
  sub: arithmetic((a, b) => a - b),
  mul: arithmetic((a, b) => a * b),
  div: arithmetic((a, b) => a / b),
  pow: arithmetic((a, b) => a ** b),
  minimum: arithmetic(Math.min),
  maximum: arithmetic(Math.max),
  equal: comparison((a, b) => a === b),
  less: comparison((a, b) => a < b),
  greater: comparison((a, b) => a > b),
});

const otherOps = opTable({
  cast: row<{ readonly to: Dtype }>({
    shape: ([x]) => x.shape,
    dtype: (_, { to }) => to,
    weight: true,
    kernel: ([x], { to }) => {
      if (to === 'bool') return { shape: x.shape, data: x.data.map((v) => (v !== 0 ? 1 : 0)) };
      return isInteger(to) ? { shape: x.shape, data: x.data.map(Math.trunc) } : x;
    },
  }),
  clamp: row<{ readonly min: number; readonly max: number }>({
    shape: ([x]) => x.shape,
    kernel: ([x], { min, max }) => ({
      shape: x.shape,
      data: x.data.map((v) => Math.min(Math.max(v, min), max)),
    }),
  }),
  /** condition (bool), value where true, value where false. */
  where: row<None>({
    shape: broadcast,
    dtype: ([, yes]) => yes.dtype,
    kernel: ([condition, yes, no], _, { shape }) =>
      build(shape, (index) => (at(condition, index) ? at(yes, index) : at(no, index))),
  }),
});

export const elementwiseOps = { ...unaryOps, ...binaryOps, ...otherOps };

type Operand = Tensor | number;
type Functions<T, F> = { readonly [K in keyof T]: F };

/** The functions of a table of ops of one number. */
export const unaryFunctions = <T extends Readonly<Record<string, Op<None>>>>(
  table: T,
): Functions<T, (x: Tensor) => Tensor> =>
  Object.fromEntries(
    Object.entries(table).map(([name, op]) => [name, (x: Tensor) => node(op, [x], {})]),
  ) as Functions<T, (x: Tensor) => Tensor>;

/** Numbers take the type of the tensor beside them. */
const binary = Object.fromEntries(
  Object.entries(binaryOps).map(([name, op]) => [
    name,
    (a: Operand, b: Operand) => node(op, operands(a, b), {}),
  ]),
) as Functions<typeof binaryOps, (a: Operand, b: Operand) => Tensor>;

export const { neg, abs, exp, log, sqrt, sin, cos, acos, tanh, erf, floor, round } =
  unaryFunctions(unaryOps);
export const { add, sub, mul, div, pow, minimum, maximum, equal, less, greater } = binary;

/** x limited to [min, max]. */
export const clamp = (x: Tensor, min = -Infinity, max = Infinity): Tensor =>
  node(otherOps.clamp, [x], { min, max });

/** `yes` where the condition (bool) holds, `no` elsewhere. */
export const where = (condition: Tensor, yes: Operand, no: Operand): Tensor =>
  node(otherOps.where, [condition, ...operands(yes, no)], {});

/** The same values in another element type. */
export const cast = (x: Tensor, to: Dtype): Tensor =>
  x.dtype === to ? x : node(otherOps.cast, [x], { to });

function operands(a: Operand, b: Operand): Tensor[] {
  const dtype = typeof a !== 'number' ? a.dtype : typeof b !== 'number' ? b.dtype : 'f32';
  return [a, b].map((x) => (typeof x === 'number' ? scalar(x, dtype) : x));
}

/** Error function to double precision: Maclaurin series near 0, continued fraction in the tails. */
export function errorFunction(x: number): number {
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
