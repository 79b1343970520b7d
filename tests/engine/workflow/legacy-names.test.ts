import { describe, expect, it } from 'vitest';
import { currentWorkflow } from '../../../engine/workflow/legacy-names.ts';
import { workflowToPrompt } from '../../../engine/workflow/to-prompt.ts';
import type { ObjectInfo } from '../../../engine/workflow/types.ts';

const sampling: ObjectInfo[string] = {
  input: { required: { seed: ['INT', {}], sampler_name: [['euler', 'heun']] } },
  output: ['LATENT'],
};
const info: ObjectInfo = {
  ConditioningAverage: {
    input: { required: { conditioning_to_strength: ['FLOAT', { default: 1 }] } },
    output: ['CONDITIONING'],
  },
  ControlNetLoader: { input: { required: { name: [['a', 'b']] } }, output: ['CONTROL_NET'] },
  SVD_img2vid_Conditioning: { input: { required: { width: ['INT', {}] } }, output: ['LATENT'] },
  KSampler: sampling,
  KSamplerAdvanced: sampling,
};

const nodes = [
  { id: 1, type: 'ConditioningAverage ', widgets_values: [0.25] },
  { id: 2, type: 'T2IAdapterLoader', widgets_values: ['b'] },
  { id: 3, type: 'SDV_img2vid_Conditioning', widgets_values: [576] },
  { id: 4, type: 'KSampler', widgets_values: [1, 'fixed', 'sample_heun'] },
  { id: 5, type: 'KSamplerAdvanced', widgets_values: { seed: 2, sampler_name: 'sample_euler' } },
];
const expected = [
  ['ConditioningAverage', { conditioning_to_strength: 0.25 }],
  ['ControlNetLoader', { name: 'b' }],
  ['SVD_img2vid_Conditioning', { width: 576 }],
  ['KSampler', { seed: 1, sampler_name: 'heun' }],
  ['KSamplerAdvanced', { seed: 2, sampler_name: 'euler' }],
];
const converted = (workflow: object): unknown =>
  Object.values(workflowToPrompt(workflow, info).prompt).map((node) => [
    node.class_type,
    node.inputs,
  ]);

describe('names of old workflows', () => {
  it('become those of today, with their values', () => {
    expect(converted({ nodes })).toEqual(expected);
  });

  it('also in subgraphs and group nodes', () => {
    const id = 'c0ffee00-0000-4000-8000-000000000000';
    const subgraphs = [{ id, name: 'S', nodes, links: [], inputs: [], outputs: [] }];
    expect(converted({ nodes: [{ id: 9, type: id }], definitions: { subgraphs } })).toEqual(
      expected,
    );
    const group = { nodes: [nodes[0]], links: [], external: [] };
    expect(
      converted({
        nodes: [{ id: 9, type: 'workflow>G', outputs: [{ name: 'o', type: 'CONDITIONING' }] }],
        extra: { groupNodes: { G: group } },
      }),
    ).toMatchObject([['ConditioningAverage', {}]]);
  });

  it('are changed in a copy of the file; other things stay', () => {
    const file = { nodes: [...nodes, { id: 6, type: 'Other', widgets_values: ['sample_x'] }, 7] };
    const before = structuredClone(file);
    const { nodes: changed } = currentWorkflow(file);
    expect(file).toEqual(before);
    expect(changed.slice(5)).toEqual(before.nodes.slice(5));
    expect(changed[3]).toMatchObject({ widgets_values: [1, 'fixed', 'heun'] });
    for (const value of [null, 5, [], { nodes: 5 }]) expect(currentWorkflow(value)).toEqual(value);
  });
});
