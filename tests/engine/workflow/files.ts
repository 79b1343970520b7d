/** Small workflow files and the classes in them. */
import { workflowToPrompt } from '../../../engine/workflow/to-prompt.ts';
import type { ObjectInfo } from '../../../engine/workflow/types.ts';

/** What the classes of these tests take and give. */
export const info: ObjectInfo = {
  Loader: {
    input: { required: { name: [['a.ckpt', 'b.ckpt']] } },
    output: ['MODEL', 'CLIP'],
    display_name: 'Load it',
  },
  Encode: {
    input: { required: { text: ['STRING', { dynamicPrompts: true }], clip: ['CLIP'] } },
    output: ['COND'],
  },
  Sample: {
    input: {
      required: {
        model: ['MODEL'],
        seed: ['INT', { default: 7 }],
        steps: ['INT', { default: 20 }],
        sampler: [['euler', 'heun']],
        cond: ['COND'],
      },
      optional: { denoise: ['FLOAT', { default: 1 }] },
    },
    output: ['LATENT'],
  },
  Image: {
    input: { required: { image: [['x.png'], { image_upload: true }] } },
    output: ['IMAGE'],
  },
  Filter: {
    input: { required: { model: ['MODEL'], strength: ['FLOAT', { default: 1 }], clip: ['CLIP'] } },
    output: ['MODEL', 'CLIP'],
  },
  Forced: {
    input: { required: { a: ['INT', { forceInput: true }], b: ['INT', { default: 1 }] } },
    output: ['INT'],
  },
  Multi: {
    input: { required: { choices: ['COMBO', { options: ['a', 'b'], multiselect: true }] } },
  },
  SaveImage: { input: { required: { images: ['IMAGE'], filename_prefix: ['STRING'] } } },
};

/** A piece of a file as it was parsed. */
export type Loose = Record<string, unknown>;

/** An input slot; `widget` when a widget stands for it too. */
export const socket = (name: string, type: string, link: number | null, widget = false): Loose => ({
  name,
  type,
  link,
  widget: widget ? { name } : undefined,
});

export const workflow = (nodes: Loose[], links: unknown[], more: Loose = {}): Loose => ({
  nodes,
  links,
  version: 0.4,
  ...more,
});

/** The inputs of the converted nodes, by id. */
export const inputsOf = (value: unknown, objects = info): Record<string, unknown> => {
  const { prompt } = workflowToPrompt(value, objects, { random: () => 0 });
  return Object.fromEntries(Object.entries(prompt).map(([id, { inputs }]) => [id, inputs]));
};

export const loader = { id: 1, type: 'Loader', widgets_values: ['a.ckpt'], outputs: [] };
