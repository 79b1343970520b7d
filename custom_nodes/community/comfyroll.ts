/** Comfyroll: values, conversions, conditions, indices. Every node's last output is the address of its help. */
import {
  boolean,
  combo,
  float,
  int,
  int64,
  optional,
  pythonFloat,
  roundHalfEven,
  string,
} from 'noodle/node';
import type { NodeDefinition, OutputSpec } from 'noodle/node';
import { LIMIT, inCategory } from './define.ts';
import { decimals } from './numbers.ts';

export const WIKI = 'https://github.com/Suzie1/ComfyUI_Comfyroll_CustomNodes/wiki/';
export const STUDIO = '🧩 Comfyroll Studio/';

const core = inCategory(`${STUDIO}✨ Essential/📦 Core`);
const conversion = inCategory(`${STUDIO}🛠️ Utils/🔧 Conversion`);
const other = inCategory(`${STUDIO}🛠️ Utils/⚙️ Other`);
const conditional = inCategory(`${STUDIO}🛠️ Utils/🔀 Conditional`);
const index = inCategory(`${STUDIO}🛠️ Utils/🔢 Index`);

export const help: OutputSpec = { type: 'STRING', name: 'show_help' };
export const out = (type: string, name = type): OutputSpec => ({ type, name });

export const plain = (value = '') => string({ multiline: false, default: value });
export const forced = (more: object = {}) =>
  string({ multiline: false, default: '', ...more, forceInput: true });
export const seed = () => int64({ default: 0, min: 0, max: LIMIT });
const far = (value: number) => float({ default: BigInt(value), min: -LIMIT, max: LIMIT });

const coreNodes: readonly NodeDefinition[] = [
  core({
    name: 'CR Seed',
    displayName: '🌱 CR Seed',
    inputs: { seed: seed() },
    outputs: [out('INT', 'seed'), help],
    outputNode: true,
    run: ({ seed }) => [seed, `${WIKI}Core-Nodes#cr-seed`],
  }),
  core({
    name: 'CR Prompt Text',
    displayName: '⚙️ CR Prompt Text',
    inputs: { prompt: string({ default: 'prompt', multiline: true }) },
    outputs: [out('STRING', 'prompt'), help],
    run: ({ prompt }) => [prompt, `${WIKI}Core-Nodes#cr-prompt-text`],
  }),
  inCategory(`${STUDIO}🎥 Animation/🛠️ Utils`)({
    name: 'CR Current Frame',
    displayName: '🛠️ CR Current Frame',
    inputs: {
      index: int({ default: 1, min: -10000, max: 10000 }),
      print_to_console: combo(['Yes', 'No'] as const),
    },
    outputs: [out('INT', 'index')],
    run: ({ index }) => [index],
  }),
];

/** `text` as a number of digits with at most one point, and a sign before them. */
function numberOf(text: string): number {
  if (/^-?(\d+\.?\d*|\.\d+)$/.test(text)) return Number(text);
  throw new RangeError(`text: expected a number, got '${text}'`);
}

/** "Up" and "down" always move, as the original does: 2.0 goes up to 3. */
const ROUNDED = {
  round: roundHalfEven,
  'round down': (x: number, isNegative: boolean) => Math.trunc(x) - Number(isNegative),
  'round up': (x: number, isNegative: boolean) => Math.trunc(x) + Number(!isNegative),
} as const;

const conversionNodes: readonly NodeDefinition[] = [
  conversion({
    name: 'CR String To Number',
    displayName: '🔧 CR String To Number',
    inputs: {
      text: forced({ default: 'text' }),
      round_integer: combo(['round', 'round down', 'round up'] as const),
    },
    outputs: [out('INT'), out('FLOAT'), help],
    run({ text, round_integer }) {
      const value = numberOf(text);
      const whole = ROUNDED[round_integer](value, text.startsWith('-'));
      return [whole, value, `${WIKI}Conversion-Nodes#cr-string-to-number`];
    },
  }),
  conversion({
    name: 'CR String To Combo',
    displayName: '🔧 CR String To Combo',
    inputs: { text: forced() },
    outputs: [out('*', 'any'), help],
    run: ({ text }) => [text.split(',')[0], `${WIKI}Conversion-Nodes#cr-string-to-combo`],
  }),
  conversion({
    name: 'CR String To Boolean',
    displayName: '🔧 CR String To Boolean',
    inputs: { text: forced() },
    outputs: [out('BOOLEAN'), help],
    run({ text }) {
      const value = { True: true, true: true, False: false, false: false }[text];
      if (value === undefined) {
        throw new RangeError(`text: expected True or False, got '${text}'`);
      }
      return [value, `${WIKI}Conversion-Nodes#cr-string-to-boolean`];
    },
  }),
  conversion({
    name: 'CR Integer To String',
    displayName: '🔧 CR Integer To String',
    inputs: { int_: int64({ default: 0, min: 0, max: LIMIT, forceInput: true }) },
    outputs: [out('STRING'), help],
    run: ({ int_ }) => [String(int_), `${WIKI}Conversion-Nodes#cr-integer-to-string`],
  }),
  conversion({
    name: 'CR Float To String',
    displayName: '🔧 CR Float To String',
    inputs: { float_: float({ default: 0, min: 0, max: 1_000_000, forceInput: true }) },
    outputs: [out('STRING'), help],
    run: ({ float_ }) => [pythonFloat(float_), `${WIKI}Conversion-Nodes#cr-float-to-string`],
  }),
  conversion({
    name: 'CR Float To Integer',
    displayName: '🔧 CR Float To Integer',
    inputs: { _float: float({ default: 0, forceInput: true }) },
    outputs: [out('INT'), help],
    run: ({ _float }) => [Math.trunc(_float), `${WIKI}Conversion-Nodes#cr-float-to-integer`],
  }),
];

/** `tan` is the cosine, as in the original. */
const OPERATIONS = {
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.cos,
  sqrt: Math.sqrt,
  exp: Math.exp,
  log: Math.log,
  neg: (x: number) => -x,
  abs: Math.abs,
} as const;
const OPERATION_NAMES = Object.keys(OPERATIONS) as (keyof typeof OPERATIONS)[];

const otherNodes: readonly NodeDefinition[] = [
  other({
    name: 'CR Value',
    displayName: '⚙️ CR Value',
    inputs: { value: float({ default: 1 }) },
    outputs: [out('FLOAT'), out('INT'), help],
    run: ({ value }) => [value, Math.trunc(value), `${WIKI}Other-Nodes#cr-value`],
  }),
  other({
    name: 'CR Clamp Value',
    displayName: '⚙️ CR Clamp Value',
    inputs: { a: far(1), range_min: far(1), range_max: far(1) },
    outputs: [out('FLOAT', 'a'), help],
    run: ({ a, range_min, range_max }) => [
      Math.max(range_min, Math.min(a, range_max)),
      `${WIKI}Other-Nodes#cr-clamp-value`,
    ],
  }),
  other({
    name: 'CR Integer Multiple',
    displayName: '⚙️ CR Integer Multiple',
    inputs: {
      integer: int64({ default: 1, min: -LIMIT, max: LIMIT }),
      multiple: float({ default: 8n, min: 1n, max: LIMIT }),
    },
    outputs: [out('INT'), help],
    run: ({ integer, multiple }) => [
      multiple === 0 ? integer : Math.trunc(Number(integer) * multiple),
      `${WIKI}Other-Nodes#cr-integer-multiple`,
    ],
  }),
  other({
    name: 'CR Math Operation',
    displayName: '⚙️ CR Math Operation',
    inputs: {
      a: float({ default: 1 }),
      operation: combo(OPERATION_NAMES),
      decimal_places: int({ default: 2, min: 0, max: 10 }),
    },
    outputs: [out('FLOAT', 'a'), help],
    run({ a, operation, decimal_places }) {
      const value = OPERATIONS[operation](a);
      if (!Number.isFinite(value)) throw new RangeError(`a: ${operation} of ${a} is no number`);
      return [decimals(value, decimal_places), `${WIKI}Other-Nodes#cr-math-operation`];
    },
  }),
  other({
    name: 'CR Select Resize Method',
    displayName: '⚙️ CR Select Resize Method',
    inputs: { method: combo(['Fit', 'Crop'] as const) },
    outputs: [out('*', 'method'), help],
    run: ({ method }) => [method, `${WIKI}Other-Nodes#cr-select-resize-method`],
  }),
];

const valueHelp = `${WIKI}Other-Nodes#cr-set-value-on-boolean`;
const SWITCHES = ['switch_1', 'switch_2', 'switch_3', 'switch_4'] as const;

const conditionalNodes: readonly NodeDefinition[] = [
  conditional({
    name: 'CR Set Value On Boolean',
    displayName: '⚙️ CR Set Value On Boolean',
    inputs: {
      boolean: boolean({ default: true, forceInput: true }),
      value_if_true: far(1),
      value_if_false: far(0),
    },
    outputs: [out('INT'), out('FLOAT'), help],
    run({ boolean, value_if_true, value_if_false }) {
      const value = boolean ? value_if_true : value_if_false;
      return [Math.trunc(value), value, valueHelp];
    },
  }),
  conditional({
    name: 'CR Set Value On Binary',
    displayName: '⚙️ CR Set Value On Binary',
    inputs: {
      binary: int({ default: 1, min: 0, max: 1, forceInput: true }),
      value_if_1: far(1),
      value_if_0: far(0),
    },
    outputs: [out('INT'), out('FLOAT'), help],
    run({ binary, value_if_1, value_if_0 }) {
      const value = binary === 1 ? value_if_1 : value_if_0;
      return [Math.trunc(value), value, valueHelp];
    },
  }),
  conditional({
    name: 'CR Set Value on String',
    displayName: '⚙️ CR Set Value on String',
    inputs: {
      text: forced(),
      test_string: optional(plain()),
      value_if_true: optional(plain()),
      value_if_false: optional(plain()),
    },
    outputs: [out('*', 'STRING'), out('BOOLEAN'), help],
    run({ text, test_string = '', value_if_true = '', value_if_false = '' }) {
      const found = text.includes(test_string);
      const value = found ? value_if_true : value_if_false;
      return [value, found, `${WIKI}List-Nodes#cr-set-value-on-string`];
    },
  }),
  conditional({
    name: 'CR Set Switch From String',
    displayName: '⚙️ CR Set Switch From String',
    inputs: {
      text: forced(),
      switch_1: optional(plain()),
      switch_2: optional(plain()),
      switch_3: optional(plain()),
      switch_4: optional(plain()),
    },
    outputs: [out('INT', 'switch'), help],
    run({ text, ...given }) {
      const at = SWITCHES.findIndex((name) => (given[name] ?? '') === text);
      if (at < 0) throw new RangeError(`text: expected one of the four switches, got '${text}'`);
      return [at + 1, `${WIKI}Other-Nodes#cr-set-switch-from-string`];
    },
  }),
];

const place = (low: number, more: object = {}) =>
  int({ default: 1, min: low, max: 10000, ...more });
const forcedPlace = (low: number) => place(low, { forceInput: true });

const indexNodes: readonly NodeDefinition[] = [
  index({
    name: 'CR Index',
    displayName: '🔢 CR Index',
    inputs: { index: place(0), print_to_console: combo(['Yes', 'No'] as const) },
    outputs: [out('INT'), help],
    run: ({ index }) => [index, `${WIKI}Index-Nodes#cr-index`],
  }),
  index({
    name: 'CR Index Increment',
    displayName: '🔢 CR Index Increment',
    inputs: { index: forcedPlace(-10000), interval: place(-10000) },
    outputs: [out('INT', 'index'), out('INT', 'interval'), help],
    // The help takes the place of the interval, as in the original.
    run: ({ index, interval }) => [index + interval, `${WIKI}Index-Nodes#cr-index-increment`],
  }),
  index({
    name: 'CR Index Multiply',
    displayName: '🔢 CR Index Multiply',
    inputs: { index: forcedPlace(0), factor: place(0) },
    outputs: [out('INT', 'index'), out('INT', 'factor'), help],
    run: ({ index, factor }) => [index * factor, factor, `${WIKI}Index-Nodes#cr-index-multiply`],
  }),
  index({
    name: 'CR Index Reset',
    displayName: '🔢 CR Index Reset',
    inputs: { index: forcedPlace(0), reset_to: place(0) },
    outputs: [out('INT', 'index'), out('INT', 'reset_to'), help],
    run: ({ reset_to }) => [reset_to, reset_to, `${WIKI}Index-Nodes#cr-index-reset`],
  }),
  index({
    name: 'CR Trigger',
    displayName: '🔢 CR Trigger',
    inputs: {
      index: int({ default: 0, min: 0, max: 9999, step: 1 }),
      trigger_value: place(0),
    },
    outputs: [out('INT', 'index'), out('BOOLEAN', 'trigger'), help],
    run: ({ index, trigger_value }) => [
      ...[index, index === trigger_value],
      `${WIKI}Index-Nodes#cr-trigger`,
    ],
  }),
];

export const comfyrollNodes: readonly NodeDefinition[] = [
  ...coreNodes,
  ...conversionNodes,
  ...otherNodes,
  ...conditionalNodes,
  ...indexNodes,
];
