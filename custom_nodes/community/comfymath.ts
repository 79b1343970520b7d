/** ComfyMath: conversions, and operations that are named in a table of Python's formulas. */
import { boolean, combo, evaluate, float, image, int, socket } from 'noodle/node';
import type { NodeDefinition, PythonValue } from 'noodle/node';
import { inCategory } from './define.ts';
import { toNumber } from './numbers.ts';

const conversion = inCategory('math/conversion');

const anInt = () => int({ default: 0 });
const aFloat = () => float({ default: 0, step: 0.001, round: false });
const aNumber = () => socket<number>('NUMBER', { default: 0 });
const plainFloat = () => float({ default: 0, round: false });

const conversions: readonly NodeDefinition[] = [
  conversion({
    name: 'CM_BoolToInt',
    displayName: 'BoolToInt',
    inputs: { a: boolean({ default: false }) },
    outputs: [{ type: 'INT' }],
    run: ({ a }) => [Number(a)],
  }),
  conversion({
    name: 'CM_IntToBool',
    displayName: 'IntToBool',
    inputs: { a: anInt() },
    outputs: [{ type: 'BOOLEAN' }],
    run: ({ a }) => [a !== 0],
  }),
  conversion({
    name: 'CM_FloatToInt',
    displayName: 'FloatToInt',
    inputs: { a: plainFloat() },
    outputs: [{ type: 'INT' }],
    run: ({ a }) => [toNumber(evaluate('int(a)', { a }))],
  }),
  conversion({
    name: 'CM_IntToFloat',
    displayName: 'IntToFloat',
    inputs: { a: anInt() },
    outputs: [{ type: 'FLOAT' }],
    run: ({ a }) => [a],
  }),
  conversion({
    name: 'CM_IntToNumber',
    displayName: 'IntToNumber',
    inputs: { a: anInt() },
    outputs: [{ type: 'NUMBER' }],
    run: ({ a }) => [a],
  }),
  conversion({
    name: 'CM_NumberToInt',
    displayName: 'NumberToInt',
    inputs: { a: aNumber() },
    outputs: [{ type: 'INT' }],
    run: ({ a }) => [toNumber(evaluate('int(a)', { a }))],
  }),
  conversion({
    name: 'CM_FloatToNumber',
    displayName: 'FloatToNumber',
    inputs: { a: plainFloat() },
    outputs: [{ type: 'NUMBER' }],
    run: ({ a }) => [a],
  }),
  conversion({
    name: 'CM_NumberToFloat',
    displayName: 'NumberToFloat',
    inputs: { a: aNumber() },
    outputs: [{ type: 'FLOAT' }],
    run: ({ a }) => [a],
  }),
];

/** Names of operations and what they do; ComfyMath's Nand, Nor and Xnor are what it computes, not what they are called. */
const INT_BINARY = {
  Add: 'a + b',
  Sub: 'a - b',
  Mul: 'a * b',
  Div: 'a // b',
  Mod: 'a % b',
  Pow: 'a ** b',
  And: 'a & b',
  Nand: '~a & b',
  Or: 'a | b',
  Nor: '~a & b',
  Xor: 'a ^ b',
  Xnor: '~a ^ b',
  Shl: 'a << b',
  Shr: 'a >> b',
  Max: 'max(a, b)',
  Min: 'min(a, b)',
};

const INT_UNARY = {
  Abs: 'abs(a)',
  Neg: '-a',
  Inc: 'a + 1',
  Dec: 'a - 1',
  Sqr: 'a * a',
  Cube: 'a * a * a',
  Not: '~a',
  Factorial: 'factorial(a)',
};

const INT_COMPARISONS = {
  Eq: 'a == b',
  Neq: 'a != b',
  Gt: 'a > b',
  Lt: 'a < b',
  Geq: 'a >= b',
  Leq: 'a <= b',
};

const FLOAT_BINARY = {
  Add: 'a + b',
  Sub: 'a - b',
  Mul: 'a * b',
  Div: 'a / b',
  Mod: 'a % b',
  Pow: 'a ** b',
  FloorDiv: 'a // b',
  Max: 'max(a, b)',
  Min: 'min(a, b)',
  Log: 'log(a, b)',
  Atan2: 'atan2(a, b)',
};

const FLOAT_COMPARISONS = {
  Eq: 'a == b',
  Neq: 'a != b',
  Gt: 'a > b',
  Gte: 'a >= b',
  Lt: 'a < b',
  Lte: 'a <= b',
};

type Formulas = Readonly<Record<string, string>>;

const FUNCTIONS = {
  atan2: (...[a, b]: PythonValue[]) => Math.atan2(Number(a), Number(b)),
  factorial: (...[a]: PythonValue[]) => factorial(a as bigint),
};

/** Larger ones are of no use and take long. */
const LARGEST_FACTORIAL = 1000n;

function factorial(n: bigint): bigint {
  if (n < 0n || n > LARGEST_FACTORIAL) {
    throw new RangeError(`factorial: expected 0 to ${LARGEST_FACTORIAL}, got ${n}`);
  }
  return n <= 1n ? 1n : n * factorial(n - 1n);
}

const choice = (formulas: Formulas) => combo(Object.keys(formulas));

/** A node over two numbers of a kind. `python` makes Python's number of a wire's. */
function binaryNode(
  [name, category, output]: readonly [name: string, category: string, output: string],
  formulas: Formulas,
  operand: () => ReturnType<typeof int>,
  python: (x: number) => PythonValue,
): NodeDefinition {
  return inCategory(category)({
    name: `CM_${name}`,
    displayName: name,
    inputs: { op: choice(formulas), a: operand(), b: operand() },
    outputs: [{ type: output }],
    run({ op, a, b }) {
      const value = evaluate(formulas[op], { a: python(a), b: python(b) }, FUNCTIONS);
      return [typeof value === 'boolean' ? value : toNumber(value)];
    },
  });
}

const operations: readonly NodeDefinition[] = [
  binaryNode(['IntBinaryOperation', 'math/int', 'INT'], INT_BINARY, anInt, BigInt),
  binaryNode(['IntBinaryCondition', 'math/int', 'BOOL'], INT_COMPARISONS, anInt, BigInt),
  binaryNode(['FloatBinaryOperation', 'math/float', 'FLOAT'], FLOAT_BINARY, aFloat, Number),
  binaryNode(['FloatBinaryCondition', 'math/float', 'BOOLEAN'], FLOAT_COMPARISONS, aFloat, Number),
  inCategory('math/int')({
    name: 'CM_IntUnaryOperation',
    displayName: 'IntUnaryOperation',
    inputs: { op: choice(INT_UNARY), a: anInt() },
    outputs: [{ type: 'INT' }],
    run: ({ op, a }) => [
      toNumber(evaluate(INT_UNARY[op as keyof typeof INT_UNARY], { a: BigInt(a) }, FUNCTIONS)),
    ],
  }),
];

/** SDXL's sizes, in ComfyMath's order; of equally near ones the first is taken. */
const SDXL_SIZES: readonly (readonly [width: number, height: number])[] = [
  [1024, 1024],
  [1152, 896],
  [896, 1152],
  [1216, 832],
  [832, 1216],
  [1344, 768],
  [768, 1344],
  [1536, 640],
  [640, 1536],
];

const size = [
  { type: 'INT', name: 'width' },
  { type: 'INT', name: 'height' },
];

const resolutions: readonly NodeDefinition[] = [
  inCategory('math/graphics')({
    name: 'CM_SDXLResolution',
    displayName: 'SDXLResolution',
    inputs: { resolution: combo(SDXL_SIZES.map(([width, height]) => `${width}x${height}`)) },
    outputs: size,
    run: ({ resolution }) => resolution.split('x').map(Number),
  }),
  inCategory('math/graphics')({
    name: 'CM_NearestSDXLResolution',
    displayName: 'NearestSDXLResolution',
    inputs: { image: image() },
    outputs: size,
    run({ image: { shape } }) {
      const far = ([width, height]: readonly [number, number]): number =>
        Math.abs(shape[2] / shape[1] - width / height);
      return SDXL_SIZES.reduce((best, one) => (far(one) < far(best) ? one : best));
    },
  }),
];

export const comfyMathNodes: readonly NodeDefinition[] = [
  ...conversions,
  ...operations,
  ...resolutions,
];
