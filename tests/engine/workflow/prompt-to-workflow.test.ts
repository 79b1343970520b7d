import { describe, expect, it } from 'vitest';
import { isApiFormat, isUiFormat } from '../../../engine/workflow/forms.ts';
import { promptToWorkflow } from '../../../engine/workflow/prompt-to-workflow.ts';
import { workflowToPrompt } from '../../../engine/workflow/to-prompt.ts';
import type { ApiPrompt, ObjectInfo } from '../../../engine/workflow/types.ts';
import { cpuTimer } from '../../support/cpu-time.ts';

const info: ObjectInfo = {
  Loader: { input: { required: { name: [['a', 'b']] } }, output: ['MODEL'], output_name: ['m'] },
  Sample: {
    input: {
      required: {
        model: ['MODEL'],
        seed: ['INT', { control_after_generate: true }],
        choices: ['COMBO', { options: ['a'], multiselect: true }],
        steps: ['INT', { default: 20 }],
      },
    },
    output: ['LATENT'],
  },
  Int: { input: { required: { value: ['INT'] } }, output: ['INT'] },
};

const prompt: ApiPrompt = {
  4: { class_type: 'Loader', inputs: { name: 'b' }, _meta: { title: 'Load' } },
  5: { class_type: 'Int', inputs: { value: 3 }, _meta: { title: 'Int' } },
  '7:1': {
    class_type: 'Sample',
    inputs: { model: ['4', 0], seed: 9, choices: { __value__: ['a'] }, steps: ['5', 0] },
    _meta: { title: 'Sample' },
  },
  9: {
    class_type: 'Unknown',
    inputs: { x: ['7:1', 0], y: ['4', 2], mode: 'fast' },
    _meta: { title: 'U' },
  },
};

describe('promptToWorkflow', () => {
  it('comes back as the same prompt', () => {
    const workflow = promptToWorkflow(prompt, info);
    const back = workflowToPrompt(workflow, info).prompt;
    const renamed = JSON.parse(JSON.stringify(prompt).replaceAll('"7:1"', '"10"')) as ApiPrompt;
    expect(back).toEqual(renamed);
  });

  it('lays out columns from left to right without overlap', () => {
    const { nodes, last_link_id: lastLink } = promptToWorkflow(prompt, info);
    const x = Object.fromEntries(nodes.map((node) => [node.type, node.pos[0]]));
    expect(x.Loader).toBe(x.Int);
    expect(x.Sample).toBeGreaterThan(x.Loader);
    expect(x.Unknown).toBeGreaterThan(x.Sample);
    expect(nodes[1].pos[1]).toBeGreaterThanOrEqual(nodes[0].pos[1] + nodes[0].size[1]);
    expect(lastLink).toBe(4);
  });

  it('places a long chain in one go, in whatever order it comes', () => {
    const length = 20_000;
    const chain: ApiPrompt = Object.fromEntries(
      Array.from({ length }, (_, i) => [
        `n${i}`,
        { class_type: 'Unknown', inputs: { x: i + 1 < length ? [`n${i + 1}`, 0] : 0 } },
      ]),
    );
    const spent = cpuTimer();
    const { nodes } = promptToWorkflow(chain, info);
    expect(spent()).toBeLessThan(3000);
    expect(nodes[0].pos[0] - nodes[length - 1].pos[0]).toBe(380 * (length - 1));
  });

  it('survives circles', () => {
    const circle: ApiPrompt = {
      1: { class_type: 'A', inputs: { x: ['2', 0] } },
      2: { class_type: 'A', inputs: { x: ['1', 0] } },
    };
    expect(promptToWorkflow(circle, info).links).toHaveLength(2);
  });
});

describe('format detection', () => {
  it('tells prompts and workflows apart', () => {
    expect(isApiFormat(prompt)).toBe(true);
    expect(isUiFormat(prompt)).toBe(false);
    expect(isApiFormat({ nodes: [], links: [] })).toBe(false);
    expect(isUiFormat({ nodes: [], links: [] })).toBe(true);
    for (const value of [null, 3, [], {}, { a: { inputs: {} } }]) {
      expect(isApiFormat(value)).toBe(false);
      expect(isUiFormat(value)).toBe(false);
    }
  });
});
