import type { ComponentType } from 'preact';
import { Gallery } from '../gallery/lazy.ts';
import type { State } from '../state.ts';
import type { IconName } from './icons.tsx';
import { lazily } from './lazily.tsx';
import { NodeLibrary } from './node-library.tsx';
import type { AppParts } from './parts.ts';
import { QueuePanel } from './queue-panel.tsx';
import { WorkflowPanel } from './workflows/workflow-panel.tsx';

const Models = lazily<AppParts>(
  async () => (await import('../models/models-panel.tsx')).ModelsPanel,
);

/** A panel on the left edge. */
export interface SidePanelRow {
  readonly id: string;
  /** The command that opens and closes it, and its key. */
  readonly command: string;
  readonly key: string;
  readonly icon: IconName;
  readonly label: string;
  readonly Panel: ComponentType<AppParts>;
}

/** All of them, in the order of their buttons. */
export const sidePanels: readonly SidePanelRow[] = [
  {
    id: 'queue',
    command: 'Workspace.ToggleSidebarTab.queue',
    key: 'q',
    icon: 'queue',
    label: 'Queue and history',
    Panel: QueuePanel,
  },
  {
    id: 'gallery',
    command: 'Workspace.ToggleSidebarTab.assets',
    key: 'a',
    icon: 'gallery',
    label: 'Gallery',
    Panel: Gallery,
  },
  {
    id: 'workflows',
    command: 'Workspace.ToggleSidebarTab.workflows',
    key: 'w',
    icon: 'document',
    label: 'Workflows',
    Panel: WorkflowPanel,
  },
  {
    id: 'nodes',
    command: 'Workspace.ToggleSidebarTab.node-library',
    key: 'n',
    icon: 'nodes',
    label: 'Nodes',
    Panel: NodeLibrary,
  },
  {
    id: 'models',
    command: 'Workspace.ToggleSidebarTab.model-library',
    key: 'm',
    icon: 'models',
    label: 'Models',
    Panel: Models,
  },
];

/** Opens a panel, or closes it when it is open. */
export function toggleSidePanel(state: State, id: string): void {
  state.sidePanel.value = state.sidePanel.value === id ? null : id;
}
