/** Inputs that stand for several inputs (V3 form). */
import {
  autogrow,
  defineNode,
  dynamicCombo,
  float,
  int,
  matchType,
  optional,
  string,
} from 'noodle/node';
import type { NodeDefinition } from 'noodle/node';

const CATEGORY = 'example/dynamic';

/** As many inputs as the user connects: `numbers.number0`, `numbers.number1`, … */
const sum = defineNode({
  name: 'ExampleSum',
  displayName: 'Sum (example)',
  category: CATEGORY,
  module: 'custom_nodes.example',
  form: 'v3',
  inputs: { numbers: autogrow(['number', float()], { prefix: 'number', max: 20 }, { min: 2 }) },
  outputs: [{ type: 'FLOAT' }],
  run: ({ numbers }) => [Object.values(numbers).reduce((total, number) => total + number, 0)],
});

/** A choice that brings its own inputs: `shape` and `shape.radius`, or `shape.width`, … */
const area = defineNode({
  name: 'ExampleArea',
  displayName: 'Area (example)',
  category: CATEGORY,
  module: 'custom_nodes.example',
  form: 'v3',
  inputs: {
    shape: dynamicCombo([
      { key: 'circle', inputs: { radius: float({ default: 1, min: 0 }) } },
      {
        key: 'rectangle',
        inputs: { width: float({ default: 1, min: 0 }), height: float({ default: 1, min: 0 }) },
      },
    ]),
  },
  outputs: [{ type: 'FLOAT' }],
  run({ shape }) {
    if (shape.shape === 'circle') return [Math.PI * Number(shape.radius) ** 2];
    return [Number(shape.width) * Number(shape.height)];
  },
});

/** Two inputs and an output of one type, whichever that is. */
const firstOf = defineNode({
  name: 'ExampleFirstOf',
  displayName: 'First of two (example)',
  category: CATEGORY,
  module: 'custom_nodes.example',
  form: 'v3',
  inputs: {
    a: optional(matchType('T')),
    b: optional(matchType('T')),
    label: optional(string()),
    skip: optional(int({ default: 0, min: 0, max: 1 })),
  },
  outputs: [{ type: 'COMFY_MATCHTYPE_V3', matchType: 'T' }],
  run: ({ a, b, skip }) => [skip === 1 ? b : (a ?? b)],
});

export const dynamicNodes: readonly NodeDefinition[] = [sum, area, firstOf];
