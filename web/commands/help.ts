import { t } from '../locale/translate.ts';
import { openHelp } from '../panels/help.tsx';
import type { PageParts } from '../panels/parts.ts';
import { toast } from '../state.ts';
import { messageOf } from '../text.ts';
import type { Command } from './command.ts';

/** Finding one's way: settings, all commands, all keys. */
export const helpCommands = (parts: PageParts): readonly Command[] => {
  const { state, shortcuts } = parts;
  /** What is seldom opened comes from the server when it is. */
  const open = (load: () => Promise<() => void>): void => {
    load()
      .then((show) => show())
      .catch((error: unknown) => {
        toast(
          state,
          t('This part of the page could not be loaded: {why}', { why: messageOf(error) }),
          'error',
        );
      });
  };
  return [
    {
      id: 'Noodle.CommandPalette',
      title: 'All commands',
      group: 'Help',
      keys: ['ctrl+k', 'ctrl+shift+p'],
      whileTyping: true,
      run: () =>
        open(async () => {
          const { openPalette } = await import('./palette.tsx');
          return () => openPalette(parts);
        }),
    },
    {
      id: 'Comfy.ShowSettingsDialog',
      title: 'Settings',
      group: 'Help',
      keys: ['ctrl+,'],
      whileTyping: true,
      run: () =>
        open(async () => {
          const { openSettings } = await import('../settings/settings-dialog.tsx');
          return () => openSettings(parts);
        }),
    },
    {
      id: 'Noodle.Keybindings',
      title: 'Change keys',
      group: 'Help',
      keys: [],
      run: () =>
        open(async () => {
          const { keyPage, openSettings } = await import('../settings/settings-dialog.tsx');
          return () => openSettings(parts, keyPage);
        }),
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
