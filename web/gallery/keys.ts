import type { AppParts } from '../panels/parts.ts';
import { isTyping } from '../commands/keyboard.ts';
import type { Gallery } from './gallery.ts';
import { compareSelected } from './show.ts';

/** Chords that belong to the gallery while it has the focus, whatever else they do. */
export const galleryKeys =
  'ctrl+a delete backspace escape arrowleft arrowright arrowup arrowdown shift+arrowleft ' +
  'shift+arrowright shift+arrowup shift+arrowdown home end f c';

/** Keys over the grid: arrows walk (with Shift they select), Space picks, Delete deletes. */
export function onGalleryKey(
  event: KeyboardEvent,
  gallery: Gallery,
  parts: AppParts,
  columns: number,
  focus: (index: number) => void,
): void {
  if (isTyping(event.target)) return;
  const { selection, files } = gallery;
  const at = selection.cursor.value;
  const last = files.value.length - 1;
  const steps: Readonly<Record<string, number>> = {
    ArrowLeft: at - 1,
    ArrowRight: at + 1,
    ArrowUp: at - columns,
    ArrowDown: at + columns,
    Home: 0,
    End: last,
  };
  const chosen = (): typeof files.value =>
    selection.files.value.length > 0 ? selection.files.value : files.value.slice(at, at + 1);
  const acts: Readonly<Record<string, () => void>> = {
    ' ': () => selection.toggle(at),
    Delete: () => void gallery.remove(chosen()),
    Backspace: () => void gallery.remove(chosen()),
    Escape: () => selection.clear(),
    f: () => void gallery.like(chosen(), !chosen().every(({ favourite }) => favourite)),
    c: () => compareSelected(gallery, parts),
  };
  if (event.key in steps) {
    const to = Math.min(last, Math.max(0, steps[event.key]));
    if (event.shiftKey) selection.extendTo(to);
    focus(to);
  } else if (event.key === 'a' && (event.ctrlKey || event.metaKey)) selection.all();
  else if (event.key in acts && !event.ctrlKey && !event.metaKey) acts[event.key]();
  else return;
  event.preventDefault();
  event.stopPropagation();
}
