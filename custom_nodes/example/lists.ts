/** Lists on wires: a node that gets a list is called once per element, unless it wants it whole. */
import { defineNode, int, socket, string } from 'noodle/node';
import type { NodeDefinition } from 'noodle/node';

const CATEGORY = 'example/lists';

/** `list: true`: the output is a list, and its elements go on one by one. */
const split = defineNode({
  name: 'ExampleSplit',
  displayName: 'Split text (example)',
  category: CATEGORY,
  module: 'custom_nodes.example',
  form: 'v1',
  inputs: {
    text: string({ multiline: true, default: 'one, two, three' }),
    separator: string({ default: ',' }),
  },
  outputs: [{ type: 'STRING', name: 'parts', list: true }],
  run: ({ text, separator }) => [text.split(separator).map((part) => part.trim())],
});

/** Called once per part of a list. */
const repeatText = defineNode({
  name: 'ExampleRepeatText',
  displayName: 'Repeat text (example)',
  category: CATEGORY,
  module: 'custom_nodes.example',
  form: 'v1',
  inputs: { text: string({ forceInput: true }), times: int({ default: 2, min: 1, max: 100 }) },
  outputs: [{ type: 'STRING' }],
  run: ({ text, times }) => [text.repeat(times)],
});

/** `inputIsList`: one call, and every input (constants too) arrives as a list. */
const join = defineNode({
  name: 'ExampleJoin',
  displayName: 'Join (example)',
  category: CATEGORY,
  module: 'custom_nodes.example',
  form: 'v1',
  inputs: {
    parts: socket<string>('*'),
    separator: socket<string>('STRING', { default: ', ' }),
  },
  outputs: [{ type: 'STRING' }],
  inputIsList: true,
  run: ({ parts, separator }) => [parts.join(separator[0])],
});

export const listNodes: readonly NodeDefinition[] = [split, repeatText, join];
