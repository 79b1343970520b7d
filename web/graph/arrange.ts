import { LiteGraph, type LGraph, type LGraphGroup, type LGraphNode } from '@comfyorg/litegraph';
import { boundsOf } from './align.ts';
import { placeInLayers, type Box } from './layers.ts';

const titleHeight = (): number => LiteGraph.NODE_TITLE_HEIGHT;
const padding = 16;

/**
 * Arranges a graph (or some of its nodes) from left to right along its links: nodes of a group stay
 * together, and the group is fitted around them. The first corner stays where it was.
 */
export function arrange(graph: LGraph, only?: readonly LGraphNode[]): void {
  const nodes = (only ?? graph.nodes).filter((node) => !node.pinned);
  if (nodes.length < 2) return;
  const [left, top] = boundsOf(nodes);
  const clusters = only === undefined ? clustersOf(graph, nodes) : [];
  const grouped = new Map<LGraphNode, LGraphGroup>();
  for (const { group, members } of clusters) {
    place(graph, members, [0, 0]);
    for (const member of members) grouped.set(member, group);
  }
  const boxes = new Map<object, Box>();
  for (const node of nodes) if (!grouped.has(node)) boxes.set(node, boxOf([node]));
  for (const { group, members } of clusters) boxes.set(group, boxOf(members, group));
  const unitOf = (node: LGraphNode): object => grouped.get(node) ?? node;
  placeInLayers(boxes, linksBetween(graph, nodes, unitOf));

  for (const [unit, box] of boxes) {
    const cluster = clusters.find(({ group }) => group === unit);
    const members = cluster?.members ?? [unit as LGraphNode];
    const [x, y] = boundsOf(members);
    const inset = cluster === undefined ? 0 : padding;
    const head = cluster === undefined ? 0 : cluster.group.titleHeight + padding;
    shift(members, left + box.x + inset - x, top + box.y + head - y);
    cluster?.group.resizeTo(members, padding);
  }
  straightenReroutes(graph);
}

/** Nodes that lie in a group, by the innermost one that has several of them. */
function clustersOf(graph: LGraph, nodes: readonly LGraphNode[]) {
  const taken = new Set<LGraphNode>();
  const area = ({ size }: LGraphGroup): number => size[0] * size[1];
  return [...graph.groups]
    .filter((group) => !group.pinned)
    .sort((a, b) => area(a) - area(b))
    .map((group) => {
      group.recomputeInsideNodes();
      const members = nodes.filter((node) => group.children.has(node) && !taken.has(node));
      for (const member of members) taken.add(member);
      return { group, members };
    })
    .filter(({ members }) => members.length > 0);
}

/** Arranges some nodes alone, their first corner at a point. */
function place(graph: LGraph, nodes: readonly LGraphNode[], [x, y]: [number, number]): void {
  const boxes = new Map<object, Box>(nodes.map((node) => [node, boxOf([node])]));
  placeInLayers(
    boxes,
    linksBetween(graph, nodes, (node) => node),
  );
  for (const node of nodes) {
    const box = boxes.get(node) as Box;
    shift([node], x + box.x - node.boundingRect[0], y + box.y - node.boundingRect[1]);
  }
}

function boxOf(nodes: readonly LGraphNode[], group?: LGraphGroup): Box {
  for (const node of nodes) refreshBounds(node);
  const [left, top, right, bottom] = boundsOf(nodes);
  const [around, head] = group === undefined ? [0, 0] : [padding, group.titleHeight];
  return { x: 0, y: 0, w: right - left + 2 * around, h: bottom - top + 2 * around + head };
}

/** litegraph measures nodes when it draws; what was moved since is measured here. */
function refreshBounds(node: LGraphNode): void {
  const { pos, flags } = node;
  const boundingRect = node.boundingRect as unknown as Float64Array;
  boundingRect[0] = pos[0];
  boundingRect[1] = pos[1] - titleHeight();
  if (flags.collapsed) return;
  boundingRect[2] = node.size[0];
  boundingRect[3] = node.size[1] + titleHeight();
}

function shift(nodes: readonly LGraphNode[], dx: number, dy: number): void {
  for (const node of nodes) {
    node.pos = [Math.round(node.pos[0] + dx), Math.round(node.pos[1] + dy)];
    refreshBounds(node);
  }
}

function linksBetween(
  graph: LGraph,
  nodes: readonly LGraphNode[],
  unitOf: (node: LGraphNode) => object,
): [object, object][] {
  const among = new Set(nodes);
  const found: [object, object][] = [];
  for (const node of nodes) {
    for (const { link: id } of node.inputs) {
      const link = graph.getLink(id);
      const origin = link ? graph.getNodeById(link.origin_id) : null;
      if (!origin || !among.has(origin)) continue;
      const [from, to] = [unitOf(origin), unitOf(node)];
      if (from !== to) found.push([from, to]);
    }
  }
  return found;
}

/** Puts the knots of every link evenly between its ends. */
function straightenReroutes(graph: LGraph): void {
  const done = new Set<unknown>();
  for (const link of graph.links.values()) {
    const from = graph.getNodeById(link.origin_id)?.getOutputPos(link.origin_slot);
    const to = graph.getNodeById(link.target_id)?.getInputPos(link.target_slot);
    if (from === undefined || to === undefined) continue;
    const chain =
      link.parentId === undefined ? [] : (graph.getReroute(link.parentId)?.getReroutes() ?? []);
    chain.forEach((reroute, i) => {
      if (done.has(reroute)) return;
      done.add(reroute);
      const part = (i + 1) / (chain.length + 1);
      reroute.pos = [from[0] + (to[0] - from[0]) * part, from[1] + (to[1] - from[1]) * part];
    });
  }
}
