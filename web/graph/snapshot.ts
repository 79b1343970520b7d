import { LGraphNode, type LGraph } from '@comfyorg/litegraph';
import { stringifyJson } from '../../engine/workflow/lossless-json.ts';
import { isRecord } from './input-spec.ts';
import { nodeText, textOfStored, withNodesAsThemselves } from './node-texts.ts';
import { saveWorkflow } from './save.ts';
import type { Snapshot } from './undo.ts';

/** A node in a snapshot. */
interface NodePiece {
  /** Graph and node id. */
  readonly key: string;
  /** Its stored form without the execution order; the same string as before where nothing changed. */
  readonly text: string;
  readonly order: unknown;
}

/** A state of the graph in pieces that states share as long as they are the same. */
export interface GraphSnapshot extends Snapshot {
  /** The workflow without its nodes and without the view, in whose place stand marks. */
  readonly rest: string;
  /** The nodes of the workflow and of each definition in it, in the order they are drawn in. */
  readonly graphs: readonly (readonly NodePiece[])[];
  readonly nodes: ReadonlyMap<string, string>;
}

/** A text that is in no workflow. */
const token = `nodes-${Math.random().toString(36).slice(2)}-`;

/**
 * Takes the state of a graph. `source` is the file it came from, as for saveWorkflow. Equal states
 * are those without an edit in between: the view, and which node lies in front, are none.
 */
export function takeSnapshot(
  graph: LGraph,
  source: unknown,
  before?: GraphSnapshot,
): GraphSnapshot {
  const workflow = withNodesAsThemselves(() => saveWorkflow(graph, source, asIs));
  const graphs: NodePiece[][] = [];
  /** A graph's stored form with a mark for its nodes, which go to the pieces. */
  const apart = (stored: Record<string, unknown>): Record<string, unknown> => {
    const list = Array.isArray(stored.nodes) ? (stored.nodes as unknown[]) : [];
    const of = String(stored.id);
    graphs.push(list.map((node) => pieceOf(node as LGraphNode | Record<string, unknown>, of)));
    return { ...stored, nodes: [`${token}${graphs.length - 1}`] };
  };
  const { ds: _view, ...extra } = isRecord(workflow.extra) ? workflow.extra : {};
  const root = apart({ ...workflow, extra });
  if (isRecord(root.definitions) && Array.isArray(root.definitions.subgraphs)) {
    const subgraphs = root.definitions.subgraphs.filter(isRecord).map(apart);
    root.definitions = { ...root.definitions, subgraphs };
  }
  const written = stringifyJson(root, { style: 'compact' });
  const rest = written === before?.rest ? before.rest : written;
  const nodes = new Map(graphs.flat().map(({ key, text }) => [key, text]));
  return {
    rest,
    graphs,
    nodes,
    same: (other) => isSame({ rest, nodes }, other as GraphSnapshot),
    text: () => join(rest, graphs),
    sizeBeyond: (other) => sizeBeyond({ rest, nodes }, other as GraphSnapshot | null),
  };
}

type Parts = Pick<GraphSnapshot, 'rest' | 'nodes'>;

/** Keeps nodes as they are among copies of all else. */
const asIs = (value: unknown): unknown => (value instanceof LGraphNode ? value : undefined);

function pieceOf(node: LGraphNode | Record<string, unknown>, graph: string): NodePiece {
  const key = `${graph}/${String(node.id)}`;
  const text = node instanceof LGraphNode ? nodeText(node) : textOfStored(node);
  return { key, text, order: node.order };
}

function isSame(a: Parts, b: Parts): boolean {
  if (a.rest !== b.rest || a.nodes.size !== b.nodes.size) return false;
  for (const [key, text] of a.nodes) if (b.nodes.get(key) !== text) return false;
  return true;
}

function join(rest: string, graphs: GraphSnapshot['graphs']): string {
  return rest.replace(new RegExp(`"${token}(\\d+)"`, 'g'), (_, index) =>
    graphs[Number(index)]
      .map(({ text, order }) =>
        typeof order === 'number' ? `${text.slice(0, -1)},"order":${order}}` : text,
      )
      .join(','),
  );
}

/** Characters of `a` that `b` does not hold too; a little for each node's place. */
function sizeBeyond(a: Parts, b: Parts | null): number {
  let size = a.nodes.size * 16;
  if (a.rest !== b?.rest) size += a.rest.length;
  for (const [key, text] of a.nodes) if (b?.nodes.get(key) !== text) size += text.length;
  return size;
}

/** Nodes whose stored form is another one in `b`; null when more than that is different. */
export function changedNodes(a: GraphSnapshot, b: GraphSnapshot): string[] | null {
  if (a.rest !== b.rest || a.nodes.size !== b.nodes.size) return null;
  const changed: string[] = [];
  for (const [key, text] of b.nodes) {
    if (!a.nodes.has(key)) return null;
    if (a.nodes.get(key) !== text) changed.push(key);
  }
  return changed;
}
