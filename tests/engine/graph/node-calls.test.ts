/** What a node is given, what it may return, and how its errors are told. */
import { describe, expect, it } from 'vitest';
import { NoodleError } from '../../../engine/errors.ts';
import { ExecutionBlocker } from '../../../engine/graph/definition.ts';
import type { InputSpec, NodeDefinition } from '../../../engine/graph/definition.ts';
import {
  autogrow,
  clip,
  conditioning,
  dynamicCombo,
  float,
  image,
  int,
  int64,
  latent,
  mask,
  model,
  optional,
  socket,
  string,
  vae,
} from '../../../engine/node.ts';
import { createHarness } from './harness.ts';
import { node, runOne, shownBy, sink } from './run-one.ts';

describe('inputs of a node', () => {
  it('are plain JavaScript, whatever the prompt spells', async () => {
    let seen: Record<string, unknown> = {};
    const definition = node(
      'N',
      { f: float(), i: int(), seed: int64(), any: socket('*'), dict: socket('DICT') },
      (inputs) => [(seen = inputs)],
    );
    const { parseJson } = await import('../../../engine/workflow/lossless-json.ts');
    const inputs = parseJson(
      '{"f": 8, "i": "7", "seed": 18446744073709551615, "any": 5.0, "dict": {"a": [1.0, "x"]}, "more": 1}',
    ) as Record<string, unknown>;
    await runOne(definition, inputs);
    expect(seen).toEqual({
      f: 8,
      i: 7,
      seed: 18446744073709551615n,
      any: 5,
      dict: { a: [1, 'x'] },
    });
  });

  it('hold undeclared constants too when the node accepts all', async () => {
    const definition = node('N', {}, ({ extra }) => [extra], { acceptAllInputs: true });
    expect(shownBy(await runOne(definition, { extra: 'yes' }))).toEqual(['yes']);
  });

  it('hold what the node asked for as hidden', async () => {
    let seen: Record<string, unknown> = {};
    const definition = node('N', { a: int() }, (inputs) => [(seen = inputs)], {
      hidden: {
        prompt: 'PROMPT',
        png: 'EXTRA_PNGINFO',
        id: 'UNIQUE_ID',
        token: 'AUTH_TOKEN_COMFY_ORG',
        key: 'API_KEY_COMFY_ORG',
        usage: 'COMFY_USAGE_SOURCE',
        dyn: 'DYNPROMPT',
      },
    });
    await runOne(
      definition,
      { a: '5' },
      { extraData: { extra_pnginfo: { workflow: { id: 1 } }, auth_token_comfy_org: 'secret' } },
    );
    expect(seen).toMatchObject({
      a: 5,
      png: { workflow: { id: 1 } },
      id: 'n',
      token: 'secret',
      key: null,
      usage: null,
      prompt: { n: { inputs: { a: 5 } }, out: {} },
      dyn: { originalPrompt: { n: {} } },
    });
  });

  it('that are dynamic arrive put together', async () => {
    let seen: Record<string, unknown> = {};
    const definition = node(
      'N',
      {
        values: autogrow(['value', int()], { prefix: 'v', max: 5 }),
        kind: dynamicCombo([{ key: 'size', inputs: { width: int(), note: optional(string()) } }]),
      },
      (inputs) => [(seen = inputs)],
    );
    await runOne(definition, { 'values.v0': 1, 'values.v2': '3', kind: 'size', 'kind.width': 9 });
    expect(seen).toEqual({ values: { v0: 1, v2: 3 }, kind: { kind: 'size', width: 9 } });
  });

  it('linked to an output that is not there are null', async () => {
    const two = node('Short', {}, () => [1], { outputs: [{ type: '*' }, { type: '*' }] });
    const h = createHarness('', { nodes: [two, sink] });
    const run = await h.run({
      n: { class_type: 'Short', inputs: {} },
      out: { class_type: 'Sink', inputs: { value: ['n', 1] } },
    });
    expect(shownBy(run)).toEqual([null]);
  });

  it('linked (undeclared) to a missing node fail that output', async () => {
    const run = await runOne(
      node('N', {}, () => [1]),
      { extra: ['nowhere', 0] },
    );
    expect(run.error()).toMatchObject({
      exception_type: 'comfy_execution.graph.NodeNotFoundError',
      exception_message: 'Node nowhere not found (linked to by node n)\n',
    });
  });
});

describe('lists', () => {
  const list = (values: readonly unknown[]) =>
    node('List', {}, () => [values], { outputs: [{ type: '*', list: true }] });
  const runList = async (values: readonly unknown[], consumer: NodeDefinition) => {
    const h = createHarness('', { nodes: [list(values), consumer, sink] });
    return h.run({
      l: { class_type: 'List', inputs: {} },
      n: { class_type: consumer.name, inputs: { a: ['l', 0], b: 10 } },
      out: { class_type: 'Sink', inputs: { value: ['n', 0] } },
    });
  };
  const ab = { a: socket('*'), b: int() };

  it('call a node once per element, repeating the last of shorter lists', async () => {
    const indices: number[] = [];
    const sum = node('N', ab, ({ a, b }, { callIndex }) => {
      indices.push(callIndex);
      return [Number(a) + Number(b)];
    });
    expect(shownBy(await runList([1, 2, 3], sum))).toEqual([11, 12, 13]);
    expect(indices).toEqual([0, 1, 2]);
  });

  it('go to INPUT_IS_LIST nodes whole, constants too', async () => {
    const all = node('N', ab, ({ a, b }) => [[a, b]], { inputIsList: true });
    expect(shownBy(await runList([1, 2], all))).toEqual([[[1, 2], [10]]]);
  });

  it('that are empty beside others are an error', async () => {
    const run = await runList(
      [],
      node('N', ab, ({ a }) => [a]),
    );
    expect(run.error()).toMatchObject({
      node_id: 'n',
      exception_type: 'IndexError',
      exception_message: 'list index out of range\n',
    });
  });

  it('that are all empty call the node without arguments', async () => {
    const h = createHarness('', { nodes: [list([]), sink] });
    const run = await h.run({
      l: { class_type: 'List', inputs: {} },
      out: { class_type: 'Sink', inputs: { value: ['l', 0] } },
    });
    expect(run.error()).toMatchObject({
      node_id: 'out',
      exception_type: 'TypeError',
      exception_message: "Sink() missing 1 required positional argument: 'value'\n",
    });
  });
});

describe('what a node may return', () => {
  it.each<[string, unknown]>([
    ['a list', [1]],
    ['a result', { result: [1] }],
    ['a promise', Promise.resolve([1])],
  ])('%s', async (_name, value) => {
    expect(shownBy(await runOne(node('N', {}, () => value)))).toEqual([1]);
  });

  it('one blocker for all outputs', async () => {
    const run = await runOne(node('N', {}, () => new ExecutionBlocker(null)));
    expect(run.result.status).toBe('success');
    expect(run.of('executed')).toEqual([]);
  });

  it('nothing, when it has no outputs', async () => {
    const h = createHarness('', {
      nodes: [node('N', {}, () => undefined, { outputs: [], outputNode: true })],
    });
    expect((await h.run({ n: { class_type: 'N', inputs: {} } })).result.status).toBe('success');
  });

  it.each<[string, unknown, string]>([
    ['nothing', undefined, 'N returned nothing'],
    ['a number', 5, 'N returned number'],
  ])('but not %s', async (_name, value, text) => {
    const error = (await runOne(node('N', {}, () => value))).error();
    expect(error).toMatchObject({ exception_type: 'TypeError' });
    expect(error?.exception_message).toContain(text);
  });
});

describe('errors', () => {
  it.each<[unknown, string]>([
    [new Error('x'), 'RuntimeError'],
    [new TypeError('x'), 'TypeError'],
    [new RangeError('x'), 'ValueError'],
    [Object.assign(new Error('x'), { pythonType: 'NotImplementedError' }), 'NotImplementedError'],
    [new NoodleError('FILE_NOT_FOUND', { kind: 'model', name: 'x' }), 'FileNotFoundError'],
    ['x', 'RuntimeError'],
  ])('%s is a %s', async (error, type) => {
    const run = await runOne(
      node('N', { a: int() }, () => {
        throw error;
      }),
      { a: 3 },
    );
    expect(run.error()).toMatchObject({
      prompt_id: expect.stringMatching(/^prompt-/) as string,
      node_id: 'n',
      node_type: 'N',
      executed: [],
      exception_type: type,
      current_inputs: { a: [3] },
      current_outputs: ['n', 'out'],
    });
    expect(run.error()?.exception_message).toMatch(/x.*\n$/);
    expect(run.result).toMatchObject({ status: 'error', completed: false });
    expect(run.result.messages.map(([event]) => event)).toEqual([
      'execution_start',
      'execution_cached',
      'execution_error',
    ]);
  });

  it('of memory carry a tip', async () => {
    const run = await runOne(
      node('N', {}, () => {
        throw new RangeError('Array buffer allocation failed');
      }),
    );
    expect(run.error()?.exception_type).toBe('torch.OutOfMemoryError');
    expect(run.error()?.exception_message).toMatch(/\nThis error means you ran out of memory/);
  });
});

describe('values that a node cannot take', () => {
  const taking = (inputs: Record<string, InputSpec>, more: Partial<NodeDefinition> = {}) =>
    node('Taking', inputs, () => ['ran'], more);
  const nothing = node('Nothing', {}, () => [null]);
  const link = ['nothing', 0];
  const message = async (definition: NodeDefinition, inputs: Record<string, unknown>) => {
    const h = createHarness('', { nodes: [definition, nothing, sink] });
    const run = await h.run({
      nothing: { class_type: 'Nothing', inputs: {} },
      n: { class_type: 'Taking', inputs },
      out: { class_type: 'Sink', inputs: { value: ['n', 0] } },
    } as never);
    const error = run.error();
    return (
      error && `${error.exception_type as string}: ${(error.exception_message as string).trim()}`
    );
  };

  it.each([
    ['samples', latent(), null, 'LATENT, got None'],
    ['samples', latent(), {}, "LATENT, got a value of type 'dict'"],
    ['positive', conditioning(), '7,0', "CONDITIONING, got a value of type 'str'"],
    ['positive', conditioning(), null, 'CONDITIONING, got None'],
    ['model', model(), null, 'MODEL, got None'],
    ['model', model(), 5, "MODEL, got a value of type 'int'"],
    ['image', image(), link, 'IMAGE, got None'],
    ['text', string(), link, 'STRING, got None'],
    ['n', int(), link, 'INT, got None'],
    ['clip', clip(), true, "CLIP, got a value of type 'bool'"],
    ['images.a', autogrow(['image', image()], ['a', 'b']), null, 'IMAGE, got None'],
  ])('%s: the error names the input (%#)', async (name, spec, value, text) => {
    const [id] = name.split('.');
    expect(await message(taking({ [id]: spec }), { [name]: value })).toBe(
      `TypeError: input '${name}': expected a value of type ${text}`,
    );
  });

  it('names an input whose list holds one', async () => {
    expect(await message(taking({ a: mask() }, { inputIsList: true }), { a: link })).toBe(
      "TypeError: input 'a': expected a value of type MASK, got None",
    );
  });

  it.each([
    ['an optional input', optional(mask()), null],
    ['a part that a checkpoint may lack', vae(), null],
    ['a socket of any type', socket('*'), null],
    ['a lazy input', socket('X', { lazy: true }, []), link],
  ])('None is fine for %s', async (_, spec, value) => {
    expect(await message(taking({ a: spec }), { a: value })).toBeUndefined();
  });

  it('an optional input that is None is left out', async () => {
    let given: Record<string, unknown> = {};
    const shows = node('Shows', { a: optional(mask()) }, (inputs) => [(given = inputs)]);
    await runOne(shows, { a: null });
    expect(given).toEqual({});
  });
});

describe('what nodes show', () => {
  const text = node('Text', { length: int() }, ({ length }) => ['x'.repeat(length as number)]);

  it('is refused before it is more than the server can keep', async () => {
    const run = await runOne(text, { length: 2 ** 25 });
    expect(run.result.status).toBe('error');
    expect(run.error()?.exception_message).toContain('at most 33554432 characters together');
  });

  it('and what it was given is cut in reports of errors', async () => {
    const fail = node('Fail', { text: string() }, ({ text: given }) => {
      throw new Error(given as string);
    });
    const error = (await runOne(fail, { text: 'x'.repeat(2 ** 22) })).error()!;
    expect((error.exception_message as string).length).toBeLessThan(101_000);
    expect(JSON.stringify(error.current_inputs).length).toBeLessThan(101_000);
  });

  it('counts together', async () => {
    const h = createHarness('', { nodes: [text, sink] });
    const length = 2 ** 24 - 1000;
    const show = { class_type: 'Sink', inputs: { value: ['t', 0] } };
    const t = { class_type: 'Text', inputs: { length } };
    expect((await h.run({ t, a: show, b: show })).result.status).toBe('success');
    expect((await h.run({ t, a: show, b: show, c: show })).result.status).toBe('error');
  });
});
