import { SubgraphNode, type IContextMenuValue } from '@comfyorg/litegraph';
import { isGroupType } from '../graph/group-node.ts';
import { MissingNode } from '../graph/missing-node.ts';
import { t } from '../locale/translate.ts';
import type { PageParts } from '../panels/parts.ts';
import { subgraphEdits } from './lazy.ts';

/** Adds what can be done with subgraphs to the menus of nodes. */
export function addSubgraphMenu(parts: PageParts): void {
  const { canvas } = parts.editor;
  const edits = subgraphEdits(parts);
  canvas.menuParts.push((node) => {
    const item = (content: string, run: () => void): IContextMenuValue<string> => ({
      content,
      callback: () => {
        if (!canvas.selectedItems.has(node)) canvas.selectItems([node]);
        run();
      },
    });
    const convert = item(t('Convert to subgraph'), edits.convertSelection);
    if (isGroupType(node.type) && !(node instanceof MissingNode)) {
      return [
        item(t('Convert the group node to nodes'), () => edits.convertGroups('nodes')),
        item(t('Convert the group node to a subgraph'), () => edits.convertGroups('subgraph')),
      ];
    }
    if (!(node instanceof SubgraphNode)) return [convert];
    return [
      item(t('Open subgraph'), () => canvas.openSubgraph(node.subgraph)),
      item(t('Parameters'), edits.openParameters),
      item(t('Publish'), edits.publishSelected),
      item(t('Unpack subgraph'), edits.unpackSelection),
      convert,
    ];
  });
}
