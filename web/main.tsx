import { createUuidv4 } from '@comfyorg/litegraph';
import { effect } from '@preact/signals';
import { render } from 'preact';
import { openSocket } from './api/socket.ts';
import { createServer } from './api/server.ts';
import { createEditor, messageOf } from './editor.ts';
import { createFiles } from './files.ts';
import { listenForKeys } from './keys.ts';
import { App } from './panels/app.tsx';
import { createRunner } from './run.ts';
import { createState, toast, type State } from './state.ts';
import './style/theme.css';
import './style/canvas.css';
import './style/bars.css';
import './style/panels.css';
import './style/overlays.css';

async function start(): Promise<void> {
  const root = document.getElementById('app') as HTMLElement;
  const server = createServer(document.baseURI);
  const state = createState();
  const clientId = sessionStorage.getItem('noodle.clientId') ?? createUuidv4();
  sessionStorage.setItem('noodle.clientId', clientId);

  const objectInfo = await server.objectInfo().catch((error: unknown) => {
    root.textContent = `The server does not answer (${messageOf(error)}). Start it and reload.`;
    return null;
  });
  if (objectInfo === null) return;

  root.innerHTML =
    '<div id="stage"><canvas id="graph" tabindex="0"></canvas></div><div id="ui"></div>';
  const host = document.getElementById('stage') as HTMLElement;
  const element = document.getElementById('graph') as HTMLCanvasElement;
  element.setAttribute('aria-label', 'Workflow graph');

  const editor = createEditor({ host, element, objectInfo, server, state });
  const runner = createRunner({ editor, server, state, objectInfo, clientId });
  const files = createFiles(editor, server, state);
  fitToWindow(element, editor.canvas);
  listenForKeys({ editor, files, runner, state });
  render(
    <App
      editor={editor}
      runner={runner}
      files={files}
      server={server}
      state={state}
      objectInfo={objectInfo}
    />,
    document.getElementById('ui') as HTMLElement,
  );

  effect(() => {
    document.title = pageTitle(state);
  });
  editor.canvas.startRendering();
  if (!editor.restoreAutosave()) {
    try {
      editor.open(await server.example('default'), 'Untitled');
    } catch (error) {
      toast(state, messageOf(error), 'error');
      editor.clear();
    }
  }
  openSocket(server.socketUrl(clientId), {
    message: (message) => {
      // The nodes on the page were made from the old descriptions; the autosaved graph survives.
      if (message.type === 'packs_changed') {
        toast(state, 'Node packs changed: reload the page to use them');
      } else runner.message(message);
    },
    frame: (frame) => runner.frame(frame),
    state: (connection, again) => {
      state.connection.value = connection;
      if (connection === 'open') void (again ? runner.caughtUp() : runner.refreshLists());
    },
  });
  void files.refreshLists();
}

/** What runs and how far it is, else the workflow's name: readable in a tab that is not in front. */
function pageTitle({ running, workflowName, modified }: State): string {
  if (running.value === null) return `${modified.value ? '*' : ''}${workflowName.value} - Noodle`;
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
