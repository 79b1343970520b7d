import { t } from '../locale/translate.ts';
import { toast, type State } from '../state.ts';
import { messageOf } from '../text.ts';
import { carriedWorkflow } from './carried-workflow.ts';
import type { Picture } from './picture.ts';

/** What is done with a picture alone works with the page's messages only. */
interface Page {
  readonly state: State;
}

/** The file of a picture, as it lies on the server; throws when it is gone. */
export async function fileOf({ url, label }: Picture): Promise<File> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(t('{name}: the file is gone', { name: label }));
  const blob = await response.blob();
  return new File([blob], label, { type: blob.type });
}

/** Runs an action and says what went wrong with it. */
export async function attempt(state: State, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    toast(state, messageOf(error), 'error');
  }
}

/** Puts the picture on the system's clipboard, as PNG: browsers take no other form. */
export const copyPicture = ({ state }: Page, picture: Picture): Promise<void> =>
  attempt(state, async () => {
    // Browsers give a clipboard to pages of this machine or with HTTPS only.
    if (typeof ClipboardItem === 'undefined') {
      throw new Error(t('The browser lets only secure pages copy pictures'));
    }
    const item = new ClipboardItem({ 'image/png': pngOf(picture) });
    await navigator.clipboard.write([item]);
    toast(state, t('Copied the picture'));
  });

async function pngOf(picture: Picture): Promise<Blob> {
  const file = await fileOf(picture);
  if (file.type === 'image/png') return file;
  const bitmap = await createImageBitmap(file);
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  canvas.getContext('2d')?.drawImage(bitmap, 0, 0);
  bitmap.close();
  return canvas.convertToBlob({ type: 'image/png' });
}

/** Saves the file where the browser keeps downloads. */
export function savePicture({ url, label }: Picture): void {
  const link = document.createElement('a');
  link.href = url;
  link.download = label;
  link.click();
}

/** Words and seed that a picture carries. */
export async function wordsOf(picture: Picture): Promise<{ text: string; seed: string | null }> {
  const bytes = new Uint8Array(await (await fileOf(picture)).arrayBuffer());
  const { promptSummary } = await import('../../engine/workflow/prompt-summary.ts');
  return promptSummary((await carriedWorkflow(bytes)).prompt);
}

/** Copies the words that the picture was made from. */
export const copyWords = ({ state }: Page, picture: Picture): Promise<void> =>
  attempt(state, async () => {
    const { text } = await wordsOf(picture);
    if (text === '') throw new Error(t('{name}: no prompt inside', { name: picture.label }));
    await navigator.clipboard.writeText(text);
    toast(state, t('Copied the prompt'));
  });
