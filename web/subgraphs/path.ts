import { SubgraphNode, type LGraph, type Subgraph } from '@comfyorg/litegraph';
import { signal } from '@preact/signals';
import type { EditorCanvas } from '../graph/canvas.ts';
import { someNodeVisible } from '../graph/view.ts';

/** The subgraphs that are open, one inside the other, outermost first; and the way back. */
export type SubgraphPath = ReturnType<typeof createSubgraphPath>;

type Level = LGraph | Subgraph;

/**
 * Follows the canvas from level to level. Each level is seen again as it was left; one that was never
 * seen is shown as a whole.
 */
export function createSubgraphPath(canvas: EditorCanvas, root: LGraph) {
  const path = signal<readonly Subgraph[]>([]);
  const views = new Map<string, { scale: number; offset: [number, number] }>();

  const viewOn = (level: Level): void => {
    const { ds } = canvas;
    const known = views.get(level.id);
    if (known === undefined) return canvas.fitView();
    ds.scale = known.scale;
    ds.offset = [...known.offset];
    if (!someNodeVisible(canvas)) canvas.fitView();
  };

  canvas.canvas.addEventListener('litegraph:set-graph', (event) => {
    const { newGraph, oldGraph } = (event as CustomEvent<{ newGraph: Level; oldGraph?: Level }>)
      .detail;
    const { scale, offset } = canvas.ds;
    if (oldGraph) views.set(oldGraph.id, { scale, offset: [offset[0], offset[1]] });
    path.value = pathTo(root, newGraph, path.value);
    viewOn(newGraph);
  });

  return {
    path,
    /** Goes up one level; from the root nothing happens. */
    leave(): void {
      if (path.value.length > 0) canvas.setGraph(path.value.at(-2) ?? root);
    },
    /** Goes up to one of the levels; 0 is the root. */
    goTo(depth: number): void {
      canvas.setGraph(depth === 0 ? root : path.value[depth - 1]);
    },
  };
}

/** The way from the root to a level: up or down from the present one, else the shortest there is. */
function pathTo(root: LGraph, level: Level, now: readonly Subgraph[]): readonly Subgraph[] {
  if (level === root || !isSubgraph(level)) return [];
  const depth = now.findIndex(({ id }) => id === level.id);
  if (depth >= 0) return [...now.slice(0, depth), level];
  if (now.length > 0 && innerOf(now[now.length - 1]).has(level)) return [...now, level];
  const queue: (readonly Subgraph[])[] = [...innerOf(root)].map((each) => [each]);
  const seen = new Set<Subgraph>();
  for (const way of queue) {
    const last = way[way.length - 1];
    if (last === level) return way;
    if (seen.has(last)) continue;
    seen.add(last);
    for (const inner of innerOf(last)) queue.push([...way, inner]);
  }
  return [level];
}

const isSubgraph = (level: Level): level is Subgraph => !level.isRootGraph;

const innerOf = (level: Level): Set<Subgraph> =>
  new Set(level.nodes.flatMap((node) => (node instanceof SubgraphNode ? [node.subgraph] : [])));
