/** Comparisons and what is done with their answers: Impact Pack, essentials, Easy Use. */
import {
  ExecutionBlocker,
  boolean,
  combo,
  isTruthy,
  nullable,
  optional,
  pythonStr,
} from 'noodle/node';
import type { InputSpec, NodeDefinition } from 'noodle/node';
import { anything, inCategory } from './define.ts';

const impact = inCategory('ImpactPack/Logic');
const essentials = inCategory('essentials/utilities');
const easy = inCategory('EasyUse/Logic/Math');

type Test = (a: never, b: never) => boolean;

const equal = (a: unknown, b: unknown): boolean =>
  a === b || (isNumeric(a) && isNumeric(b) && Number(a) === Number(b));

const isNumeric = (value: unknown): value is number | bigint | boolean =>
  ['number', 'bigint', 'boolean'].includes(typeof value);

/** Comparisons by their sign. Things that have no order are compared by nothing but equality. */
const TESTS: Readonly<Record<string, Test>> = {
  '==': equal,
  '!=': (a, b) => !equal(a, b),
  '<': (a, b) => ordered(a, b) && a < b,
  '<=': (a, b) => ordered(a, b) && a <= b,
  '>': (a, b) => ordered(a, b) && a > b,
  '>=': (a, b) => ordered(a, b) && a >= b,
};

function ordered(a: unknown, b: unknown): boolean {
  if (isNumeric(a) && isNumeric(b)) return true;
  if (typeof a === 'string' && typeof b === 'string') return true;
  throw new TypeError(`comparison: a ${typeof a} and a ${typeof b} have no order`);
}

const compare = (a: unknown, sign: string, b: unknown): boolean =>
  TESTS[sign](a as never, b as never);

/** Impact's names; `tt` and `ff` are always true and always false. */
const IMPACT_SIGNS: Readonly<Record<string, string>> = {
  'a = b': '==',
  'a <> b': '!=',
  'a > b': '>',
  'a < b': '<',
  'a >= b': '>=',
  'a <= b': '<=',
};

const COMPARISONS = [
  ...['a == b', 'a != b', 'a < b', 'a > b', 'a <= b', 'a >= b'],
  ...['a > 0', 'a <= 0', 'b > 0', 'b <= 0'],
];

const forced = (): InputSpec<boolean, false> => boolean({ forceInput: true });

const comparisons: readonly NodeDefinition[] = [
  impact({
    name: 'ImpactCompare',
    inputs: {
      cmp: combo([...Object.keys(IMPACT_SIGNS), 'tt', 'ff']),
      a: anything(),
      b: anything(),
    },
    outputs: [{ type: 'BOOLEAN' }],
    run: ({ cmp, a, b }) => [cmp in IMPACT_SIGNS ? compare(a, IMPACT_SIGNS[cmp], b) : cmp === 'tt'],
  }),
  essentials({
    name: 'SimpleComparison+',
    displayName: '🔧 Simple Comparison',
    inputs: {
      a: anything({ default: 0 }),
      b: anything({ default: 0 }),
      comparison: combo(Object.keys(TESTS)),
    },
    outputs: [{ type: 'BOOLEAN' }],
    run: ({ a, b, comparison }) => [compare(a, comparison, b)],
  }),
  easy({
    name: 'easy compare',
    displayName: 'Compare',
    inputs: {
      a: optional(anything()),
      b: optional(anything()),
      comparison: optional(combo(COMPARISONS, { default: 'a == b' })),
    },
    outputs: [{ type: 'BOOLEAN', name: 'boolean' }],
    run({ a = 0, b = 0, comparison = 'a == b' }) {
      const [left, sign, right] = comparison.split(' ');
      return [compare(left === 'a' ? a : b, sign, right === 'b' ? b : 0)];
    },
  }),
];

const answers: readonly NodeDefinition[] = [
  impact({
    name: 'ImpactLogicalOperators',
    inputs: { operator: combo(['and', 'or', 'xor'] as const), bool_a: forced(), bool_b: forced() },
    outputs: [{ type: 'BOOLEAN' }],
    run({ operator, bool_a, bool_b }) {
      if (operator === 'xor') return [bool_a !== bool_b];
      return [operator === 'and' ? bool_a && bool_b : bool_a || bool_b];
    },
  }),
  impact({
    name: 'ImpactNeg',
    inputs: { value: forced() },
    outputs: [{ type: 'BOOLEAN' }],
    run: ({ value }) => [!value],
  }),
  impact({
    name: 'ImpactIfNone',
    inputs: { signal: optional(anything()), any_input: optional(anything()) },
    outputs: [
      { type: '*', name: 'signal_opt' },
      { type: 'BOOLEAN', name: 'bool' },
    ],
    run: ({ signal = null, any_input = null }) => [signal, any_input !== null],
  }),
  impact({
    name: 'ImpactConvertDataType',
    inputs: { value: anything() },
    outputs: ['STRING', 'FLOAT', 'INT', 'BOOLEAN'].map((type) => ({ type })),
    run({ value }) {
      const text = typeof value === 'string' ? value : pythonStr(value);
      const isNumber = /^[-+]?[0-9]*\.?[0-9]+$/.test(text);
      const number = isNumber ? Number(text) : Number(text.toLowerCase() !== 'false');
      return [text, number, Math.trunc(number), number !== 0];
    },
  }),
  inCategory('ImpactPack/Logic/_for_test')({
    name: 'ImpactMinMax',
    inputs: {
      mode: boolean({ default: true, label_on: 'max', label_off: 'min' }),
      a: anything(),
      b: anything(),
    },
    outputs: [{ type: 'INT' }],
    run: ({ mode, a, b }) => [compare(b, mode ? '>' : '<', a) ? b : a],
  }),
  inCategory('ImpactPack/Util')({
    name: 'ImpactExecutionOrderController',
    inputs: { signal: anything(), value: anything() },
    outputs: [
      { type: '*', name: 'signal' },
      { type: '*', name: 'value' },
    ],
    run: ({ signal, value }) => [signal, value],
  }),
  essentials({
    name: 'SimpleCondition+',
    displayName: '🔧 Simple Condition',
    inputs: {
      evaluate: anything({ default: 0 }),
      on_true: anything({ default: 0 }),
      on_false: optional(nullable(anything({ default: null }))),
    },
    outputs: [{ type: '*', name: 'result' }],
    run: ({ evaluate, on_true, on_false = null }) => [
      isTruthy(evaluate) ? on_true : (on_false ?? new ExecutionBlocker(null)),
    ],
  }),
];

export const logicNodes: readonly NodeDefinition[] = [...comparisons, ...answers];
