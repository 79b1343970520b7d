import {
  LiteGraph,
  SubgraphNode,
  type LGraph,
  type LGraphNode,
  type Subgraph,
} from '@comfyorg/litegraph';
import type {
  ExportedSubgraph,
  ExportedSubgraphInstance,
  ISerialisedNode,
} from '@comfyorg/litegraph/dist/types/serialisation';
import type { IBaseWidget } from '@comfyorg/litegraph/dist/types/widgets';
import { drawProgress, outlineStatus } from './node-status.ts';
import { drawOpenMark } from './open-mark.ts';
import { ImageView } from './widgets/image-view.ts';
import { rememberSource, restoreSource } from './source.ts';

/** Registers a node class for every subgraph definition as the graph creates it. */
export function registerSubgraphs(graph: LGraph): void {
  graph.events.addEventListener('subgraph-created', (event) => {
    const { subgraph } = event.detail;
    LiteGraph.registerNodeType(subgraph.id, instanceClass(graph, subgraph));
  });
}

/**
 * Adds definitions of subgraphs that the workflow does not have yet, as files list them; equal ids are
 * the same one.
 */
export function addDefinitions(root: LGraph, list: unknown): void {
  const missing = (Array.isArray(list) ? (list as ExportedSubgraph[]) : []).filter(
    ({ id }) => !root.subgraphs.has(id),
  );
  const made = missing.map((info) => root.createSubgraph(info));
  made.forEach((subgraph, i) => subgraph.configure(missing[i]));
}

/** The subgraphs inside of some, on every level. */
export function subgraphsWithin(outer: Iterable<Subgraph>): Set<Subgraph> {
  const found = new Set<Subgraph>();
  const look = (subgraph: Subgraph): void => {
    for (const node of subgraph.nodes) {
      if (!(node instanceof SubgraphNode) || found.has(node.subgraph)) continue;
      found.add(node.subgraph);
      look(node.subgraph);
    }
  };
  for (const subgraph of outer) look(subgraph);
  return found;
}

function instanceClass(graph: LGraph, subgraph: Subgraph): typeof LGraphNode {
  const made = class extends SubgraphNode {
    static override title = subgraph.name;
    static override type = subgraph.id;
    static override skip_list = true;

    constructor() {
      const blank: ExportedSubgraphInstance = {
        id: -1,
        type: subgraph.id,
        pos: [0, 0],
        size: [200, 100],
        inputs: [],
        outputs: [],
        flags: {},
        order: 0,
        mode: 0,
      };
      super(graph, subgraph, blank);
      outlineStatus(this);
      this.title_buttons.forEach(drawOpenMark);
    }

    override configure(info: ExportedSubgraphInstance): void {
      // Slots of the definition rule; the file's slots are matched to them by name.
      const slots = new Map((info.inputs ?? []).map((slot) => [slot.name, slot]));
      const defined = this.subgraph.inputNode.slots.map((slot) => {
        const stored = slots.get(slot.name);
        slots.delete(slot.name);
        return stored ?? { name: slot.name, type: slot.type, link: null };
      });
      super.configure({ ...info, inputs: defined });
      if (info.id !== -1) rememberSource(this, info);
    }

    override serialize(): ISerialisedNode {
      const saved = super.serialize();
      const values = this.widgets.filter((w) => w.serialize !== false).map((w) => w.value);
      if (values.length > 0) saved.widgets_values = values;
      return restoreSource(this, saved);
    }

    override getWidgetOnPos(
      x: number,
      y: number,
      includeDisabled?: boolean,
    ): IBaseWidget | undefined {
      const widget = super.getWidgetOnPos(x, y, includeDisabled);
      return widget instanceof ImageView ? undefined : widget;
    }

    override drawProgressBar(ctx: CanvasRenderingContext2D): void {
      drawProgress(this, ctx);
    }
  };
  return made;
}
