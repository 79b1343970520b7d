import { LGraph, type LGraphNode } from '@comfyorg/litegraph';
import type { Server } from './api/server.ts';
import type { ObjectInfo } from './api/types.ts';
import { createDocuments } from './documents/documents.ts';
import type { Drafts } from './documents/drafts.ts';
import type { ThisWindow } from './documents/window.ts';
import type { PackScripts } from './extensions/pack-scripts.ts';
import { EditorCanvas } from './graph/canvas.ts';
import { useTextMenus } from './graph/context-menu.ts';
import { attachDomLayer } from './graph/dom-layer.ts';
import { drawFarNames } from './graph/far-view.ts';
import { useGroupLook } from './graph/group-look.ts';
import { createExecutionView } from './graph/execution-view.ts';
import type { EditorHooks } from './graph/hooks.ts';
import { takeIncomingBoxes } from './graph/incoming-boxes.ts';
import { createFileSource, createInputFiles, pictureField } from './graph/input-files.ts';
import { allowSlowDoubleClicks, useExactCopies } from './graph/litegraph-setup.ts';
import { registerNodes } from './graph/node-class.ts';
import { listenForGroups } from './graph/groups.ts';
import { useReadableNames } from './graph/names.ts';
import { imageMeant, imagesOf } from './graph/node-pictures.ts';
import { trackPointer } from './graph/paste.ts';
import { alignMenu } from './graph/selection.ts';
import { drawSelectionBox } from './graph/selection-box.ts';
import { createStage } from './graph/stage.ts';
import { registerSubgraphs } from './graph/subgraphs.ts';
import { applyTheme, colorTypes, styleCanvas } from './graph/theme.ts';
import { registerVirtualNodes } from './graph/virtual-nodes.ts';
import type { ModelPictures } from './models/model-files.ts';
import { createVocabulary } from './prompt-text/vocabulary.ts';
import { createSubgraphPath } from './subgraphs/path.ts';
import { pictureAt } from './pictures/picture.ts';
import { toast, type State } from './state.ts';
import { messageOf } from './text.ts';

export type Editor = ReturnType<typeof createEditor>;

export interface EditorParts {
  readonly host: HTMLElement;
  readonly element: HTMLCanvasElement;
  readonly objectInfo: ObjectInfo;
  readonly server: Server;
  readonly state: State;
  readonly drafts: Drafts;
  readonly self: ThisWindow;
  readonly packs: PackScripts;
}

/** Builds the graph editor: graph, canvas, what nodes show, and the documents on the canvas. */
export function createEditor(parts: EditorParts) {
  const { host, element, objectInfo, server, state, drafts, self, packs } = parts;
  useExactCopies();
  allowSlowDoubleClicks();
  useTextMenus();
  useGroupLook();
  useReadableNames();
  applyTheme();
  const graph = new LGraph();
  registerSubgraphs(graph);
  // Models have pictures seldom: what finds them comes when a model is chosen for the first time.
  let modelPictures: Promise<ModelPictures> | undefined;
  const loadModelPictures = async (): Promise<ModelPictures> =>
    (await import('./models/model-files.ts')).createModelPictures(server.url);
  const hooks: EditorHooks = {
    chooseFile: (node, widgetName, kind) => inputFiles.choose(node, widgetName, kind),
    paint: (node, widgetName) => void paint(node, widgetName),
    files: createFileSource(server),
    modelPictures: async (choices) => (await (modelPictures ??= loadModelPictures()))(choices),
    vocabulary: createVocabulary(server),
    showInputFile: (node, filename) => inputFiles.show(node, filename),
    edited: () => documents.changed(),
    created: packs.created,
  };
  registerNodes(objectInfo, hooks);
  registerVirtualNodes(hooks);

  const openImage = (node: LGraphNode, index: number): void => viewImages(state, node, index);
  const editMask = async (node: LGraphNode, index = 0): Promise<void> => {
    const { openMaskEditor } = await import('./mask/index.ts');
    await openMaskEditor(node, { server, state, saved: givePicture }, index);
  };
  const paint = async (node: LGraphNode, name: string): Promise<void> => {
    const field = node.widgets?.find((widget) => widget.name === name);
    if (field === undefined) return;
    const { openPainter } = await import('./mask/index.ts');
    await openPainter(node, field, {
      server,
      state,
      saved: (value) => {
        inputFiles.give(node, name, value);
        documents.settle();
      },
    });
  };
  /** A picture for a node's own field, or for a new LoadImage beside a node that has none. */
  const givePicture = (node: LGraphNode, value: string): void => {
    const beside = [node.pos[0] + node.size[0] + 40, node.pos[1] - 15] as const;
    const taker = pictureField(node) === null ? canvas.addNode('LoadImage', beside) : node;
    if (taker !== null) inputFiles.give(taker, pictureField(taker) ?? 'image', value);
    documents.settle();
  };
  const canvas = new EditorCanvas(element, graph, {
    search: (request) => {
      state.search.value = request;
    },
    openImage,
    editMask: (node, index) => void editMask(node, index),
    // A finished command is a step of its own for undo.
    changed: () => documents.settle(),
    complain: (text) => toast(state, text, 'error'),
  });
  styleCanvas(canvas);
  colorTypes(canvas, socketTypes(objectInfo));
  listenForGroups(canvas);
  canvas.menuParts.push(() => alignMenu(canvas));
  trackPointer();
  const syncDom = attachDomLayer(canvas, host);
  canvas.onDrawForeground = (ctx) => {
    syncDom();
    drawFarNames(canvas, ctx);
    drawSelectionBox(canvas, ctx);
    for (const show of canvas.drawn) show();
    if (state.zoom.value !== canvas.ds.scale) state.zoom.value = canvas.ds.scale;
  };
  graph.onNodeAdded = (node) => {
    node.onNodeTitleDblClick = () => canvas.rename(node);
    node.onDblClick = (_event, pos) => {
      if (pos[1] >= 0 && imagesOf(node).length > 0)
        openImage(node, imageMeant(node, canvas.graph_mouse));
    };
  };

  const executed: PackScripts['executed'] = (node, output) => {
    packs.executed(node, output);
    if (takeIncomingBoxes(node, output)) documents.changed();
  };
  const execution = createExecutionView(graph, (file) => server.viewUrl(file), executed);
  const inputFiles = createInputFiles({
    graph,
    server,
    execution,
    changed: () => documents.changed(),
    failed: (error) => toast(state, messageOf(error), 'error'),
  });
  const subgraphs = createSubgraphPath(canvas, graph);
  const stage = createStage(graph, canvas, packs, { objectInfo, hooks });
  const documents = createDocuments({
    stage,
    drafts,
    self,
    state,
    redraw: () => canvas.setDirty(true, true),
    arrived: ({ outputs }) => {
      execution.show(outputs);
      inputFiles.showAll();
    },
  });

  const showNode = (node: LGraphNode): void => {
    if (node.graph === null) return;
    if (node.graph !== canvas.graph) canvas.setGraph(node.graph);
    canvas.centerOnNode(node);
    canvas.selectItems([node]);
  };

  return {
    graph,
    canvas,
    execution,
    documents,
    subgraphs,
    uploadInto: inputFiles.upload,
    /** Opens the mask editor on a picture that a node shows. */
    editMask,
    toWorkflow: () => stage.toWorkflow(documents.active().source),
    toText: () => stage.toText(documents.active().source),
    /** Brings a node into view and selects it. */
    focusNode(id: string): void {
      const node = execution.find(id);
      if (node !== undefined) showNode(node);
    },
    showNode,
    /** Takes newer descriptions of the classes: every node on the canvas is made anew. */
    describeAnew(next: ObjectInfo): void {
      const known = objectInfo as Record<string, unknown>;
      for (const name of Object.keys(known)) if (!Object.hasOwn(next, name)) delete known[name];
      Object.assign(known, next);
      registerNodes(next, hooks);
      documents.rewrite((workflow) => workflow);
    },
  };
}

/** Shows the pictures of a node over the whole page. */
function viewImages(state: State, node: LGraphNode, index: number): void {
  const images = imagesOf(node).filter((image) => image.url !== '');
  if (images.length === 0) return;
  state.lightbox.value = {
    images: images.map(({ url }, i) => pictureAt(url, `${node.title} ${i + 1}`)),
    index: Math.min(index, images.length - 1),
  };
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
