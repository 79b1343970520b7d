import { expect, test } from 'vitest';
import type { Prompt } from '../../../engine/graph/definition.ts';
import { replaceOldNodes, replacementsJson } from '../../../engine/graph/replacements.ts';
import { defineNode, int, socket } from '../../../engine/node.ts';

const base = { category: 'test', module: 'test', form: 'v1', outputs: [{ type: 'INT' }] } as const;
const nodes = new Map(
  [
    defineNode({ ...base, name: 'Keep', inputs: { x: socket('INT') }, run: () => [0] }),
    defineNode({
      ...base,
      name: 'New',
      inputs: { amount: int(), mode: int() },
      replaces: [
        {
          oldNode: 'Old',
          oldWidgets: ['strength', 'unused'],
          inputs: [
            { new: 'amount', old: 'strength' },
            { new: 'mode', set: 2 },
          ],
          outputs: [{ new: 0, old: 1 }],
        },
        { oldNode: 'Older' },
        { oldNode: 'Keep' },
      ],
      run: () => [0],
    }),
    defineNode({
      ...base,
      name: 'Later',
      inputs: {},
      replaces: [{ oldNode: 'Old' }],
      run: () => [0],
    }),
  ].map((node) => [node.name, node]),
);

test('old classes become new ones; mapped inputs survive, links are renumbered', () => {
  const prompt: Prompt = {
    a: { class_type: 'Old', inputs: { strength: ['c', 0], unused: 1 } },
    b: { class_type: 'Keep', inputs: { x: ['a', 1] } },
    c: { class_type: 'Older', inputs: { amount: 3 } },
    d: { class_type: 'Gone', inputs: { x: ['c', 1] } },
  };
  replaceOldNodes(prompt, nodes);
  expect(prompt).toEqual({
    a: { class_type: 'New', inputs: { amount: ['c', 0], mode: 2 } },
    b: { class_type: 'Keep', inputs: { x: ['a', 0] } },
    c: { class_type: 'New', inputs: { amount: 3 } },
    d: { class_type: 'Gone', inputs: { x: ['c', 1] } },
  });
});

test('the list has ComfyUI’s form', () => {
  expect(replacementsJson(nodes).Old).toEqual([
    {
      new_node_id: 'New',
      old_node_id: 'Old',
      old_widget_ids: ['strength', 'unused'],
      input_mapping: [
        { new_id: 'amount', old_id: 'strength' },
        { new_id: 'mode', set_value: 2 },
      ],
      output_mapping: [{ new_idx: 0, old_idx: 1 }],
    },
    {
      new_node_id: 'Later',
      old_node_id: 'Old',
      old_widget_ids: null,
      input_mapping: null,
      output_mapping: null,
    },
  ]);
});
