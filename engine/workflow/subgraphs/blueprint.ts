/** A subgraph as a file of its own, which other workflows can take in: ComfyUI's blueprints. */
import { isRecord } from '../records.ts';
import { definitionsOf, holderOf, withDefinitions, withLevel } from './definitions.ts';
import {
  freeIds,
  inputsOf,
  outputsOf,
  readLevel,
  type Id,
  type Loose,
  type StoredNode,
} from './level.ts';

/**
 * A workflow that holds one instance of a subgraph and what it is made of. Throws a TypeError when
 * there is no such instance.
 */
export function blueprintOf(workflow: Loose, within: string | null, instance: Id): Loose {
  const { nodes } = readLevel(holderOf(workflow, within));
  const node = nodes.find(({ id }) => String(id) === String(instance));
  const definitions = node === undefined ? [] : neededBy(workflow, node.type);
  if (node === undefined || definitions.length === 0) {
    throw new TypeError(`node ${instance} is no subgraph of this workflow`);
  }
  const alone: StoredNode = {
    ...node,
    id: 1,
    pos: [0, 0],
    order: 0,
    inputs: inputsOf(node).map((slot) => ({ ...slot, link: null })),
    outputs: outputsOf(node).map((slot) => ({ ...slot, links: null })),
  };
  return {
    revision: 0,
    last_node_id: 1,
    last_link_id: 0,
    nodes: [alone],
    links: [],
    groups: [],
    definitions: { subgraphs: definitions },
    config: {},
    extra: {},
    version: 0.4,
  };
}

/** Whether a parsed file is a blueprint: one node, and it is a subgraph of the file. */
export function isBlueprint(file: unknown): file is Loose {
  if (!isRecord(file)) return false;
  const { nodes } = readLevel(file);
  return nodes.length === 1 && definitionsOf(file).some(({ id }) => id === nodes[0].type);
}

interface InsertParts {
  readonly within: string | null;
  readonly pos: readonly [number, number];
  readonly uuid: () => string;
}

/**
 * Takes a blueprint into a workflow: its definitions, under new ids where the workflow has others of
 * the same id, and an instance. Throws a TypeError when the file is no blueprint.
 */
export function insertBlueprint(
  workflow: Loose,
  blueprint: unknown,
  { within, pos, uuid }: InsertParts,
): { workflow: Loose; instance: number } {
  if (!isBlueprint(blueprint)) throw new TypeError('this file is no subgraph blueprint');
  const present = new Map(definitionsOf(workflow).map((each) => [each.id, each]));
  const needed = definitionsOf(blueprint);
  const isSame = needed.every(({ id }) => !present.has(id)) ? false : sameSet(needed, present);
  const ids = new Map(
    needed.map(({ id }) => [id, isSame || !present.has(id) ? String(id) : uuid()]),
  );
  const renamed = (node: StoredNode): StoredNode => ({
    ...node,
    type: ids.get(node.type) ?? node.type,
  });
  const added = isSame
    ? []
    : needed.map((each) => ({
        ...each,
        id: ids.get(each.id),
        nodes: readLevel(each).nodes.map(renamed),
      }));
  const holder = holderOf(workflow, within);
  const level = readLevel(holder);
  const instance = freeIds(holder, level).node();
  const [node] = readLevel(blueprint).nodes;
  const placed: StoredNode = { ...renamed(node), id: instance, pos: [...pos] };
  const result = withLevel(workflow, within, { ...level, nodes: [...level.nodes, placed] });
  return {
    workflow: withDefinitions(result, [...definitionsOf(result), ...added]),
    instance,
  };
}

const sameSet = (needed: readonly Loose[], present: ReadonlyMap<unknown, Loose>): boolean =>
  needed.every((each) => {
    const own = present.get(each.id);
    return own !== undefined && textOf(own) === textOf(each);
  });

/** Numbers of 64 bits are no JSON. */
const textOf = (value: Loose): string =>
  JSON.stringify([value.name, value.nodes, value.links, value.inputs, value.outputs], (_, each) =>
    typeof each === 'bigint' ? `${each}n` : (each as unknown),
  );

/** A definition and those inside it, the innermost first. */
function neededBy(workflow: Loose, id: string): Loose[] {
  const all = new Map(definitionsOf(workflow).map((each) => [each.id, each]));
  const found = new Set<Loose>();
  const queue = [id];
  for (const next of queue) {
    const definition = all.get(next);
    if (definition === undefined || found.has(definition)) continue;
    found.add(definition);
    queue.push(...readLevel(definition).nodes.map(({ type }) => type));
  }
  return [...found].reverse();
}
