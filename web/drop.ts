import type { Editor } from './editor.ts';
import { placeModel, readModel } from './models/loaders.ts';
import type { Files } from './files.ts';

/** The data type of a node that is dragged from a panel: its type name. */
export const draggedNode = 'application/x-noodle-node';

/** The data type of a model file that is dragged from a panel. */
export const draggedModel = 'application/x-noodle-model';

/** The data type of files that are dragged from the gallery: a JSON list of pictures. */
export const draggedOutputs = 'application/x-noodle-outputs';

/** Takes what is dropped on the page: nodes from a panel, and files. */
export function listenForDrops({ canvas, documents }: Editor, files: Files): void {
  const { body } = document;
  body.addEventListener('dragover', (event) => {
    event.preventDefault();
    body.classList.add('dropping');
  });
  body.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) body.classList.remove('dropping');
  });
  body.addEventListener('drop', (event) => {
    event.preventDefault();
    body.classList.remove('dropping');
    const at = canvas.convertEventToCanvasOffset(event);
    const nodeType = event.dataTransfer?.getData(draggedNode);
    if (nodeType) {
      canvas.addNode(nodeType, [at[0], at[1]]);
      return;
    }
    const model = readModel(event.dataTransfer?.getData(draggedModel) ?? '');
    if (model !== null) {
      placeModel(canvas, model, [at[0], at[1]]);
      return documents.settle();
    }
    const outputs = event.dataTransfer?.getData(draggedOutputs);
    if (outputs) return void files.receiveOutputs(outputs, [at[0], at[1]]);
    void files.receiveAll([...(event.dataTransfer?.files ?? [])], [at[0], at[1]]);
  });
}
