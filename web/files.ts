import { formsOf, formsOfTexts } from '../engine/workflow/forms.ts';
import { type Json, parseJson, toPlain } from '../engine/workflow/lossless-json.ts';
import { readImageWorkflow } from '../engine/workflow/png-text.ts';
import type { Server } from './api/server.ts';
import { messageOf, type Editor } from './editor.ts';
import { uploadKind } from './graph/input-spec.ts';
import { NoodleNode } from './graph/node.ts';
import { toast, type State } from './state.ts';

export type Files = ReturnType<typeof createFiles>;

/** Opening and saving workflows: dropped, pasted and chosen files, downloads, the user folder. */
export function createFiles(editor: Editor, server: Server, state: State) {
  const { canvas } = editor;

  const openText = (text: string, name: string): void => {
    const value = parseJson(text);
    const { prompt, workflow } = formsOf(value);
    editor.open(toPlain((workflow ?? prompt ?? value) as Json), name);
  };

  /** Opens a workflow from JSON or from a picture; false when a picture carries none. */
  const openFile = async (file: File): Promise<boolean> => {
    const name = file.name.replace(/\.[^.]+$/, '');
    if (!/^(image|video|audio)\//.test(file.type)) {
      openText(await file.text(), name);
      return true;
    }
    const bytes = new Uint8Array(await file.arrayBuffer());
    const { prompt, workflow } = formsOfTexts(await readImageWorkflow(bytes));
    // ComfyUI prefers the drawn workflow; a bare prompt is laid out anew.
    const form = workflow ?? prompt;
    if (form === undefined) return false;
    editor.open(toPlain(form as Json), name);
    return true;
  };

  /** A picture for a node: the image node under the pointer, a selected one, or a new one. */
  const placePicture = async (file: File, at: [number, number] | null): Promise<void> => {
    const under =
      at === null ? null : canvas.graph?.getNodeOnPos(at[0], at[1], canvas.visible_nodes);
    const selected = Object.values(canvas.selected_nodes);
    const node = [under, ...selected].find(
      (n) => n instanceof NoodleNode && imageInput(n) !== null,
    );
    if (node instanceof NoodleNode) {
      await editor.uploadInto(node, imageInput(node) as string, file);
      return;
    }
    const made = canvas.addNode('LoadImage', at ?? [canvas.graph_mouse[0], canvas.graph_mouse[1]]);
    if (made instanceof NoodleNode)
      await editor.uploadInto(made, imageInput(made) ?? 'image', file);
  };

  const receive = async (file: File, at: [number, number] | null): Promise<void> => {
    try {
      const under = at && canvas.graph?.getNodeOnPos(at[0], at[1], canvas.visible_nodes);
      const wantsImage = under instanceof NoodleNode && imageInput(under) !== null;
      const isImage = file.type.startsWith('image/');
      if (isImage && wantsImage) await placePicture(file, at);
      else if (!(await openFile(file))) {
        if (isImage) await placePicture(file, at);
        else toast(state, `${file.name}: no workflow inside`, 'error');
      }
    } catch (error) {
      toast(state, `${file.name}: ${messageOf(error)}`, 'error');
    }
  };

  return {
    openText,
    receive,
    placePicture,
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
      const blob = new Blob([editor.toText()], { type: 'application/json' });
      const link = document.createElement('a');
      link.href = URL.createObjectURL(blob);
      link.download = `${state.workflowName.value || 'workflow'}.json`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    },
    /** Saves into the user's workflows on the server; asks for a name the first time. */
    async save(askName = false): Promise<void> {
      editor.settle();
      let name = state.workflowName.value;
      if (askName || name === '' || name === 'Untitled') {
        const given = window.prompt('Save workflow as', name === 'Untitled' ? '' : name);
        if (given === null || given.trim() === '') return;
        name = given.trim();
      }
      try {
        const answer = await server.saveWorkflow(`${name}.json`, editor.toText());
        if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
        editor.markSaved(name);
        toast(state, `Saved ${name}`);
      } catch (error) {
        toast(
          state,
          `Not saved on the server (${messageOf(error)}); use Download instead`,
          'error',
        );
      }
    },
    async openExample(name: string): Promise<void> {
      try {
        editor.open(await server.example(name), name);
      } catch (error) {
        toast(state, messageOf(error), 'error');
      }
    },
    async openSaved(path: string): Promise<void> {
      try {
        editor.open(await server.savedWorkflow(path), path.replace(/\.json$/, ''));
      } catch (error) {
        toast(state, messageOf(error), 'error');
      }
    },
    async refreshLists(): Promise<void> {
      state.examples.value = await server.examples().catch(() => []);
      state.saved.value = await server.savedWorkflows().catch(() => []);
    },
  };
}

/** The input of a node that takes an uploaded picture, if it has one. */
const imageInput = (node: NoodleNode): string | null =>
  node.specs.find((spec) => uploadKind(spec) === 'image')?.name ?? null;
