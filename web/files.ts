import { type Json, parseJson, toPlain } from '../engine/workflow/lossless-json.ts';
import type { Server } from './api/server.ts';
import type { WorkflowDocument } from './documents/document.ts';
import { createSaving } from './documents/saving.ts';
import { downloadText } from './download.ts';
import type { Editor } from './editor.ts';
import { pictureField } from './graph/input-files.ts';
import { NoodleNode } from './graph/node.ts';
import { createLibrary } from './library/library.ts';
import { t } from './locale/translate.ts';
import { pictureTargets, sendPicture } from './pictures/actions.ts';
import { carriedWorkflow } from './pictures/carried-workflow.ts';
import type { Picture } from './pictures/picture.ts';
import { toast, type State } from './state.ts';
import { fingerprint, messageOf } from './text.ts';

export type Files = ReturnType<typeof createFiles>;

/** Opening and saving workflows: dropped, pasted and chosen files, downloads, the user folder. */
export function createFiles(editor: Editor, server: Server, state: State) {
  const { canvas, documents } = editor;

  const openText = (text: string, name: string): WorkflowDocument => {
    let data: unknown;
    try {
      data = toPlain(parseJson(text));
    } catch {
      throw new TypeError(t('this is no workflow: its text is not JSON, or only a part of it'));
    }
    return documents.open(data, name);
  };

  /** Opens a workflow from JSON or from a picture; false when a picture carries none. */
  const openFile = async (file: File): Promise<boolean> => {
    const name = file.name.replace(/\.[^.]+$/, '');
    if (!/^(image|video|audio)\//.test(file.type)) {
      openText(await file.text(), name);
      return true;
    }
    const bytes = new Uint8Array(await file.arrayBuffer());
    const { prompt, workflow } = await carriedWorkflow(bytes);
    const form = workflow ?? prompt;
    if (form === undefined) return false;
    documents.open(toPlain(form as Json), name);
    return true;
  };

  /** A picture for a node: the image node under the pointer, a selected one, or a new one. */
  const placePicture = async (file: File, at: [number, number] | null): Promise<void> => {
    const under = at && canvas.nodeAt(at);
    const selected = Object.values(canvas.selected_nodes);
    const node = [under, ...selected].find(
      (n) => n instanceof NoodleNode && pictureField(n) !== null,
    );
    if (node instanceof NoodleNode) {
      await editor.uploadInto(node, pictureField(node) as string, file);
      return;
    }
    const made = canvas.addNode('LoadImage', at ?? [canvas.graph_mouse[0], canvas.graph_mouse[1]]);
    if (made instanceof NoodleNode)
      await editor.uploadInto(made, pictureField(made) ?? 'image', file);
  };

  const receive = async (file: File, at: [number, number] | null): Promise<void> => {
    try {
      const under = at && canvas.nodeAt(at);
      const wantsImage = under instanceof NoodleNode && pictureField(under) !== null;
      const isImage = file.type.startsWith('image/');
      if (isImage && wantsImage) await placePicture(file, at);
      else if (!(await openFile(file))) {
        if (isImage) await placePicture(file, at);
        else toast(state, t('{name}: no workflow inside', { name: file.name }), 'error');
      }
    } catch (error) {
      toast(state, `${file.name}: ${messageOf(error)}`, 'error');
    }
  };

  const library = createLibrary({ documents, server, state });
  const saving = createSaving({ documents, server, state, saved: library.refresh });
  return {
    ...saving,
    library,
    /** Opens a workflow that was pasted as text: it exists nowhere else, so it counts as unsaved. */
    paste(text: string): void {
      try {
        openText(text, documents.freeName(t('Pasted'))).modified.value = true;
        documents.keep();
      } catch (error) {
        toast(state, messageOf(error), 'error');
      }
    },
    receive,
    /** Takes several files, one after the other, each a little further from the first. */
    async receiveAll(all: readonly File[], at: [number, number]): Promise<void> {
      for (const [i, file] of all.entries()) await receive(file, [at[0] + 40 * i, at[1] + 40 * i]);
    },
    placePicture,
    /** Pictures dragged from the gallery go into the node they fall on, else into new ones. */
    async receiveOutputs(text: string, at: [number, number]): Promise<void> {
      const under = canvas.nodeAt(at);
      const target = pictureTargets(editor).find(({ node }) => node === under) ?? null;
      for (const [i, picture] of (JSON.parse(text) as Picture[]).entries()) {
        const place = [at[0] + 40 * i, at[1] + 40 * i] as const;
        await sendPicture({ editor, state }, picture, i === 0 ? target : null, place);
      }
    },
    choose(): void {
      const input = document.createElement('input');
      input.type = 'file';
      input.accept = '.json,application/json,image/png,image/webp';
      input.addEventListener('change', () => {
        const file = input.files?.[0];
        if (file) void receive(file, null);
      });
      input.click();
    },
    download(): void {
      downloadText(`${documents.active().name.value || 'workflow'}.json`, editor.toText());
    },
    async openExample(name: string): Promise<void> {
      try {
        documents.open(await server.example(name), name);
      } catch (error) {
        toast(state, messageOf(error), 'error');
      }
    },
    /** Opens a saved workflow, or brings it to the front where it is open. */
    async openSaved(name: string): Promise<void> {
      const tab = state.documents.value.find(({ origin }) => origin.value === name);
      try {
        if (tab !== undefined) {
          if (tab !== documents.active()) documents.show(tab);
          return;
        }
        const text = await library.read(name);
        const document = documents.open(toPlain(parseJson(text)), name, { origin: name });
        document.base = fingerprint(text);
        documents.keep();
      } catch (error) {
        toast(state, messageOf(error), 'error');
      }
    },
    async refreshLists(): Promise<void> {
      state.examples.value = await server.examples().catch(() => []);
      await library.refresh();
    },
  };
}
