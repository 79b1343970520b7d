import { createUuidv4 } from '@comfyorg/litegraph';
import { effect } from '@preact/signals';
import { render } from 'preact';
import { createFeed } from './api/feed.ts';
import { openSocket } from './api/socket.ts';
import { createServer } from './api/server.ts';
import { listenForClipboard } from './clipboard.ts';
import { addCommandsToMenus } from './commands/graph-menus.ts';
import { createCommands } from './commands/index.ts';
import { listenForKeys } from './commands/keyboard.ts';
import { createShortcuts } from './commands/shortcuts.ts';
import { untitled } from './documents/document.ts';
import { createDrafts } from './documents/drafts.ts';
import { openVault } from './documents/vault.ts';
import { watchEdits } from './documents/watch-edits.ts';
import { thisWindow } from './documents/window.ts';
import { listenForDrops } from './drop.ts';
import { createEditor } from './editor.ts';
import type { loadScripts, LoadedScripts } from './extensions/load.ts';
import { noPackScripts } from './extensions/pack-scripts.ts';
import { createFiles } from './files.ts';
import { followSettings } from './graph/canvas-settings.ts';
import { t } from './locale/translate.ts';
import { App } from './panels/app.tsx';
import { NoServer } from './panels/no-server.tsx';
import { addPictureMenu } from './pictures/node-menu.ts';
import { createRunner } from './run.ts';
import { userSettings } from './settings/user-settings.ts';
import { createState, toast, type State } from './state.ts';
import { watchModels } from './missing/watch-models.ts';
import { addSubgraphMenu } from './subgraphs/menu.ts';
import { messageOf } from './text.ts';
import 'virtual:themes.css';
import './style/theme.css';
import './style/canvas.css';
import './style/canvas-tools.css';
import './style/bars.css';
import './style/panels.css';
import './style/overlays.css';
import './style/dialogs.css';
import './style/queue.css';
import './style/subgraphs.css';
import './style/missing.css';
import './style/documents.css';
import './style/menu.css';
import './style/extensions.css';
import './style/widgets.css';

async function start(): Promise<void> {
  const root = document.getElementById('app') as HTMLElement;
  const server = createServer(document.baseURI);
  const state = createState();
  const settings = userSettings(server);
  const self = thisWindow(sessionStorage, createUuidv4);
  const drafts = createDrafts(localStorage, openVault(indexedDB));
  const others = Promise.all([self.others(), drafts.load()]).then(([ids]) => ids);

  const packAddresses = server.extensions().catch(() => []);
  const objectInfo = await untilAnswered(() => server.objectInfo(), root);

  root.innerHTML =
    '<div id="stage"><canvas id="graph" tabindex="0"></canvas></div><div id="ui"></div>';
  const host = document.getElementById('stage') as HTMLElement;
  const element = document.getElementById('graph') as HTMLCanvasElement;
  element.setAttribute('aria-label', 'Workflow graph');

  const shortcuts = createShortcuts(settings);
  const feed = createFeed(self.id);
  const packs = await packScripts(await packAddresses, {
    server,
    feed,
    state,
    settings,
    shortcuts,
    edited: () => editor.documents.changed(),
  });
  const editor = createEditor({ host, element, objectInfo, server, state, drafts, self, packs });
  const runner = createRunner({ editor, server, state, objectInfo, clientId: self.id, packs });
  const files = createFiles(editor, server, state);
  followSettings(editor.canvas, settings);
  fitToWindow(element, editor.canvas);
  const page = { editor, feed, runner, files, server, state, settings, shortcuts, objectInfo };
  const parts = { ...page, commands: createCommands(page) };
  shortcuts.add(parts.commands);
  addPictureMenu(page);
  addSubgraphMenu(page);
  addCommandsToMenus(page);
  listenForKeys(parts);
  listenForClipboard(editor, files);
  listenForDrops(editor, files);
  watchEdits(editor.documents);
  render(<App {...parts} />, document.getElementById('ui') as HTMLElement);

  effect(() => {
    document.title = pageTitle(state);
  });
  editor.canvas.startRendering();
  await packs.start(page);
  if (!editor.documents.restore(await others)) {
    try {
      editor.documents.open(await server.example('default'), untitled);
    } catch (error) {
      toast(state, messageOf(error), 'error');
      editor.documents.clear();
    }
  }
  watchModels(page);
  feed.onMessage((message) => {
    // The nodes on the page were made from the old descriptions; the autosaved graph survives.
    if (message.type === 'packs_changed') {
      toast(state, t('Node packs changed: reload the page to use them'));
    } else runner.message(message);
  });
  feed.onFrame((frame) => runner.frame(frame));
  openSocket(server.socketUrl(self.id), {
    message: feed.message,
    frame: feed.frame,
    state: (connection, again) => {
      state.connection.value = connection;
      if (connection === 'lost') runner.lost();
      if (connection === 'open') void (again ? runner.caughtUp() : runner.refreshLists());
    },
  });
  void files.refreshLists();
}

/** Asks the server until it answers; says so in the meantime, and lets the user ask at once. */
async function untilAnswered<T>(askServer: () => Promise<T>, root: HTMLElement): Promise<T> {
  for (;;) {
    try {
      return await askServer();
    } catch (error) {
      await new Promise<void>((resolve) => {
        render(<NoServer why={messageOf(error)} retry={resolve} />, root);
      });
      render(null, root);
    }
  }
}

/** The page scripts of node packs; what they stand on is loaded only where there are any. */
async function packScripts(
  addresses: readonly string[],
  parts: Parameters<typeof loadScripts>[0],
): Promise<LoadedScripts> {
  if (addresses.length === 0) return { ...noPackScripts, start: async () => undefined };
  const load = await import('./extensions/load.ts');
  return load.loadScripts(parts, addresses);
}

/** What runs and how far it is, else the workflow's name: readable in a tab that is not in front. */
function pageTitle({ running, document }: State): string {
  const { name, modified } = document.value;
  if (running.value === null) return `${modified.value ? '*' : ''}${name.value} - Noodle`;
  const { title, part } = running.value;
  return `${part === null ? '' : `[${Math.round(part * 100)}%] `}${title} - Noodle`;
}

/** Keeps the canvas as large as its box, sharp on dense screens. */
function fitToWindow(
  element: HTMLCanvasElement,
  canvas: ReturnType<typeof createEditor>['canvas'],
) {
  const resize = (): void => {
    const ratio = window.devicePixelRatio;
    const { clientWidth, clientHeight } = element.parentElement as HTMLElement;
    element.width = Math.round(clientWidth * ratio);
    element.height = Math.round(clientHeight * ratio);
    element.getContext('2d')?.scale(ratio, ratio);
    canvas.draw(true, true);
  };
  new ResizeObserver(resize).observe(element.parentElement as HTMLElement);
  resize();
}

void start();
