import type { ComponentType } from 'preact';
import { Gallery } from '../gallery/lazy.ts';
import type { State } from '../state.ts';
import type { IconName } from './icons.tsx';
import { lazily } from './lazily.tsx';
import type { AppParts } from './parts.ts';

// Their code comes when they are first opened: the page is there sooner.
const Queue = lazily<AppParts>(async () => (await import('../queue/queue-panel.tsx')).QueuePanel);
const Workflows = lazily<AppParts>(
  async () => (await import('./workflows/workflow-panel.tsx')).WorkflowPanel,
);
const Nodes = lazily<AppParts>(async () => (await import('./node-library.tsx')).NodeLibrary);
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
  /** What stands under the icon, where the label is too long for that. */
  readonly word?: string;
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
    word: 'Queue',
    Panel: Queue,
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
    Panel: Workflows,
  },
  {
    id: 'nodes',
    command: 'Workspace.ToggleSidebarTab.node-library',
    key: 'n',
    icon: 'nodes',
    label: 'Nodes',
    Panel: Nodes,
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
