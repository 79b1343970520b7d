/** Formulas: essentials' Simple Math, pysssss' Math Expression, Easy Use's two numbers. */
import { combo, evaluate, float, int64, optional, string } from 'noodle/node';
import type { NodeDefinition, Prompt, PythonValue } from 'noodle/node';
import { LIMIT, anything, inCategory } from './define.ts';
import { asIntAndFloat, decimals, isArray, isLatent, toNumber, toPython } from './numbers.ts';

const essentials = inCategory('essentials/utilities');
const easy = inCategory('EasyUse/Logic/Math');

const line = () => string({ multiline: false, default: '' });
const letters = <K extends string>(...names: K[]) =>
  Object.fromEntries(names.map((name) => [name, optional(anything({ default: 0 }))])) as Record<
    K,
    ReturnType<typeof optional<unknown>>
  >;

const len = (...values: PythonValue[]): PythonValue => {
  const [list] = values;
  if (values.length === 1 && Array.isArray(list)) return BigInt(list.length);
  throw new TypeError('len: expected a list');
};

/** What Simple Math makes of a formula: [INT, FLOAT]. Letters without a value are 0. */
function simpleMath(formula: string, given: Readonly<Record<string, unknown>>): unknown[] {
  const names = Object.fromEntries(
    ['a', 'b', 'c', 'd'].map((name) => [name, toPython(given[name] ?? 0, name)]),
  );
  const value = evaluate(formula, names, { len });
  return asIntAndFloat(Number.isNaN(value) ? 0 : value, 'round');
}

const simpleNodes: readonly NodeDefinition[] = [
  essentials({
    name: 'SimpleMath+',
    displayName: '🔧 Simple Math',
    inputs: { value: line(), ...letters('a', 'b', 'c') },
    outputs: [{ type: 'INT' }, { type: 'FLOAT' }],
    run: ({ value, ...given }) => simpleMath(value, given),
  }),
  essentials({
    name: 'SimpleMathDual+',
    displayName: '🔧 Simple Math Dual',
    inputs: { value_1: line(), value_2: line(), ...letters('a', 'b', 'c', 'd') },
    outputs: [
      { type: 'INT', name: 'int_1' },
      { type: 'FLOAT', name: 'float_1' },
      { type: 'INT', name: 'int_2' },
      { type: 'FLOAT', name: 'float_2' },
    ],
    run: ({ value_1, value_2, ...given }) => [
      ...simpleMath(value_1, given),
      ...simpleMath(value_2, given),
    ],
  }),
  essentials({
    name: 'SimpleMathCondition+',
    displayName: '🔧 Simple Math Condition',
    inputs: {
      evaluate: anything({ default: 0 }),
      on_true: line(),
      on_false: line(),
      ...letters('a', 'b', 'c'),
    },
    outputs: [{ type: 'INT' }, { type: 'FLOAT' }],
    run: ({ evaluate, on_true, on_false, ...given }) =>
      simpleMath(evaluate ? on_true : on_false, given),
  }),
];

/** The widget `name` of the node that a formula calls `node` (its title or S&R name). */
function widgetOf(node: string, name: string, prompt: Prompt, workflow: unknown): unknown {
  const nodes = (workflow as { nodes?: readonly EditorNode[] } | undefined)?.nodes ?? [];
  const found = nodes.find(
    (one) => (one.properties?.['Node name for S&R'] ?? one.type) === node || one.title === node,
  );
  if (found === undefined) throw new RangeError(`Node not found: ${node}.${name}`);
  const value = prompt[String(found.id)]?.inputs[name];
  if (value === undefined) throw new RangeError(`Widget not found: ${node}.${name}`);
  if (Array.isArray(value)) {
    throw new TypeError(`${node}.${name} is linked: link it to an input of the formula instead`);
  }
  return value;
}

interface EditorNode {
  readonly id: number | string;
  readonly type: string;
  readonly title?: string;
  readonly properties?: Readonly<Record<string, unknown>>;
}

function sizeOf(target: unknown, side: string, name: string): bigint {
  const shape = isLatent(target)
    ? target.samples.shape
    : isArray(target)
      ? target.shape
      : undefined;
  if (shape === undefined) throw new TypeError(`${name}: expected an IMAGE or LATENT`);
  const [height, width] = isLatent(target) ? shape.slice(-2).map((n) => n * 8) : shape.slice(1, 3);
  return BigInt(side === 'width' ? width : height);
}

const chosen = (values: readonly PythonValue[]): PythonValue =>
  values[Math.floor(Math.random() * values.length)];

/** Math Expression's own functions; `iif(a, b, c)` is `b if a else c`. */
const more = {
  iif: (...[a, b, c]: PythonValue[]) => (a ? b : c),
  randomchoice: (...values: PythonValue[]) => chosen(values),
  randomint: (...[low, high]: PythonValue[]) => {
    const span = Number(high) - Number(low) + 1;
    return BigInt(Number(low) + Math.floor(Math.random() * span));
  },
};

/** `a.width` and `Node.widget` are no names of Python's formulas here: they are looked up before. */
const PROPERTY = /\b([\p{L}_][\p{L}\p{N}_]*)\.([\p{L}_][\p{L}\p{N}_]*)/gu;

const mathExpression = inCategory('utils')({
  name: 'MathExpression|pysssss',
  displayName: 'Math Expression 🐍',
  inputs: {
    expression: string({ multiline: true, dynamicPrompts: false }),
    a: optional(anything()),
    b: optional(anything()),
    c: optional(anything()),
  },
  hidden: { extra_pnginfo: 'EXTRA_PNGINFO', prompt: 'PROMPT' },
  outputs: [{ type: 'INT' }, { type: 'FLOAT' }],
  outputNode: true,
  isChanged: ({ expression }) => (expression?.includes('random') === true ? NaN : expression),
  run({ expression, a, b, c, prompt, extra_pnginfo }) {
    const given: Readonly<Record<string, unknown>> = { a, b, c };
    const names: Record<string, PythonValue> = {};
    for (const name of ['a', 'b', 'c']) {
      const value = given[name];
      if (value !== undefined && value !== null && typeof value !== 'object') {
        names[name] = toPython(value, name);
      }
    }
    const formula = expression
      .replace(/[\r\n]/g, ' ')
      .replace(PROPERTY, (_, of: string, name: string) => {
        const isSize = Object.hasOwn(given, of) && (name === 'width' || name === 'height');
        const key = `${of}__${name}`;
        names[key] = isSize
          ? sizeOf(given[of], name, of)
          : toPython(widgetOf(of, name, prompt, extra_pnginfo?.workflow), `${of}.${name}`);
        return key;
      });
    const [int, float] = asIntAndFloat(evaluate(formula, names, more), 'int');
    return { ui: { value: [Number.isInteger(float) ? int : float] }, result: [int, float] };
  },
});

const OPERATIONS = {
  add: 'a + b',
  subtract: 'a - b',
  multiply: 'a * b',
  divide: 'a / b',
  modulo: 'a % b',
  power: 'a ** b',
} as const;

const operation = () => combo(Object.keys(OPERATIONS) as (keyof typeof OPERATIONS)[]);

const easyNodes: readonly NodeDefinition[] = [
  easy({
    name: 'easy mathInt',
    displayName: 'Math Int',
    inputs: {
      a: int64({ default: 0, min: -LIMIT, max: LIMIT, step: 1 }),
      b: int64({ default: 0, min: -LIMIT, max: LIMIT, step: 1 }),
      operation: operation(),
    },
    outputs: [{ type: 'INT' }],
    run: ({ a, b, operation }) => [
      toNumber(evaluate(OPERATIONS[operation].replace('/', '//'), { a: BigInt(a), b: BigInt(b) })),
    ],
  }),
  easy({
    name: 'easy mathFloat',
    displayName: 'Math Float',
    inputs: {
      a: float({ default: 0, min: -999999999999, max: 999999999999, step: 0.01 }),
      b: float({ default: 0, min: -999999999999, max: 999999999999, step: 0.01 }),
      operation: operation(),
    },
    outputs: [{ type: 'FLOAT' }],
    run: ({ a, b, operation }) => [decimals(Number(evaluate(OPERATIONS[operation], { a, b })), 3)],
  }),
];

export const mathNodes: readonly NodeDefinition[] = [...simpleNodes, mathExpression, ...easyNodes];
