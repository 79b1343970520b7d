import type { PageParts } from '../panels/parts.ts';
import type { Command } from './command.ts';
import { editCommands } from './edit.ts';
import { queueCommands } from './queue.ts';
import { helpCommands, panelCommands, viewCommands } from './view.ts';
import { workflowCommands } from './workflow.ts';

const lists = [
  queueCommands,
  workflowCommands,
  editCommands,
  viewCommands,
  panelCommands,
  helpCommands,
];

/** All commands of the page, as the palette and the list of shortcuts show them. */
export function createCommands(parts: PageParts): readonly Command[] {
  const all: readonly Command[] = lists.flatMap((list) => list(parts, () => all));
  return all;
}
