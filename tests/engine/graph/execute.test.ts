/** The executor beyond the reference’s fixture: progress, interrupts, what is run again, size. */
import { describe, expect, it } from 'vitest';
import type { NodeDefinition } from '../../../engine/graph/definition.ts';
import { int, optional, socket } from '../../../engine/node.ts';
import { createHarness } from './harness.ts';
import { node, runOne, shownBy, sink } from './run-one.ts';

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
