import type { PageParts } from '../panels/parts.ts';
import { arrangeCommands, canvasCommands } from './canvas.ts';
import type { Command } from './command.ts';
import { editCommands } from './edit.ts';
import { formCommands } from './forms.ts';
import { helpCommands } from './help.ts';
import { queueCommands } from './queue.ts';
import { subgraphCommands } from './subgraphs.ts';
import { tabCommands } from './tabs.ts';
import { trainingCommands } from './training.ts';
import { panelCommands, viewCommands } from './view.ts';
import { workflowCommands } from './workflow.ts';

const lists = [
  queueCommands,
  workflowCommands,
  tabCommands,
  formCommands,
  trainingCommands,
  editCommands,
  arrangeCommands,
  subgraphCommands,
  viewCommands,
  canvasCommands,
  panelCommands,
  helpCommands,
];

/** All commands of the page, as the palette and the list of shortcuts show them. */
export const createCommands = (parts: PageParts): readonly Command[] =>
  lists.flatMap((list) => list(parts));
