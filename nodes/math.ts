/** Numbers computed and converted. */
import { NoodleError } from '../engine/errors.ts';
import {
  autogrow,
  combo,
  Float,
  float,
  inModule,
  int,
  keepFloats,
  socket,
  string,
} from '../engine/node.ts';
import type { NodeDefinition } from '../engine/node.ts';
import { PythonError } from '../engine/python/error.ts';
import { roundHalfEven } from '../engine/array/round.ts';
import { evaluate } from '../engine/python/expression.ts';
import type { Value } from '../engine/python/expression.ts';
import {
  floatOfText,
  intOfText,
  toFloat,
  toInt,
  truth,
} from '../engine/python/expression-values.ts';
import { pythonRepr } from '../engine/python/repr.ts';
import { strip } from '../engine/python/string.ts';

const utilities = { category: 'utilities' } as const;

/** An integer as nodes get them: a number while it is exact as one. */
function integer(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** A number from a wire as Python's int or float. */
const typed = (value: unknown): Value =>
  value instanceof Float
    ? value.value
    : typeof value === 'number' && Number.isSafeInteger(value)
      ? BigInt(value)
      : (value as Value);

/** `[as float, as int]`; throws BAD_INPUT for what is not finite. */
function finite(subject: string, value: number | bigint): [number, number | bigint] {
  const float = toFloat(value);
  if (!Number.isFinite(float)) {
    throw new NoodleError('BAD_INPUT', {
      subject,
      expected: 'a finite number',
      got: String(float),
    });
  }
  return [float, integer(typeof value === 'bigint' ? value : toInt(value))];
}

export const mathExpression = inModule(
  'comfy_extras.nodes_math',
  'v3',
  utilities,
)({
  name: 'ComfyMathExpression',
  displayName: 'Math Expression',
  description: "Computes an expression in Python's words from the values a, b, c …",
  inputs: {
    expression: string({ default: 'a + b', multiline: true }),
    values: autogrow(
      ['value', keepFloats(socket('FLOAT,INT,BOOLEAN', {}))],
      [...'abcdefghijklmnopqrstuvwxyz'],
    ),
  },
  outputs: [
    { type: 'FLOAT', name: 'FLOAT' },
    { type: 'INT', name: 'INT' },
    { type: 'BOOLEAN', name: 'BOOL' },
  ],
  run: ({ expression, values }) => {
    if (strip(expression) === '') {
      const expected = 'an expression such as a + b';
      throw new NoodleError('BAD_INPUT', { subject: 'expression', expected, got: expression });
    }
    const given = Object.entries(values).map(([name, value]) => [name, typed(value)] as const);
    const names = { ...Object.fromEntries(given), values: given.map(([, value]) => value) };
    const result = evaluate(expression, names);
    const number = typeof result === 'boolean' ? BigInt(result) : result;
    if (typeof number !== 'bigint' && typeof number !== 'number') {
      const got = pythonRepr(result);
      throw new NoodleError('BAD_INPUT', { subject: expression, expected: 'a number', got });
    }
    return [...finite(expression, number), truth(number)];
  },
});

export const numberConvert = inModule(
  'comfy_extras.nodes_number_convert',
  'v3',
  utilities,
)({
  name: 'ComfyNumberConvert',
  displayName: 'Convert Number',
  description: 'A number, text or truth value as FLOAT and as INT.',
  inputs: { value: keepFloats(socket('INT,FLOAT,STRING,BOOLEAN', { display_name: 'value' })) },
  outputs: [
    { type: 'FLOAT', name: 'FLOAT' },
    { type: 'INT', name: 'INT' },
  ],
  run: ({ value }) => {
    if (typeof value === 'boolean') return [Number(value), Number(value)];
    if (typeof value === 'string') return ofText(value);
    const number = typed(value);
    if (typeof number === 'bigint' || typeof number === 'number') return finite('value', number);
    const expected = 'a number, a text or a truth value';
    throw new NoodleError('BAD_INPUT', { subject: 'value', expected, got: pythonRepr(value) });
  },
});

/** Whole numbers stay exact; others are cut. */
function ofText(text: string): [number, number | bigint] {
  const [float, cut] = finite('value', floatOfText(text));
  try {
    return [float, integer(intOfText(text))];
  } catch (error) {
    if (error instanceof PythonError) return [float, cut];
    throw error;
  }
}

const RATIOS: Readonly<Record<string, readonly [width: number, height: number]>> = {
  '1:1 (Square)': [1, 1],
  '2:3 (Portrait Photo)': [2, 3],
  '3:2 (Photo)': [3, 2],
  '3:4 (Portrait Standard)': [3, 4],
  '4:3 (Standard)': [4, 3],
  '9:16 (Portrait Widescreen)': [9, 16],
  '16:9 (Widescreen)': [16, 9],
  '21:9 (Ultrawide)': [21, 9],
};

export const resolutionSelector = inModule(
  'comfy_extras.nodes_resolution',
  'v3',
  utilities,
)({
  name: 'ResolutionSelector',
  displayName: 'Resolution Selector',
  description: 'Width and height of an aspect ratio that come near a number of megapixels.',
  inputs: {
    aspect_ratio: combo(Object.keys(RATIOS), { default: '1:1 (Square)' }),
    megapixels: float({ default: 1, min: 0.1, max: 16, step: 0.1 }),
    multiple: int({ default: 8, min: 8, max: 128, step: 4, advanced: true }),
  },
  outputs: [
    { type: 'INT', name: 'width' },
    { type: 'INT', name: 'height' },
  ],
  run: ({ aspect_ratio, megapixels, multiple }) => {
    const ratio = RATIOS[aspect_ratio];
    const scale = Math.sqrt((megapixels * 1024 * 1024) / (ratio[0] * ratio[1]));
    return ratio.map((side) => roundHalfEven((side * scale) / multiple) * multiple);
  },
});

export const mathNodes: readonly NodeDefinition[] = [
  mathExpression,
  numberConvert,
  resolutionSelector,
];
