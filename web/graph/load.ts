import type { LGraph, ISerialisedGraph, Subgraph } from '@comfyorg/litegraph';
import { currentWorkflow } from '../../engine/workflow/legacy-names.ts';
import { registerGroups, type Classes } from './group-node.ts';
import { applyProxyWidgets } from './promoted-widgets.ts';
import { isPrimitive } from './primitive-node.ts';
import { refreshReroutes } from './virtual-nodes.ts';
import { registerMissing } from './missing-node.ts';
import { nodeTypes, toConfigurable } from './workflow-file.ts';

export interface Loaded {
  /** Node types that no class is registered for. */
  readonly missing: readonly string[];
}

/**
 * Puts a stored workflow (schema 0.4 or 1, already parsed) into the graph. Unknown node types
 * become stand-ins; legacy group nodes too, where no classes are given. Throws a TypeError when the
 * data is not a workflow.
 */
export function loadWorkflow(graph: LGraph, file: unknown, classes?: Classes): Loaded {
  const data = toConfigurable(currentWorkflow(file));
  if (classes !== undefined) registerGroups(data, classes);
  const missing = registerMissing(nodeTypes(data));
  graph.configure(data as unknown as ISerialisedGraph);
  for (const each of allGraphs(graph)) {
    alignLinkSlots(each);
    refreshReroutes(each.nodes);
    for (const node of each.nodes) if (isPrimitive(node)) node.settle();
  }
  applyProxyWidgets(graph);
  return { missing };
}

/** The root graph and every subgraph definition in it. */
export function allGraphs(graph: LGraph): (LGraph | Subgraph)[] {
  return [graph, ...graph.subgraphs.values()];
}

/** Links say which input they end at; where a node's sockets moved, the socket's word counts. */
function alignLinkSlots(graph: LGraph | Subgraph): void {
  for (const node of graph.nodes) {
    node.inputs.forEach((input, slot) => {
      const link = graph.getLink(input.link);
      if (link && link.target_id === node.id) link.target_slot = slot;
    });
  }
}
