import { LiteGraph } from '@comfyorg/litegraph';
import { alignments, type Alignment } from '../graph/align.ts';
import { stepImage } from '../graph/node-pictures.ts';
import {
  alignSelection,
  arrangeSelection,
  distributeSelection,
  edit,
  nudgeSelection,
  selectedNodes,
} from '../graph/selection.ts';
import { showItems, zoomBy } from '../graph/view.ts';
import { canvasLocked } from '../graph/canvas-settings.ts';
import type { PageParts } from '../panels/parts.ts';
import type { Command } from './command.ts';

const titles: Readonly<Record<Alignment, string>> = {
  left: 'Align left edges',
  right: 'Align right edges',
  top: 'Align upper edges',
  bottom: 'Align lower edges',
  centre: 'Align centres',
  middle: 'Align middles',
};

const arrows = [
  { name: 'Up', title: 'Move the selection up', x: 0, y: -1 },
  { name: 'Down', title: 'Move the selection down', x: 0, y: 1 },
  { name: 'Left', title: 'Move the selection left', x: -1, y: 0 },
  { name: 'Right', title: 'Move the selection right', x: 1, y: 0 },
];

/** Arranging what is on the canvas. */
export function arrangeCommands({ editor: { canvas } }: PageParts): readonly Command[] {
  // Arrow keys belong to lists and sliders too: only on the canvas they move nodes.
  const when = (): boolean =>
    canvas.selectedItems.size > 0 &&
    (document.activeElement === canvas.canvas || document.activeElement === document.body);
  return [
    {
      id: 'Comfy.Canvas.DeleteSelectedItems',
      title: 'Delete the selection',
      group: 'Edit',
      keys: [],
      run: () => edit(canvas, () => canvas.deleteSelected()),
    },
    ...alignments.map((how) => ({
      id: `Noodle.Canvas.Align.${how}`,
      title: titles[how],
      group: 'Edit',
      keys: [],
      run: () => alignSelection(canvas, how),
    })),
    ...(['across', 'down'] as const).map((axis) => ({
      id: `Noodle.Canvas.Distribute.${axis}`,
      title: axis === 'across' ? 'Equal gaps across' : 'Equal gaps down',
      group: 'Edit',
      keys: [],
      run: () => distributeSelection(canvas, axis),
    })),
    {
      id: 'Noodle.Canvas.Arrange',
      title: 'Arrange in layers',
      group: 'Edit',
      keys: ['alt+l'],
      run: () => arrangeSelection(canvas),
    },
    ...arrows.map(({ name, title, x, y }) => ({
      id: `Comfy.Canvas.MoveSelectedNodes.${name}`,
      title,
      group: 'Edit',
      keys: [`arrow${name.toLowerCase()}`],
      when,
      run: () => {
        // An opened picture of a node takes them first, as in ComfyUI.
        if (x !== 0 && selectedNodes(canvas).some((node) => stepImage(node, x))) return;
        nudgeSelection(canvas, x * LiteGraph.CANVAS_GRID_SIZE, y * LiteGraph.CANVAS_GRID_SIZE);
      },
    })),
  ];
}

/** Looking at the canvas. */
export const canvasCommands = ({ editor: { canvas }, settings }: PageParts): readonly Command[] => [
  {
    id: 'Noodle.Canvas.FitSelection',
    title: 'Fit the selection',
    group: 'View',
    keys: ['shift+.', 'shift+>', 'shift+:'],
    run: () =>
      canvas.selectedItems.size > 0 ? showItems(canvas, canvas.selectedItems) : canvas.fitView(),
  },
  {
    id: 'Noodle.Canvas.ContextMenu',
    title: 'Menu of the selection',
    group: 'Edit',
    keys: ['contextmenu', 'shift+f10'],
    run: () => openMenu(canvas),
  },
  {
    id: 'Comfy.Canvas.ZoomIn',
    title: 'Zoom in',
    group: 'View',
    keys: ['alt+='],
    run: () => zoomBy(canvas, 1.2),
  },
  {
    id: 'Comfy.Canvas.ZoomOut',
    title: 'Zoom out',
    group: 'View',
    keys: ['alt+-'],
    run: () => zoomBy(canvas, 1 / 1.2),
  },
  {
    id: 'Noodle.Canvas.ZoomReset',
    title: 'Zoom to 100%',
    group: 'View',
    keys: ['alt+0'],
    run: () => zoomBy(canvas, 1 / canvas.ds.scale),
  },
  {
    id: 'Comfy.Canvas.ToggleLock',
    title: 'Lock the canvas',
    group: 'View',
    keys: [],
    run: () => {
      canvasLocked.value = !canvasLocked.value;
    },
  },
  {
    id: 'Comfy.Canvas.ToggleLinkVisibility',
    title: 'Show or hide links',
    group: 'View',
    keys: [],
    run: () => void settings.set('linkStyle', settings.linkStyle.value === -1 ? 2 : -1),
  },
  {
    id: 'Comfy.Canvas.ToggleMinimap',
    title: 'Show or hide the map',
    group: 'View',
    keys: ['alt+m'],
    run: () => void settings.set('minimap', !settings.minimap.value),
  },
];

/** Opens the context menu where the selected node is, or in the middle of the canvas. */
function openMenu(canvas: PageParts['editor']['canvas']): void {
  const [node] = selectedNodes(canvas);
  const { left, top, width, height } = canvas.canvas.getBoundingClientRect();
  const { scale, offset } = canvas.ds;
  const [x, y] =
    node === undefined
      ? [width / 2, height / 2]
      : [(node.pos[0] + 30 + offset[0]) * scale, (node.pos[1] - 10 + offset[1]) * scale];
  const event = new MouseEvent('contextmenu', { clientX: left + x, clientY: top + y });
  const place = { canvasX: x / scale - offset[0], canvasY: y / scale - offset[1] };
  canvas.graph_mouse[0] = place.canvasX;
  canvas.graph_mouse[1] = place.canvasY;
  canvas.processContextMenu(node, Object.assign(event, place) as never);
}
