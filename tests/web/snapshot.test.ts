import { readdirSync, readFileSync } from 'node:fs';
import { LGraph, LiteGraph } from '@comfyorg/litegraph';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { parseJson, toPlain } from '../../engine/workflow/lossless-json.ts';
import { noHooks } from '../../web/graph/hooks.ts';
import { useExactCopies } from '../../web/graph/litegraph-setup.ts';
import { loadWorkflow } from '../../web/graph/load.ts';
import { registerNodes } from '../../web/graph/node-class.ts';
import { restoreNodes } from '../../web/graph/restore-nodes.ts';
import { saveWorkflow } from '../../web/graph/save.ts';
import { takeSnapshot } from '../../web/graph/snapshot.ts';
import { registerSubgraphs } from '../../web/graph/subgraphs.ts';
import { registerVirtualNodes } from '../../web/graph/virtual-nodes.ts';
import { objectInfo } from './fixtures/object-info.ts';

type Item = Record<string, unknown>;

const examples = new URL('../../workflows/', import.meta.url);
const fixtures = new URL('./fixtures/', import.meta.url);
const read = (file: URL): Item => toPlain(parseJson(readFileSync(file, 'utf8'))) as Item;
const jsonFiles = (folder: URL) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.json') && !name.includes('object'))
    .map((name) => [name, new URL(name, folder)] as const);

function loaded(file: unknown): LGraph {
  const graph = new LGraph();
  registerSubgraphs(graph);
  loadWorkflow(graph, file);
  return graph;
}

beforeAll(() => {
  vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  useExactCopies();
  registerNodes(objectInfo, noHooks);
  registerVirtualNodes(noHooks);
});

describe('a state of the graph', () => {
  test.each([...jsonFiles(examples), ...jsonFiles(fixtures)])(
    '%s: its text is what would be saved',
    (_, url) => {
      const file = read(url);
      const graph = loaded(file);
      const saved = saveWorkflow(graph, file);
      const { ds: _view, ...extra } = saved.extra as Item;
      const text = takeSnapshot(graph, file).text();
      expect(toPlain(parseJson(text))).toEqual(
        toPlain(
          parseJson(JSON.stringify({ ...saved, extra }, bigAsText).replace(/"(\d+)n"/g, '$1')),
        ),
      );
    },
  );

  const bigAsText = (_: string, value: unknown): unknown =>
    typeof value === 'bigint' ? `${value}n` : value;

  test('is another one after every kind of edit, and the same after none', () => {
    const file = read(new URL('default.json', examples));
    const graph = loaded(file);
    const sampler = graph.getNodeById(3);
    const prompt = graph.getNodeById(6);
    if (!sampler || !prompt) throw new Error('no such nodes');
    let before = takeSnapshot(graph, file);
    const edits: Record<string, () => void> = {
      move: () => (sampler.pos = [1, 2]),
      'move in place': () => (sampler.pos[0] += 5),
      resize: () => sampler.setSize([400, 500]),
      title: () => (sampler.title = 'My sampler'),
      mode: () => (sampler.mode = 4),
      collapse: () => sampler.collapse(),
      pin: () => sampler.pin(),
      colour: () => (sampler.color = '#123456'),
      property: () => (sampler.properties.note = 'x'),
      seed: () => {
        if (sampler.widgets) sampler.widgets[0].value = 18446744073709551615n as never;
      },
      text: () => {
        if (prompt.widgets) prompt.widgets[0].value = 'other words';
      },
      unlink: () => sampler.disconnectInput(1),
      link: () => prompt.connect(0, sampler, 1),
      label: () => (sampler.inputs[1].label = 'pos'),
      add: () => graph.add(LiteGraph.createNode('VAEDecode') as never),
      remove: () => graph.remove(graph.nodes[0]),
    };
    for (const [name, edit] of Object.entries(edits)) {
      expect(takeSnapshot(graph, file, before).same(before), `before ${name}`).toBe(true);
      edit();
      const after = takeSnapshot(graph, file, before);
      expect(after.same(before), name).toBe(false);
      expect(after.sizeBeyond(before)).toBeLessThan(12_000);
      before = after;
    }
    // Which node lies in front is no edit.
    (graph as unknown as { _nodes: unknown[] })._nodes.reverse();
    expect(takeSnapshot(graph, file, before).same(before)).toBe(true);
  });

  test('is gone back to by changing the nodes that differ, where only nodes differ', () => {
    const file = read(new URL('default.json', examples));
    const graph = loaded(file);
    const before = takeSnapshot(graph, file);
    const node = graph.getNodeById(3);
    if (!node) throw new Error('no such node');
    node.pos = [900, 900];
    node.color = '#ff0000';
    node.mode = 4;
    node.properties.extra = 1;
    node.title = 'x';
    node.collapse();
    if (node.widgets) node.widgets[2].value = 7;
    const now = () => takeSnapshot(graph, file);
    expect(restoreNodes(graph, before, now(), file)?.same(before)).toBe(true);
    expect(graph.getNodeById(3)).toBe(node);
    expect(node.color).toBeUndefined();
    expect(takeSnapshot(graph, file).text()).toBe(before.text());
    expect(graph.links.size).toBe(9);
    node.disconnectInput(1);
    expect(restoreNodes(graph, before, now(), file)).toBeNull();
  });
});
