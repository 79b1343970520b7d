import { logIsOpen } from '../log/log-is-open.ts';
import type { PageParts } from '../panels/parts.ts';
import { sidePanels, toggleSidePanel } from '../panels/side-panels.ts';
import type { Command } from './command.ts';

/** What is in sight. */
export const viewCommands = ({ editor }: PageParts): readonly Command[] => [
  {
    id: 'Comfy.Canvas.FitView',
    title: 'Fit the view',
    group: 'View',
    keys: ['.'],
    run: () => editor.canvas.fitView(),
  },
];

/** The panels, a command each: those on the left, and the one at the bottom. */
export const panelCommands = ({ state }: PageParts): readonly Command[] => [
  ...sidePanels.map(({ id, label, command, key }) => ({
    id: command,
    title: label,
    group: 'Panels',
    keys: [key],
    run: () => toggleSidePanel(state, id),
  })),
  {
    id: 'Workspace.ToggleBottomPanelTab.logs-terminal',
    title: 'Log and devices',
    group: 'Panels',
    keys: ['ctrl+`'],
    run: () => {
      logIsOpen.value = !logIsOpen.value;
    },
  },
];
