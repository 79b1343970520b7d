/** Where an input gets its value from, through everything that only the editor knows. */
import type { Json } from './lossless-json.ts';
import { storedValues } from './scope.ts';
import type { Scope, Scopes } from './scope.ts';
import { MODE_BYPASSED, SUBGRAPH_INPUT } from './types.ts';
import type { GraphLink, GraphNode, InputSlot, Subgraph } from './types.ts';

/** An output of a node that runs, or a plain value (a primitive, a promoted widget). */
export type Source =
  | { readonly kind: 'link'; readonly id: string; readonly slot: number }
  | { readonly kind: 'value'; readonly value: Json };

/** Editor nodes that hand their input on. */
const PASS_THROUGH = new Set(['Reroute', 'Reroute (rgthree)']);

/** Editor nodes that never run. */
const VIRTUAL = new Set([
  ...PASS_THROUGH,
  'PrimitiveNode',
  'Note',
  'MarkdownNote',
  'SetNode',
  'GetNode',
]);

/** Whether a node exists in the editor only. */
export const isVirtual = (node: GraphNode): boolean => VIRTUAL.has(node.type);

/** The id a node has in the prompt. */
export const promptId = (scope: Scope, node: GraphNode): string =>
  [...scope.path, node.id].join(':');

/**
 * Resolves one input of a node; undefined where it is not linked or leads nowhere (also in circles).
 * `wanted` is the type that the node which runs takes: knots on the way say `*` or nothing, and a
 * bypassed node behind them must still hand on what fits the consumer.
 */
export function resolveInput(
  scopes: Scopes,
  scope: Scope,
  node: GraphNode,
  slot: InputSlot,
  wanted = slot.type,
  visited = new Set<string>(),
): Source | undefined {
  if (slot.link === undefined) return undefined;
  const link = scope.graph.links.get(slot.link);
  if (link === undefined) return undefined;
  const here = `${promptId(scope, node)} ${slot.name} ${slot.link}`;
  if (visited.has(here)) return undefined;
  visited.add(here);
  if (link.originId === SUBGRAPH_INPUT && scope.parent !== undefined) {
    return resolveOuter(scopes, scope, link, wanted, visited);
  }
  const origin = scope.graph.nodes.get(link.originId);
  if (origin === undefined) return undefined;
  return resolveOutput(scopes, scope, origin, link.originSlot, wanted, visited);
}

/** From inside a subgraph to its instance: the instance's link, else the value of its widget. */
function resolveOuter(
  scopes: Scopes,
  scope: Scope,
  link: GraphLink,
  wanted: string,
  visited: Set<string>,
): Source | undefined {
  const { parent, instance, subgraph } = scope;
  if (parent === undefined || instance === undefined || subgraph === undefined) return undefined;
  const name = subgraph.inputs[link.originSlot]?.name;
  if (name === undefined) return undefined;
  const slot = instanceSlot(instance, subgraph, link.originSlot);
  if (slot?.link !== undefined)
    return resolveInput(scopes, parent, instance, slot, wanted, visited);
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

function resolveOutput(
  scopes: Scopes,
  scope: Scope,
  node: GraphNode,
  slot: number,
  wanted: string,
  visited: Set<string>,
): Source | undefined {
  if (node.mode === MODE_BYPASSED) {
    const input = bypassInput(node, slot, wanted);
    return input && resolveInput(scopes, scope, node, input, wanted, visited);
  }
  const subgraph = scopes.subgraphOf(node);
  if (subgraph !== undefined) {
    const inside = subgraph.outputs[slot];
    if (inside === undefined) return undefined;
    const inner = scopes.enter(scope, node, subgraph);
    if (inside.originId === SUBGRAPH_INPUT)
      return resolveOuter(scopes, inner, inside, wanted, visited);
    const origin = subgraph.nodes.get(inside.originId);
    return origin && resolveOutput(scopes, inner, origin, inside.originSlot, wanted, visited);
  }
  if (node.type === 'PrimitiveNode') return primitiveValue(scope, node);
  if (PASS_THROUGH.has(node.type)) {
    const input = node.inputs[slot] ?? node.inputs[0];
    return input && resolveInput(scopes, scope, node, input, wanted, visited);
  }
  if (node.type === 'SetNode' || node.type === 'GetNode') {
    const setter = node.type === 'SetNode' ? { scope, node } : findSetter(scope, node);
    const input = setter?.node.inputs[0];
    return (
      setter && input && resolveInput(scopes, setter.scope, setter.node, input, wanted, visited)
    );
  }
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

/** KJNodes' variables: the SetNode with the same name, on this level or an outer one. */
function findSetter(
  scope: Scope,
  getter: GraphNode,
): { scope: Scope; node: GraphNode } | undefined {
  const name = variableName(getter);
  for (let level: Scope | undefined = scope; level !== undefined; level = level.parent) {
    for (const node of level.graph.nodes.values()) {
      if (node.type === 'SetNode' && variableName(node) === name) return { scope: level, node };
    }
  }
  return undefined;
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
