/** Primitives of the editor: one value that several inputs take. They are in no prompt themselves. */
import type { Graph, GraphNode } from '../types.ts';

/** The primitive that each input (`<node>.<input>`) of the top level takes its value from. */
export function primitivesBehind(graph: Graph): ReadonlyMap<string, GraphNode> {
  const found = new Map<string, GraphNode>();
  for (const node of graph.nodes.values()) {
    for (const { name, link } of node.inputs) {
      const origin = link === undefined ? undefined : graph.links.get(link)?.originId;
      const source = origin === undefined ? undefined : graph.nodes.get(origin);
      if (source?.type === 'PrimitiveNode') found.set(`${node.id}.${name}`, source);
    }
  }
  return found;
}

/** Nodes of a prompt that hold a single value in `value`. */
export const PRIMITIVE_CLASSES: ReadonlySet<string> = new Set([
  'PrimitiveInt',
  'PrimitiveFloat',
  'PrimitiveString',
  'PrimitiveStringMultiline',
  'PrimitiveBoolean',
]);
