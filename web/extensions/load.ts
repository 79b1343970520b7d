/**
 * The page scripts of node packs (`/extensions/<pack>/*.js`): loaded as modules from this server,
 * given what ComfyUI's page gives them, and called at the same moments. This file and what it imports
 * come only when a pack has scripts.
 */
import { LGraph, LGraphGroup, LGraphNode, LiteGraph, LLink } from '@comfyorg/litegraph';
import type { Feed } from '../api/feed.ts';
import type { Server } from '../api/server.ts';
import type { NodeInfo } from '../api/types.ts';
import { chordOfCombo, type Shortcuts } from '../commands/shortcuts.ts';
import { EditorCanvas } from '../graph/canvas.ts';
import { customWidgets } from '../graph/custom-widgets.ts';
import { noHooks } from '../graph/hooks.ts';
import { isRecord } from '../graph/input-spec.ts';
import type { PageParts } from '../panels/parts.ts';
import type { Settings } from '../settings/settings.ts';
import type { State } from '../state.ts';
import { ComfyApi } from './comfy-api.ts';
import { createComfyApp, type ComfyApp } from './comfy-app.ts';
import { $el, addStylesheet, ComfyButton, ComfyButtonGroup, ComfyDialog } from './comfy-ui.ts';
import { createComfyWidgets, type WidgetMaker } from './comfy-widgets.ts';
import { addDOMWidget, PackDomWidget } from './dom-widget.ts';
import type { Extension } from './extension.ts';
import { extendMenus } from './menus.ts';
import type { PackScripts } from './pack-scripts.ts';
import { createPackSettings } from './pack-settings.ts';
import { createRegistry, inTime, type Registry } from './registry.ts';

interface LoadParts {
  readonly server: Server;
  readonly feed: Feed;
  readonly state: State;
  readonly settings: Settings;
  readonly shortcuts: Shortcuts;
  /** A value was edited by hand in a field of a pack. */
  readonly edited: () => void;
}

export interface LoadedScripts extends PackScripts {
  /** The page stands, nothing is on the canvas: node classes are extended, and all is set up. */
  readonly start: (page: PageParts) => Promise<void>;
}

/** Loads the scripts at these addresses; one that fails is named and left out. */
export async function loadScripts(
  parts: LoadParts,
  addresses: readonly string[],
): Promise<LoadedScripts> {
  const { state, settings, shortcuts, server, feed } = parts;
  const registry = createRegistry(state);
  const packSettings = createPackSettings(settings, registry);
  let page: PageParts | null = null;
  const fields = createComfyWidgets({ ...noHooks, edited: parts.edited });
  const api = new ComfyApi(server, feed);
  const { app, finish } = createComfyApp({
    api,
    registry,
    packSettings,
    register: (extension) => {
      registry.register(extension);
      addCommands(extension, shortcuts, registry);
      for (const setting of extension.settings ?? [])
        packSettings.addSetting(setting, extension.name);
    },
    page: () => page,
    customWidgets: fields,
  });
  offer(app, api, fields);

  await Promise.all(addresses.map((address) => loadOne(address, server, registry)));

  return {
    finish,
    created: (node) => void registry.call('nodeCreated', [node, app], node),
    loading: (data) => void registry.call('beforeConfigureGraph', [data, []]),
    loaded: (nodes, missing) => {
      for (const node of nodes) registry.call('loadedGraphNode', [node, app]);
      registry.call('afterConfigureGraph', [missing]);
    },
    executed: (node, output) => {
      app.nodeOutputs[String(node.id)] = output;
      const { onExecuted } = node as { onExecuted?: (output: unknown) => void };
      if (typeof onExecuted === 'function') {
        registry.guarded(node.type, 'onExecuted', () => onExecuted.call(node, output));
      }
    },
    start: async (given) => {
      page = given;
      extendMenus(given.editor.canvas, registry, app);
      await registry.callInTurn('init', [app]);
      await extendNodes(given, registry, app, fields);
      await registry.callInTurn('setup', [app]);
    },
  };
}

async function loadOne(address: string, server: Server, registry: Registry): Promise<void> {
  const url = new URL(server.url(address.replace(/^\/+/, '')));
  // Only scripts of packs on this server, whatever the list says.
  if (url.origin !== location.origin || !address.startsWith('/extensions/')) return;
  try {
    await inTime(import(/* @vite-ignore */ url.href), () => undefined);
  } catch (error) {
    registry.failed(decodeURI(address), 'loading', error);
  }
}

/** What the modules under /scripts hand out, and what old scripts expect as globals. */
function offer(app: ComfyApp['app'], api: ComfyApi, fields: Record<string, WidgetMaker>): void {
  Object.assign(LGraphNode.prototype, { addDOMWidget });
  Object.assign(LiteGraph, { LGraphCanvas: EditorCanvas });
  Object.assign(window, {
    LiteGraph,
    LGraph,
    LGraphNode,
    LGraphGroup,
    LLink,
    LGraphCanvas: EditorCanvas,
    app,
    comfyAPI: {
      app: { app, ComfyApp: { clipspace: null } },
      api: { api, ComfyApi },
      widgets: { ComfyWidgets: fields },
      ui: { $el, ComfyDialog },
      utils: { addStylesheet, clone: structuredClone.bind(window) },
      domWidget: { DOMWidgetImpl: PackDomWidget },
      dialog: { ComfyDialog },
      button: { ComfyButton },
      buttonGroup: { ComfyButtonGroup },
    },
  });
}

/** Commands of a pack, with the keys it gives them; a menu's name groups them. */
function addCommands(extension: Extension, shortcuts: Shortcuts, registry: Registry): void {
  const { name, commands = [], keybindings = [], menuCommands = [] } = extension;
  shortcuts.add(
    commands.map((command) => ({
      id: command.id,
      title: typeof command.label === 'function' ? command.label() : (command.label ?? command.id),
      group: menuCommands.find((menu) => menu.commands.includes(command.id))?.path.at(-1) ?? name,
      keys: keybindings
        .filter(({ commandId }) => commandId === command.id)
        .map(({ combo }) => chordOfCombo(combo)),
      run: () => void registry.guarded(name, command.id, () => command.function()),
    })),
  );
}

/** Node classes as packs want them: further ones, further fields, and changed ones. */
async function extendNodes(
  { objectInfo }: PageParts,
  registry: Registry,
  app: ComfyApp['app'],
  fields: Record<string, WidgetMaker>,
): Promise<void> {
  const definitions: Record<string, unknown> = {};
  await registry.callInTurn('addCustomNodeDefs', [definitions, app]);
  for (const made of await registry.callInTurn('getCustomWidgets', [app])) {
    for (const [type, maker] of Object.entries(isRecord(made) ? made : {})) {
      if (typeof maker !== 'function') continue;
      fields[type] = maker as WidgetMaker;
      customWidgets.set(
        type,
        (node, name, data) => void (maker as WidgetMaker)(node, name, data, app),
      );
    }
  }
  for (const type of Object.keys(objectInfo)) {
    const made = LiteGraph.registered_node_types[type] as typeof LGraphNode & {
      nodeData?: NodeInfo;
    };
    await registry.callInTurn('beforeRegisterNodeDef', [made, made.nodeData, app], made.prototype);
  }
  for (const [name, info] of Object.entries(definitions)) {
    await app.registerNodeDef(name, info as NodeInfo);
  }
  await registry.callInTurn('registerCustomNodes', [app]);
}
