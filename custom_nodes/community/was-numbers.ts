/** WAS Suite's numbers: each as its own NUMBER, as FLOAT and as INT. */
import {
  combo,
  float,
  image,
  int64,
  latent,
  optional,
  pythonRandom,
  pythonStr,
  roundHalfEven,
  socket,
  string,
} from 'noodle/node';
import type { NodeDefinition } from 'noodle/node';
import { calculated, textNumber } from './arithmetic.ts';
import type { Numeric } from './arithmetic.ts';
import { LIMIT, inCategory } from './define.ts';

const was = inCategory('WAS Suite/Number');
const wasOperations = inCategory('WAS Suite/Number/Operations');

const number = () => socket<Numeric>('NUMBER', undefined, 'value');
const kinds = [{ type: 'NUMBER' }, { type: 'FLOAT' }, { type: 'INT' }];
const inAllKinds = (value: Numeric): unknown[] => [value, value, whole(value)];
const whole = (value: Numeric): Numeric => (typeof value === 'bigint' ? value : Math.trunc(value));
const far = (more: object = {}) => float({ default: 0n, min: -LIMIT, max: LIMIT, ...more });
const seed = () => int64({ default: 0, min: 0, max: LIMIT });

const WAS_OPERATIONS: Readonly<Record<string, string>> = {
  addition: 'a + b',
  subtraction: 'a - b',
  division: 'a / b',
  'floor division': 'a // b',
  multiplication: 'a * b',
  exponentiation: 'a ** b',
  modulus: 'a % b',
  'greater-than': '(a > b) + 0',
  'greater-than or equals': '(a >= b) + 0',
  'less-than': '(a < b) + 0',
  'less-than or equals': '(a <= b) + 0',
  equals: '(a == b) + 0',
  'does not equal': '(a != b) + 0',
};

const NUMBER_TYPES = ['integer', 'float', 'bool'] as const;

/** A number between two, ends included, as one of the types. */
function drawn(type: (typeof NUMBER_TYPES)[number], low: number, high: number, from: Numeric) {
  const python = pythonRandom(from);
  if (type === 'float') return python.uniform(low, high);
  if (type === 'bool') return python.random();
  return Number(python.randint(BigInt(Math.trunc(low)), BigInt(Math.trunc(high))));
}

export const wasNumberNodes: readonly NodeDefinition[] = [
  was({
    name: 'Constant Number',
    inputs: {
      number_type: combo(NUMBER_TYPES),
      number: far({ step: 0.01 }),
      number_as_text: optional(string({ forceInput: true })),
    },
    outputs: kinds,
    run({ number_type, number, number_as_text = '' }) {
      const value = number_as_text === '' ? number : textNumber(number_as_text);
      if (number_type === 'float') return inAllKinds(value);
      return inAllKinds(number_type === 'bool' ? Number(value > 0.5) : Math.trunc(value));
    },
  }),
  was({
    name: 'Random Number',
    inputs: { number_type: combo(NUMBER_TYPES), minimum: far(), maximum: far(), seed: seed() },
    outputs: kinds,
    run({ number_type, minimum, maximum, seed }) {
      if (minimum > maximum) {
        throw new RangeError(`maximum: expected ${minimum} or more, got ${maximum}`);
      }
      const value = drawn(number_type, minimum, maximum, seed);
      return [value, value, roundHalfEven(value)];
    },
  }),
  wasOperations({
    name: 'Number Operation',
    inputs: {
      number_a: number(),
      number_b: number(),
      operation: combo(Object.keys(WAS_OPERATIONS)),
    },
    outputs: kinds,
    run: ({ number_a: a, number_b: b, operation }) =>
      inAllKinds(calculated(WAS_OPERATIONS[operation], { a, b })),
  }),
  inCategory('WAS Suite/Number/Functions')({
    name: 'Number Multiple Of',
    inputs: { number: number(), multiple: int64({ default: 8, min: -LIMIT, max: LIMIT }) },
    outputs: kinds,
    run: ({ number: a, multiple: b }) =>
      inAllKinds(calculated('a if a % b == 0 else (a // b) * b + b', { a, b })),
  }),
  inCategory('WAS Suite/Logic')({
    name: 'Number Input Switch',
    inputs: {
      number_a: number(),
      number_b: number(),
      boolean: socket<boolean>('BOOLEAN', { forceInput: true }, 'value'),
    },
    outputs: kinds,
    run: ({ number_a, number_b, boolean }) => inAllKinds(boolean ? number_a : number_b),
  }),
  wasOperations({
    name: 'Number to Seed',
    inputs: { number: number() },
    outputs: [{ type: 'SEED' }],
    run: ({ number: seed }) => [{ seed }],
  }),
  ...['Number to String', 'Number to Text'].map((name) =>
    wasOperations({
      name,
      inputs: { number: number() },
      outputs: [{ type: 'STRING' }],
      run: ({ number: value }) => [pythonStr(value)],
    }),
  ),
  inCategory('WAS Suite/Text/Operations')({
    name: 'Text to Number',
    inputs: { text: string({ forceInput: true }) },
    outputs: [{ type: 'NUMBER' }],
    run: ({ text }) => [textNumber(text)],
  }),
  wasOperations({
    name: 'Image Size to Number',
    inputs: { image: image() },
    outputs: sides('width', 'height'),
    run: ({ image: { shape } }) => inPairs(shape[2], shape[1]),
  }),
  wasOperations({
    name: 'Latent Size to Number',
    inputs: { samples: latent() },
    outputs: sides('tensor_w', 'tensor_h'),
    run: ({ samples: { samples } }) => inPairs(samples.shape.at(-1)!, samples.shape.at(-2)!),
  }),
  inCategory('WAS Suite/Debug')({
    name: 'Debug Number to Console',
    inputs: { number: number(), label: string({ default: 'Debug to Console', multiline: false }) },
    outputs: [{ type: 'NUMBER' }],
    outputNode: true,
    run: ({ number: value, label }) => ({
      ui: { text: [`${label}: ${value}`] },
      result: [value],
    }),
  }),
];

function sides(width: string, height: string) {
  return ['num', 'float', 'int'].flatMap((kind) =>
    [width, height].map((side) => ({
      type: kind === 'num' ? 'NUMBER' : kind.toUpperCase(),
      name: `${side}_${kind}`,
    })),
  );
}

const inPairs = (width: number, height: number): number[] => [
  ...[width, height],
  ...[width, height],
  ...[width, height],
];
