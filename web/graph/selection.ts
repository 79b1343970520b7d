import { LGraphCanvas, LGraphGroup, LGraphNode, type IContextMenuValue } from '@comfyorg/litegraph';
import { t } from '../locale/translate.ts';
import { align, distribute, type Alignment } from './align.ts';
import { arrange } from './arrange.ts';
import { showItems } from './view.ts';
import type { HostedCanvas } from './canvas-host.ts';

/** The nodes and groups that are selected. */
export const selectedParts = (canvas: LGraphCanvas): (LGraphNode | LGraphGroup)[] =>
  [...canvas.selectedItems].filter(
    (item): item is LGraphNode | LGraphGroup =>
      item instanceof LGraphNode || item instanceof LGraphGroup,
  );

export const selectedNodes = (canvas: LGraphCanvas): LGraphNode[] =>
  selectedParts(canvas).filter((item): item is LGraphNode => item instanceof LGraphNode);

/** Runs a change of the graph that is one undo step. */
export function edit(canvas: HostedCanvas, change: () => void): void {
  canvas.graph?.beforeChange();
  change();
  canvas.graph?.afterChange();
  canvas.setDirty(true, true);
  canvas.host.changed();
}

export const alignSelection = (canvas: HostedCanvas, how: Alignment): void =>
  edit(canvas, () => align(selectedParts(canvas), how));

export const distributeSelection = (canvas: HostedCanvas, axis: 'across' | 'down'): void =>
  edit(canvas, () => distribute(selectedParts(canvas), axis));

/** Arranges the selected nodes; the whole graph when there are none. */
export function arrangeSelection(canvas: HostedCanvas): void {
  const nodes = selectedNodes(canvas);
  const { graph } = canvas;
  if (graph === null) return;
  edit(canvas, () => arrange(graph, nodes.length > 1 ? nodes : undefined));
  if (nodes.length < 2) showItems(canvas, graph.nodes);
}

/** Moves what is selected by so many steps of the grid. */
export function nudgeSelection(canvas: HostedCanvas, dx: number, dy: number): void {
  if (canvas.read_only) return;
  edit(canvas, () => {
    for (const item of canvas.selectedItems) item.move(dx, dy);
  });
}

/** One of litegraph's named colours for what is selected; null: none. */
export function colorSelection(canvas: HostedCanvas, name: string | null): void {
  const option = name === null ? null : LGraphCanvas.node_colors[name];
  edit(canvas, () => {
    for (const item of selectedParts(canvas)) item.setColorOption(option);
  });
}

/** What the menu of a node has where several are selected. */
export function alignMenu(canvas: HostedCanvas): readonly IContextMenuValue<string>[] {
  if (selectedParts(canvas).length < 2) return [];
  const rows: readonly (readonly [string, () => void])[] = [
    [t('Align left edges'), () => alignSelection(canvas, 'left')],
    [t('Align right edges'), () => alignSelection(canvas, 'right')],
    [t('Align upper edges'), () => alignSelection(canvas, 'top')],
    [t('Align lower edges'), () => alignSelection(canvas, 'bottom')],
    [t('Equal gaps across'), () => distributeSelection(canvas, 'across')],
    [t('Equal gaps down'), () => distributeSelection(canvas, 'down')],
    [t('Arrange in layers'), () => arrangeSelection(canvas)],
  ];
  const options = rows.map(([content, callback]) => ({ content, callback }));
  const entry = { content: t('Align'), has_submenu: true, submenu: { options } };
  return [entry];
}
