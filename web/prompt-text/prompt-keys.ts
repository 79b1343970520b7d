import { toggleComment } from './comment.ts';
import { adjustEmphasis } from './emphasis.ts';
import { retype } from './type-into.ts';

type Edit = (text: string, start: number, end: number) => ReturnType<typeof toggleComment>;

/** What keys with Ctrl do to a prompt, as ComfyUI has them. */
const edits: Readonly<Record<string, Edit>> = {
  ArrowUp: (text, start, end) => adjustEmphasis(text, start, end, 1),
  ArrowDown: (text, start, end) => adjustEmphasis(text, start, end, -1),
  '/': toggleComment,
};

/** Weights on Ctrl+Up and Ctrl+Down, comments on Ctrl+/; the field's own undo takes them back. */
export function listenForPromptKeys(area: HTMLTextAreaElement): void {
  area.addEventListener('keydown', (event) => {
    if (!(event.ctrlKey || event.metaKey) || area.readOnly) return;
    const edit = Object.hasOwn(edits, event.key) ? edits[event.key] : undefined;
    if (edit === undefined) return;
    event.preventDefault();
    const { text, start, end } = edit(area.value, area.selectionStart, area.selectionEnd);
    retype(area, text, [start, end]);
  });
}
