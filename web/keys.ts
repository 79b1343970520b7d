import { LGraphEventMode } from '@comfyorg/litegraph';
import { formsOf } from '../engine/workflow/forms.ts';
import type { Json } from '../engine/workflow/lossless-json.ts';
import type { Editor } from './editor.ts';
import type { Files } from './files.ts';
import type { Runner } from './run.ts';
import type { State } from './state.ts';

interface KeyParts {
  readonly editor: Editor;
  readonly files: Files;
  readonly runner: Runner;
  readonly state: State;
}

/** All shortcuts, as the help page lists them. */
export const shortcuts: readonly (readonly [keys: string, what: string])[] = [
  ['Ctrl Enter', 'Queue the workflow'],
  ['Ctrl Shift Enter', 'Queue it in front'],
  ['Ctrl Alt Enter', 'Cancel the running prompt'],
  ['Ctrl S', 'Save'],
  ['Ctrl Shift S', 'Save as'],
  ['Ctrl O', 'Open a file'],
  ['Ctrl Z / Ctrl Y', 'Undo / redo'],
  ['Ctrl C / Ctrl V', 'Copy / paste'],
  ['Ctrl Shift V', 'Paste with incoming links'],
  ['Ctrl A', 'Select all'],
  ['Ctrl G', 'Group the selection'],
  ['Ctrl M', 'Mute'],
  ['Ctrl B', 'Bypass'],
  ['Alt C', 'Collapse'],
  ['P', 'Pin'],
  ['Delete', 'Remove the selection'],
  ['Double click', 'Search for a node'],
  ['Space drag', 'Move the canvas'],
  ['Shift drag a link', 'Move all its links'],
  ['.', 'Fit the view'],
  ['Q / W / N', 'Queue, workflows, nodes'],
  ['Ctrl Up / Down', 'Prompt weight of the selected words'],
  ['?', 'This list'],
];

/** Listens for the page's shortcuts, paste and drop; text fields keep their own keys. */
export function listenForKeys({ editor, files, runner, state }: KeyParts): void {
  const { canvas, documents } = editor;
  let shift = false;

  const chords: Record<string, () => void> = {
    'ctrl+enter': () => void runner.queue(false),
    'ctrl+shift+enter': () => void runner.queue(true),
    'ctrl+alt+enter': () => runner.cancel(),
    'ctrl+s': () => void files.save(),
    'ctrl+shift+s': () => void files.save(true),
    'ctrl+o': () => files.choose(),
  };
  const onCanvas: Record<string, () => void> = {
    'ctrl+z': () => documents.undoStep('undo'),
    'ctrl+shift+z': () => documents.undoStep('redo'),
    'ctrl+y': () => documents.undoStep('redo'),
    'ctrl+a': () => canvas.selectItems(),
    'ctrl+g': () => canvas.groupSelection(),
    'ctrl+m': () => canvas.toggleMode(LGraphEventMode.NEVER),
    'ctrl+b': () => canvas.toggleMode(LGraphEventMode.BYPASS),
    'alt+c': () => {
      for (const node of Object.values(canvas.selected_nodes)) node.collapse();
      documents.changed();
    },
    p: () => {
      for (const node of Object.values(canvas.selected_nodes)) node.pin();
      documents.changed();
    },
    '.': () => canvas.fitView(),
    q: () => toggle('queue'),
    w: () => toggle('workflows'),
    n: () => toggle('nodes'),
    '?': () => {
      state.help.value = !state.help.value;
    },
    'shift+?': () => {
      state.help.value = !state.help.value;
    },
  };
  const toggle = (panel: 'queue' | 'workflows' | 'nodes'): void => {
    state.sidePanel.value = state.sidePanel.value === panel ? null : panel;
  };

  window.addEventListener(
    'keydown',
    (event) => {
      shift = event.shiftKey;
      if (isCovered(state)) return;
      if (event.key === 'Escape' && canvas.subgraph && !canvas.linkConnector.isConnecting) {
        if (!isTyping(event.target)) canvas.setGraph(editor.graph);
        return;
      }
      const chord = chordOf(event);
      const action = chords[chord] ?? (isTyping(event.target) ? undefined : onCanvas[chord]);
      if (action === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      action();
      documents.settle();
    },
    true,
  );

  document.addEventListener('copy', (event) => {
    if (isTyping(event.target) || String(getSelection()) !== '') return;
    canvas.copyToClipboard();
    event.preventDefault();
    // Also on the system's clipboard, so that an older picture there does not win on paste.
    event.clipboardData?.setData('text/plain', 'noodle-nodes');
  });
  document.addEventListener('cut', (event) => {
    if (isTyping(event.target)) return;
    canvas.copyToClipboard();
    canvas.deleteSelected();
    event.clipboardData?.setData('text/plain', 'noodle-nodes');
    event.preventDefault();
    documents.settle();
  });
  document.addEventListener('paste', (event) => {
    if (isTyping(event.target)) return;
    const data = event.clipboardData;
    const picture = [...(data?.files ?? [])].find((f) => f.type.startsWith('image/'));
    event.preventDefault();
    if (picture) return void files.placePicture(picture, null);
    const text = data?.getData('text/plain') ?? '';
    if (looksLikeWorkflow(text)) return files.paste(text);
    canvas.pasteFromClipboard({ connectInputs: shift });
    documents.settle();
  });

  const drops = document.body;
  drops.addEventListener('dragover', (event) => {
    event.preventDefault();
    drops.classList.add('dropping');
  });
  drops.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) drops.classList.remove('dropping');
  });
  drops.addEventListener('drop', (event) => {
    event.preventDefault();
    drops.classList.remove('dropping');
    const at = canvas.convertEventToCanvasOffset(event);
    const nodeType = event.dataTransfer?.getData('application/x-noodle-node');
    if (nodeType) {
      canvas.addNode(nodeType, [at[0], at[1]]);
      return;
    }
    const file = event.dataTransfer?.files[0];
    if (file) void files.receive(file, [at[0], at[1]]);
  });

  // Anything done by mouse may be an edit. Captured: litegraph keeps the event from going further.
  for (const type of ['pointerup', 'pointercancel'] as const) {
    window.addEventListener(type, () => documents.changed(), { capture: true });
  }
  // The last moments at which the page surely still runs.
  const leave = (): void => {
    documents.settle();
    documents.keep();
  };
  window.addEventListener('pagehide', leave);
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'hidden') leave();
  });
}

/** Whether something lies over the graph that takes the keys itself. */
const isCovered = ({ lightbox, search, question, help }: State): boolean =>
  lightbox.value !== null || search.value !== null || question.value !== null || help.value;

function chordOf(event: KeyboardEvent): string {
  const parts = [];
  if (event.ctrlKey || event.metaKey) parts.push('ctrl');
  if (event.altKey) parts.push('alt');
  if (event.shiftKey) parts.push('shift');
  parts.push(event.key.toLowerCase());
  return parts.join('+');
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.matches('input, textarea, select') || target.isContentEditable);

function looksLikeWorkflow(text: string): boolean {
  if (!text.trimStart().startsWith('{')) return false;
  try {
    const { prompt, workflow } = formsOf(JSON.parse(text) as Json);
    return prompt !== undefined || workflow !== undefined;
  } catch {
    return false;
  }
}
