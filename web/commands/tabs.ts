import type { PageParts } from '../panels/parts.ts';
import { duplicateTab, renameTab } from '../documents/tab-actions.ts';
import type { Command } from './command.ts';

/** The open workflows as tabs. */
export const tabCommands = (parts: PageParts): readonly Command[] => {
  const { documents } = parts.editor;
  return [
    {
      id: 'Workspace.NextOpenedWorkflow',
      title: 'Next open workflow',
      group: 'Workflow',
      keys: ['shift+arrowright'],
      run: () => documents.step(1),
    },
    {
      id: 'Workspace.PreviousOpenedWorkflow',
      title: 'Previous open workflow',
      group: 'Workflow',
      keys: ['shift+arrowleft'],
      run: () => documents.step(-1),
    },
    {
      id: 'Workspace.CloseWorkflow',
      title: 'Close the workflow',
      group: 'Workflow',
      keys: ['alt+w'],
      run: () => void parts.files.close(),
    },
    {
      id: 'Noodle.ReopenClosedWorkflow',
      title: 'Open the closed workflow again',
      group: 'Workflow',
      keys: ['alt+shift+w'],
      run: () => void documents.reopen(),
    },
    {
      id: 'Comfy.RenameWorkflow',
      title: 'Rename the workflow',
      group: 'Workflow',
      keys: ['f2'],
      run: () => void renameTab(parts, documents.active()),
    },
    {
      id: 'Comfy.DuplicateWorkflow',
      title: 'Duplicate the workflow',
      group: 'Workflow',
      keys: [],
      run: () => duplicateTab(parts, documents.active()),
    },
  ];
};
