/** Conditions and whole-number arithmetic. */
import {
  boolean,
  combo,
  defineNode,
  float,
  int64,
  optional,
  socket,
  string,
} from '../../../engine/node.ts';
import type { NodeDefinition } from '../../../engine/node.ts';
import { isArray, maximum, minimum } from './images.ts';

const category = 'Testing/Logic';
const module = 'custom_nodes.testing-pack';

type Integer = number | bigint;

const COMPARISONS = ['==', '!=', '<', '>', '<=', '>='] as const;

function compare(a: Integer, b: Integer, operation: (typeof COMPARISONS)[number]): boolean {
  const less = a < b;
  const greater = a > b;
  const table = {
    '==': !less && !greater,
    '!=': less || greater,
    '<': less,
    '>': greater,
    '<=': !greater,
    '>=': !less,
  };
  return table[operation];
}

const wideInt = () =>
  int64({ default: 0, min: -0xffffffffffffffffn, max: 0xffffffffffffffffn, step: 1 });
const wideFloat = () => float({ default: 0n, min: -999999999999, max: 999999999999, step: 1n });

const TEXT_TESTS = {
  'a == b': (a: string, b: string) => a === b,
  'a != b': (a: string, b: string) => a !== b,
  'a IN b': (a: string, b: string) => b.includes(a),
  'a MATCH REGEX(b)': (a: string, b: string) => matches(a, b),
  'a BEGINSWITH b': (a: string, b: string) => a.startsWith(b),
  'a ENDSWITH b': (a: string, b: string) => a.endsWith(b),
};
type TextTest = keyof typeof TEXT_TESTS;

function matches(text: string, pattern: string): boolean {
  try {
    return new RegExp(`^(?:${pattern})`).test(text);
  } catch {
    return false;
  }
}

const BOOLEAN_OPERATIONS = {
  'a AND b': (a: boolean, b: boolean) => a && b,
  'a OR b': (a: boolean, b: boolean) => a || b,
  'a XOR b': (a: boolean, b: boolean) => a !== b,
  'NOT a': (a: boolean) => !a,
};
type BooleanOperation = keyof typeof BOOLEAN_OPERATIONS;

const ARITHMETIC = {
  add: (a: bigint, b: bigint) => a + b,
  subtract: (a: bigint, b: bigint) => a - b,
  multiply: (a: bigint, b: bigint) => a * b,
  divide: (a: bigint, b: bigint) => (a - modulo(a, b)) / b,
  modulo: (a: bigint, b: bigint) => modulo(a, b),
  power: (a: bigint, b: bigint) => a ** b,
};
type Arithmetic = keyof typeof ARITHMETIC;

/** Python's %: the sign of the divisor. */
const modulo = (a: bigint, b: bigint): bigint => ((a % b) + b) % b;

const narrow = (value: bigint): Integer =>
  Number.isSafeInteger(Number(value)) ? Number(value) : value;

/** Python's bool(), and false for arrays that are all zero. */
function toBool(value: unknown): boolean {
  if (isArray(value)) return maximum(value) !== 0 || minimum(value) !== 0;
  if (Array.isArray(value)) return value.length > 0;
  return Boolean(value);
}

export const logicNodes: readonly NodeDefinition[] = [
  defineNode({
    name: 'TestIntConditions',
    displayName: 'Int Condition',
    category,
    module,
    form: 'v1',
    inputs: { a: wideInt(), b: wideInt(), operation: combo(COMPARISONS) },
    outputs: [{ type: 'BOOLEAN' }],
    run: ({ a, b, operation }) => [compare(a, b, operation)],
  }),
  defineNode({
    name: 'TestFloatConditions',
    displayName: 'Float Condition',
    category,
    module,
    form: 'v1',
    inputs: { a: wideFloat(), b: wideFloat(), operation: combo(COMPARISONS) },
    outputs: [{ type: 'BOOLEAN' }],
    run: ({ a, b, operation }) => [compare(a, b, operation)],
  }),
  defineNode({
    name: 'TestStringConditions',
    displayName: 'String Condition',
    category,
    module,
    form: 'v1',
    inputs: {
      a: string({ multiline: false }),
      b: string({ multiline: false }),
      operation: combo(Object.keys(TEXT_TESTS) as TextTest[]),
      case_sensitive: boolean({ default: true }),
    },
    outputs: [{ type: 'BOOLEAN' }],
    run({ a, b, operation, case_sensitive }) {
      const fold = (text: string): string => (case_sensitive ? text : text.toLowerCase());
      return [TEXT_TESTS[operation](fold(a), fold(b))];
    },
  }),
  defineNode({
    name: 'TestToBoolNode',
    displayName: 'To Bool',
    category,
    module,
    form: 'v1',
    inputs: { value: socket('*'), invert: optional(boolean({ default: false })) },
    outputs: [{ type: 'BOOLEAN' }],
    run: ({ value, invert }) => [toBool(value) !== (invert ?? false)],
  }),
  defineNode({
    name: 'TestBoolOperationNode',
    displayName: 'Bool Operation',
    category,
    module,
    form: 'v1',
    inputs: {
      a: socket<boolean>('BOOLEAN'),
      b: socket<boolean>('BOOLEAN'),
      op: combo(Object.keys(BOOLEAN_OPERATIONS) as BooleanOperation[]),
    },
    outputs: [{ type: 'BOOLEAN' }],
    run: ({ a, b, op }) => [BOOLEAN_OPERATIONS[op](a, b)],
  }),
  defineNode({
    name: 'TestIntMathOperation',
    displayName: 'Int Math Operation',
    category,
    module,
    form: 'v1',
    inputs: {
      a: wideInt(),
      b: wideInt(),
      operation: combo(Object.keys(ARITHMETIC) as Arithmetic[]),
    },
    outputs: [{ type: 'INT' }],
    run: ({ a, b, operation }) => [narrow(ARITHMETIC[operation](BigInt(a), BigInt(b)))],
  }),
];
