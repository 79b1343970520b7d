import { readFileSync } from 'node:fs';
import { LGraph, LiteGraph } from '@comfyorg/litegraph';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { currentWorkflow } from '../../engine/workflow/legacy-names.ts';
import { workflowToPrompt } from '../../engine/workflow/to-prompt.ts';
import type { ObjectInfo } from '../../engine/workflow/types.ts';
import { parseJson, stringifyJson, toPlain } from '../../engine/workflow/lossless-json.ts';
import { nodesOnPath } from '../../web/graph/execution-view.ts';
import { noHooks } from '../../web/graph/hooks.ts';
import { useExactCopies } from '../../web/graph/litegraph-setup.ts';
import { loadPrompt } from '../../web/graph/load-prompt.ts';
import { loadWorkflow } from '../../web/graph/load.ts';
import { registerNodes } from '../../web/graph/node-class.ts';
import { saveWorkflow } from '../../web/graph/save.ts';
import { registerSubgraphs } from '../../web/graph/subgraphs.ts';
import { registerVirtualNodes } from '../../web/graph/virtual-nodes.ts';
import { toConfigurable } from '../../web/graph/workflow-file.ts';
import { applySeedControls } from '../../web/graph/widgets/seed-control.ts';
import { objectInfo } from './fixtures/object-info.ts';
import { sharedWorkflows, uiFiles } from './support/shared-workflows.ts';

type Item = Record<string, unknown>;

const fixtures = new URL('./fixtures/', import.meta.url);
const examples = new URL('../../workflows/', import.meta.url);

const read = (file: URL): Item => toPlain(parseJson(readFileSync(file, 'utf8'))) as Item;
function roundTrip(file: Item): { saved: Item; graph: LGraph } {
  const graph = new LGraph();
  registerSubgraphs(graph);
  loadWorkflow(graph, file);
  const text = stringifyJson(saveWorkflow(graph, file), { style: 'compact' });
  return { saved: toPlain(parseJson(text)) as Item, graph };
}

/** What must survive: every node's identity, values, slots and unknown keys; links; the rest. */
function expectKept(file: Item, saved: Item): void {
  // Positions in the old object form become pairs; that is the only change of form.
  const before = toConfigurable(file);
  const comparable = (nodes: unknown): Item[] =>
    (nodes as Item[]).map(({ order: _order, size: _size, ...node }) => node);
  const known = new Map(comparable(saved.nodes).map((n) => [String(n.id), n]));
  expect(known.size).toBe((before.nodes as Item[]).length);
  for (const [i, node] of comparable(before.nodes).entries()) {
    const kept = known.get(String(node.id)) ?? {};
    const original = (file.nodes as Item[])[i];
    expect(kept.widgets_values).toEqual(original.widgets_values);
    for (const key of Object.keys(original)) {
      if (['pos', 'size', 'order', 'inputs', 'outputs', 'flags', 'properties'].includes(key))
        continue;
      expect(kept[key], `${String(node.type)}.${key}`).toEqual(original[key]);
    }
    expect(kept.properties).toEqual(node.properties);
    expect(kept.pos).toEqual(node.pos);
  }
  for (const key of Object.keys(file)) {
    if (['nodes', 'links', 'extra', 'definitions', 'groups', 'revision', 'id'].includes(key))
      continue;
    expect(saved[key], key).toEqual(file[key]);
  }
}

beforeAll(() => {
  vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  vi.spyOn(console, 'debug').mockImplementation(() => undefined);
  useExactCopies();
  registerNodes(objectInfo, noHooks);
  registerVirtualNodes(noHooks);
});

describe('node classes', () => {
  test('every described node registers and can be made', () => {
    for (const name of Object.keys(objectInfo)) {
      const node = LiteGraph.createNode(name);
      expect(node?.type, name).toBe(name);
      expect(() => node?.serialize(), name).not.toThrow();
    }
    expect(Object.keys(objectInfo)).toHaveLength(383);
  });

  test("plain sockets come before those of fields, as in ComfyUI's files", () => {
    const inputsOf = (type: string) => LiteGraph.createNode(type)?.inputs.map(({ name }) => name);
    expect(inputsOf('CLIPTextEncode')).toEqual(['clip', 'text']);
    expect(inputsOf('KSampler')?.slice(0, 5)).toEqual([
      ...['model', 'positive', 'negative', 'latent_image', 'seed'],
    ]);
  });

  test('a sampler gets its fields in order, the seed control after the seed', () => {
    const node = LiteGraph.createNode('KSampler');
    expect(node?.widgets?.map((w) => w.name)).toEqual([
      'seed',
      'control_after_generate',
      'steps',
      'cfg',
      'sampler_name',
      'scheduler',
      'denoise',
    ]);
    expect(node?.serialize().widgets_values?.slice(1, 4)).toEqual(['randomize', 20, 8]);
  });
});

describe('own workflow files', () => {
  test.each(uiFiles(fixtures))('%s survives loading and saving', (name) => {
    const file = read(new URL(name, fixtures));
    const { saved } = roundTrip(file);
    expectKept(file, saved);
    expect(saved.links).toEqual(file.links);
    expect(saved.reroutes).toEqual(file.reroutes);
    expect(saved.extra).toEqual(file.extra);
    expect(saved.groups).toEqual(file.groups);
    // A second pass changes nothing any more.
    expect(roundTrip(saved).saved).toEqual(saved);
  });

  test.each(uiFiles(examples))('example %s survives loading and saving', (name) => {
    const file = read(new URL(name, examples));
    const { saved } = roundTrip(file);
    expectKept(file, saved);
    expect(saved.links).toEqual(file.links);
  });

  test('definitions of subgraphs keep their nodes, links and sockets', () => {
    const file = read(new URL('nested-subgraphs.json', fixtures));
    const before = (file.definitions as { subgraphs: Item[] }).subgraphs;
    const after = (roundTrip(file).saved.definitions as { subgraphs: Item[] }).subgraphs;
    for (const [i, definition] of before.entries()) {
      expect(after[i].id).toBe(definition.id);
      expect(after[i].links).toEqual(definition.links);
      expect(after[i].inputs).toEqual(definition.inputs);
      expect((after[i].nodes as Item[])[0].widgets_values).toEqual(
        (definition.nodes as Item[])[0].widgets_values,
      );
    }
  });

  test('proxied widgets show and edit the values of inner nodes', () => {
    const file = read(new URL('nested-subgraphs.json', fixtures));
    const { graph } = roundTrip(file);
    const instance = graph.getNodeById(5);
    const width = instance?.widgets?.find((w) => w.name === 'width');
    expect(width?.value).toBe(128);
    if (width) width.value = 64;
    const saved = saveWorkflow(graph, file) as { definitions: { subgraphs: Item[] } };
    expect((saved.definitions.subgraphs[0].nodes as Item[])[1].widgets_values).toEqual([64, 96, 2]);
  });

  test('execution ids name nodes inside subgraphs, with the nodes around them', () => {
    const { graph } = roundTrip(read(new URL('nested-subgraphs.json', fixtures)));
    const types = (id: string) => nodesOnPath(graph, id).map((n) => String(n.id));
    expect(types('5:2:1')).toEqual(['5', '2', '1']);
    expect(types('1')).toEqual(['1']);
    expect(types('99')).toEqual([]);
  });

  test('a changed value is saved, unknown values beside it stay', () => {
    const file = read(new URL('missing-nodes-big-seed.json', fixtures));
    const { graph } = roundTrip(file);
    const seed = graph.getNodeById(2)?.widgets?.[0];
    expect(seed?.value).toBe(18446744073709551615n);
    applySeedControls(graph.nodes);
    // Already the largest: incrementing stays inside the limits.
    expect(seed?.value).toBe(18446744073709551615n);
    if (seed) seed.value = 7;
    const saved = saveWorkflow(graph, file) as { nodes: Item[] };
    expect(saved.nodes[1].widgets_values).toEqual([7, 'increment', 20, 4, 'euler', 'karras', 1]);
    expect(saved.nodes[0].widgets_values).toEqual((file.nodes as Item[])[0].widgets_values);
  });

  test('moving a missing node keeps everything else of it', () => {
    const file = read(new URL('missing-nodes-big-seed.json', fixtures));
    const { graph } = roundTrip(file);
    const node = graph.getNodeById(1);
    if (node) node.pos = [10, 20];
    const saved = (saveWorkflow(graph, file) as { nodes: Item[] }).nodes[0];
    expect(saved).toMatchObject({ pos: [10, 20], someKey: 'kept', size: [300.75, 120] });
  });

  test('old class names and samplers become those of today', () => {
    const nodes = [
      { id: 1, type: 'ConditioningAverage ', widgets_values: [0.25] },
      { id: 2, type: 'KSampler', widgets_values: [1, 'fixed', 20, 8, 'sample_heun', 'normal', 1] },
    ];
    const { graph, saved } = roundTrip({ nodes, links: [], version: 0.4 });
    expect(graph.getNodeById(1)?.type).toBe('ConditioningAverage');
    expect(graph.getNodeById(1)?.widgets?.map((w) => w.value)).toEqual([0.25]);
    expect(graph.getNodeById(2)?.widgets?.[4].value).toBe('heun');
    expect((saved.nodes as Item[]).map(({ type }) => type)).toEqual([
      'ConditioningAverage',
      'KSampler',
    ]);
  });

  test('a primitive shows the field of the input it feeds', () => {
    const { graph } = roundTrip(read(new URL('old-converted-widget.json', fixtures)));
    expect(graph.getNodeById(3)?.widgets?.map((w) => w.value)).toEqual([25, 'fixed']);
  });

  test('hostile keys of a file do not replace methods', () => {
    const file = read(new URL('modes-and-colours.json', fixtures));
    Object.assign(file, { serialize: 'x', remove: 1 });
    Object.assign((file.nodes as Item[])[0], { computeSize: 'x', onDrawForeground: 'x' });
    const { saved, graph } = roundTrip(file);
    expect(() => graph.nodes[0].computeSize()).not.toThrow();
    expect(saved.serialize).toBe('x');
  });

  test('text that is no workflow is refused', () => {
    expect(() => loadWorkflow(new LGraph(), { hello: 1 })).toThrow(/list of nodes/);
  });
});

describe('API prompts', () => {
  test('become a laid out graph without overlaps', () => {
    const graph = new LGraph();
    loadPrompt(graph, {
      '1': {
        class_type: 'CheckpointLoaderSimple',
        inputs: { ckpt_name: 'tiny-scenes.safetensors' },
      },
      '2': { class_type: 'CLIPTextEncode', inputs: { text: 'a cat', clip: ['1', 1] } },
      '3': { class_type: 'CLIPTextEncode', inputs: { text: '', clip: ['1', 1] } },
      '9': {
        class_type: 'KSampler',
        inputs: {
          seed: 12345678901234567890n,
          positive: ['2', 0],
          negative: ['3', 0],
          model: ['1', 0],
        },
        _meta: { title: 'Sampler' },
      },
      x: { class_type: 'Not Here', inputs: { latent: ['9', 0] } },
    });
    expect(graph.nodes).toHaveLength(5);
    expect(graph.links.size).toBe(6);
    expect(graph.getNodeById(9)?.title).toBe('Sampler');
    expect(graph.getNodeById(9)?.widgets?.[0].value).toBe(12345678901234567890n);
    for (const a of graph.nodes) {
      for (const b of graph.nodes) {
        if (a === b) continue;
        const apart =
          a.pos[0] + a.size[0] <= b.pos[0] ||
          b.pos[0] + b.size[0] <= a.pos[0] ||
          a.pos[1] + a.size[1] <= b.pos[1] ||
          b.pos[1] + b.size[1] <= a.pos[1];
        expect(apart, `${a.type} over ${b.type}`).toBe(true);
      }
    }
  });
});

/** Every place where two values differ, as `nodes.3.pos.0`. */
function differences(a: unknown, b: unknown, path: string[] = []): string[] {
  const bothLists = Array.isArray(a) === Array.isArray(b);
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null || !bothLists) {
    return Object.is(a, b) ? [] : [path.join('.')];
  }
  const [left, right] = [a as Item, b as Item];
  return [...new Set([...Object.keys(left), ...Object.keys(right)])].flatMap((key) =>
    differences(left[key], right[key], [...path, key]),
  );
}

/**
 * What loading and saving may change: positions in the old object form become pairs, nodes are
 * numbered anew in the order they run, a file without an id gets one, and keys that every file has
 * today are added.
 */
const mayDiffer = [
  /^(id|revision|config|extra)$/,
  /(^|\.)order$/,
  /\.(pos|size)$/,
  /\.size\.1$/,
  /^definitions\.subgraphs\.\d+\.(in|out)puts\.\d+\.pos(\.\d)?$/,
  /^definitions\.subgraphs\.\d+\.(groups|extra)$/,
  /nodes\.\d+\.(flags|mode|properties)$/,
];

/** What is wrong in a file on purpose, and mended. */
const mended: Record<string, RegExp | undefined> = {
  // A link that names another slot of its target than the target does.
  'fmt-fe_links_bad_link.json': /^links\.0\.4$/,
  // An instance that lists some of its definition's sockets only.
  'fmt-fe_subgraphs_subgraph_with_multiple_promoted_widgets.json': /^nodes\.0\.inputs\./,
};

describe.skipIf(uiFiles(sharedWorkflows).length === 0)("users' workflow files", () => {
  test('all load and are the same again when saved, and ask the server for the same', () => {
    const prompt = (file: Item) =>
      workflowToPrompt(file, objectInfo as unknown as ObjectInfo, {
        random: () => 0,
        now: new Date(0),
      });
    for (const name of uiFiles(sharedWorkflows)) {
      const file = currentWorkflow(read(new URL(name, sharedWorkflows)));
      const { saved } = roundTrip(file);
      const get = (from: unknown, path: string): unknown =>
        path.split('.').reduce((value, key) => (value as Item | undefined)?.[key], from);
      const changed = differences(file, saved).filter(
        (path) =>
          !mayDiffer.some((form) => form.test(path)) &&
          // Sockets that the class has and the file does not list yet.
          !(/\.outputs(\.\d+)?$/.test(path) && get(file, path) === undefined),
      );
      expect(
        changed.filter((path) => !mended[name]?.test(path)),
        name,
      ).toEqual([]);
      expect(prompt(saved), name).toEqual(prompt(file));
      expect(roundTrip(saved).saved, name).toEqual(saved);
    }
  }, 60_000);
});
