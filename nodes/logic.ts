/** Decisions: what runs, and whether. */
import { autogrow, boolean, combo, inModule, matchType, socket } from '../engine/node.ts';
import type { InputSpec, NodeDefinition } from '../engine/node.ts';
import { isTruthy } from '../engine/python/truth.ts';

const define = inModule('comfy_extras.nodes_logic', 'v3', { category: 'utilities/logic' });

const truth = [{ type: 'BOOLEAN' }] as const;
const values = () => autogrow(['value', socket('*', {})], { prefix: 'value', max: 10 });

/** A branch that is only evaluated when it is taken. */
function branch(): InputSpec<unknown, false> {
  const spec = matchType('switch');
  return { ...spec, lazy: true, options: { lazy: true, ...spec.options } };
}

export const switchNode = define({
  name: 'ComfySwitchNode',
  displayName: 'If/Else Switch',
  description: 'Passes one of two inputs; the other one is not even computed.',
  experimental: true,
  inputs: { switch: boolean(), on_false: branch(), on_true: branch() },
  outputs: [{ type: 'COMFY_MATCHTYPE_V3', name: 'output', matchType: 'switch' }],
  checkLazy: (inputs) => {
    const taken = inputs.switch === true ? 'on_true' : 'on_false';
    return (inputs[taken] ?? null) === null ? [taken] : [];
  },
  run: (inputs) => [inputs.switch ? inputs.on_true : inputs.on_false],
});

export const customCombo = define({
  name: 'CustomCombo',
  displayName: 'Custom Combo',
  category: 'utilities',
  description: 'A list of choices that the user writes; gives the choice and its place.',
  experimental: true,
  inputs: { choice: combo([]) },
  acceptAllInputs: true,
  outputs: [
    { type: 'STRING', name: 'STRING' },
    { type: 'INT', name: 'INDEX' },
  ],
  // The editor keeps the list; the server has nothing to hold the choice against.
  validate: { inputs: 'all', check: () => true },
  run: ({ choice, index = 0 }) => [choice, index],
});

export const notNode = define({
  name: 'ComfyNotNode',
  displayName: 'Not',
  description: "Whether the value is false by Python's rules.",
  inputs: { value: socket('*', {}) },
  outputs: truth,
  run: ({ value }) => [!isTruthy(value)],
});

/** Python's `all` and `any` of the connected values; later ones are not looked at once it is settled. */
const combined = (
  name: string,
  displayName: string,
  description: string,
  test: (values: readonly unknown[]) => boolean,
): NodeDefinition =>
  define({
    name,
    displayName,
    description,
    inputs: { values: values() },
    outputs: truth,
    run: (inputs) => [test(Object.values(inputs.values))],
  });

export const andNode = combined(
  'ComfyAndNode',
  'And',
  "Whether all values are true by Python's rules.",
  (values) => values.every(isTruthy),
);

export const orNode = combined(
  'ComfyOrNode',
  'Or',
  "Whether any value is true by Python's rules.",
  (values) => values.some(isTruthy),
);

export const logicNodes: readonly NodeDefinition[] = [
  switchNode,
  customCombo,
  notNode,
  andNode,
  orNode,
];
