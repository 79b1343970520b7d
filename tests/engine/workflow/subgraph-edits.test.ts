/**
 * Packing nodes into a subgraph and unpacking it again changes where nodes are, not what the server is
 * asked for: the prompts are the same but for the ids.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseJson, toPlain } from '../../../engine/workflow/lossless-json.ts';
import {
  blueprintOf,
  insertBlueprint,
  isBlueprint,
} from '../../../engine/workflow/subgraphs/blueprint.ts';
import { definitionsOf } from '../../../engine/workflow/subgraphs/definitions.ts';
import { groupFields, groupToSubgraph } from '../../../engine/workflow/subgraphs/group.ts';
import { readLevel, type Loose } from '../../../engine/workflow/subgraphs/level.ts';
import { packSubgraph } from '../../../engine/workflow/subgraphs/pack.ts';
import { unpackSubgraph } from '../../../engine/workflow/subgraphs/unpack.ts';
import { workflowToPrompt } from '../../../engine/workflow/to-prompt.ts';
import type { ApiPrompt, ObjectInfo } from '../../../engine/workflow/types.ts';

const shared = join(import.meta.dirname, '../../../../shared');
const folder = join(shared, 'workflows');
const present = existsSync(folder);
const load = (path: string): Loose => toPlain(parseJson(readFileSync(path, 'utf8'))) as Loose;
const info = load(join(import.meta.dirname, '../../fixtures/object_info.json')) as ObjectInfo;
const fixtures = join(import.meta.dirname, '../../web/fixtures');
const files = [
  ...readdirSync(fixtures).map((name) => join(fixtures, name)),
  ...(present ? readdirSync(folder).map((name) => join(folder, name)) : []),
].filter((path) => /(?<!\.api)\.json$/.test(path) && !path.endsWith('INDEX.json'));

const promptOf = (workflow: Loose): ApiPrompt =>
  workflowToPrompt(workflow, info, { random: () => 0, now: new Date(0) }).prompt;

/** A prompt with other ids. */
function renamed(prompt: ApiPrompt, rename: (id: string) => string): unknown {
  const inputs = (node: ApiPrompt[string]) =>
    Object.entries(node.inputs).map(([name, value]) => {
      const [id, slot] = Array.isArray(value) ? (value as unknown[]) : [];
      return typeof id === 'string' && Object.hasOwn(prompt, id)
        ? [name, [rename(id), slot]]
        : [name, value];
    });
  return Object.fromEntries(
    Object.entries(prompt).map(([id, node]) => [
      rename(id),
      { ...node, inputs: Object.fromEntries(inputs(node)) as unknown },
    ]),
  );
}

let counter = 0;
const uuid = () => `id-${++counter}`;

describe('subgraphs are unpacked', () => {
  test('with the same prompt, wherever one is in a file', () => {
    let count = 0;
    for (const path of files) {
      const workflow = load(path);
      const ids = new Set(definitionsOf(workflow).map(({ id }) => id));
      for (const { id: instance, type } of readLevel(workflow).nodes) {
        if (!ids.has(type)) continue;
        count++;
        const before = promptOf(workflow);
        const after = unpackSubgraph(workflow, { within: null, instance, objectInfo: info });
        const rename = (id: string): string => {
          const [first, inner, ...rest] = id.split(':');
          if (first !== String(instance) || inner === undefined) return id;
          return [String(after.ids.get(inner)), ...rest].join(':');
        };
        expect(renamed(promptOf(after.workflow), String), path).toEqual(renamed(before, rename));
      }
    }
    expect(count).toBeGreaterThan(present ? 15 : 0);
  });
});

describe('nodes are packed', () => {
  test('with the same prompt, whatever is selected', () => {
    for (const [n, path] of files.entries()) {
      const workflow = load(path);
      const { nodes } = readLevel(workflow);
      // Variables are sought outwards only: a selection that takes them in takes them away.
      if (nodes.some(({ type }) => type === 'SetNode')) continue;
      // In half of the files every second node, in the others all from the middle on.
      const chosen = nodes.filter((_, i) => (n % 2 === 0 ? i % 2 === 1 : i >= nodes.length >> 1));
      if (chosen.length === 0) continue;
      const ids = chosen.map(({ id }) => String(id));
      const before = promptOf(workflow);
      const packed = packSubgraph(workflow, {
        within: null,
        nodes: ids,
        name: 'Part',
        id: 'part',
        uuid,
        promoted: () => [],
      });
      const rename = (id: string): string =>
        ids.includes(id.split(':')[0]) ? `${packed.instance}:${id}` : id;
      expect(renamed(promptOf(packed.workflow), String), path).toEqual(renamed(before, rename));
      const again = unpackSubgraph(packed.workflow, {
        within: null,
        instance: packed.instance,
        objectInfo: info,
      });
      expect(renamed(promptOf(again.workflow), String), path).toEqual(renamed(before, String));
      expect(definitionsOf(again.workflow)).toEqual(definitionsOf(workflow));
    }
  }, 60_000);
});

describe('group nodes', () => {
  test('show a field for each stored value, and become subgraphs and nodes with the same prompt', () => {
    let count = 0;
    for (const path of files) {
      const workflow = load(path);
      for (const node of readLevel(workflow).nodes) {
        if (!/^workflow[>/]/.test(node.type)) continue;
        count++;
        const fields = groupFields(workflow, node, info) ?? [];
        const places = fields.reduce((sum, { controlled }) => sum + (controlled ? 2 : 1), 0);
        expect(places, path).toBe((node.widgets_values as unknown[]).length);
        const before = promptOf(workflow);
        const place = { within: null, instance: node.id, objectInfo: info };
        const once = groupToSubgraph(workflow, { ...place, id: 'group', uuid });
        const numbered = (id: string): string =>
          id.replace(new RegExp(`^${node.id}:(\\d+)`), (_, n) => `${node.id}:${Number(n) + 1}`);
        expect(renamed(promptOf(once), String), path).toEqual(renamed(before, numbered));
        const { workflow: nodes, ids } = unpackSubgraph(once, place);
        const unpacked = (id: string): string => {
          const [first, inner] = numbered(id).split(':');
          return first === String(node.id) && inner !== undefined ? String(ids.get(inner)) : id;
        };
        expect(renamed(promptOf(nodes), String), path).toEqual(renamed(before, unpacked));
      }
    }
    expect(count).toBeGreaterThan(present ? 3 : -1);
  });
});

describe('blueprints', () => {
  const file = load(join(fixtures, 'nested-subgraphs.json'));

  test('hold a subgraph and what is inside it, and are taken into another workflow', () => {
    const blueprint = blueprintOf(file, null, 5);
    expect(isBlueprint(blueprint)).toBe(true);
    expect(isBlueprint(file)).toBe(false);
    expect(definitionsOf(blueprint)).toHaveLength(2);
    const place = { within: null, pos: [10, 20], uuid } as const;
    const empty = { nodes: [], links: [], version: 0.4 };
    const once = insertBlueprint(empty, blueprint, place);
    expect(Object.values(promptOf(once.workflow)).map((node) => node.class_type)).toEqual(
      Object.entries(promptOf(file))
        .filter(([id]) => id.startsWith('5:'))
        .map(([, node]) => node.class_type),
    );
    // The same one again shares its definition; a changed one gets its own.
    const twice = insertBlueprint(once.workflow, blueprint, place);
    expect(definitionsOf(twice.workflow)).toHaveLength(2);
    expect(twice.instance).not.toBe(once.instance);
    const changed = structuredClone(blueprint);
    definitionsOf(changed)[0].name = 'Other';
    expect(definitionsOf(insertBlueprint(twice.workflow, changed, place).workflow)).toHaveLength(4);
  });

  test('a file that is none is refused', () => {
    expect(() => insertBlueprint(file, file, { within: null, pos: [0, 0], uuid })).toThrow(
      'no subgraph blueprint',
    );
    expect(() => blueprintOf(file, null, 999)).toThrow('no subgraph of this workflow');
  });
});
