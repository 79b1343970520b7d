/** Nodes that return graphs. */
import { describe, expect, it } from 'vitest';
import type { NodeDefinition } from '../../../engine/graph/definition.ts';
import { int } from '../../../engine/node.ts';
import { createHarness } from './harness.ts';
import { type Run, node, runOne, shownBy, sink } from './run-one.ts';

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
