import { SubgraphNode, type IContextMenuValue } from '@comfyorg/litegraph';
import { isGroupType } from '../graph/group-node.ts';
import { MissingNode } from '../graph/missing-node.ts';
import { t } from '../locale/translate.ts';
import type { PageParts } from '../panels/parts.ts';
import { publishSelected } from './blueprints.ts';
import { convertGroups, convertSelection, unpackSelection } from './edits.ts';
import { openParameters } from './parameters-dialog.tsx';

/** Adds what can be done with subgraphs to the menus of nodes. */
export function addSubgraphMenu(parts: PageParts): void {
  const { canvas } = parts.editor;
  canvas.menuParts.push((node) => {
    const item = (content: string, run: () => void): IContextMenuValue<string> => ({
      content,
      callback: () => {
        if (!canvas.selectedItems.has(node)) canvas.selectItems([node]);
        run();
      },
    });
    const convert = item(t('Convert to subgraph'), () => convertSelection(parts));
    if (isGroupType(node.type) && !(node instanceof MissingNode)) {
      return [
        item(t('Convert the group node to nodes'), () => convertGroups(parts, 'nodes')),
        item(t('Convert the group node to a subgraph'), () => convertGroups(parts, 'subgraph')),
      ];
    }
    if (!(node instanceof SubgraphNode)) return [convert];
    return [
      item(t('Open subgraph'), () => canvas.openSubgraph(node.subgraph)),
      item(t('Parameters'), () => openParameters(parts)),
      item(t('Publish'), () => void publishSelected(parts)),
      item(t('Unpack subgraph'), () => unpackSelection(parts)),
      convert,
    ];
  });
}
