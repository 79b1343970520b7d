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

it('keeps 5.0 from becoming 5 on its way, as in Python', async () => {
  const show = (source: unknown) => ({ class_type: 'PreviewAny', inputs: { source } });
  const values = { 'values.a': ['1', 0], 'values.b': ['2', 0], 'values.c': ['3', 0] };
  const workflow = {
    1: { class_type: 'PrimitiveFloat', inputs: { value: 5 } },
    2: { class_type: 'PrimitiveInt', inputs: { value: 5 } },
    3: {
      class_type: 'ComfySwitchNode',
      inputs: { switch: true, on_true: ['1', 0], on_false: ['7', 0] },
    },
    4: { class_type: 'CreateList', inputs: { 'inputs.input0': ['1', 0] } },
    5: {
      class_type: 'StringFormat',
      inputs: { f_string: '{a}|{a:.2f}|{a:g}|{b}|{c!r}', ...values },
    },
    6: { class_type: 'StringFormat', inputs: { f_string: '{a}', 'values.a': ['4', 0] } },
    7: {
      class_type: 'ComfyMathExpression',
      inputs: { expression: 'a * 10 ** 22 + b', 'values.a': ['1', 0], 'values.b': ['2', 0] },
    },
    8: { class_type: 'StringFormat', inputs: { f_string: '{a}', 'values.a': ['7', 0] } },
    9: {
      class_type: 'StringFormat',
      inputs: { f_string: '{a}{b}', 'values.a': '@@', 'values.b': 2 },
    },
    10: show(['5', 0]),
    11: show(['6', 0]),
    12: show(['8', 0]),
    13: show(['9', 0]),
    14: show(['1', 0]),
  };
  const text = JSON.stringify(workflow).replace('"@@"', '5.0');
  const { base } = installation;
  const run = await runWorkflow(text, { base, runtime: {} as Runtime });
  // CPython: '{a}|{a:.2f}|{a:g}|{b}|{c!r}'.format(a=5.0, b=5, c=5.0), …, str(5.0 * 10**22 + 5)
  expect(run.values.get('5')).toEqual(['5.0|5.00|5|5|5.0']);
  expect(run.values.get('6')).toEqual(['5.0']);
  expect(run.values.get('8')).toEqual(['5e+22']);
  expect(run.values.get('9')).toEqual(['5.02']);
  expect(run.values.get('14')).toEqual(['5.0']);
});
