/** Where an input gets its value from, through everything that only the editor knows. */
import { PASS_THROUGH, isEditorOnly } from './editor-nodes.ts';
import type { Json } from './lossless-json.ts';
import { storedValues } from './scope.ts';
import type { Scope, Scopes } from './scope.ts';
import { MODE_BYPASSED, SUBGRAPH_INPUT } from './types.ts';
import type { GraphLink, GraphNode, InputSlot, Subgraph } from './types.ts';

/** An output of a node that runs, or a plain value (a primitive, a promoted widget). */
export type Source =
  | { readonly kind: 'link'; readonly id: string; readonly slot: number }
  | { readonly kind: 'value'; readonly value: Json };

/** Whether a node exists in the editor only. */
export const isVirtual = (node: GraphNode): boolean => isEditorOnly(node.type);

/** The id a node has in the prompt. */
export const promptId = (scope: Scope, node: GraphNode): string =>
  [...scope.path, node.id].join(':');

/** Where the walk from an input to its source stands. */
type Place =
  | {
      readonly at: 'input';
      readonly scope: Scope;
      readonly node: GraphNode;
      readonly slot: InputSlot;
    }
  | {
      readonly at: 'output';
      readonly scope: Scope;
      readonly node: GraphNode;
      readonly slot: number;
    }
  /** At the inner side of a subgraph's input. */
  | { readonly at: 'border'; readonly scope: Scope; readonly link: GraphLink };

/**
 * Resolves one input of a node; undefined where it is not linked or leads nowhere (also in circles).
 * What counts for bypassed nodes on the way is the type of this slot, which the node that runs takes:
 * knots say `*` or nothing, and a bypassed node behind them must still hand on what fits the consumer.
 * Files may chain any number of knots, so the way is walked, not recursed.
 */
export function resolveInput(
  scopes: Scopes,
  scope: Scope,
  node: GraphNode,
  slot: InputSlot,
): Source | undefined {
  const wanted = slot.type;
  const visited = new Set<string>();
  let place: Place | undefined = { at: 'input', scope, node, slot };
  while (place !== undefined) {
    if (place.at === 'input') {
      const here = `${promptId(place.scope, place.node)} ${place.slot.name} ${place.slot.link}`;
      if (visited.has(here)) return undefined;
      visited.add(here);
      place = behindInput(place.scope, place.slot);
    } else {
      const next: Place | Source | undefined =
        place.at === 'border'
          ? outsideOf(place.scope, place.link)
          : behindOutput(scopes, place.scope, place.node, place.slot, wanted);
      if (next !== undefined && 'kind' in next) return next;
      place = next;
    }
  }
  return undefined;
}

/** The other end of an input's link. */
function behindInput(scope: Scope, slot: InputSlot): Place | undefined {
  const link = slot.link === undefined ? undefined : scope.graph.links.get(slot.link);
  if (link === undefined) return undefined;
  if (link.originId === SUBGRAPH_INPUT && scope.parent !== undefined) {
    return { at: 'border', scope, link };
  }
  const node = scope.graph.nodes.get(link.originId);
  return node && { at: 'output', scope, node, slot: link.originSlot };
}

/** From inside a subgraph to its instance: the instance's link, else the value of its widget. */
function outsideOf(scope: Scope, link: GraphLink): Place | Source | undefined {
  const { parent, instance, subgraph } = scope;
  if (parent === undefined || instance === undefined || subgraph === undefined) return undefined;
  const name = subgraph.inputs[link.originSlot]?.name;
  if (name === undefined) return undefined;
  const slot = instanceSlot(instance, subgraph, link.originSlot);
  if (slot?.link !== undefined) return { at: 'input', scope: parent, node: instance, slot };
  const value = scope.inputValues.get(name);
  return value === undefined ? undefined : { kind: 'value', value };
}

/**
 * The instance's slot for an input of its definition. Files leave out unlinked widget slots, so names
 * decide; the sockets of a group node have names of their own and go by position.
 */
function instanceSlot(
  instance: GraphNode,
  { inputs, group }: Subgraph,
  index: number,
): InputSlot | undefined {
  if (group !== undefined && index < group.sockets) {
    return instance.inputs.filter(({ widget }) => widget === undefined)[index];
  }
  const { name } = inputs[index];
  const positioned = instance.inputs[index] as InputSlot | undefined;
  if (positioned?.name === name) return positioned;
  return instance.inputs.find((slot) => slot.name === name);
}

/** What an output hands on: its own node's result, or the input that the editor puts through. */
function behindOutput(
  scopes: Scopes,
  scope: Scope,
  node: GraphNode,
  slot: number,
  wanted: string,
): Place | Source | undefined {
  const through = (input: InputSlot | undefined): Place | undefined =>
    input && { at: 'input', scope, node, slot: input };

  if (node.mode === MODE_BYPASSED) return through(bypassInput(node, slot, wanted));
  const subgraph = scopes.subgraphOf(node);
  if (subgraph !== undefined) {
    const link = subgraph.outputs[slot];
    if (link === undefined) return undefined;
    const inner = scopes.enter(scope, node, subgraph);
    if (link.originId === SUBGRAPH_INPUT) return { at: 'border', scope: inner, link };
    const origin = subgraph.nodes.get(link.originId);
    return origin && { at: 'output', scope: inner, node: origin, slot: link.originSlot };
  }
  if (node.type === 'PrimitiveNode') return primitiveValue(scope, node);
  if (PASS_THROUGH.has(node.type)) return through(node.inputs[slot] ?? node.inputs[0]);
  if (node.type === 'SetNode') return through(node.inputs[0]);
  if (node.type === 'GetNode') return setterInput(scope, node);
  if (isVirtual(node)) return undefined;
  return { kind: 'link', id: promptId(scope, node), slot };
}

/** The value a primitive holds; an enclosing instance may have its own. */
function primitiveValue(scope: Scope, node: GraphNode): Source | undefined {
  const promoted = scope.innerValues.get(node.id)?.get('value');
  const values = storedValues(scope, node);
  const stored = Array.isArray(values) ? (values as Json[])[0] : undefined;
  const value = promoted ?? stored;
  return value === undefined || value === null ? undefined : { kind: 'value', value };
}

/** KJNodes' variables: the input of the SetNode with the same name, on this level or an outer one. */
function setterInput(scope: Scope, getter: GraphNode): Place | undefined {
  const name = variableName(getter);
  for (let level: Scope | undefined = scope; level !== undefined; level = level.parent) {
    const node = settersOf(level.graph.nodes).get(name);
    if (node === undefined) continue;
    const [slot] = node.inputs as (InputSlot | undefined)[];
    return slot && { at: 'input', scope: level, node, slot };
  }
  return undefined;
}

type Nodes = Scope['graph']['nodes'];
const knownSetters = new WeakMap<Nodes, ReadonlyMap<Json | undefined, GraphNode>>();

/** The first SetNode of every name, looked for once a graph: files may have thousands of variables. */
function settersOf(nodes: Nodes): ReadonlyMap<Json | undefined, GraphNode> {
  const known = knownSetters.get(nodes);
  if (known !== undefined) return known;
  const setters = new Map<Json | undefined, GraphNode>();
  for (const node of nodes.values()) {
    const name = variableName(node);
    if (node.type === 'SetNode' && !setters.has(name)) setters.set(name, node);
  }
  knownSetters.set(nodes, setters);
  return setters;
}

const variableName = (node: GraphNode): Json | undefined =>
  Array.isArray(node.values) ? (node.values as Json[])[0] : undefined;

/**
 * The input that a bypassed node hands on: the one at the output's place when it fits, else the
 * first of exactly the wanted type, else the first that is compatible.
 */
function bypassInput(node: GraphNode, slot: number, wanted: string): InputSlot | undefined {
  const same = node.inputs[slot] as InputSlot | undefined;
  const output = node.outputs[slot]?.type ?? '*';
  if (wanted === '*' || wanted === '') return same ?? node.inputs[0];
  if (same !== undefined && compatible(same.type, wanted) && compatible(same.type, output)) {
    return same;
  }
  return (
    node.inputs.find(({ type }) => type.toUpperCase() === wanted.toUpperCase()) ??
    node.inputs.find(({ type }) => compatible(type, wanted))
  );
}

/** The editor's rule: case does not count, unions overlap, `*` and nothing fit everything. */
function compatible(a: string, b: string): boolean {
  if (a === '' || b === '' || a === '*' || b === '*') return true;
  const types = new Set(a.toUpperCase().split(','));
  return b
    .toUpperCase()
    .split(',')
    .some((type) => types.has(type));
}
