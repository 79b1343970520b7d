import type { LGraphNode } from '@comfyorg/litegraph';

const gapX = 60;
const gapY = 56;

/**
 * Places nodes in columns by their distance from the sources, each column ordered by the mean
 * height of what feeds it, so that few links cross and nothing overlaps.
 */
export function layOut(nodes: readonly LGraphNode[]): void {
  const depth = depths(nodes);
  const columns: LGraphNode[][] = [];
  for (const node of nodes) (columns[depth.get(node) ?? 0] ??= []).push(node);

  const middle = new Map<LGraphNode, number>();
  let x = 0;
  for (const column of columns) {
    if (column === undefined) continue;
    const order = (node: LGraphNode): number => {
      const ys = sourcesOf(node).map((s) => middle.get(s) ?? 0);
      return ys.length === 0 ? 0 : ys.reduce((a, b) => a + b, 0) / ys.length;
    };
    const sorted = column.map((node) => ({ node, at: order(node) })).sort((a, b) => a.at - b.at);
    let y = 0;
    let width = 0;
    for (const { node } of sorted) {
      node.pos = [x, y];
      middle.set(node, y + node.size[1] / 2);
      y += node.size[1] + gapY;
      width = Math.max(width, node.size[0]);
    }
    x += width + gapX;
  }
}

function depths(nodes: readonly LGraphNode[]): Map<LGraphNode, number> {
  const depth = new Map<LGraphNode, number>();
  const visiting = new Set<LGraphNode>();
  // Iterative: prompts may be chains of thousands of nodes.
  for (const start of nodes) {
    const stack = [start];
    while (stack.length > 0) {
      const node = stack.at(-1) as LGraphNode;
      if (depth.has(node)) {
        stack.pop();
        continue;
      }
      const open = sourcesOf(node).filter((s) => !depth.has(s) && !visiting.has(s));
      visiting.add(node);
      if (open.length > 0) stack.push(...open);
      else {
        const before = sourcesOf(node).map((s) => depth.get(s) ?? -1);
        depth.set(node, Math.max(-1, ...before) + 1);
        stack.pop();
      }
    }
  }
  return depth;
}

function sourcesOf(node: LGraphNode): LGraphNode[] {
  return node.inputs
    .map((input) => node.graph?.getLink(input.link))
    .map((link) => (link ? node.graph?.getNodeById(link.origin_id) : null))
    .filter((n): n is LGraphNode => n !== null && n !== undefined);
}
