import { showAllImages } from '../graph/node-pictures.ts';
import { selectedNodes } from '../graph/selection.ts';
import type { AppParts } from '../panels/parts.ts';
import { isCovered } from '../state.ts';
import { chordOf } from './chord.ts';

/** Starts commands by their chords; text fields keep the keys of those that are not meant for them. */
export function listenForKeys({ shortcuts, editor, state }: AppParts): void {
  const { canvas, documents } = editor;
  window.addEventListener(
    'keydown',
    (event) => {
      if (isCovered(state) || isInMenu(event.target)) return;
      const isEscape = event.key === 'Escape' && !isTyping(event.target);
      if (isEscape && selectedNodes(canvas).some(showAllImages)) return;
      if (event.key === 'Escape' && canvas.subgraph && !canvas.linkConnector.isConnecting) {
        if (!isTyping(event.target)) editor.subgraphs.leave();
        return;
      }
      const chord = chordOf(event);
      if (keepsKey(event.target, chord)) return;
      const command = shortcuts.commandOf(chord);
      if (command === undefined || command.when?.() === false) return;
      if (isTyping(event.target) && !(command.whileTyping === true && isNoText(chord))) return;
      event.preventDefault();
      event.stopPropagation();
      command.run();
      documents.settle();
    },
    true,
  );
}

/** Whether a chord types nothing: a user may have chosen another one for a command. */
const isNoText = (chord: string): boolean => /^(ctrl|alt)\+|^f\d+$/.test(chord);

/** A chord as it is shown: 'Ctrl Shift S'. Signs that Shift is part of stand for themselves. */
export const shownChord = (chord: string): string =>
  chord
    .replace(/^shift\+([?!:<>"{}|~@#$%^&*()_+])$/, '$1')
    .replace(/arrow(?=\w)/, '')
    .split(/\+(?=.)/)
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join(' ');

/** Whether an element there keeps a chord for itself: `data-own-keys` lists those that it does. */
const keepsKey = (target: EventTarget | null, chord: string): boolean =>
  target instanceof Element &&
  (target.closest<HTMLElement>('[data-own-keys]')?.dataset.ownKeys?.split(' ') ?? []).includes(
    chord,
  );

/** Whether a menu is open, which takes all keys. */
const isInMenu = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && target.closest('.litecontextmenu') !== null;

/** Whether keys pressed there are meant as text. */
export const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.matches('input, textarea, select') || target.isContentEditable);
