import { LGraphEventMode } from '@comfyorg/litegraph';
import { groupSelection } from '../graph/groups.ts';
import type { PageParts } from '../panels/parts.ts';
import type { Command } from './command.ts';

/** Changing the graph. */
export const editCommands = ({ editor: { canvas, documents } }: PageParts): readonly Command[] => [
  {
    id: 'Comfy.Undo',
    title: 'Undo',
    group: 'Edit',
    keys: ['ctrl+z'],
    run: () => documents.undoStep('undo'),
  },
  {
    id: 'Comfy.Redo',
    title: 'Redo',
    group: 'Edit',
    keys: ['ctrl+y', 'ctrl+shift+z'],
    run: () => documents.undoStep('redo'),
  },
  {
    id: 'Noodle.SelectAll',
    title: 'Select all',
    group: 'Edit',
    keys: ['ctrl+a'],
    run: () => canvas.selectItems(),
  },
  {
    id: 'Comfy.Graph.GroupSelectedNodes',
    title: 'Group the selection',
    group: 'Edit',
    keys: ['ctrl+g'],
    run: () => groupSelection(canvas),
  },
  {
    id: 'Comfy.Canvas.ToggleSelectedNodes.Mute',
    title: 'Mute',
    group: 'Edit',
    keys: ['ctrl+m'],
    run: () => canvas.toggleMode(LGraphEventMode.NEVER),
  },
  {
    id: 'Comfy.Canvas.ToggleSelectedNodes.Bypass',
    title: 'Bypass',
    group: 'Edit',
    keys: ['ctrl+b'],
    run: () => canvas.toggleMode(LGraphEventMode.BYPASS),
  },
  {
    id: 'Comfy.Canvas.ToggleSelectedNodes.Collapse',
    title: 'Collapse',
    group: 'Edit',
    keys: ['alt+c'],
    run: () => Object.values(canvas.selected_nodes).forEach((node) => node.collapse()),
  },
  {
    id: 'Comfy.Canvas.ToggleSelectedNodes.Pin',
    title: 'Pin',
    group: 'Edit',
    keys: ['p'],
    run: () => Object.values(canvas.selected_nodes).forEach((node) => node.pin()),
  },
];
