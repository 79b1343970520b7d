import { LGraphCanvas, LGraphGroup, type IContextMenuValue } from '@comfyorg/litegraph';
import type { HostedCanvas } from './canvas-host.ts';
import { mix, vivid } from './color.ts';
import { t } from '../locale/translate.ts';
import { colorName } from './node-colors.ts';
import { palette } from './palette.ts';
import { editInline } from './widgets/inline-editor.ts';

type DoubleClick = CustomEvent<{
  subType: string;
  group?: LGraphGroup;
  originalEvent: Parameters<HostedCanvas['showSearchBox']>[0] & {
    canvasX: number;
    canvasY: number;
  };
}>;

/** A double click inside a group opens the search as on empty canvas, one on its title renames it. */
export function listenForGroups(canvas: HostedCanvas): void {
  LGraphGroup.prototype.getMenuOptions = function (this: LGraphGroup) {
    return groupMenu(canvas, this);
  };
  canvas.canvas.addEventListener('litegraph:canvas', (event) => {
    const { subType, group, originalEvent } = (event as DoubleClick).detail;
    if (subType !== 'group-double-click' || group === undefined || canvas.read_only) return;
    if (group.isPointInTitlebar(originalEvent.canvasX, originalEvent.canvasY)) {
      return renameGroup(canvas, group);
    }
    canvas.showSearchBox(originalEvent);
    originalEvent.preventDefault();
  });
}

/** Puts a frame around the selection and asks for its name. */
export function groupSelection(canvas: HostedCanvas): void {
  if (canvas.selectedItems.size === 0 || canvas.graph === null) return;
  const group = new LGraphGroup(t('Group'));
  canvas.graph.add(group);
  group.resizeTo(canvas.selectedItems, 12);
  canvas.selectItems([group]);
  canvas.setDirty(true, true);
  canvas.host.changed();
  renameGroup(canvas, group);
}

/** Edits the title of a group in its place, its text selected. */
export function renameGroup(canvas: HostedCanvas, group: LGraphGroup): void {
  editInline({
    canvas,
    node: group,
    widget: { name: t('Group title'), y: 4, width: Math.min(group.size[0], 320) },
    text: group.title,
    commit: (text) => {
      group.title = text.trim() === '' ? t('Group') : text;
      canvas.host.changed();
    },
  });
}

function groupMenu(canvas: HostedCanvas, group: LGraphGroup): IContextMenuValue<string>[] {
  const after = (change: () => void) => () => {
    change();
    canvas.setDirty(true, true);
    canvas.host.changed();
  };
  const colors = Object.entries(LGraphCanvas.node_colors).map(([name, option]) => ({
    content: colorName(name),
    swatch: mix(palette.canvas, vivid(option.groupcolor), 0.7),
    callback: after(() => group.setColorOption(option)),
  }));
  return [
    { content: t('Rename'), callback: () => renameGroup(canvas, group) },
    { content: t('Colour'), has_submenu: true, submenu: { options: colors } },
    { content: group.pinned ? t('Unpin') : t('Pin'), callback: after(() => group.pin()) },
    {
      content: t('Select nodes'),
      callback: () => {
        group.recomputeInsideNodes();
        canvas.selectItems([...group.children]);
      },
    },
    {
      content: t('Fit to nodes'),
      callback: after(() => {
        group.recomputeInsideNodes();
        group.resizeTo(group.children, 12);
      }),
    },
    { content: t('Remove'), callback: after(() => group.graph?.remove(group)) },
  ];
}
