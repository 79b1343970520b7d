/**
 * What ComfyUI 0.3.64's own execution tests ask of async nodes (reference-suite.test.ts holds the rest).
 * That nodes run beside each other is proved without a clock: they wait for each other.
 */
import { describe, expect, it } from 'vitest';
import type { NodeDefinition } from '../../../engine/graph/definition.ts';
import type { GraphBuilder } from '../../../engine/node.ts';
import { nodes as packNodes } from '../../protocol/pack/index.ts';
import { createHarness, uniform } from './harness.ts';
import type { Harness } from './harness.ts';
import { MODES, maskOf, save, stub } from './reference-graphs.ts';

const sleepNode = packNodes.find(({ name }) => name === 'TestSleep')!;

/** TestSleep whose runs begin to sleep when `count` of them are there: one after the other, none ends. */
function meeting(count: number): NodeDefinition {
  let open = (): void => {};
  const complete = new Promise<void>((resolve) => (open = resolve));
  let present = 0;
  return {
    ...sleepNode,
    run: async (inputs, context) => {
      if (++present === count) open();
      await complete;
      return sleepNode.run(inputs, context);
    },
  };
}

/** TestSleep that ends only when it is told to stop. */
const endless: NodeDefinition = {
  ...sleepNode,
  run: (_, { signal }) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error));
    }),
};

describe.each(MODES)('async nodes with the $kind cache', (cache) => {
  const keeps = cache.kind !== 'none';
  const start = (nodes: readonly NodeDefinition[] = []): { h: Harness; g: GraphBuilder } => {
    const h = createHarness('test[x]', { cache, nodes });
    return { h, g: h.graph };
  };

  it('run beside each other', async () => {
    const { h, g } = start([meeting(3)]);
    const image = stub(g, 'BLACK');
    const sleepers = [0.2, 0.3, 0.25].map((seconds) =>
      g.node('TestSleep', { value: image.out(0), seconds }),
    );
    for (const node of sleepers) g.node('PreviewImage', { images: node.out(0) });
    const run = await h.run(g);
    expect(sleepers.every(run.didRun)).toBe(true);
    expect(run.of('progress').length).toBeGreaterThan(10);
  });

  it('of an expansion run beside each other', async () => {
    const { h, g } = start([meeting(3)]);
    const node = g.node('TestParallelSleep', {
      image1: stub(g, 'BLACK').out(0),
      image2: stub(g, 'WHITE').out(0),
      image3: stub(g, 'WHITE').out(0),
      sleep1: 0.2,
      sleep2: 0.25,
      sleep3: 0.3,
    });
    const output = save(g, node.out(0));
    const run = await h.run(g);
    expect(run.didRun(node)).toBe(true);
    expect(uniform(run.images(output)[0])).toBe(170);
  });

  it('feed each other and sync nodes', async () => {
    const { h, g } = start();
    const mixed = g.node('TestLazyMixImages', {
      image1: stub(g, 'BLACK').out(0),
      image2: stub(g, 'WHITE').out(0),
      mask: maskOf(g, 0.5).out(0),
    });
    const slow = g.node('TestSleep', { value: mixed.out(0), seconds: 0.02 });
    const half = g.node('TestCustomValidation1', { input1: slow.out(0), input2: 0.5 });
    const output = save(g, g.node('TestSleep', { value: half.out(0), seconds: 0.02 }).out(0));
    expect(uniform((await h.run(g)).images(output)[0])).toBe(63);
  });

  it('that are lazy and not needed do not run', async () => {
    const { h, g } = start();
    const sleepers = ['BLACK', 'WHITE'].map((content) =>
      g.node('TestSleep', { value: stub(g, content).out(0), seconds: 0.02 }),
    );
    const mix = g.node('TestLazyMixImages', {
      image1: sleepers[0].out(0),
      image2: sleepers[1].out(0),
      mask: maskOf(g, 0).out(0),
    });
    save(g, mix.out(0));
    expect(sleepers.map((await h.run(g)).didRun)).toEqual([true, false]);
  });

  it('may check laziness asynchronously, also with constants', async () => {
    const { h, g } = start();
    const node = g.node('TestAsyncLazyCheck', { input1: 'a', input2: 'b', condition: true });
    save(g, node.out(0));
    const run = await h.run(g);
    expect(run.didRun(node)).toBe(true);
    expect(run.error()).toBeUndefined();
  });

  it('report their own errors, and the next prompt runs', async () => {
    const { h, g } = start();
    const node = g.node('TestAsyncError', { value: stub(g, 'BLACK').out(0), error_after: 0.02 });
    save(g, node.out(0));
    expect((await h.run(g)).error()).toMatchObject({
      node_id: node.id,
      exception_type: 'RuntimeError',
      exception_message: 'Intentional async execution error for testing\n',
    });
    const again = createHarness('recovery', { cache });
    save(again.graph, stub(again.graph, 'WHITE').out(0));
    expect((await again.run(again.graph)).result.status).toBe('success');
  });

  it('report time-outs', async () => {
    const { h, g } = start();
    const image = stub(g, 'BLACK').out(0);
    const node = g.node('TestAsyncTimeout', { value: image, timeout: 0.1, operation_time: 2 });
    save(g, node.out(0));
    expect((await h.run(g)).error()?.exception_message).toBe(
      'Operation timed out after 0.1 seconds\n',
    );
  });

  it('stop when a sync node fails beside them', async () => {
    const { h, g } = start([endless]);
    const image = stub(g, 'BLACK').out(0);
    const slow = g.node('TestSleep', { value: image, seconds: 5 });
    g.node('PreviewImage', { images: slow.out(0) });
    const failing = g.node('TestSyncError', { value: image });
    g.node('PreviewImage', { images: failing.out(0) });
    expect((await h.run(g)).error()?.node_id).toBe(failing.id);
  });

  it('of an expansion with any number of them run beside each other', async () => {
    const { h, g } = start([meeting(5)]);
    const node = g.node('TestDynamicAsyncGeneration', {
      image1: stub(g, 'BLACK').out(0),
      image2: stub(g, 'WHITE').out(0),
      num_async_nodes: 5,
      sleep_duration: 0.2,
    });
    const output = save(g, node.out(0));
    expect((await h.run(g)).images(output)).toHaveLength(1);
  });

  it('release resources', async () => {
    const { h, g } = start();
    const image = stub(g, 'BLACK').out(0);
    const users = [0, 1, 2, 3, 4].map((i) =>
      g.node('TestAsyncResourceUser', {
        value: image,
        resource_id: `resource_${i}`,
        duration: 0.02,
      }),
    );
    for (const node of users) g.node('PreviewImage', { images: node.out(0) });
    expect(users.every((await h.run(g)).didRun)).toBe(true);
    const again = await h.run(g);
    expect(users.some(again.didRun)).toBe(!keeps);
    expect(again.error()).toBeUndefined();
  });
});
