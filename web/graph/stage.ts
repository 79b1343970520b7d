import { createUuidv4, type LGraph } from '@comfyorg/litegraph';
import { isUiFormat } from '../../engine/workflow/forms.ts';
import { parseJson, stringifyJson, toPlain } from '../../engine/workflow/lossless-json.ts';
import type { EditorCanvas } from './canvas.ts';
import { isRecord } from './input-spec.ts';
import { loadPrompt } from './load-prompt.ts';
import { allGraphs, loadWorkflow, type Loaded } from './load.ts';
import { saveWorkflow } from './save.ts';
import type { Snapshot } from './undo.ts';
import { someNodeVisible, viewInFile, viewOf, type View } from './view.ts';

export type Stage = ReturnType<typeof createStage>;

/** The canvas as the place where one workflow at a time stands: put on it, read back, looked at. */
export function createStage(graph: LGraph, canvas: EditorCanvas) {
  const toWorkflow = (source: unknown): Record<string, unknown> => saveWorkflow(graph, source);

  const setView = ({ scale, offset, inside }: View): void => {
    const subgraph = inside === null ? undefined : graph.subgraphs.get(inside);
    canvas.setGraph(subgraph ?? graph);
    canvas.ds.scale = scale;
    canvas.ds.offset = [offset[0], offset[1]];
  };

  const load = (data: unknown): Loaded => {
    leaveFields(canvas.canvas);
    canvas.setGraph(graph);
    const isFile = isUiFormat(data);
    const loaded = isFile ? loadWorkflow(graph, data) : loadPrompt(graph, data);
    if (!isRecord(data) || typeof data.id !== 'string') graph.id = createUuidv4();
    settleSizes(graph);
    canvas.setDirty(true, true);
    return loaded;
  };

  /** Loads another form of the workflow on the canvas; what is in sight stays. */
  const rework = (data: unknown): Loaded => {
    const view = viewOf(canvas);
    const loaded = load(data);
    setView(view);
    return loaded;
  };

  return {
    /** Puts a parsed workflow or API prompt on the canvas; throws a TypeError when it is neither. */
    load,
    /** Looks at the place the file was stored with, or at the whole of it. */
    lookAtFile(file: unknown): void {
      const view = viewInFile(file);
      if (view !== null) setView({ ...view, inside: null });
      // A view stored on another screen may show nothing at all.
      if (view === null || !someNodeVisible(canvas)) canvas.fitView();
    },
    /** Goes to an earlier state of the workflow on the canvas; what is in sight stays. */
    restore: (text: string): void => void rework(toPlain(parseJson(text))),
    rework,
    view: (): View => viewOf(canvas),
    setView,
    toWorkflow,
    toText: (source: unknown): string => stringifyJson(toWorkflow(source), { style: 'compact' }),
    snapshot(source: unknown): Snapshot {
      const workflow = toWorkflow(source);
      return {
        shape: stringifyJson(withoutStacking(withoutView(workflow)), { style: 'compact' }),
        text: () => stringifyJson(workflow, { style: 'compact' }),
      };
    },
  };
}

/** A field with the focus stays on the page, and would take keys for a node that is gone. */
function leaveFields(element: HTMLCanvasElement): void {
  const focused = element.ownerDocument.activeElement;
  if (focused !== element && element.parentElement?.contains(focused) === true) element.focus();
}

/**
 * Nodes too small for their fields, and the ends of subgraphs, grow when they are first drawn; here at
 * once, for it is no edit.
 */
function settleSizes(graph: LGraph): void {
  for (const { inputNode, outputNode } of graph.subgraphs.values()) {
    inputNode.arrange();
    outputNode.arrange();
  }
  for (const node of allGraphs(graph).flatMap((each) => each.nodes)) {
    if (node.flags.collapsed) continue;
    node._setConcreteSlots();
    node.arrange();
  }
}

/** Everything but the viewport, which is no edit. */
function withoutView(workflow: Record<string, unknown>): Record<string, unknown> {
  const { ds: _view, ...extra } = isRecord(workflow.extra) ? workflow.extra : {};
  return { ...workflow, extra };
}

/** The workflow whichever node lies in front: a click brings a node there, and that is no edit. */
function withoutStacking(workflow: Record<string, unknown>): Record<string, unknown> {
  const nodes = (Array.isArray(workflow.nodes) ? workflow.nodes : []) as Record<string, unknown>[];
  const shapes = nodes.map(({ order: _order, ...node }) => node);
  const definitions = isRecord(workflow.definitions) ? workflow.definitions : {};
  const inner = Array.isArray(definitions.subgraphs) ? definitions.subgraphs.filter(isRecord) : [];
  return {
    ...workflow,
    nodes: shapes.sort((a, b) => String(a.id).localeCompare(String(b.id))),
    definitions: { ...definitions, subgraphs: inner.map(withoutStacking) },
  };
}
