/** Values that are typed in and handed on, of small packs: Derfuu, jamesWalker55, Crystools, mxToolkit, Omar92, WAS, Easy Use. */
import { boolean, combo, float, int, int64, string } from 'noodle/node';
import type { InputSpec, NodeDefinition } from 'noodle/node';
import { LIMIT, anything, inCategory } from './define.ts';

type Define = ReturnType<typeof inCategory>;

/** What a node hands on: its only input. */
interface Value {
  readonly name: string;
  readonly displayName?: string;
  readonly input: readonly [name: string, spec: InputSpec<unknown, false>];
  readonly output: { readonly type: string; readonly name?: string };
  /** What it makes of the value; as it is when absent. */
  readonly as?: (value: never) => unknown;
}

const handsOn = (
  define: Define,
  { name, displayName, input: [key, spec], output, as = same }: Value,
): NodeDefinition =>
  define({
    name,
    displayName,
    inputs: { [key]: spec },
    outputs: [output],
    run: (inputs) => [
      (as as (value: unknown) => unknown)((inputs as Record<string, unknown>)[key]),
    ],
  });

const same = (value: unknown): unknown => value;

const SEED = 2n ** 64n - 1n;
/** Python's sys.maxsize and the largest double, bounds of many packs' numbers. */
const LARGEST = 2n ** 63n - 1n;
const FURTHEST = Number.MAX_VALUE;

const int1 = { type: 'INT' };
const float1 = { type: 'FLOAT' };
const text1 = { type: 'STRING' };

const df = (step: number) =>
  float({ default: 1, min: -FURTHEST, max: FURTHEST, step, forceInput: false });
const dfText = (more: object = {}) =>
  string({ default: '', multiline: false, forceInput: false, dynamicPrompts: false, ...more });
const derfuu = inCategory('Derfuu_Nodes/Variables');

const derfuuValues: readonly Value[] = [
  { name: 'DF_Float', displayName: 'Float', input: ['Value', df(0.01)], output: float1 },
  {
    name: 'DF_Integer',
    displayName: 'Integer',
    input: ['Value', df(1)],
    output: int1,
    as: Math.trunc,
  },
  { name: 'DF_Text', displayName: 'Text', input: ['Text', dfText()], output: text1 },
  {
    name: 'DF_Text_Box',
    displayName: 'Text Box',
    input: ['Text', dfText({ multiline: true })],
    output: text1,
  },
  {
    name: 'DF_DynamicPrompts_Text_Box',
    displayName: 'DynamicPrompts Text Box',
    input: ['Text', dfText({ multiline: true, dynamicPrompts: true })],
    output: text1,
  },
];

const jw = inCategory('jamesWalker55');
const jwText = (multiline: boolean) => string({ default: '', multiline, dynamicPrompts: false });

const jwValues: readonly Value[] = [
  {
    name: 'JWInteger',
    displayName: 'Integer',
    input: ['value', int64({ default: 0, min: -LIMIT, max: LIMIT })],
    output: int1,
  },
  {
    name: 'JWFloat',
    displayName: 'Float',
    input: ['value', float({ default: 0n, min: -1e17, max: 1e17 })],
    output: float1,
  },
  { name: 'JWString', displayName: 'String', input: ['text', jwText(false)], output: text1 },
  {
    name: 'JWStringMultiline',
    displayName: 'String (Multiline)',
    input: ['text', jwText(true)],
    output: text1,
  },
];

const crystools = inCategory('crystools 🪛/Primitive');

const crystoolsValues: readonly Value[] = [
  {
    name: 'Primitive boolean [Crystools]',
    displayName: '🪛 Primitive boolean',
    input: ['boolean', boolean({ default: true })],
    output: { type: 'BOOLEAN', name: 'boolean' },
  },
  {
    name: 'Primitive string [Crystools]',
    displayName: '🪛 Primitive string',
    input: ['string', string({ default: '' })],
    output: { type: 'STRING', name: 'string' },
  },
  {
    name: 'Primitive string multiline [Crystools]',
    displayName: '🪛 Primitive string multiline',
    input: ['string', string({ multiline: true, default: '' })],
    output: { type: 'STRING', name: 'string' },
  },
  {
    name: 'Primitive integer [Crystools]',
    displayName: '🪛 Primitive integer',
    input: ['int', int64({ default: 1, min: -LARGEST, max: LARGEST, step: 1 })],
    output: { type: 'INT', name: 'int' },
  },
  {
    name: 'Primitive float [Crystools]',
    displayName: '🪛 Primitive float',
    input: ['float', float({ default: 1n, min: -FURTHEST, max: FURTHEST, step: 0.01 })],
    output: { type: 'FLOAT', name: 'float' },
  },
];

const omar = inCategory('O/utils');
const omarNumbers = inCategory('O/numbers');
const seed = () => int64({ default: 0, min: 0, max: SEED });
const omarFloat = (more: object = {}) => float({ default: 0, min: 0, max: SEED, ...more });

const omarValues: readonly Value[] = [
  {
    name: 'Text _O',
    input: ['text', string({ multiline: true })],
    output: text1,
    as: (text: string) => `${text} `,
  },
  { name: 'seed _O', input: ['seed', seed()], output: int1 },
  { name: 'int _O', input: ['int', seed()], output: int1 },
  { name: 'float _O', input: ['float', omarFloat()], output: float1 },
];

const omarConversions: readonly Value[] = [
  {
    name: 'floatToInt _O',
    input: ['float', omarFloat({ defaultBehavior: 'input' })],
    output: int1,
    as: Math.trunc,
  },
  {
    name: 'intToFloat _O',
    input: ['int', int64({ default: 0, min: 0, max: SEED, defaultBehavior: 'input' })],
    output: float1,
    as: Number,
  },
];

const was = inCategory('WAS Suite/Logic');
const easyPrompt = inCategory('EasyUse/Prompt');
const FAR = 4294967296;

const switches: readonly NodeDefinition[] = [
  handsOn(was, {
    name: 'Logic Boolean Primitive',
    input: ['boolean', boolean({ default: false })],
    output: { type: 'BOOLEAN' },
  }),
  handsOn(was, {
    name: 'Logic NOT',
    input: ['boolean', boolean({ default: false })],
    output: { type: 'BOOLEAN' },
    as: (value: boolean) => !value,
  }),
  handsOn(was, {
    name: 'Boolean To Text',
    input: ['boolean', boolean({ default: false })],
    output: text1,
    as: (value: boolean) => (value ? 'True' : 'False'),
  }),
];

const prompts: readonly NodeDefinition[] = [
  handsOn(easyPrompt, {
    name: 'easy positive',
    displayName: 'Positive',
    input: ['positive', string({ default: '', multiline: true, placeholder: 'Positive' })],
    output: { type: 'STRING', name: 'positive' },
  }),
  handsOn(easyPrompt, {
    name: 'easy negative',
    displayName: 'Negative',
    input: ['negative', string({ default: '', multiline: true, placeholder: 'Negative' })],
    output: { type: 'STRING', name: 'negative' },
  }),
];

const mx = inCategory('utils/mxToolkit');
const mxInt = (value: number) => int({ default: value, min: -FAR, max: FAR });
const mxFloat = (value: number) =>
  float({ default: BigInt(value), min: BigInt(-FAR), max: BigInt(FAR) });
const mxSwitch = () => int({ default: 0, min: 0, max: 1 });

/** A slider of the page: what it shows as a whole number, or as a float. */
const sliders: readonly NodeDefinition[] = [
  handsOn(mx, {
    name: 'mxSeed',
    displayName: 'Seed',
    input: ['X', int({ default: 0, min: 0, max: FAR })],
    output: { type: 'INT', name: 'X' },
  }),
  mx({
    name: 'mxSlider',
    displayName: 'Slider',
    inputs: { Xi: mxInt(20), Xf: mxFloat(20), isfloatX: mxSwitch() },
    outputs: [{ type: '*', name: 'X' }],
    run: ({ Xi, Xf, isfloatX }) => [isfloatX > 0 ? Xf : Xi],
  }),
  mx({
    name: 'mxSlider2D',
    displayName: 'Slider 2D',
    inputs: {
      Xi: mxInt(512),
      Xf: mxFloat(512),
      Yi: mxInt(512),
      Yf: mxFloat(512),
      isfloatX: mxSwitch(),
      isfloatY: mxSwitch(),
    },
    outputs: [
      { type: '*', name: 'X' },
      { type: '*', name: 'Y' },
    ],
    run: ({ Xi, Xf, Yi, Yf, isfloatX, isfloatY }) => [
      isfloatX > 0 ? Xf : Xi,
      isfloatY > 0 ? Yf : Yi,
    ],
  }),
];

const easySeed = inCategory('EasyUse/Seed');
const EASY_SEED = 1125899906842624;
const ACTIONS = [
  ...(['fixed', 'increment', 'decrement', 'randomize'] as const),
  ...(['increment for each node', 'decrement for each node', 'randomize for each node'] as const),
] as const;

const seeds: readonly NodeDefinition[] = [
  handsOn(easySeed, {
    name: 'easy seed',
    displayName: 'EasySeed',
    input: ['seed', int({ default: 0, min: 0, max: EASY_SEED })],
    output: { type: 'INT', name: 'seed' },
  }),
  /** Its page writes its value into the other nodes' seeds before they are sent. */
  easySeed({
    name: 'easy globalSeed',
    displayName: 'EasyGlobalSeed',
    inputs: {
      value: int({ default: 0, min: 0, max: EASY_SEED }),
      mode: boolean({
        default: true,
        label_on: 'control_before_generate',
        label_off: 'control_after_generate',
      }),
      action: combo(ACTIONS),
      last_seed: string({ default: '' }),
    },
    outputs: [],
    outputNode: true,
    run: () => [],
  }),
];

const easyLogic = inCategory('EasyUse/Logic');

/** What is done in their packs' pages, or to caches that are not here: the input goes on. */
const passing: readonly NodeDefinition[] = [
  easyLogic({
    name: 'easy clearCacheKey',
    displayName: 'Clear Cache Key',
    inputs: { anything: anything({}), cache_key: string({ default: '*' }) },
    outputs: [{ type: '*', name: 'output' }],
    outputNode: true,
    run: ({ anything: value }) => [value],
  }),
  easyLogic({
    name: 'easy clearCacheAll',
    displayName: 'Clear Cache All',
    inputs: { anything: anything({}) },
    outputs: [{ type: '*', name: 'output' }],
    outputNode: true,
    run: ({ anything: value }) => [value],
  }),
  inCategory('utils')({
    name: 'PlaySound|pysssss',
    displayName: 'PlaySound 🐍',
    description: 'Hands its input on; pages that know the sound play it.',
    inputs: {
      any: anything({}),
      mode: combo(['always', 'on empty queue'] as const, {}),
      volume: float({ min: 0n, max: 1n, step: 0.1, default: 0.5 }),
      file: string({ default: 'notify.mp3' }),
    },
    inputIsList: true,
    outputs: [{ type: '*', list: true }],
    outputNode: true,
    isChanged: () => NaN,
    run: ({ any }) => ({ ui: { a: [] }, result: [any] }),
  }),
  inCategory('O/utils')({
    name: 'Note _O',
    inputs: { text: string({ multiline: true }) },
    outputs: [],
    outputNode: true,
    run: () => [],
  }),
];

export const valueNodes: readonly NodeDefinition[] = [
  ...derfuuValues.map((value) => handsOn(derfuu, value)),
  ...jwValues.map((value) => handsOn(jw, value)),
  ...crystoolsValues.map((value) => handsOn(crystools, value)),
  ...omarValues.map((value) => handsOn(omar, value)),
  ...omarConversions.map((value) => handsOn(omarNumbers, value)),
  ...switches,
  ...prompts,
  ...sliders,
  ...seeds,
  ...passing,
];
