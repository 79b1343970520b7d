/**
 * Use Everywhere: what its nodes send is linked when a workflow becomes a prompt; in prompts that were made elsewhere
 * they take their inputs and give nothing.
 */
import { int64, optional, string } from 'noodle/node';
import type { NodeDefinition } from 'noodle/node';
import { LIMIT, anything, inCategory } from './define.ts';

const everywhere = inCategory('everywhere');
const deprecated = inCategory('everywhere/deprecated');
const any = () => optional(anything());

export const everywhereNodes: readonly NodeDefinition[] = [
  everywhere({
    name: 'Anything Everywhere',
    inputs: { anything: any() },
    acceptAllInputs: true,
    outputs: [],
    run: () => [],
  }),
  deprecated({
    name: 'Anything Everywhere3',
    displayName: 'Anything Everywhere Triplet',
    inputs: { anything: any(), anything2: any(), anything3: any() },
    deprecated: true,
    outputs: [],
    run: () => [],
  }),
  deprecated({
    name: 'Anything Everywhere?',
    displayName: 'Anything Somewhere',
    inputs: {
      anything: any(),
      title_regex: optional(string({ default: '' })),
      input_regex: optional(string({ default: '' })),
      group_regex: optional(string({ default: '' })),
    },
    deprecated: true,
    outputs: [],
    run: () => [],
  }),
  deprecated({
    name: 'Prompts Everywhere',
    displayName: 'Anything Everywhere Prompts',
    inputs: { positive: any(), negative: any() },
    acceptAllInputs: true,
    deprecated: true,
    outputs: [],
    run: () => [],
  }),
  deprecated({
    name: 'Seed Everywhere',
    inputs: { seed: int64({ default: 0, min: 0, max: LIMIT }) },
    deprecated: true,
    outputs: [{ type: 'INT', name: 'int' }],
    run: ({ seed }) => [seed],
  }),
  deprecated({
    name: 'Simple String',
    inputs: { string: string({ default: '' }) },
    deprecated: true,
    outputs: [{ type: 'STRING', name: 'stringout' }],
    run: ({ string }) => [string],
  }),
];
