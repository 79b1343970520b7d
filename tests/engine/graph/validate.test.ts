/** Validation beyond what the reference's 0.3.64 fixture shows: newer behaviour, size, hostile input. */
import { describe, expect, it } from 'vitest';
import type { InputSpec, NodeDefinition, Prompt } from '../../../engine/graph/definition.ts';
import { validatePrompt } from '../../../engine/graph/validate.ts';
import {
  autogrow,
  boolean,
  combo,
  defineNode,
  dynamicCombo,
  dynamicSlot,
  int,
  matchType,
  optional,
  socket,
  string,
} from '../../../engine/node.ts';
import { oracleNodes } from './oracle-nodes.ts';
import { wire } from './harness.ts';
import { referenceChoices as source } from '../../support/object-info.ts';
import { cpuTimer } from '../../support/cpu-time.ts';

const make = (
  name: string,
  inputs: Record<string, InputSpec>,
  more: Partial<NodeDefinition> = {},
) =>
  defineNode({
    name,
    category: 't',
    module: 't',
    form: 'v3',
    inputs,
    outputs: [{ type: 'IMAGE' }],
    run: () => [null],
    ...more,
  });

const nodes = oracleNodes();
for (const node of [
  make('V3Combo', { mode: combo(['a', 'b']) }, { outputNode: true }),
  make('Many', { modes: combo(['a', 'b'], { multiselect: true }) }, { outputNode: true }),
  make('Remote', { file: combo([], { remote_combo: {} }) }, { outputNode: true }),
  make('Match', { value: matchType('T') }, { outputNode: true }),
  make(
    'Grow',
    { images: autogrow(['image', socket('IMAGE')], { prefix: 'image', max: 3 }) },
    { outputNode: true },
  ),
  make('Named', { parts: autogrow(['part', int()], ['x', 'y'], { min: 1 }) }, { outputNode: true }),
  make(
    'Choice',
    {
      kind: dynamicCombo([
        { key: 'size', inputs: { width: int({ min: 1 }), note: optional(string()) } },
        { key: 'none', inputs: {} },
      ]),
    },
    { outputNode: true },
  ),
  make('Slot', { source: dynamicSlot('IMAGE', { invert: boolean() }) }, { outputNode: true }),
  make(
    'Group',
    {
      rows: {
        type: 'COMFY_DYNAMICGROUP_V3',
        optional: false,
        dynamic: { kind: 'group', template: { weight: int() }, min: 1, max: 2 },
      },
    },
    { outputNode: true },
  ),
  make(
    'Throws',
    { value: int() },
    {
      outputNode: true,
      validate: {
        inputs: ['value'],
        check: () => {
          throw new TypeError('broken check');
        },
      },
    },
  ),
  make(
    'Nameless',
    { value: optional(int()) },
    {
      outputNode: true,
      validate: { inputs: [], check: () => 'never good' },
    },
  ),
]) {
  nodes.set(node.name, node);
}

const validate = (prompt: unknown, partialTargets?: readonly string[]) =>
  validatePrompt(wire(prompt), { nodes, source, partialTargets });

/** `type: details` of every error of one node. */
async function errorsOf(classType: string, inputs: Record<string, unknown>): Promise<string[]> {
  const prompt = {
    n: { class_type: classType, inputs },
    img: {
      class_type: 'StubImage',
      inputs: { content: 'BLACK', height: 1, width: 1, batch_size: 1 },
    },
    num: { class_type: 'StubInt', inputs: { value: 1 } },
  };
  const { nodeErrors } = await validate(prompt);
  return (nodeErrors.n?.errors ?? []).map(({ type, details }) => `${type}: ${details}`);
}

describe('node types', () => {
  it('names a node without a class', async () => {
    const answer = await validate({ '7': { inputs: {}, _meta: { title: 'My node' } } });
    expect(answer).toEqual({
      ok: false,
      nodeErrors: {},
      error: {
        type: 'missing_node_type',
        message:
          "Node 'My node' has no class_type. The workflow may be corrupted or a custom node is missing.",
        details: "Node ID '#7'",
        extra_info: { node_id: '7', class_type: null, node_title: 'My node' },
      },
    });
  });

  it('names an unknown class', async () => {
    const answer = await validate({ '7': { class_type: 'Nope', inputs: {} } });
    expect(answer).toMatchObject({
      ok: false,
      error: {
        message: "Node 'Nope' not found. The custom node may not be installed.",
        extra_info: { node_id: '7', class_type: 'Nope', node_title: null },
      },
    });
  });

  it.each([
    [
      { class_type: 'LoraLoader', inputs: {} },
      "Node 'LoraLoader' not found: a core node of ComfyUI",
    ],
    [
      { class_type: 'Epsilon Scaling', inputs: {}, _meta: { title: 'Mine' } },
      "Node 'Mine' not found: Epsilon Scaling, a core node of ComfyUI",
    ],
  ])('does not put a core node down to a custom node pack', async (node, message) => {
    const answer = await validate({ '7': node });
    expect(answer).toMatchObject({
      error: { type: 'missing_node_type', message: `${message}, is not part of Noodle yet.` },
    });
  });

  it.each([['a text'], [5], [null], [[]]])('a node that is %j is no prompt', async (node) => {
    await expect(validate({ '1': node })).rejects.toThrow(TypeError);
  });
});

describe('newer rules', () => {
  it('V3 combos are checked, several choices one by one', async () => {
    expect(await errorsOf('V3Combo', { mode: 'a' })).toEqual([]);
    expect(await errorsOf('V3Combo', { mode: 'z' })).toEqual([
      "value_not_in_list: mode: 'z' not in ['a', 'b']",
    ]);
    expect(await errorsOf('Many', { modes: { __value__: ['a', 'b'] } })).toEqual([]);
    expect(await errorsOf('Many', { modes: { __value__: ['a', 'x', 5] } })).toEqual([
      "value_not_in_list: modes: 'x', 5 not in ['a', 'b']",
    ]);
    expect(await errorsOf('Remote', { file: 'anything' })).toEqual([]);
  });

  it('match types fit everything', async () => {
    expect(await errorsOf('Match', { value: ['num', 0] })).toEqual([]);
  });

  it('a check without inputs to blame gives one error', async () => {
    const { nodeErrors } = await validate({ n: { class_type: 'Nameless', inputs: { value: 1 } } });
    expect(nodeErrors.n.errors).toEqual([
      {
        type: 'custom_validation_failed',
        message: 'Custom validation failed for node',
        details: 'never good',
        extra_info: {},
      },
    ]);
  });

  it('a check that throws is reported with its exception', async () => {
    const { nodeErrors } = await validate({ n: { class_type: 'Throws', inputs: { value: 1 } } });
    expect(nodeErrors.n.errors[0]).toMatchObject({
      type: 'exception_during_validation',
      details: 'broken check',
      extra_info: { exception_type: 'TypeError' },
    });
  });
});

describe('dynamic inputs', () => {
  const image = ['img', 0];
  it.each<[string, Record<string, unknown>, string[]]>([
    ['Grow', { 'images.image0': image }, []],
    ['Grow', { 'images.image0': image, 'images.image2': image }, []],
    ['Grow', {}, ['required_input_missing: image0']],
    [
      'Grow',
      { 'images.image0': ['num', 0] },
      ['return_type_mismatch: images.image0, received_type(INT) mismatch input_type(IMAGE)'],
    ],
    [
      'Grow',
      { 'images.image0': image, 'images.image3': image },
      ['invalid_dynamic_input: images.image3: at most 3 are allowed'],
    ],
    ['Named', { 'parts.x': 1 }, []],
    [
      'Named',
      { 'parts.y': 'q' },
      [
        'required_input_missing: x',
        "invalid_input_type: parts.y, q, invalid literal for int() with base 10: 'q'",
      ],
    ],
    ['Choice', { kind: 'size', 'kind.width': 5 }, []],
    ['Choice', { kind: 'size' }, ['required_input_missing: width']],
    ['Choice', { kind: 'size', 'kind.width': 0 }, ['value_smaller_than_min: kind.width']],
    ['Choice', { kind: 'none' }, []],
    ['Choice', { kind: 'unheard of' }, []],
    ['Choice', {}, ['required_input_missing: kind']],
    ['Slot', {}, []],
    ['Slot', { source: image }, ['required_input_missing: invert']],
    ['Slot', { source: image, 'source.invert': true }, []],
    ['Group', { 'rows.0.weight': 1, 'rows.1.weight': 2 }, []],
    ['Group', { 'rows.1.weight': 2 }, ['required_input_missing: weight']],
    [
      'Group',
      { 'rows.0.weight': 1, 'rows.1.weight': 2, 'rows.2.weight': 2 },
      ['invalid_dynamic_input: 3 rows, at most 2 are allowed'],
    ],
  ])('%s %j', async (classType, inputs, errors) => {
    expect(await errorsOf(classType, inputs)).toEqual(errors);
  });
});

describe('cycles', () => {
  const mix = (image1: unknown) => ({
    class_type: 'TestVariadicAverage',
    inputs: { input1: image1 },
  });

  it('are reported on each of their nodes', async () => {
    const answer = await validate({
      '1': mix(['2', 0]),
      '2': mix(['1', 0]),
      out: { class_type: 'PreviewImage', inputs: { images: ['1', 0] } },
    });
    expect(answer.ok).toBe(false);
    const expected = (id: string) => ({
      class_type: 'TestVariadicAverage',
      dependent_outputs: ['out'],
      errors: [
        {
          type: 'dependency_cycle',
          message: 'Dependency cycle detected',
          details: '1 (TestVariadicAverage) -> 2 (TestVariadicAverage) -> 1 (TestVariadicAverage)',
          extra_info: { node_id: id, cycle_nodes: ['1', '2'] },
        },
      ],
    });
    expect(answer.nodeErrors).toEqual({ '1': expected('1'), '2': expected('2') });
  });

  it('of one node, and beside good outputs', async () => {
    const answer = await validate({
      '1': mix(['1', 0]),
      '2': { class_type: 'PreviewImage', inputs: { images: ['1', 0] } },
      '3': { class_type: 'TestShow', inputs: { value: 1 } },
    });
    expect(answer).toMatchObject({ ok: true, outputs: ['3'] });
    expect(answer.nodeErrors['1'].errors[0].details).toBe(
      '1 (TestVariadicAverage) -> 1 (TestVariadicAverage)',
    );
  });
});

describe('size', () => {
  const chain = (length: number): Prompt => {
    const prompt: Record<string, unknown> = { n0: { class_type: 'StubInt', inputs: { value: 1 } } };
    for (let i = 1; i < length; i++) {
      prompt[`n${i}`] = {
        class_type: 'TestIntMathOperation',
        inputs: { a: [`n${i - 1}`, 0], b: 1, operation: 'add' },
      };
    }
    prompt.out = { class_type: 'TestShow', inputs: { value: [`n${length - 1}`, 0] } };
    return prompt as Prompt;
  };

  it.each([5000, 10_000])(
    'a chain of %d nodes neither overflows nor takes long',
    async (length) => {
      const prompt = chain(length);
      const spent = cpuTimer();
      expect(await validatePrompt(prompt, { nodes, source })).toMatchObject({ ok: true });
      expect(spent()).toBeLessThan(1500);
    },
  );

  it('a fault at the far end of a long chain is found', async () => {
    const prompt = chain(5000);
    prompt.n0.inputs.value = 'x';
    const answer = await validatePrompt(prompt, { nodes, source });
    expect(answer.ok).toBe(false);
    expect(Object.keys(answer.nodeErrors)).toEqual(['n0']);
  });

  it('a cycle of 5000 nodes is found', async () => {
    const prompt = chain(5000);
    prompt.n0 = {
      class_type: 'TestIntMathOperation',
      inputs: { a: ['n4999', 0], b: 1, operation: 'add' },
    };
    const answer = await validatePrompt(prompt, { nodes, source });
    expect(Object.keys(answer.nodeErrors)).toHaveLength(5000);
  });
});

describe('hostile prompts', () => {
  const link = (id: unknown, slot: unknown) =>
    validate({ n: { class_type: 'TestShow', inputs: { value: [id, slot] } } });

  it.each([['__proto__'], ['constructor'], ['toString'], [''], ['\u0000']])(
    'a link to %j leads nowhere',
    async (id) => {
      const answer = await link(id, 0);
      expect(answer.nodeErrors.n.errors[0].extra_info.exception_type).toBe('KeyError');
    },
  );

  it.each([[null], [{}], [[]], [1.5], ['0'], [1e99]])('slot %j is refused', async (slot) => {
    expect((await link('n', slot)).ok).toBe(false);
  });

  it('node ids and inputs named like object members are data', async () => {
    const text = `{"__proto__": {"class_type": "TestShow", "inputs": {"value": 1, "__proto__": 3, "constructor": 5}},
      "hasOwnProperty": {"class_type": "TestShow", "inputs": {"n": "x", "value": 1}}}`;
    const { parseJson } = await import('../../../engine/workflow/lossless-json.ts');
    const prompt = parseJson(text) as unknown as Prompt;
    const answer = await validatePrompt(prompt, { nodes, source });
    expect(answer).toMatchObject({ ok: true, outputs: ['__proto__'] });
    expect(Object.keys(answer.nodeErrors)).toEqual(['hasOwnProperty']);
  });

  it.each([['text'], [[1, 2]], [5], [null]])(
    'inputs that are %j are an error of the node',
    async (inputs) => {
      const answer = await validate({ n: { class_type: 'TestShow', inputs } });
      expect(answer.nodeErrors.n.errors[0].type).toBe('exception_during_validation');
    },
  );
});
