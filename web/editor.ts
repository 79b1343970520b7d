import { createUuidv4, LGraph, type LGraphNode } from '@comfyorg/litegraph';
import { parseJson, stringifyJson, toPlain } from '../engine/workflow/lossless-json.ts';
import type { Server } from './api/server.ts';
import type { FileRef, ObjectInfo } from './api/types.ts';
import { EditorCanvas } from './graph/canvas.ts';
import { useTextMenus } from './graph/context-menu.ts';
import { attachDomLayer } from './graph/dom-layer.ts';
import { createExecutionView } from './graph/execution-view.ts';
import type { EditorHooks } from './graph/hooks.ts';
import { isRecord, uploadKind } from './graph/input-spec.ts';
import { useExactCopies } from './graph/litegraph-setup.ts';
import { loadPrompt } from './graph/load-prompt.ts';
import { allGraphs, loadWorkflow } from './graph/load.ts';
import { registerNodes } from './graph/node-class.ts';
import { imagesOf } from './graph/node-pictures.ts';
import { NoodleNode } from './graph/node.ts';
import { saveWorkflow } from './graph/save.ts';
import { registerSubgraphs } from './graph/subgraphs.ts';
import { applyTheme, colorTypes, styleCanvas } from './graph/theme.ts';
import { createUndoStack } from './graph/undo.ts';
import { registerVirtualNodes } from './graph/virtual-nodes.ts';
import { detectForm } from './graph/workflow-file.ts';
import { toast, type State } from './state.ts';
import { textOf } from './text.ts';

export type Editor = ReturnType<typeof createEditor>;

const autosaveKey = 'noodle.autosave';

export interface EditorParts {
  readonly host: HTMLElement;
  readonly element: HTMLCanvasElement;
  readonly objectInfo: ObjectInfo;
  readonly server: Server;
  readonly state: State;
}

/** Builds the graph editor: graph, canvas, loading, saving, undo, autosave. */
export function createEditor({ host, element, objectInfo, server, state }: EditorParts) {
  useExactCopies();
  useTextMenus();
  applyTheme();
  const graph = new LGraph();
  registerSubgraphs(graph);
  /** The parsed file the graph came from; saving puts back what the editor does not know. */
  let source: unknown = null;

  const hooks: EditorHooks = {
    chooseFile: (node, widgetName, kind) => chooseFile(node, widgetName, kind),
    showInputFile: (node, filename) => showInputFile(node, filename),
    edited: () => changed(),
  };
  registerNodes(objectInfo, hooks);
  registerVirtualNodes(hooks);

  const canvas = new EditorCanvas(element, graph, {
    search: (request) => {
      state.search.value = request;
    },
    openImage: (node, index) => openImage(node, index),
    // A finished command is a step of its own for undo.
    changed: () => settle(),
  });
  styleCanvas(canvas);
  colorTypes(canvas, socketTypes(objectInfo));
  const execution = createExecutionView(graph, (file) => server.viewUrl(file));
  const syncDom = attachDomLayer(canvas, host);
  canvas.onDrawForeground = () => {
    syncDom();
    if (state.zoom.value !== canvas.ds.scale) state.zoom.value = canvas.ds.scale;
  };

  const toText = (): string => stringifyJson(toWorkflow(), { style: 'compact' });
  const toWorkflow = (): Record<string, unknown> => saveWorkflow(graph, source);
  const undo = createUndoStack(
    () => stringifyJson(withoutView(toWorkflow()), { style: 'compact' }),
    (text) => {
      const view = { scale: canvas.ds.scale, offset: [...canvas.ds.offset] as [number, number] };
      const inside = canvas.subgraph?.id;
      const file = toPlain(parseJson(text));
      loadWorkflow(graph, file);
      const reopened = inside === undefined ? undefined : graph.subgraphs.get(inside);
      canvas.setGraph(reopened ?? graph);
      canvas.ds.scale = view.scale;
      canvas.ds.offset = view.offset;
      afterLoad();
      autosave();
    },
  );

  let pending: ReturnType<typeof setTimeout> | undefined;
  /** Something may have been edited: note it for undo and keep a copy in the browser, soon. */
  const changed = (): void => {
    canvas.setDirty(true, true);
    clearTimeout(pending);
    pending = setTimeout(settle, 120);
  };
  const settle = (): void => {
    clearTimeout(pending);
    canvas.setDirty(true, true);
    if (!undo.note()) return;
    state.modified.value = true;
    autosave();
  };
  const autosave = (): void => {
    const { workflowName, modified } = state;
    const entry = { name: workflowName.value, modified: modified.value };
    try {
      localStorage.setItem(autosaveKey, JSON.stringify({ ...entry, workflow: toText() }));
    } catch {
      // A full or forbidden store only costs the safety copy.
    }
  };

  const afterLoad = (): void => {
    for (const node of allGraphs(graph).flatMap((g) => g.nodes)) showChosenFile(node);
    execution.reapply();
    canvas.setDirty(true, true);
  };

  /** Shows a workflow or API prompt; throws when the data is neither. */
  const open = (data: unknown, name: string): void => {
    const form = detectForm(data);
    if (form === null) throw new TypeError(`${name}: this JSON is not a workflow`);
    execution.forget();
    canvas.setGraph(graph);
    source = form === 'workflow' ? data : null;
    const loaded = form === 'workflow' ? loadWorkflow(graph, data) : loadPrompt(graph, data);
    if (!isRecord(data) || typeof data.id !== 'string') graph.id = createUuidv4();
    restoreView(form === 'workflow' ? data : null);
    afterLoad();
    state.workflowName.value = name;
    state.modified.value = false;
    state.missing.value = loaded.missing;
    state.problems.value = [];
    undo.restart();
    autosave();
  };

  const restoreView = (data: unknown): void => {
    const extra = isRecord(data) && isRecord(data.extra) ? data.extra : {};
    const ds = isRecord(extra.ds) ? extra.ds : {};
    const offset = ds.offset;
    const [x, y] =
      typeof offset === 'object' && offset !== null ? (Object.values(offset) as unknown[]) : [];
    if (typeof ds.scale === 'number' && typeof x === 'number' && typeof y === 'number') {
      canvas.ds.scale = ds.scale;
      canvas.ds.offset = [x, y];
      // A view stored on another screen may show nothing at all.
      if (someNodeVisible()) return;
    }
    canvas.fitView();
  };
  const someNodeVisible = (): boolean => {
    const { scale, offset } = canvas.ds;
    return graph.nodes.some((node) => {
      const x = (node.pos[0] + offset[0]) * scale;
      const y = (node.pos[1] + offset[1]) * scale;
      return x > -50 && y > -20 && x < element.clientWidth - 80 && y < element.clientHeight - 60;
    });
  };

  const uploadInto = async (node: LGraphNode, widgetName: string, file: File): Promise<void> => {
    try {
      const stored = await server.upload(file);
      const widget = node.widgets?.find((w) => w.name === widgetName);
      if (widget === undefined) return;
      const values: unknown = widget.options.values;
      if (Array.isArray(values) && !values.includes(stored)) values.push(stored);
      widget.value = stored;
      showInputFile(node, stored);
      changed();
    } catch (error) {
      toast(state, messageOf(error), 'error');
    }
  };
  const chooseFile = (node: LGraphNode, widgetName: string, kind: string): void => {
    const input = document.createElement('input');
    input.type = 'file';
    if (kind !== 'file') input.accept = `${kind}/*`;
    input.addEventListener('change', () => {
      const file = input.files?.[0];
      if (file) void uploadInto(node, widgetName, file);
    });
    input.click();
  };
  const showInputFile = (node: LGraphNode, filename: string): void => {
    if (!/\.(png|jpe?g|webp|gif|bmp|avif)$/i.test(filename.replace(/ \[\w+\]$/, ''))) return;
    void execution.showPictures(pathOf(node), [server.viewUrl(annotated(filename))], false);
  };
  const showChosenFile = (node: LGraphNode): void => {
    if (!(node instanceof NoodleNode)) return;
    const spec = node.specs.find((s) => uploadKind(s) === 'image');
    const widget = spec && node.widgets?.find((w) => w.name === spec.name);
    if (widget && typeof widget.value === 'string' && widget.value !== '') {
      const values: unknown = widget.options.values;
      // Files that are not there would only give a broken request.
      if (Array.isArray(values) && !values.includes(widget.value)) return;
      showInputFile(node, widget.value);
    }
  };
  const pathOf = (node: LGraphNode): string => {
    if (node.graph === graph) return String(node.id);
    const parent = allGraphs(graph)
      .flatMap((g) => g.nodes)
      .find((n) => n.isSubgraphNode() && n.subgraph === node.graph);
    return parent === undefined ? String(node.id) : `${pathOf(parent)}:${node.id}`;
  };
  graph.onNodeAdded = (node) => {
    node.onNodeTitleDblClick = () => canvas.rename(node);
    node.onDblClick = (_event, pos) => {
      if (pos[1] >= 0 && imagesOf(node).length > 0) openImage(node, 0);
    };
  };
  const openImage = (node: LGraphNode, index: number): void => {
    const images = imagesOf(node).filter((image) => image.url !== '');
    if (images.length === 0) return;
    state.lightbox.value = {
      images: images.map(({ url }, i) => ({ url, label: `${node.title} ${i + 1}` })),
      index: Math.min(index, images.length - 1),
    };
  };

  return {
    graph,
    canvas,
    execution,
    undo,
    open,
    changed,
    settle,
    toText,
    toWorkflow,
    uploadInto,
    pathOf,
    /** The safety copy of the last session, if there is one. */
    restoreAutosave(): boolean {
      try {
        const entry: unknown = JSON.parse(localStorage.getItem(autosaveKey) ?? 'null');
        if (!isRecord(entry) || typeof entry.workflow !== 'string') return false;
        open(toPlain(parseJson(entry.workflow)), textOf(entry.name, 'Untitled'));
        state.modified.value = entry.modified === true;
        return true;
      } catch {
        return false;
      }
    },
    clear(): void {
      open({ nodes: [], links: [], version: 0.4 }, 'Untitled');
    },
    markSaved(name: string): void {
      state.workflowName.value = name;
      state.modified.value = false;
      autosave();
    },
    undoStep(direction: 'undo' | 'redo'): void {
      settle();
      undo[direction]();
      state.modified.value = true;
    },
    /** Brings a node into view and selects it. */
    focusNode(id: string): void {
      const node = execution.find(id);
      if (node?.graph === undefined || node.graph === null) return;
      if (node.graph !== canvas.graph) canvas.setGraph(node.graph);
      canvas.centerOnNode(node);
      canvas.selectItems([node]);
    },
  };
}

/** Everything but the viewport, which is no edit. */
function withoutView(workflow: Record<string, unknown>): Record<string, unknown> {
  const { ds: _view, ...extra } = isRecord(workflow.extra) ? workflow.extra : {};
  return { ...workflow, extra };
}

/** `sub/name.png [output]` as a file reference; input files by default. */
export function annotated(name: string): FileRef {
  const [, path, type = 'input'] = /^(.*?)(?: \[(input|output|temp)\])?$/.exec(name) ?? [];
  const plain = path ?? name;
  const slash = plain.lastIndexOf('/');
  return { filename: plain.slice(slash + 1), subfolder: plain.slice(0, Math.max(0, slash)), type };
}

function socketTypes(objectInfo: ObjectInfo): Set<string> {
  const types = new Set<string>();
  for (const info of Object.values(objectInfo)) {
    for (const type of info.output) if (typeof type === 'string') types.add(type);
    for (const group of [info.input.required, info.input.optional]) {
      for (const spec of Object.values(group ?? {})) {
        const first: unknown = Array.isArray(spec) ? spec[0] : null;
        if (typeof first === 'string') types.add(first);
      }
    }
  }
  return types;
}

export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
