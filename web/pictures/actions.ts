import { formsOfTexts } from '../../engine/workflow/forms.ts';
import { readImageWorkflow } from '../../engine/workflow/png-text.ts';
import { promptSummary } from '../../engine/workflow/prompt-summary.ts';
import type { Editor } from '../editor.ts';
import { uploadKind } from '../graph/input-spec.ts';
import { NoodleNode } from '../graph/node.ts';
import { t } from '../locale/translate.ts';
import { toast, type State } from '../state.ts';
import { messageOf } from '../text.ts';
import type { Picture } from './picture.ts';

/** What the actions work with. */
export interface ActionParts {
  readonly editor: Editor;
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
export const copyPicture = ({ state }: ActionParts, picture: Picture): Promise<void> =>
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

/** Opens the workflow that a picture carries as a new document. */
export const openWorkflowOf = ({ editor, state }: ActionParts, picture: Picture): Promise<void> =>
  attempt(state, async () => {
    const bytes = new Uint8Array(await (await fileOf(picture)).arrayBuffer());
    const { workflow, prompt } = formsOfTexts(await readImageWorkflow(bytes));
    const form = workflow ?? prompt;
    if (form === undefined)
      throw new Error(t('{name}: no workflow inside', { name: picture.label }));
    editor.documents.open(form, picture.label.replace(/_?\.[^.]+$/, ''));
  });

/** Words and seed that a picture carries. */
export async function wordsOf(picture: Picture): Promise<{ text: string; seed: string | null }> {
  const bytes = new Uint8Array(await (await fileOf(picture)).arrayBuffer());
  return promptSummary(formsOfTexts(await readImageWorkflow(bytes)).prompt);
}

/** Copies the words that the picture was made from. */
export const copyWords = ({ state }: ActionParts, picture: Picture): Promise<void> =>
  attempt(state, async () => {
    const { text } = await wordsOf(picture);
    if (text === '') throw new Error(t('{name}: no prompt inside', { name: picture.label }));
    await navigator.clipboard.writeText(text);
    toast(state, t('Copied the prompt'));
  });

/** A node that takes a picture, and its input for it. */
export interface PictureTarget {
  readonly node: NoodleNode;
  readonly input: string;
}

/** The nodes of the open graph that pictures can be sent to. */
export const pictureTargets = ({ canvas }: Editor): PictureTarget[] =>
  (canvas.graph?.nodes ?? []).flatMap((node) => {
    if (!(node instanceof NoodleNode)) return [];
    const input = node.specs.find((spec) => uploadKind(spec) === 'image')?.name;
    return input === undefined ? [] : [{ node, input }];
  });

/** Copies a picture into the input folder and chooses it in a node: in `target`, else in a new one. */
export const sendPicture = (
  { editor, state }: ActionParts,
  picture: Picture,
  target: PictureTarget | null,
  at: readonly [number, number] | null = null,
): Promise<void> =>
  attempt(state, async () => {
    const file = await fileOf(picture);
    const place = target ?? newTarget(editor, at ?? middleOf(editor));
    if (place === null) throw new Error(t('No node here loads pictures'));
    await editor.uploadInto(place.node, place.input, file);
    editor.documents.settle();
    toast(state, t('Sent to {node}', { node: place.node.title }));
  });

function newTarget(editor: Editor, at: readonly [number, number]): PictureTarget | null {
  const made = editor.canvas.addNode('LoadImage', at);
  return pictureTargets(editor).find(({ node }) => node === made) ?? null;
}

/** The middle of what is in sight, in the graph's coordinates. */
function middleOf({ canvas }: Editor): [number, number] {
  const { scale, offset } = canvas.ds;
  const { clientWidth, clientHeight } = canvas.canvas;
  return [clientWidth / 2 / scale - offset[0] - 110, clientHeight / 2 / scale - offset[1] - 100];
}
