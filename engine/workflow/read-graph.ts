/** Reads a workflow file (schema 0.4 or 1) into one plain form; the file is not trusted. */
import { withBroadcasts } from './broadcasts.ts';
import { withCurrentNames } from './legacy-names.ts';
import type { Json } from './lossless-json.ts';
import { asArray, isRecord } from './records.ts';
import { SUBGRAPH_OUTPUT } from './types.ts';
import type { Graph, GraphLink, GraphNode, InputSlot, Subgraph, Workflow } from './types.ts';

/** Checks and normalises a workflow. Throws TypeError when it is no editor workflow at all. */
export function readWorkflow(value: unknown): Workflow {
  if (!isRecord(value) || !Array.isArray(value.nodes)) {
    throw new TypeError("workflow: expected an object with 'nodes', got something else");
  }
  const subgraphs = new Map<string, Subgraph>();
  collectSubgraphs(value.definitions, subgraphs, 0);
  const extra = isRecord(value.extra) ? value.extra : {};
  const groups = isRecord(extra.groupNodes) ? (extra.groupNodes as Record<string, Json>) : {};
  return { ...readGraph(value), subgraphs, groups };
}

function readGraph(value: Record<string, unknown>): Graph {
  const nodes = new Map<string, GraphNode>();
  for (const item of asArray(value.nodes)) {
    const node = readNode(item);
    if (node !== undefined) nodes.set(node.id, node);
  }
  const links = new Map<string, GraphLink>();
  for (const item of asArray(value.links)) {
    const link = readLink(item);
    if (link !== undefined) links.set(link[0], link[1]);
  }
  const saved = isRecord(value.extra) ? value.extra.ue_links : undefined;
  return withBroadcasts({ nodes, links }, saved);
}

/** One node as a file holds it; undefined when it has no id or type. */
export function readNode(stored: unknown): GraphNode | undefined {
  const item = withCurrentNames(stored);
  if (!isRecord(item) || typeof item.type !== 'string' || !isId(item.id)) return undefined;
  return {
    id: String(item.id),
    type: item.type,
    mode: typeof item.mode === 'number' ? item.mode : 0,
    title: typeof item.title === 'string' ? item.title : undefined,
    inputs: asArray(item.inputs).filter(isRecord).map(readInput),
    outputs: asArray(item.outputs)
      .filter(isRecord)
      .map((output) => ({ name: text(output.name), type: typeName(output.type) })),
    values: isStored(item.widgets_values) ? item.widgets_values : undefined,
    properties: isRecord(item.properties) ? (item.properties as Record<string, Json>) : {},
  };
}

function readInput(input: Record<string, unknown>): InputSlot {
  const widget = isRecord(input.widget) ? input.widget.name : undefined;
  return {
    name: text(input.name),
    type: typeName(input.type),
    link: isId(input.link) ? String(input.link) : undefined,
    widget: typeof widget === 'string' ? widget : undefined,
    label: typeof input.label === 'string' ? input.label : undefined,
  };
}

/** `[id, origin, slot, target, slot, type]` or the object form. */
function readLink(item: unknown): [id: string, link: GraphLink] | undefined {
  const [id, originId, originSlot, targetId, targetSlot, type] = Array.isArray(item)
    ? (item as unknown[])
    : isRecord(item)
      ? [item.id, item.origin_id, item.origin_slot, item.target_id, item.target_slot, item.type]
      : [];
  if (!isId(id) || !isId(originId) || !isId(targetId)) return undefined;
  return [
    String(id),
    {
      originId: String(originId),
      originSlot: Number(originSlot) || 0,
      targetId: String(targetId),
      targetSlot: Number(targetSlot) || 0,
      type: typeName(type),
    },
  ];
}

/** Definitions may lie inside definitions; all of them share one namespace of ids. */
function collectSubgraphs(definitions: unknown, into: Map<string, Subgraph>, depth: number): void {
  if (!isRecord(definitions) || depth > 50) return;
  for (const item of asArray(definitions.subgraphs)) {
    if (!isRecord(item) || typeof item.id !== 'string' || into.has(item.id)) continue;
    const graph = readGraph(item);
    const links = [...graph.links.values()];
    into.set(item.id, {
      ...graph,
      name: text(item.name),
      inputs: asArray(item.inputs)
        .filter(isRecord)
        .map((input) => ({ name: text(input.name), type: typeName(input.type) })),
      outputs: asArray(item.outputs).map((_, slot) =>
        links.find((link) => link.targetId === SUBGRAPH_OUTPUT && link.targetSlot === slot),
      ),
    });
    collectSubgraphs(item.definitions, into, depth + 1);
  }
}

const isId = (value: unknown): value is string | number =>
  typeof value === 'string' || typeof value === 'number';

const isStored = (value: unknown): value is Json[] | Record<string, Json> =>
  Array.isArray(value) || isRecord(value);

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Types are text; old files have -1 or 0 for "anything" (and combos as lists). */
const typeName = (value: unknown): string =>
  typeof value === 'string' ? value : Array.isArray(value) ? 'COMBO' : '*';
