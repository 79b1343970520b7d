import type { Editor } from '../editor.ts';
import { uploadKind } from '../graph/input-spec.ts';
import { NoodleNode } from '../graph/node.ts';
import { t } from '../locale/translate.ts';
import { toast, type State } from '../state.ts';
import { carriedWorkflow } from './carried-workflow.ts';
import { attempt, fileOf } from './file-actions.ts';
import type { Picture } from './picture.ts';

/** What the actions work with. */
export interface ActionParts {
  readonly editor: Editor;
  readonly state: State;
}

/** Opens the workflow that a picture carries as a new document. */
export const openWorkflowOf = ({ editor, state }: ActionParts, picture: Picture): Promise<void> =>
  attempt(state, async () => {
    const bytes = new Uint8Array(await (await fileOf(picture)).arrayBuffer());
    const { workflow, prompt } = await carriedWorkflow(bytes);
    const form = workflow ?? prompt;
    if (form === undefined)
      throw new Error(t('{name}: no workflow inside', { name: picture.label }));
    editor.documents.open(form, picture.label.replace(/_?\.[^.]+$/, ''));
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
