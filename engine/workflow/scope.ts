/** One instance of a graph: the root, or a subgraph where a node stands for it. */
import { groupName, groupSubgraph } from './group-nodes.ts';
import type { Json } from './lossless-json.ts';
import { SUBGRAPH_INPUT } from './types.ts';
import type { Graph, GraphNode, NodeInfo, ObjectInfo, Subgraph, Workflow } from './types.ts';
import { hasControl, inputsInOrder } from './widgets.ts';

export interface Scope {
  readonly graph: Graph;
  /** Ids of the instances on the way here; joined with `:` they prefix the ids of this level. */
  readonly path: readonly string[];
  readonly parent?: Scope;
  /** The node of the parent that stands for this graph. */
  readonly instance?: GraphNode;
  readonly subgraph?: Subgraph;
  /** Values that the instance has for its own inputs, by input name. */
  readonly inputValues: ReadonlyMap<string, Json>;
  /** Values that the instance has for inner widgets: node id -> widget -> value. */
  readonly innerValues: ReadonlyMap<string, ReadonlyMap<string, Json>>;
  /** Whole widgets_values that the instance has for inner nodes (group nodes). */
  readonly innerLists: ReadonlyMap<string, readonly Json[]>;
}

/** The widgets_values of a node here: the instance's list for it, else its own. */
export function storedValues(scope: Scope, node: GraphNode): GraphNode['values'] {
  return scope.innerLists.get(node.id) ?? node.values;
}

/** Opens the scopes of a workflow; remembers group definitions that were rewritten. */
export interface Scopes {
  readonly root: Scope;
  readonly workflow: Workflow;
  /** The subgraph a node stands for; undefined for every other node. */
  subgraphOf(node: GraphNode): Subgraph | undefined;
  enter(parent: Scope, instance: GraphNode, subgraph: Subgraph): Scope;
}

/** A level deeper than this is a definition that contains itself. */
const MAX_DEPTH = 60;

export function createScopes(workflow: Workflow, objectInfo: ObjectInfo): Scopes {
  const groups = new Map<string, Subgraph | undefined>();
  return {
    workflow,
    root: {
      graph: workflow,
      path: [],
      inputValues: new Map(),
      innerValues: new Map(),
      innerLists: new Map(),
    },
    subgraphOf(node) {
      const subgraph = workflow.subgraphs.get(node.type);
      if (subgraph !== undefined || Object.hasOwn(objectInfo, node.type)) return subgraph;
      const name = groupName(node.type);
      if (name === undefined) return undefined;
      if (!groups.has(name)) groups.set(name, groupSubgraph(workflow, name, objectInfo));
      return groups.get(name);
    },
    enter(parent, instance, subgraph) {
      if (parent.path.length >= MAX_DEPTH) {
        throw new RangeError(`subgraph '${subgraph.name}': nested more than ${MAX_DEPTH} deep`);
      }
      return {
        graph: subgraph,
        path: [...parent.path, instance.id],
        parent,
        instance,
        subgraph,
        ...instanceValues(instance, subgraph, objectInfo),
      };
    },
  };
}

/**
 * What an instance's widgets_values mean. Front ends have written several forms: one value per input
 * that stands for an inner widget; the widgets of `proxyWidgets`, where `-1` names an own input; and
 * for group nodes those of the inner nodes.
 */
function instanceValues(
  instance: GraphNode,
  subgraph: Subgraph,
  objectInfo: ObjectInfo,
): Pick<Scope, 'inputValues' | 'innerValues' | 'innerLists'> {
  const inputValues = new Map<string, Json>();
  const innerValues = new Map<string, Map<string, Json>>();
  const innerLists = new Map<string, readonly Json[]>();
  const result = { inputValues, innerValues, innerLists };
  const setInner = (nodeId: string, name: string, value: Json): void => {
    if (!innerValues.has(nodeId)) innerValues.set(nodeId, new Map());
    innerValues.get(nodeId)?.set(name, value);
  };
  const stored = instance.values;
  if (stored === undefined) return result;
  if (!Array.isArray(stored)) {
    for (const [name, value] of Object.entries(stored)) inputValues.set(name, value);
    return result;
  }
  const values = stored as readonly Json[];

  if (subgraph.group !== undefined) {
    const { lists, widgets } = groupPlaces(subgraph, values.length, objectInfo);
    for (const { nodeId, at, length } of lists) {
      innerLists.set(nodeId, values.slice(at, at + length));
    }
    for (const { nodeId, name, at } of widgets) setInner(nodeId, name, values[at]);
    return result;
  }

  listedWidgets(instance, subgraph, values.length).forEach(([nodeId, name], i) => {
    const value = values[i];
    if (value === undefined) return;
    if (value === null && proxyWidgets(instance) !== undefined) return;
    if (nodeId === OWN_INPUT) inputValues.set(name, value);
    else setInner(nodeId, name, value);
  });
  return result;
}

/**
 * Where the values of a group node stand, when there are so many of them: the whole lists of its
 * inner nodes one after another, or their widgets one by one.
 */
export function groupPlaces({ group, nodes }: Subgraph, count: number, objectInfo: ObjectInfo) {
  const { lists, widgets = [] } = group ?? {};
  let next = 0;
  const take = (length: number): number => (next += length) - length;
  if (lists?.reduce((sum, { length }) => sum + length, 0) === count) {
    const placed = lists.map(({ nodeId, length }) => ({ nodeId, at: take(length), length }));
    return { lists: placed, widgets: [] };
  }
  const placed = widgets.map(({ nodeId, name }) => ({
    nodeId,
    name,
    at: take(hasControlAt(nodes.get(nodeId), name, objectInfo) ? 2 : 1),
  }));
  return { lists: [], widgets: placed.filter(({ at }) => at < count) };
}

/** In the place of an inner node's id: an input of the instance itself. */
export const OWN_INPUT = '-1';

/** What the values of a subgraph's instance are for, one by one, when there are so many of them. */
export function listedWidgets(
  instance: GraphNode,
  subgraph: Subgraph,
  count: number,
): readonly (readonly [nodeId: string, name: string])[] {
  const proxies = proxyWidgets(instance);
  if (proxies === undefined) {
    const names = widgetInputs(subgraph);
    return names.length === count ? names.map((name) => [OWN_INPUT, name] as const) : [];
  }
  return count === proxies.length ? proxies : proxies.filter(([nodeId]) => nodeId === OWN_INPUT);
}

function proxyWidgets(instance: GraphNode): [nodeId: string, name: string][] | undefined {
  const list = instance.properties.proxyWidgets;
  if (!Array.isArray(list)) return undefined;
  return list.flatMap((entry): [string, string][] =>
    Array.isArray(entry) && isId(entry[0]) && typeof entry[1] === 'string'
      ? [[String(entry[0]), entry[1]]]
      : [],
  );
}

const isId = (value: Json | undefined): value is string | number =>
  typeof value === 'string' || typeof value === 'number';

/** Names of the subgraph's inputs that end in a widget inside, in order. */
export function widgetInputs(subgraph: Subgraph): string[] {
  const slots = new Set<number>();
  for (const node of subgraph.nodes.values()) {
    for (const { link, widget } of node.inputs) {
      const found = link === undefined ? undefined : subgraph.links.get(link);
      if (widget !== undefined && found?.originId === SUBGRAPH_INPUT) slots.add(found.originSlot);
    }
  }
  return subgraph.inputs.filter((_, slot) => slots.has(slot)).map(({ name }) => name);
}

function hasControlAt(node: GraphNode | undefined, name: string, objectInfo: ObjectInfo): boolean {
  const type = node?.type ?? '';
  if (type === 'PrimitiveNode') return true;
  const info: NodeInfo | undefined = Object.hasOwn(objectInfo, type) ? objectInfo[type] : undefined;
  const input = info && inputsInOrder(info).find(([key]) => key === name)?.[1];
  return input !== undefined && hasControl({ name, input });
}
