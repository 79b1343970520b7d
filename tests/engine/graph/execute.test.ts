/** The executor beyond the reference's fixture: contexts, interrupts, expansions, return forms, size. */
import { describe, expect, it } from 'vitest';
import { NoodleError } from '../../../engine/errors.ts';
import { ExecutionBlocker } from '../../../engine/graph/definition.ts';
import type { InputSpec, NodeContext, NodeDefinition } from '../../../engine/graph/definition.ts';
import {
  autogrow,
  clip,
  conditioning,
  defineNode,
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
import type { RunOutcome } from './harness.ts';

type Run = (inputs: Record<string, unknown>, context: NodeContext) => unknown;

const node = (
  name: string,
  inputs: Record<string, InputSpec>,
  run: Run,
  more: Partial<NodeDefinition> = {},
): NodeDefinition =>
  defineNode({
    name,
    category: 't',
    module: 't',
    form: 'v1',
    inputs,
    outputs: [{ type: '*' }],
    ...more,
    run: run as NodeDefinition['run'],
  });

/** Shows what it is given. */
const sink = node('Sink', { value: socket('*') }, ({ value }) => ({ ui: { value: [value] } }), {
  outputs: [],
  outputNode: true,
});

/** Runs one node named N whose first output goes into a sink. */
async function runOne(
  definition: NodeDefinition,
  inputs: Record<string, unknown> = {},
  options: Parameters<ReturnType<typeof createHarness>['run']>[1] = {},
  services?: unknown,
): Promise<RunOutcome> {
  const h = createHarness('', { nodes: [definition, sink], services });
  return h.run(
    {
      n: { class_type: definition.name, inputs },
      out: { class_type: 'Sink', inputs: { value: ['n', 0] } },
    } as never,
    options,
  );
}

const shownBy = (run: RunOutcome): unknown =>
  (run.outputs.out as { value: unknown[] } | undefined)?.value;

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

describe('progress and previews', () => {
  it('come in ComfyUI’s order', async () => {
    const preview = { width: 1, height: 1, rgb: new Uint8Array(3) };
    const definition = node('N', {}, (_inputs, context) => {
      context.progress(1, 2, preview);
      context.progress(5, 2);
      context.setProgress(0.5, 1, { preview });
      context.sendText('hello');
      context.send('custom', { a: 1 });
      return [1];
    });
    const run = await runOne(definition);
    const from = run.messages.findIndex((m) => m.type === 'event' && m.event === 'executing');
    const names = run.messages.slice(from - 1, from + 10).map((message) => {
      if (message.type === 'event') return message.event;
      return message.type === 'preview' ? `preview ${message.flaggedOnly}` : message.type;
    });
    expect(names).toEqual([
      'progress_state',
      'executing',
      'progress_state',
      'preview false',
      'progress',
      'progress_state',
      'progress',
      'progress_state',
      'preview true',
      'text',
      'custom',
    ]);
    expect(run.of('progress')).toEqual([
      { value: 1, max: 2, prompt_id: expect.any(String) as string, node: 'n' },
      { value: 2, max: 2, prompt_id: expect.any(String) as string, node: 'n' },
    ]);
  });

  it('stay linear in a large prompt, and end with the whole state', async () => {
    const h = createHarness('', { nodes: [sink] });
    const prompt: Record<string, unknown> = {};
    for (let i = 0; i < 400; i++) {
      prompt[`s${i}`] = { class_type: 'StubInt', inputs: { value: i } };
      prompt[`o${i}`] = { class_type: 'Sink', inputs: { value: [`s${i}`, 0] } };
    }
    const run = await h.run(prompt as never);
    const bytes = run.events
      .filter((e) => e.event === 'progress_state')
      .reduce((sum, e) => sum + e.text.length, 0);
    expect(bytes).toBeLessThan(4_000_000);
    const last = run.of('progress_state').at(-1) as { nodes: Record<string, { state: string }> };
    expect(Object.values(last.nodes)).toHaveLength(800);
    expect(Object.values(last.nodes).every(({ state }) => state === 'finished')).toBe(true);
    const seen = new Set<string>();
    for (const { event, data } of run.events) {
      if (event === 'progress_state') {
        for (const [id, { state }] of Object.entries(data.nodes as typeof last.nodes)) {
          if (state === 'running') seen.add(id);
        }
      } else if (event === 'executing') expect(seen.has(data.node as string)).toBe(true);
    }
  });
});

describe('interrupts', () => {
  const chain = (...definitions: NodeDefinition[]) =>
    createHarness('', { nodes: [...definitions, sink] });

  it('stop before the next node', async () => {
    const controller = new AbortController();
    const h = chain(
      node('A', {}, () => [controller.abort()]),
      node('B', { a: socket('*') }, () => [1]),
    );
    const run = await h.run(
      {
        a: { class_type: 'A', inputs: {} },
        b: { class_type: 'B', inputs: { a: ['a', 0] } },
        out: { class_type: 'Sink', inputs: { value: ['b', 0] } },
      },
      { signal: controller.signal },
    );
    const [data] = run.of('execution_interrupted');
    expect(data).toMatchObject({ node_id: 'b', node_type: 'B', executed: ['a'] });
    expect(Object.keys(data)).toEqual([
      'prompt_id',
      'node_id',
      'node_type',
      'executed',
      'timestamp',
    ]);
    const message = run.messages.find(
      (m) => m.type === 'event' && m.event === 'execution_interrupted',
    );
    expect(message).toMatchObject({ to: 'client-or-all' });
    expect(run.result).toMatchObject({ status: 'error', completed: false });
  });

  it('stop a node at its next progress', async () => {
    const controller = new AbortController();
    const h = chain(
      node('A', {}, (_inputs, { progress }) => {
        controller.abort();
        progress(1, 2);
        return [1];
      }),
    );
    const run = await h.run(
      {
        a: { class_type: 'A', inputs: {} },
        out: { class_type: 'Sink', inputs: { value: ['a', 0] } },
      },
      { signal: controller.signal },
    );
    expect(run.of('execution_interrupted')[0]).toMatchObject({ node_id: 'a' });
  });

  it('end the wait for async nodes', async () => {
    const controller = new AbortController();
    let stopped = false;
    const h = chain(
      node(
        'A',
        {},
        (_inputs, { signal }) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => {
              stopped = true;
              reject(new Error('stopped'));
            });
            setTimeout(() => controller.abort(), 20);
          }),
        { parallel: true },
      ),
    );
    const begin = performance.now();
    const run = await h.run(
      {
        a: { class_type: 'A', inputs: {} },
        out: { class_type: 'Sink', inputs: { value: ['a', 0] } },
      },
      { signal: controller.signal },
    );
    expect(run.of('execution_interrupted')[0]).toMatchObject({ node_id: 'a' });
    expect(stopped).toBe(true);
    expect(performance.now() - begin).toBeLessThan(900);
  });

  it('do not silence errors that only look like one', async () => {
    const run = await runOne(
      node('N', {}, () => {
        throw new DOMException('a fetch timed out', 'AbortError');
      }),
    );
    expect(run.error()).toMatchObject({ node_id: 'n' });
  });
});

describe('expansion', () => {
  const expander = (expand: Run, more: Partial<NodeDefinition> = {}) => node('N', {}, expand, more);

  it('runs new output nodes and shows them under their own ids', async () => {
    const run = await runOne(
      expander((_inputs, context) => {
        const graph = context.newGraph();
        const number = graph.node('StubInt', { value: 7 });
        graph.node('Sink', { value: number.out(0) });
        return { result: [number.out(0)], expand: graph.finalize() };
      }),
    );
    expect(Object.keys(run.outputs).sort()).toEqual(['n.0.0.2', 'out']);
    expect(JSON.parse(run.result.meta)).toMatchObject({
      'n.0.0.2': { node_id: 'n.0.0.2', display_node: 'n', parent_node: 'n', real_node_id: 'n' },
    });
    expect(run.of('executing')).toContainEqual(
      expect.objectContaining({ node: 'n.0.0.1', display_node: 'n' }),
    );
  });

  it('numbers the graphs of one call, and follows display ids', async () => {
    const run = await runOne(
      expander((_inputs, context) => {
        const [first, second] = [context.newGraph(), context.newGraph()];
        const a = first.node('StubInt', { value: 7 }, 'named');
        const b = second.node('TestIntMathOperation', { a: a.out(0), b: 1, operation: 'add' });
        b.setOverrideDisplayId('out');
        return { result: [b.out(0)], expand: { ...first.finalize(), ...second.finalize() } };
      }),
    );
    expect(run.ran).toEqual(['n', 'n.0.0.named', 'n.0.1.1', 'out']);
    expect(run.of('executing')[2]).toMatchObject({ node: 'n.0.1.1', display_node: 'out' });
    expect(shownBy(run)).toEqual([8]);
  });

  it('refuses ids that exist', async () => {
    const run = await runOne(
      expander(() => ({ result: [1], expand: { out: { class_type: 'StubInt', inputs: {} } } })),
    );
    expect(run.error()).toMatchObject({
      node_id: 'n',
      exception_type: 'execution.DuplicateNodeError',
      exception_message:
        'Attempt to add duplicate node out. Ensure node ids are unique and deterministic or use graph_utils.GraphBuilder.\n',
    });
  });

  it('into an unknown class fails as a KeyError of the expanding node', async () => {
    const run = await runOne(
      expander(() => ({ result: [['x', 0]], expand: { x: { class_type: 'Nope', inputs: {} } } })),
    );
    expect(run.error()).toMatchObject({
      node_id: 'n',
      exception_type: 'KeyError',
      exception_message: "'Nope'\n",
    });
  });

  it('reports errors inside under the real node', async () => {
    const run = await runOne(
      expander((_inputs, context) => {
        const graph = context.newGraph();
        const failing = graph.node('TestSyncError', { value: 1 });
        return { result: [failing.out(0)], expand: graph.finalize() };
      }),
    );
    expect(run.error()).toMatchObject({ node_id: 'n', node_type: 'N' });
  });

  it('whose nodes lack inputs fails when they are called', async () => {
    const run = await runOne(
      expander((_inputs, context) => {
        const graph = context.newGraph();
        return {
          result: [graph.node('TestIntMathOperation', { a: 1 }).out(0)],
          expand: graph.finalize(),
        };
      }),
    );
    expect(run.error()?.exception_message).toBe(
      "TestIntMathOperation() missing 2 required positional arguments: 'b', 'operation'\n",
    );
  });

  it('keeps the results of unchanged children for the next prompt', async () => {
    let calls = 0;
    const child = node('Child', { v: int() }, ({ v }) => [[calls++, v][1]]);
    const parent = node('N', { v: int(), w: int() }, ({ v }, context) => {
      const graph = context.newGraph();
      return { result: [graph.node('Child', { v }).out(0)], expand: graph.finalize() };
    });
    const h = createHarness('', { nodes: [child, parent, sink] });
    for (const w of [1, 2, 3]) {
      await h.run({
        n: { class_type: 'N', inputs: { v: 1, w } },
        out: { class_type: 'Sink', inputs: { value: ['n', 0] } },
      });
    }
    expect(calls).toBe(1);
  });
});

describe('IS_CHANGED', () => {
  const definition = (isChanged: NodeDefinition['isChanged']) => {
    let calls = 0;
    const n = node('N', { a: optional(int()) }, () => [calls++], { isChanged });
    const h = createHarness('', { nodes: [n, sink] });
    return (more: object = {}) =>
      h.run({
        n: { class_type: 'N', inputs: { a: 1 }, ...more },
        out: { class_type: 'Sink', inputs: { value: ['n', 0] } },
      });
  };

  it('that throws means always', async () => {
    const run = definition(() => {
      throw new Error('no');
    });
    await run();
    expect(shownBy(await run())).toEqual([1]);
  });

  it('may be asynchronous and compare by content', async () => {
    const run = definition(async () => ({ sha: ['x'] }));
    await run();
    expect(shownBy(await run())).toEqual([0]);
  });

  it('sent by the client replaces the node’s own', async () => {
    const run = definition(() => NaN);
    await run({ is_changed: ['same'] });
    expect(shownBy(await run({ is_changed: ['same'] }))).toEqual([0]);
    expect(shownBy(await run({ is_changed: ['other'] }))).toEqual([1]);
  });

  it('appears in the prompt that nodes see', async () => {
    let seen: unknown;
    const n = node('N', {}, ({ prompt }) => [(seen = prompt)], {
      hidden: { prompt: 'PROMPT' },
      isChanged: () => 'hash',
    });
    const h = createHarness('', { nodes: [n, sink] });
    const quiet = node('Quiet', { value: socket('*') }, () => ({}), {
      outputs: [],
      outputNode: true,
    });
    await createHarness('', { nodes: [n, quiet] }).run({
      n: { class_type: 'N', inputs: {} },
      out: { class_type: 'Quiet', inputs: { value: ['n', 0] } },
    });
    expect(h).toBeDefined();
    expect(seen).toMatchObject({ n: { is_changed: ['hash'] } });
  });
});

describe('node state', () => {
  it('lives while id and class stay in consecutive prompts', async () => {
    const counter = node(
      'N',
      {},
      (_inputs, { state }) => {
        const count = Number(state.get('count') ?? 0) + 1;
        state.set('count', count);
        return [count];
      },
      { isChanged: () => NaN },
    );
    const h = createHarness('', { nodes: [counter, sink] });
    const run = async (id: string) =>
      shownBy(
        await h.run({
          [id]: { class_type: 'N', inputs: {} },
          out: { class_type: 'Sink', inputs: { value: [id, 0] } },
        }),
      );
    expect([await run('a'), await run('a'), await run('b'), await run('a')]).toEqual([
      [1],
      [2],
      [1],
      [1],
    ]);
  });
});

describe('history', () => {
  it('holds cached nodes with intermediate output', async () => {
    const viewer = node('N', {}, () => ({ result: [1], ui: { text: ['seen'] } }), {
      hasIntermediateOutput: true,
    });
    const h = createHarness('', { nodes: [viewer, sink] });
    const prompt = {
      n: { class_type: 'N', inputs: {} },
      out: { class_type: 'Sink', inputs: { value: ['n', 0] } },
    };
    expect(Object.keys((await h.run(prompt)).outputs)).toEqual(['n', 'out']);
    const again = await h.run(prompt);
    expect(again.of('executed').map((data) => data.node)).toEqual(['out']);
    expect(Object.keys(again.outputs).sort()).toEqual(['n', 'out']);
  });
});

describe('nodes that no output needs', () => {
  it('may be broken', async () => {
    const h = createHarness('', { nodes: [sink] });
    const run = await h.run({
      a: { class_type: 'StubInt' },
      b: { class_type: 'StubInt', inputs: [1] },
      c: { class_type: 'StubInt', inputs: { value: ['nowhere', 0] } },
      d: { class_type: 'StubInt', inputs: { x: ['e', 0] } },
      e: { class_type: 'StubInt', inputs: { x: ['d', 0] } },
      out: { class_type: 'Sink', inputs: { value: 1 } },
    } as never);
    expect(shownBy(run)).toEqual([1]);
  });
});

describe('size', () => {
  it('runs chains of 5000 nodes, and finds all of them cached again', async () => {
    const h = createHarness('', { nodes: [sink] });
    const prompt: Record<string, unknown> = { n0: { class_type: 'StubInt', inputs: { value: 0 } } };
    for (let i = 1; i < 5000; i++) {
      prompt[`n${i}`] = {
        class_type: 'TestIntMathOperation',
        inputs: { a: [`n${i - 1}`, 0], b: 1, operation: 'add' },
      };
    }
    prompt.out = { class_type: 'Sink', inputs: { value: ['n4999', 0] } };
    expect(shownBy(await h.run(prompt as never))).toEqual([4999]);
    expect((await h.run(prompt as never)).cached).toHaveLength(5001);
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
    const { exception_type, exception_message } = run.error() ?? {};
    return run.error() && `${String(exception_type)}: ${String(exception_message).trim()}`;
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
