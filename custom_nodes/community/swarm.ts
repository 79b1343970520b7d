/** What a workflow made in SwarmUI offers its generate tab: values, and groups of them that only the tab draws. */
import { boolean, combo, float, optional, socket, string } from 'noodle/node';
import type { NodeDefinition } from 'noodle/node';
import { inCategory } from './define.ts';

const swarm = inCategory('SwarmUI/inputs');

const described = () => ({
  description: string({ multiline: true }),
  order_priority: float({ default: 0, min: -1024, max: 1024, step: 0.5, round: 0.0001 }),
  is_advanced: boolean({ default: false }),
});

const tail = () => ({
  ...described(),
  raw_id: string(),
  group: optional(socket('GROUP')),
});

export const swarmNodes: readonly NodeDefinition[] = [
  swarm({
    name: 'SwarmInputGroup',
    inputs: {
      title: string({ default: 'My Group' }),
      open_by_default: boolean({ default: true }),
      ...described(),
      can_shrink: boolean({ default: true }),
    },
    outputs: [{ type: 'GROUP' }],
    run: () => [null],
  }),
  swarm({
    name: 'SwarmInputText',
    inputs: {
      title: string({ default: 'My Text' }),
      value: string({ multiline: true }),
      view_type: combo(['normal', 'prompt', 'big'] as const),
      ...tail(),
    },
    outputs: [{ type: 'STRING' }],
    run: ({ value }) => [value],
  }),
  swarm({
    name: 'SwarmInputCheckpoint',
    inputs: {
      title: string({ default: 'My Checkpoint' }),
      value: combo((source) => [...source.modelFiles('checkpoints')]),
      ...tail(),
    },
    outputs: [{ type: 'MODEL' }, { type: 'CLIP' }, { type: 'VAE' }],
    run({ value }, context) {
      const graph = context.newGraph();
      const loader = graph.node('CheckpointLoaderSimple', { ckpt_name: value });
      return { result: [loader.out(0), loader.out(1), loader.out(2)], expand: graph.finalize() };
    },
  }),
];
