import type { Editor } from './editor.ts';
import type { Files } from './files.ts';

/** The data type of a node that is dragged from a panel: its type name. */
export const draggedNode = 'application/x-noodle-node';

/** Takes what is dropped on the page: nodes from a panel, and files. */
export function listenForDrops({ canvas }: Editor, files: Files): void {
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
    const file = event.dataTransfer?.files[0];
    if (file) void files.receive(file, [at[0], at[1]]);
  });
}
