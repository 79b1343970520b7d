import type { LGraph, LGraphNode } from '@comfyorg/litegraph';
import { allGraphs } from '../graph/load.ts';
import { MissingNode, nameOfMissing } from '../graph/missing-node.ts';

/** A class that is not here, with the nodes of the workflow that want it. */
export interface MissingType {
  readonly type: string;
  readonly name: string;
  readonly nodes: readonly LGraphNode[];
}

/** The classes a graph wants and the server does not have, most wanted first. */
export function missingTypes(graph: LGraph): MissingType[] {
  const byType = new Map<string, LGraphNode[]>();
  for (const node of allGraphs(graph).flatMap((each) => each.nodes)) {
    if (!(node instanceof MissingNode) || node.isKnown) continue;
    byType.set(node.type, [...(byType.get(node.type) ?? []), node]);
  }
  return [...byType]
    .map(([type, nodes]) => ({ type, name: nameOfMissing(type), nodes }))
    .sort((a, b) => b.nodes.length - a.nodes.length || a.name.localeCompare(b.name));
}
