import { refreshChoices } from '../missing/refresh.ts';
import type { PageParts } from '../panels/parts.ts';
import type { Command } from './command.ts';

/** Opening and saving. */
export const workflowCommands = ({
  editor,
  files,
  server,
  state,
}: PageParts): readonly Command[] => [
  {
    id: 'Comfy.NewBlankWorkflow',
    title: 'New workflow',
    group: 'Workflow',
    keys: [],
    run: () => void editor.documents.clear(),
  },
  {
    id: 'Comfy.OpenWorkflow',
    title: 'Open a file',
    group: 'Workflow',
    keys: ['ctrl+o'],
    whileTyping: true,
    run: () => files.choose(),
  },
  {
    id: 'Comfy.SaveWorkflow',
    title: 'Save',
    group: 'Workflow',
    keys: ['ctrl+s'],
    whileTyping: true,
    run: () => void files.save(),
  },
  {
    id: 'Comfy.SaveWorkflowAs',
    title: 'Save as',
    group: 'Workflow',
    keys: ['ctrl+shift+s'],
    whileTyping: true,
    run: () => void files.save(true),
  },
  {
    id: 'Comfy.ExportWorkflow',
    title: 'Download as JSON',
    group: 'Workflow',
    keys: [],
    run: () => files.download(),
  },
  {
    id: 'Comfy.RefreshNodeDefinitions',
    title: 'Refresh all choices',
    group: 'Workflow',
    keys: ['r'],
    run: () => void refreshChoices({ editor, server, state }),
  },
];
