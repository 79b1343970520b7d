import { createUuidv4, LGraphGroup, LGraphNode, SubgraphNode } from '@comfyorg/litegraph';

import { groupToSubgraph } from '../../engine/workflow/subgraphs/group.ts';
import { packSubgraph } from '../../engine/workflow/subgraphs/pack.ts';
import { recommendedWidgets } from '../../engine/workflow/subgraphs/recommended.ts';
import { unpackSubgraph } from '../../engine/workflow/subgraphs/unpack.ts';
import type { ObjectInfo as ClassInfo } from '../../engine/workflow/types.ts';
import { isGroupType } from '../graph/group-node.ts';
import { t } from '../locale/translate.ts';
import type { PageParts } from '../panels/parts.ts';
import { toast } from '../state.ts';

type Parts = Pick<PageParts, 'editor' | 'objectInfo' | 'state'>;

/** The level that is on the canvas, as the functions on workflows name it. */
export const levelOf = ({ canvas }: Pick<Parts['editor'], 'canvas'>): string | null =>
  canvas.subgraph?.id ?? null;

/** Puts the selection into a new subgraph, which shows the widgets that one mostly wants. */
export function convertSelection({ editor, objectInfo, state }: Parts): void {
  const { canvas, documents } = editor;
  const selected = [...canvas.selectedItems];
  const nodes = selected.filter((item) => item instanceof LGraphNode).map(({ id }) => id);
  if (nodes.length === 0) {
    toast(state, t('Select the nodes that become a subgraph'));
    return;
  }
  const groups = selected
    .filter((item) => item instanceof LGraphGroup)
    .map((group) => canvas.graph?.groups.indexOf(group) ?? -1);
  const classes = objectInfo as unknown as ClassInfo;
  let instance: number | string = -1;
  documents.rewrite((workflow) => {
    const packed = packSubgraph(workflow, {
      within: levelOf(editor),
      nodes,
      groups,
      name: t('New subgraph'),
      id: createUuidv4(),
      uuid: createUuidv4,
      promoted: (node) => recommendedWidgets(node, classes),
    });
    instance = packed.instance;
    return packed.workflow;
  });
  select(editor, [instance]);
}

/** Puts the nodes of the selected subgraphs in their places. */
export function unpackSelection(parts: Parts): void {
  const { editor, objectInfo, state } = parts;
  const instances = selectedSubgraphs(editor).map(({ id }) => id);
  if (instances.length === 0) {
    toast(state, t('Select the subgraph to unpack'));
    return;
  }
  const made: (number | string)[] = [];
  editor.documents.rewrite((workflow) =>
    instances.reduce((now, instance) => {
      const within = levelOf(editor);
      const unpacked = unpackSubgraph(now, {
        within,
        instance,
        objectInfo: objectInfo as unknown as ClassInfo,
      });
      made.push(...unpacked.ids.values());
      return unpacked.workflow;
    }, workflow),
  );
  select(editor, made);
}

/** The subgraph nodes of the selection. */
export const selectedSubgraphs = ({ canvas }: Parts['editor']): SubgraphNode[] =>
  [...canvas.selectedItems].filter((item) => item instanceof SubgraphNode);

/** Selects nodes of the level on the canvas by their ids. */
export function select({ canvas }: Parts['editor'], ids: readonly (number | string)[]): void {
  const nodes = ids.flatMap((id) => canvas.graph?.getNodeById(id) ?? []);
  canvas.selectItems(nodes);
  canvas.setDirty(true, true);
}

/** Makes the selected legacy group nodes subgraphs, or puts the nodes they stand for in their places. */
export function convertGroups({ editor, objectInfo }: Parts, into: 'subgraph' | 'nodes'): void {
  const within = levelOf(editor);
  const ids = [...editor.canvas.selectedItems]
    .filter((item) => item instanceof LGraphNode && isGroupType(item.type))
    .map(({ id }) => id);
  const made: (number | string)[] = [];
  editor.documents.rewrite((workflow) =>
    ids.reduce((now, instance) => {
      const place = { within, instance, objectInfo: objectInfo as unknown as ClassInfo };
      const subgraph = groupToSubgraph(now, { ...place, id: createUuidv4(), uuid: createUuidv4 });
      if (into === 'subgraph') {
        made.push(instance);
        return subgraph;
      }
      const unpacked = unpackSubgraph(subgraph, place);
      made.push(...unpacked.ids.values());
      return unpacked.workflow;
    }, workflow),
  );
  select(editor, made);
}
