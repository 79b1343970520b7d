import { isRecord } from './input-spec.ts';
import { textOf } from '../text.ts';
import { t } from '../locale/translate.ts';

/** A stored UI workflow as far as the editor relies on it; everything else is carried along. */
export interface WorkflowFile extends Record<string, unknown> {
  readonly nodes: StoredNode[];
  readonly version?: number;
}

export interface StoredNode extends Record<string, unknown> {
  readonly id: number | string;
  readonly type: string;
}

const graphKeys = [
  'id',
  'revision',
  'last_node_id',
  'last_link_id',
  'nodes',
  'links',
  'floatingLinks',
  'groups',
  'config',
  'extra',
  'version',
  'state',
  'reroutes',
  'definitions',
] as const;

/**
 * A copy of a stored workflow that litegraph can take: only keys it should read, positions as
 * pairs, no broken links, subgraph definitions ordered so that inner ones come first. Throws a
 * TypeError when it is not a workflow.
 */
export function toConfigurable(file: unknown): Record<string, unknown> {
  if (!isRecord(file) || !Array.isArray(file.nodes)) {
    throw new TypeError(t('This is no workflow: a list of nodes is missing'));
  }
  const copy = pick(structuredClone(file), graphKeys);
  copy.version = file.version === 1 ? 1 : 0.4;
  fixGraph(copy, copy.version === 0.4);
  if (isRecord(copy.definitions) && Array.isArray(copy.definitions.subgraphs)) {
    const subgraphs = copy.definitions.subgraphs.filter(isRecord);
    for (const definition of subgraphs) fixGraph(definition, false);
    copy.definitions = { ...copy.definitions, subgraphs: innermostFirst(subgraphs) };
  }
  return copy;
}

function fixGraph(graph: Record<string, unknown>, arrayLinks: boolean): void {
  const nodes = (Array.isArray(graph.nodes) ? graph.nodes : []).filter(
    (n): n is Record<string, unknown> =>
      isRecord(n) && (typeof n.id === 'number' || typeof n.id === 'string'),
  );
  for (const [i, node] of nodes.entries()) {
    node.type = textOf(node.type, 'UNKNOWN NODE');
    node.pos = pair(node.pos) ?? [80 + (i % 5) * 320, 80 + Math.floor(i / 5) * 260];
    node.size = pair(node.size) ?? [225, 100];
    if (!isRecord(node.flags)) node.flags = {};
    if (!isRecord(node.properties)) node.properties = {};
    for (const side of ['inputs', 'outputs']) {
      const slots: unknown = node[side];
      if (slots !== undefined) node[side] = Array.isArray(slots) ? slots.filter(isRecord) : [];
    }
  }
  graph.nodes = nodes;
  const links: unknown[] = Array.isArray(graph.links) ? graph.links : [];
  graph.links = links.filter((link) =>
    arrayLinks ? Array.isArray(link) && link.length >= 5 : isRecord(link),
  );
  const groups: unknown[] = Array.isArray(graph.groups) ? graph.groups : [];
  graph.groups = groups.filter((g) => isRecord(g) && Array.isArray(g.bounding));
  if (graph.extra !== undefined && !isRecord(graph.extra)) delete graph.extra;
}

/** `[x, y]` from an array or from the old `{"0": x, "1": y}`. */
function pair(value: unknown): [number, number] | null {
  if (typeof value !== 'object' || value === null) return null;
  const { 0: x, 1: y } = value as Record<number, unknown>;
  return typeof x === 'number' && typeof y === 'number' ? [x, y] : null;
}

function innermostFirst(definitions: Record<string, unknown>[]): Record<string, unknown>[] {
  const byId = new Map(definitions.map((d) => [d.id, d]));
  const ordered: Record<string, unknown>[] = [];
  const visiting = new Set<unknown>();
  const visit = (definition: Record<string, unknown>): void => {
    if (visiting.has(definition)) return;
    visiting.add(definition);
    for (const node of definition.nodes as StoredNode[]) {
      const inner = byId.get(node.type);
      if (inner !== undefined) visit(inner);
    }
    ordered.push(definition);
  };
  definitions.forEach(visit);
  return ordered;
}

function pick(object: Record<string, unknown>, keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(keys.filter((k) => k in object).map((k) => [k, object[k]]));
}

/** Types of all nodes of a configurable workflow, inner graphs included, without subgraph ids. */
export function nodeTypes(file: Record<string, unknown>): string[] {
  const definitions = isRecord(file.definitions)
    ? (file.definitions.subgraphs as Record<string, unknown>[] | undefined)
    : undefined;
  const graphs = [file, ...(definitions ?? [])];
  const subgraphIds = new Set((definitions ?? []).map((d) => d.id));
  return graphs
    .flatMap((graph) => (graph.nodes as StoredNode[]).map((node) => node.type))
    .filter((type) => !subgraphIds.has(type));
}
