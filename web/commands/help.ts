import { NoodleNode } from '../graph/node.ts';
import { selectedNodes } from '../graph/selection.ts';
import { later } from '../later.ts';
import { openHelp } from '../panels/help.tsx';
import type { PageParts } from '../panels/parts.ts';
import type { Command } from './command.ts';
import { openPalette } from './palette.tsx';

/** Finding one's way: settings, all commands, all keys. */
export const helpCommands = (parts: PageParts): readonly Command[] => {
  const { state, shortcuts } = parts;
  return [
    {
      id: 'Noodle.CommandPalette',
      title: 'All commands',
      group: 'Help',
      keys: ['ctrl+k', 'ctrl+shift+p'],
      whileTyping: true,
      // not loaded when wanted: what is typed right after the chord has to reach it
      run: () => openPalette(parts),
    },
    {
      id: 'Comfy.ShowSettingsDialog',
      title: 'Settings',
      group: 'Help',
      keys: ['ctrl+,'],
      whileTyping: true,
      run: () =>
        later(
          state,
          () => import('../settings/settings-dialog.tsx'),
          ({ openSettings }) => openSettings(parts),
        ),
    },
    {
      id: 'Noodle.Keybindings',
      title: 'Change keys',
      group: 'Help',
      keys: [],
      run: () =>
        later(
          state,
          () => import('../settings/settings-dialog.tsx'),
          ({ keyPage, openSettings }) => openSettings(parts, keyPage),
        ),
    },
    {
      id: 'Noodle.NodeInfo',
      title: 'Help on the node',
      group: 'Help',
      keys: [],
      run: () => {
        const info = selectedNodes(parts.editor.canvas).find(
          (node) => node instanceof NoodleNode,
        )?.info;
        if (info === undefined || info === null) return;
        later(
          state,
          () => import('../node-library/node-help.tsx'),
          ({ openNodeHelp }) => openNodeHelp(parts, info),
        );
      },
    },
    {
      id: 'Workspace.ToggleBottomPanel.Shortcuts',
      title: 'Keyboard shortcuts',
      group: 'Help',
      keys: ['?', 'shift+?'],
      run: () => openHelp(state, shortcuts),
    },
  ];
};
