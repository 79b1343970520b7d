/** Arithmetic of wires: jamesWalker55, Derfuu, Easy Use's formulas. */
import {
  combo,
  evaluate,
  float,
  formatValue,
  image,
  int64,
  optional,
  roundHalfEven,
  string,
} from 'noodle/node';
import type { InputSpec, NodeDefinition, PythonValue } from 'noodle/node';
import { LIMIT, anything, inCategory } from './define.ts';
import { toNumber } from './numbers.ts';
import { unbounded } from './shared-inputs.ts';

type Define = ReturnType<typeof inCategory>;
export type Numeric = number | bigint;

const jw = inCategory('jamesWalker55');
const derfuu = inCategory('Derfuu_Nodes/Math');

/** Python's value of a formula of numbers; whole numbers stay exact. */
export const calculated = (formula: string, names: Readonly<Record<string, Numeric>>): Numeric =>
  toNumber(
    evaluate(
      formula,
      Object.fromEntries(
        Object.entries(names).map(([name, value]): [string, PythonValue] => [
          name,
          Number.isInteger(value) ? BigInt(value) : value,
        ]),
      ),
    ),
  );

/** A node whose outputs are formulas of its inputs. */
interface Formula {
  readonly name: string;
  readonly displayName: string;
  readonly inputs: Readonly<Record<string, InputSpec<Numeric, false>>>;
  /** Type of the outputs, and their formulas over the inputs' names. */
  readonly type: string;
  readonly formulas: readonly string[];
}

const withFormula = (
  define: Define,
  { name, displayName, inputs, type, formulas }: Formula,
): NodeDefinition =>
  define({
    name,
    displayName,
    inputs,
    outputs: formulas.map(() => ({ type })),
    run: (given) =>
      formulas.map((formula) => calculated(formula, given as Record<string, Numeric>)),
  });

const jwInt = () => int64({ default: 0, min: -LIMIT, max: LIMIT });
const jwFloat = (): InputSpec<Numeric, false> => float({ default: 0n, min: -1e17, max: 1e17 });

/** [name behind `JWInteger` or `JWFloat`, what it is called, formula, type where it is another]. */
const JW = [
  ['Add', 'Add', 'a + b'],
  ['Sub', 'Subtract', 'a - b'],
  ['Mul', 'Multiply', 'a * b'],
  ['Div', 'Divide', 'a / b', 'FLOAT'],
  ['Min', 'Minimum', 'min(a, b)'],
  ['Max', 'Maximum', 'max(a, b)'],
] as const;

const jwKind = (kind: 'Integer' | 'Float', type: string, input: typeof jwFloat) => [
  ...JW.map(([name, title, formula, other = type]) =>
    withFormula(jw, {
      name: `JW${kind}${name}`,
      displayName: `${kind} ${title}`,
      inputs: { a: input(), b: input() },
      type: other,
      formulas: [formula],
    }),
  ),
  withFormula(jw, {
    name: `JW${kind}Absolute`,
    displayName: `${kind} Absolute Value`,
    inputs: { value: input() },
    type,
    formulas: ['abs(value)'],
  }),
];

const JW_ROUNDED = { round: roundHalfEven, floor: Math.floor, ceiling: Math.ceil } as const;
const jwText = (value: string) =>
  string({ default: value, multiline: false, dynamicPrompts: false });

/** `text.format(value)` of one value. */
const formatted = (text: string, value: unknown): string =>
  text.replace(/\{0?(?::([^{}]*))?\}/g, (_, spec: string | undefined) =>
    formatValue(value, spec ?? ''),
  );

/** A text as a number. Throws RangeError naming the input `text`. */
export function textNumber(text: string): number {
  const value = text.trim() === '' ? NaN : Number(text);
  if (Number.isNaN(value)) throw new RangeError(`text: expected a number, got '${text}'`);
  return value;
}

const jwNodes: readonly NodeDefinition[] = [
  ...jwKind('Integer', 'INT', jwInt),
  ...jwKind('Float', 'FLOAT', jwFloat),
  jw({
    name: 'JWIntegerToFloat',
    displayName: 'Integer to Float',
    inputs: { value: jwInt() },
    outputs: [{ type: 'FLOAT' }],
    run: ({ value }) => [Number(value)],
  }),
  jw({
    name: 'JWIntegerToString',
    displayName: 'Integer to String',
    inputs: { value: jwInt(), format_string: jwText('{:04d}') },
    outputs: [{ type: 'STRING' }],
    run: ({ value, format_string }) => [formatted(format_string, value)],
  }),
  jw({
    name: 'JWFloatToInteger',
    displayName: 'Float to Integer',
    inputs: { value: jwFloat(), mode: combo(['round', 'floor', 'ceiling'] as const) },
    outputs: [{ type: 'INT' }],
    run: ({ value, mode }) => [JW_ROUNDED[mode](Number(value))],
  }),
  jw({
    name: 'JWFloatToString',
    displayName: 'Float to String',
    inputs: { value: jwFloat(), format_string: jwText('{:.6g}') },
    outputs: [{ type: 'STRING' }],
    run: ({ value, format_string }) => [formatted(format_string, value)],
  }),
  jw({
    name: 'JWStringToInteger',
    displayName: 'String to Integer',
    inputs: { text: jwText('0') },
    outputs: [{ type: 'INT' }],
    run({ text }) {
      const value = textNumber(text);
      if (Number.isInteger(value)) return [value];
      throw new RangeError(`text: expected a whole number, got '${text}'`);
    },
  }),
  jw({
    name: 'JWStringToFloat',
    displayName: 'String to Float',
    inputs: { text: jwText('0.0') },
    outputs: [{ type: 'FLOAT' }],
    run: ({ text }) => [textNumber(text)],
  }),
];

const df = (more?: object): InputSpec<Numeric, false> => unbounded(more);

/** [name behind `DF_`, inputs, formula …]; numbers are floats. */
const DF = [
  ['Sum', ['Value_A', 'Value_B'], 'Value_A + Value_B'],
  ['Subtract', ['Value_A', 'Value_B'], 'Value_A - Value_B'],
  ['Multiply', ['Value_A', 'Value_B'], 'Value_A * Value_B'],
  ['Divide', ['Numerator', 'Denominator'], 'Numerator / Denominator'],
  ['Power', ['Value', 'Exponent'], 'Value ** Exponent'],
  ['Square_root', ['Value'], 'Value ** 0.5', '-(Value ** 0.5)'],
] as const;

const dfNodes: readonly NodeDefinition[] = [
  ...DF.map(([name, inputs, ...formulas]) =>
    withFormula(derfuu, {
      name: `DF_${name}`,
      displayName: name.replaceAll('_', ' '),
      inputs: Object.fromEntries(inputs.map((input) => [input, df()])),
      type: 'FLOAT',
      formulas,
    }),
  ),
  ...(['Ceil', 'Floor'] as const).map((name) =>
    inCategory('Derfuu_Nodes/Functions/Converters')({
      name: `DF_${name}`,
      displayName: name,
      inputs: { Value: df() },
      outputs: [{ type: 'INT' }],
      run: ({ Value }) => [name === 'Ceil' ? Math.ceil(Number(Value)) : Math.floor(Number(Value))],
    }),
  ),
  inCategory('Derfuu_Nodes/Functions/Converters')({
    name: 'DF_Int_to_Float',
    displayName: 'Int to Float',
    inputs: {
      Value: int64({
        default: 1,
        min: -(2n ** 63n),
        max: 2n ** 63n - 1n,
        step: 1,
        forceInput: false,
      }),
    },
    outputs: [{ type: 'FLOAT' }],
    run: ({ Value }) => [Number(Value)],
  }),
  inCategory('Derfuu_Nodes/Functions')({
    name: 'DF_Get_image_size',
    displayName: 'Get image size',
    inputs: { image: image({ forceInput: false }) },
    outputs: [
      { type: 'INT', name: 'WIDTH' },
      { type: 'INT', name: 'HEIGHT' },
    ],
    run: ({ image: { shape } }) => [shape[2], shape[1]],
  }),
];

/** What Easy Use's formulas may name beside their letters. */
const CONSTANTS = { pi: Math.PI, e: Math.E };

/** A formula of floats; with lists, one value for each place. What cannot be computed is 0, as in the original. */
function easyFormula(
  formula: string,
  letters: Readonly<Record<string, unknown>>,
): number | number[] {
  const values = Object.entries(letters).map(([name, value]) => [name, value ?? 0] as const);
  const lists = values.flatMap(([, value]) => (Array.isArray(value) ? [value.length] : []));
  const one = (at: number): number => {
    const names = values.map(([name, value]): [string, number] => [
      name,
      Number(Array.isArray(value) ? value[at] : value),
    ]);
    return Number(evaluate(formula, { ...CONSTANTS, ...Object.fromEntries(names) }));
  };
  try {
    if (lists.length === 0) return one(0);
    return Array.from({ length: Math.min(...lists) }, (_, i) => one(i));
  } catch {
    return 0;
  }
}

const each = <T>(value: number | number[], as: (x: number) => T): T | T[] =>
  Array.isArray(value) ? value.map(as) : as(value);

const letters = <K extends string>(...names: K[]) =>
  Object.fromEntries(names.map((name) => [name, optional(anything())])) as Record<
    K,
    InputSpec<unknown, true>
  >;
const easy = inCategory('EasyUse/Logic/Math');
const formula = () => string({ default: '' });

const easyNodes: readonly NodeDefinition[] = [
  easy({
    name: 'easy simpleMath',
    displayName: 'Simple Math',
    inputs: { value: formula(), ...letters('a', 'b', 'c') },
    outputs: [
      { type: 'INT', name: 'int' },
      { type: 'FLOAT', name: 'float' },
      { type: 'BOOLEAN', name: 'boolean' },
    ],
    run({ value, a, b, c }) {
      const result = easyFormula(value, { a, b, c });
      const ints = each(result, Math.trunc);
      return [
        ints,
        result,
        each(Array.isArray(result) ? result : Math.trunc(result), (x) => x !== 0),
      ];
    },
  }),
  easy({
    name: 'easy simpleMathDual',
    displayName: 'Simple Math Dual',
    inputs: { value1: formula(), value2: formula(), ...letters('a', 'b', 'c', 'd') },
    outputs: [
      { type: 'INT', name: 'int1' },
      { type: 'FLOAT', name: 'float1' },
      { type: 'INT', name: 'int2' },
      { type: 'FLOAT', name: 'float2' },
    ],
    run({ value1, value2, ...given }) {
      const results = [value1, value2].map((text) => easyFormula(text, given));
      return results.flatMap((result) => [each(result, Math.trunc), result]);
    },
  }),
];

export const arithmeticNodes: readonly NodeDefinition[] = [...jwNodes, ...dfNodes, ...easyNodes];
