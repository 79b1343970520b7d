/** Small helpers: seeds, lists, colours. */
import { NoodleError } from '../engine/errors.ts';
import { autogrow, inModule, int64, matchType, model, socket } from '../engine/node.ts';
import type { NodeDefinition } from '../engine/node.ts';

const utilities = { category: 'utilities' } as const;
const MAX_INT64 = 9223372036854775807n;

export const seedNode = inModule(
  'comfy_extras.nodes_seed',
  'v3',
  utilities,
)({
  name: 'SeedNode',
  displayName: 'Seed',
  inputs: { seed: int64({ min: 0, max: MAX_INT64, control_after_generate: 'fixed' }) },
  outputs: [{ type: 'INT', name: 'seed' }],
  run: ({ seed }) => [seed],
});

export const createList = inModule(
  'comfy_extras.nodes_toolkit',
  'v3',
  utilities,
)({
  name: 'CreateList',
  displayName: 'Create List',
  description: 'One list of everything that is connected; what follows runs once for each element.',
  inputIsList: true,
  inputs: { inputs: autogrow(['input', matchType('type')], { prefix: 'input', max: 10 }) },
  outputs: [{ type: 'COMFY_MATCHTYPE_V3', name: 'list', list: true, matchType: 'type' }],
  // Every input of an autogrow group is a list of its own here.
  run: ({ inputs }) => [Object.values(inputs as unknown as Record<string, unknown[]>).flat()],
});

export const colorToRgbInt = inModule(
  'comfy_extras.nodes_color',
  'v3',
  utilities,
)({
  name: 'ColorToRGBInt',
  displayName: 'Color Picker',
  description: 'A colour as a number, as #rrggbb, and its alpha.',
  inputs: { color: socket<string>('COLOR', { default: '#ffffff', socketless: true }) },
  outputs: [
    { type: 'INT', name: 'rgb_int' },
    { type: 'COLOR', name: 'hex' },
    { type: 'FLOAT', name: 'alpha' },
  ],
  run: ({ color }) => {
    const match = /^(#([0-9a-f]{6}))([0-9a-f]{2})?$/i.exec(String(color));
    if (match === null) {
      const expected = '#RRGGBB or #RRGGBBAA';
      throw new NoodleError('BAD_INPUT', { subject: 'color', expected, got: color });
    }
    const [, hex, rgb, alpha = 'ff'] = match;
    return [Number.parseInt(rgb, 16), hex, Number.parseInt(alpha, 16) / 255];
  },
});

export const wanBlockSwap = inModule(
  'comfy_extras.nodes_nop',
  'v3',
)({
  name: 'wanBlockSwap',
  category: '',
  description: 'Passes the model: memory is kept within its budget without this node.',
  deprecated: true,
  inputs: { model: model({}) },
  outputs: [{ type: 'MODEL' }],
  run: ({ model }) => [model],
});

export const utilityNodes: readonly NodeDefinition[] = [
  seedNode,
  createList,
  colorToRgbInt,
  wanBlockSwap,
];
