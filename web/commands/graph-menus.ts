import type { IContextMenuValue } from '@comfyorg/litegraph';
import { clipboardKey } from '../graph/canvas.ts';
import { NoodleNode } from '../graph/node.ts';
import { t } from '../locale/translate.ts';
import type { PageParts } from '../panels/parts.ts';

/** Commands in the menu of the empty canvas, below what makes nodes and groups. */
const ofCanvas = ['Noodle.SelectAll', 'Noodle.Canvas.Arrange', 'Comfy.Undo', 'Comfy.Redo'];

/** Adds commands to the canvas's context menus, so that they are found without their keys. */
export function addCommandsToMenus({ editor, shortcuts }: PageParts): void {
  const { canvas, documents } = editor;
  const item = (id: string, ready?: () => void): IContextMenuValue<string>[] => {
    const command = shortcuts.find(id);
    if (command === undefined) return [];
    const callback = (): void => {
      ready?.();
      command.run();
      documents.settle();
    };
    return [{ content: t(command.title), callback }];
  };
  canvas.groundParts.push(() => {
    const paste = (): void => {
      canvas.pasteFromClipboard();
      documents.settle();
    };
    const copied = localStorage.getItem(clipboardKey) !== null;
    return [
      ...(copied ? [{ content: t('Paste'), callback: paste }] : []),
      null,
      ...ofCanvas.flatMap((id) => item(id)),
    ];
  });
  canvas.menuParts.push((node) =>
    node instanceof NoodleNode && node.info !== null
      ? item('Noodle.NodeInfo', () => canvas.selectItems([node]))
      : [],
  );
}
