import type { AppParts } from '../panels/parts.ts';
import { isCovered } from '../state.ts';
import type { Command } from './command.ts';

/** Starts commands by their chords; text fields keep the keys of those that are not meant for them. */
export function listenForKeys({ commands, editor, state }: AppParts): void {
  const { canvas, documents } = editor;
  const byChord = new Map<string, Command>();
  for (const command of commands) for (const chord of command.keys) byChord.set(chord, command);

  window.addEventListener(
    'keydown',
    (event) => {
      if (isCovered(state)) return;
      if (event.key === 'Escape' && canvas.subgraph && !canvas.linkConnector.isConnecting) {
        if (!isTyping(event.target)) canvas.setGraph(editor.graph);
        return;
      }
      const chord = chordOf(event);
      if (keepsKey(event.target, chord)) return;
      const command = byChord.get(chord);
      if (command === undefined) return;
      if (isTyping(event.target) && command.whileTyping !== true) return;
      event.preventDefault();
      event.stopPropagation();
      command.run();
      documents.settle();
    },
    true,
  );
}

/** The chord of a key press as commands name it: 'ctrl+shift+s'. The Mac's command key is ctrl. */
export function chordOf(event: KeyboardEvent): string {
  const parts = [];
  if (event.ctrlKey || event.metaKey) parts.push('ctrl');
  if (event.altKey) parts.push('alt');
  if (event.shiftKey) parts.push('shift');
  parts.push(event.key.toLowerCase());
  return parts.join('+');
}

/** A chord as it is shown: 'Ctrl Shift S'. */
export const shownChord = (chord: string): string =>
  chord
    .replace(/^shift\+(\W)$/, '$1')
    .split(/\+(?=.)/)
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join(' ');

/** Whether an element there keeps a chord for itself: `data-own-keys` lists those that it does. */
const keepsKey = (target: EventTarget | null, chord: string): boolean =>
  target instanceof Element &&
  (target.closest<HTMLElement>('[data-own-keys]')?.dataset.ownKeys?.split(' ') ?? []).includes(
    chord,
  );

/** Whether keys pressed there are meant as text. */
export const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.matches('input, textarea, select') || target.isContentEditable);
