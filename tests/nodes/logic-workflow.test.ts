import { afterAll, expect, it } from 'vitest';
import type { Runtime } from '../../engine/runtime/runtime.ts';
import { createInstallation, runWorkflow } from '../support/run-workflow.ts';

const installation = createInstallation();
afterAll(() => installation.remove());

it('runs lists, dynamic inputs and lazy branches through the executor', async () => {
  const workflow = {
    1: { class_type: 'PrimitiveInt', inputs: { value: 3 } },
    2: { class_type: 'PrimitiveInt', inputs: { value: 4 } },
    3: {
      class_type: 'CreateList',
      inputs: { 'inputs.input0': ['1', 0], 'inputs.input1': ['2', 0] },
    },
    4: {
      class_type: 'ComfyMathExpression',
      inputs: { expression: 'a ** 2 + b', 'values.a': ['3', 0], 'values.b': 0.5 },
    },
    5: {
      class_type: 'StringFormat',
      inputs: { f_string: '{a:.1f}|{b}', 'values.a': ['4', 0], 'values.b': ['4', 1] },
    },
    6: { class_type: 'ComfyMathExpression', inputs: { expression: '1 / 0', 'values.a': 1 } },
    7: {
      class_type: 'ComfySwitchNode',
      inputs: { switch: true, on_true: ['5', 0], on_false: ['6', 0] },
    },
    8: { class_type: 'PreviewAny', inputs: { source: ['7', 0] } },
  };
  const { base } = installation;
  const run = await runWorkflow(JSON.stringify(workflow), { base, runtime: {} as Runtime });
  // Each ran once for 3 and once for 4; the last is kept.
  expect(run.values.get('5')).toEqual(['16.5|16']);
  expect(run.values.get('7')).toEqual(['16.5|16']);
  expect(run.values.has('6')).toBe(false);
});
