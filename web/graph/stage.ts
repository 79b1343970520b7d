import { createUuidv4, type LGraph } from '@comfyorg/litegraph';
import { isUiFormat } from '../../engine/workflow/forms.ts';
import { parseJson, stringifyJson, toPlain } from '../../engine/workflow/lossless-json.ts';
import type { PackScripts } from '../extensions/pack-scripts.ts';
import type { EditorCanvas } from './canvas.ts';
import type { Classes } from './group-node.ts';
import { isRecord } from './input-spec.ts';
import { loadPrompt } from './load-prompt.ts';
import { allGraphs, loadWorkflow, type Loaded } from './load.ts';
import { settleSize } from './own-size.ts';
import { restoreNodes } from './restore-nodes.ts';
import { saveWorkflow } from './save.ts';
import { takeSnapshot, type GraphSnapshot } from './snapshot.ts';
import { someNodeVisible, viewInFile, viewOf, type View } from './view.ts';

export type Stage = ReturnType<typeof createStage>;

/** The canvas as the place where one workflow at a time stands: put on it, read back, looked at. */
export function createStage(
  graph: LGraph,
  canvas: EditorCanvas,
  packs: PackScripts,
  classes: Classes,
) {
  const toWorkflow = (source: unknown): Record<string, unknown> => saveWorkflow(graph, source);

  const setView = ({ scale, offset, inside }: View): void => {
    const subgraph = inside === null ? undefined : graph.subgraphs.get(inside);
    canvas.setGraph(subgraph ?? graph);
    canvas.ds.scale = scale;
    canvas.ds.offset = [offset[0], offset[1]];
  };

  const load = (data: unknown): Loaded => {
    packs.loading(data);
    leaveFields(canvas.canvas);
    canvas.setGraph(graph);
    const isFile = isUiFormat(data);
    const loaded = isFile ? loadWorkflow(graph, data, classes) : loadPrompt(graph, data);
    if (!isRecord(data) || typeof data.id !== 'string') graph.id = createUuidv4();
    settleSizes(graph);
    packs.loaded(graph.nodes, loaded.missing);
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
    /** Goes from the present state to another one of the same workflow; what is in sight stays. */
    restore(state: GraphSnapshot, now: GraphSnapshot, source: unknown): GraphSnapshot {
      leaveFields(canvas.canvas);
      const came = restoreNodes(graph, state, now, source);
      if (came === null) rework(toPlain(parseJson(state.text())));
      else canvas.setDirty(true, true);
      return came ?? takeSnapshot(graph, source, state);
    },
    rework,
    view: (): View => viewOf(canvas),
    setView,
    toWorkflow,
    toText: (source: unknown): string => stringifyJson(toWorkflow(source), { style: 'compact' }),
    snapshot: (source: unknown, before?: GraphSnapshot): GraphSnapshot =>
      takeSnapshot(graph, source, before),
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
  for (const node of allGraphs(graph).flatMap((each) => each.nodes)) settleSize(node);
}
