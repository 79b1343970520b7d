import { formsOf } from '../engine/workflow/forms.ts';
import type { Json } from '../engine/workflow/lossless-json.ts';
import { isTyping } from './commands/keyboard.ts';
import type { Editor } from './editor.ts';
import type { Files } from './files.ts';

/** Copies, cuts and pastes nodes, pictures and whole workflows; text fields keep their own. */
export function listenForClipboard({ canvas, documents }: Editor, files: Files): void {
  let shift = false;
  window.addEventListener('keydown', (event) => (shift = event.shiftKey), true);

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
}

function looksLikeWorkflow(text: string): boolean {
  if (!text.trimStart().startsWith('{')) return false;
  try {
    const { prompt, workflow } = formsOf(JSON.parse(text) as Json);
    return prompt !== undefined || workflow !== undefined;
  } catch {
    return false;
  }
}
