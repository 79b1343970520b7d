import type { LGraph } from '@comfyorg/litegraph';
import type { ISerialisedNode } from '@comfyorg/litegraph/dist/types/serialisation';
import { parseJson, toPlain } from '../../engine/workflow/lossless-json.ts';
import { allGraphs } from './load.ts';
import { NoodleNode } from './node.ts';
import { settleSize } from './own-size.ts';
import { changedNodes, takeSnapshot, type GraphSnapshot } from './snapshot.ts';

/** Above so many nodes the whole graph is loaded as quickly. */
const few = 60;

/**
 * Goes to a state of the graph that differs from the present one, `now`, in what some nodes are
 * alone, by changing these nodes: the rest of a large graph need not be made anew. Returns what the
 * graph is then; null when it did not come out as the state says, or more than nodes are different:
 * then the graph has to be loaded.
 */
export function restoreNodes(
  graph: LGraph,
  state: GraphSnapshot,
  now: GraphSnapshot,
  source: unknown,
): GraphSnapshot | null {
  const changed = changedNodes(now, state);
  if (changed === null || changed.length > few) return null;
  const nodes = changed.map((key) => nodeOf(graph, key));
  // Nodes that the server describes; others have more to them than what is stored.
  if (!nodes.every((node) => node !== undefined && node.info !== null)) return null;
  changed.forEach((key, i) => become(nodes[i] as NoodleNode, state.nodes.get(key) ?? ''));
  const came = takeSnapshot(graph, source, state);
  return came.same(state) ? came : null;
}

function nodeOf(root: LGraph, key: string): NoodleNode | undefined {
  for (const graph of allGraphs(root)) {
    const node = graph.nodes.find(({ id }) => `${graph.id}/${id}` === key);
    if (node instanceof NoodleNode) return node;
  }
  return undefined;
}

/** Makes a node what its stored form says, which may say less than the node has now. */
function become(node: NoodleNode, text: string): void {
  node.setColorOption(null);
  delete node.boxcolor;
  node.shape = 'default';
  node.properties = {};
  node.flags = {};
  node.configure(toPlain(parseJson(text)) as ISerialisedNode);
  settleSize(node);
}
