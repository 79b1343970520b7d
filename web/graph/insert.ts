import type { LGraph } from '@comfyorg/litegraph';
import { isUiFormat } from '../../engine/workflow/forms.ts';
import { currentWorkflow } from '../../engine/workflow/legacy-names.ts';
import { clipboardKey, type EditorCanvas } from './canvas.ts';
import { isRecord } from './input-spec.ts';
import { registerMissing } from './missing-node.ts';
import { isPrimitive } from './primitive-node.ts';
import { applyProxyWidgets } from './promoted-widgets.ts';
import { addDefinitions } from './subgraphs.ts';
import { refreshReroutes } from './virtual-nodes.ts';
import { nodeTypes, toConfigurable } from './workflow-file.ts';
import { t } from '../locale/translate.ts';

type Item = Record<string, unknown>;

/**
 * Adds everything of a stored workflow (parsed, schema 0.4 or 1) to the graph on the canvas, below
 * what is there, and selects it. Throws a TypeError when it is no drawn workflow.
 */
export function insertWorkflow(canvas: EditorCanvas, root: LGraph, file: unknown): void {
  if (!isUiFormat(file)) throw new TypeError(t('This is no workflow'));
  const data = toConfigurable(currentWorkflow(file));
  registerMissing(nodeTypes(data));
  addDefinitions(root, isRecord(data.definitions) ? data.definitions.subgraphs : []);

  const extra = isRecord(data.extra) ? data.extra : {};
  const former = localStorage.getItem(clipboardKey);
  const items = {
    nodes: (data.nodes as Item[]).map(unlinked),
    groups: data.groups,
    links: linksOf(data.links, extra.linkExtensions),
    reroutes: data.reroutes ?? extra.reroutes ?? [],
    subgraphs: [],
  };
  localStorage.setItem(
    clipboardKey,
    JSON.stringify(items, (_, value: unknown) =>
      typeof value === 'bigint' ? value.toString() : value,
    ),
  );
  try {
    canvas.pasteFromClipboard({ position: placeBelow(canvas) });
  } finally {
    if (former === null) localStorage.removeItem(clipboardKey);
    else localStorage.setItem(clipboardKey, former);
  }
  const made = Object.values(canvas.selected_nodes);
  refreshReroutes(made);
  for (const node of made) if (isPrimitive(node)) node.settle();
  applyProxyWidgets(root);
  canvas.setDirty(true, true);
}

/** Links as objects, whichever form the file has, with the reroute each ends in. */
function linksOf(links: unknown, extensions: unknown): Item[] {
  const parents = new Map(
    (Array.isArray(extensions) ? extensions.filter(isRecord) : []).map((each) => [
      each.id,
      each.parentId,
    ]),
  );
  return (Array.isArray(links) ? (links as unknown[]) : []).flatMap((link) => {
    if (isRecord(link)) return [link];
    if (!Array.isArray(link)) return [];
    const [id, origin_id, origin_slot, target_id, target_slot, type] = link as unknown[];
    const parentId = parents.get(id);
    return [{ id, origin_id, origin_slot, target_id, target_slot, type, parentId }];
  });
}

/** A node as if nothing were connected: its links are made anew, under numbers that are free. */
const unlinked = (node: Item): Item => ({
  ...node,
  inputs: slots(node.inputs).map((slot) => ({ ...slot, link: null })),
  outputs: slots(node.outputs).map((slot) => ({ ...slot, links: [] })),
});
const slots = (list: unknown): Item[] => (Array.isArray(list) ? list.filter(isRecord) : []);

/** A place under everything that is there, in line with its left edge. */
function placeBelow({ graph }: EditorCanvas): [number, number] {
  const nodes = graph?.nodes ?? [];
  if (nodes.length === 0) return [0, 0];
  return [
    Math.min(...nodes.map(({ pos }) => pos[0])),
    Math.max(...nodes.map(({ pos, size }) => pos[1] + size[1])) + 120,
  ];
}
