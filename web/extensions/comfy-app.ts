import { LiteGraph, type LGraphNode } from '@comfyorg/litegraph';
import { workflowToPrompt } from '../../engine/workflow/to-prompt.ts';
import type { NodeInfo } from '../api/types.ts';
import type { InputSpec } from '../graph/input-spec.ts';
import { nodeClass } from '../graph/node-class.ts';
import { noHooks } from '../graph/hooks.ts';
import type { PageParts } from '../panels/parts.ts';
import { ask, toast } from '../state.ts';
import { textOf } from '../text.ts';
import type { ComfyApi } from './comfy-api.ts';
import { ComfyDialog } from './comfy-ui.ts';
import type { Extension } from './extension.ts';
import type { MadePrompt } from './pack-scripts.ts';
import type { PackSettings } from './pack-settings.ts';
import type { Registry } from './registry.ts';

export type ComfyApp = ReturnType<typeof createComfyApp>;

interface AppNeeds {
  readonly registry: Registry;
  readonly packSettings: PackSettings;
  readonly register: (extension: Extension) => void;
  /** The page, once it stands; scripts are loaded before. */
  readonly page: () => PageParts | null;
  readonly customWidgets: Record<string, unknown>;
  readonly api: ComfyApi;
}

interface OutputPrompt {
  readonly workflow: Record<string, unknown>;
  readonly output: Record<string, unknown>;
}

/** `app` of ComfyUI's page, as far as packs use it: the graph, queueing, files, settings, messages. */
export function createComfyApp(needs: AppNeeds) {
  const { registry, packSettings, register, page, customWidgets, api } = needs;
  /** What is being queued just now; `graphToPrompt` starts from it. */
  let pending: MadePrompt | null = null;
  const made = (): MadePrompt => {
    const { editor, objectInfo } = needed(page());
    const workflow = editor.toWorkflow();
    const known = objectInfo as unknown as Parameters<typeof workflowToPrompt>[1];
    return { workflow, prompt: { ...workflowToPrompt(workflow, known).prompt } };
  };
  const app = {
    api,
    registerExtension: register,
    extensions: registry.extensions,
    widgets: customWidgets,
    nodeOutputs: {} as Record<string, unknown>,
    nodePreviewImages: {} as Record<string, unknown>,
    lastNodeErrors: null as unknown,
    menu: undefined,
    bodyTop: null,
    get graph() {
      return page()?.editor.graph;
    },
    get rootGraph() {
      return page()?.editor.graph;
    },
    get canvas() {
      return page()?.editor.canvas;
    },
    get canvasEl() {
      return page()?.editor.canvas.canvas;
    },
    get isGraphReady() {
      return page() !== null;
    },
    ui: {
      settings: packSettings,
      dialog: lazyDialog(),
      loadFile: () => page()?.files.choose(),
    },
    extensionManager: extensionManager(packSettings, page),
    /** The workflow on the canvas and the prompt made of it; packs may put their own in its place. */
    graphToPrompt: async (): Promise<OutputPrompt> => {
      const { workflow, prompt } = pending ?? made();
      await askWidgets(needed(page()).editor.graph.nodes, prompt);
      return { workflow, output: prompt };
    },
    queuePrompt: async (number = 0, batchCount = 1): Promise<boolean> => {
      const { runner, state } = needed(page());
      const before = state.batchCount.value;
      state.batchCount.value = batchCount;
      await runner.queue({ front: number === -1 });
      state.batchCount.value = before;
      return true;
    },
    loadGraphData: async (data: unknown, _clean?: boolean, _view?: boolean, name?: unknown) => {
      const given = typeof data === 'string' ? (JSON.parse(data) as unknown) : data;
      const { editor } = needed(page());
      if (given === undefined || given === null) editor.documents.clear();
      else editor.documents.open(given, textOf(name, 'Untitled'));
    },
    loadApiJson: (data: unknown, name?: string) =>
      void needed(page()).editor.documents.open(data, name ?? 'Untitled'),
    handleFile: async (file: File): Promise<void> => needed(page()).files.receive(file, null),
    clean: () => void needed(page()).editor.documents.clear(),
    refreshComboInNodes: async (): Promise<void> =>
      page()?.shortcuts.find('Comfy.RefreshNodeDefinitions')?.run(),
    registerNodeDef: async (name: string, info: NodeInfo): Promise<void> => {
      (needed(page()).objectInfo as Record<string, NodeInfo>)[name] = info;
      const type = nodeClass({ ...info, name }, noHooks);
      await registry.callInTurn('beforeRegisterNodeDef', [type, info, app], type.prototype);
      LiteGraph.registerNodeType(name, type);
    },
    getPreviewFormatParam: () => '',
    getRandParam: () => `&rand=${Math.random()}`,
  };
  return {
    app,
    /** Lets packs have their way with a prompt before it is sent. */
    finish: async (given: MadePrompt): Promise<MadePrompt> => {
      pending = given;
      try {
        const { workflow, output } = await app.graphToPrompt();
        return { workflow, prompt: output };
      } finally {
        pending = null;
      }
    },
  };
}

function needed(page: PageParts | null): PageParts {
  if (page === null) throw new Error('the page is not ready yet: use the setup hook');
  return page;
}

/**
 * Values of fields that only packs know: those worked out when a prompt is made
 * (`widget.serializeValue`), and all of a node that has a field of a pack's own kind, for the list of
 * stored values cannot be read without knowing it.
 */
async function askWidgets(
  nodes: readonly LGraphNode[],
  prompt: Record<string, unknown>,
): Promise<void> {
  for (const node of nodes) {
    const inputs = (prompt[String(node.id)] as { inputs?: Record<string, unknown> } | undefined)
      ?.inputs;
    if (inputs === undefined) continue;
    const { specs = [] } = node as { specs?: readonly InputSpec[] };
    const hasOwnKind = specs.some((spec) => spec.widget === 'custom');
    for (const [i, widget] of (node.widgets ?? []).entries()) {
      const slot = node.inputs.find(({ widget: field }) => field?.name === widget.name);
      if (slot !== undefined && slot.link !== null) continue;
      const isInput = specs.some(({ name }) => name === widget.name);
      if (hasOwnKind && isInput) inputs[widget.name] = widget.value;
      const ask: unknown = (widget as { serializeValue?: unknown }).serializeValue;
      if (typeof ask !== 'function') continue;
      inputs[widget.name] = await (ask as (...a: unknown[]) => unknown).call(widget, node, i);
    }
  }
}

/** `app.extensionManager`: the newer way to the same things. */
function extensionManager(packSettings: PackSettings, page: () => PageParts | null) {
  return {
    setting: { get: packSettings.getSettingValue, set: packSettings.setSettingValue },
    toast: {
      add: ({ severity, summary, detail }: Readonly<Record<string, unknown>>): void => {
        const text = [summary, detail].filter((part) => part !== undefined).map((p) => textOf(p));
        toast(needed(page()).state, text.join(': '), severity === 'error' ? 'error' : 'info');
      },
      addAlert: (text: string): void => toast(needed(page()).state, text, 'error'),
    },
    dialog: {
      prompt: (given: { title: string; message?: string; defaultValue?: string }) =>
        ask(needed(page()).state, {
          title: given.title,
          text: given.message ?? '',
          confirm: 'OK',
          field: given.defaultValue ?? '',
        }),
      confirm: async (given: { title: string; message?: string }) => {
        const { title, message = '' } = given;
        return (await ask(needed(page()).state, { title, text: message, confirm: 'OK' })) !== null;
      },
    },
    // Tabs have no place here: a pack that registers one sets up all the rest.
    registerSidebarTab: (): void => undefined,
    unregisterSidebarTab: (): void => undefined,
    getSidebarTabs: (): unknown[] => [],
    registerBottomPanelTab: (): void => undefined,
    command: {
      execute: async (id: string): Promise<void> => page()?.shortcuts.find(id)?.run(),
    },
  };
}

/** `app.ui.dialog`, made when it is first shown. */
function lazyDialog(): Pick<ComfyDialog, 'show' | 'close'> {
  let dialog: ComfyDialog | undefined;
  const get = (): ComfyDialog => (dialog ??= new ComfyDialog());
  return { show: (content) => get().show(content), close: () => get().close() };
}
