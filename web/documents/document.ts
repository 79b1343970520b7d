import { signal, type Signal } from '@preact/signals';
import type { NodeOutput } from '../api/types.ts';
import type { UndoStack } from '../graph/undo.ts';
import type { View } from '../graph/view.ts';
import { newUuid } from '../uuid.ts';

/** A workflow that is open in this window: what a tab is about. */
export interface WorkflowDocument {
  readonly id: string;
  readonly name: Signal<string>;
  /** The name it is saved under in the user's workflows; null until it was saved or opened there. */
  readonly origin: Signal<string | null>;
  readonly modified: Signal<boolean>;
  /** Counts its edits: two equal numbers mean that nothing was edited in between. */
  edition: number;
  /** Fingerprint of the saved file's text when it was last read or written here; null: never. */
  base: string | null;
  /** The parsed file it came from: saving puts back what the editor does not know of it. */
  source: unknown;
  /** Its graph as a workflow text, of the moment it was last kept. */
  workflow: string;
  view: View | null;
  readonly undo: UndoStack;
  /** What its nodes produced last, by execution id. */
  readonly outputs: Map<string, NodeOutput>;
}

export const untitled = 'Untitled';

/** Whether a name is one that the page gave, not the user. */
export const isUntitled = (name: string): boolean => /^Untitled( \d+)?$/.test(name);

/** Whether the page itself put it there and nothing was done to it: what is opened may take its place. */
export const isUntouched = ({ name, origin, modified }: WorkflowDocument): boolean =>
  isUntitled(name.value) && origin.value === null && !modified.value;

/** A document nothing was loaded into yet. */
export function createDocument(
  name: string,
  undo: UndoStack,
  { id = newUuid(), origin = null }: { id?: string; origin?: string | null } = {},
): WorkflowDocument {
  return {
    id,
    name: signal(name),
    origin: signal(origin),
    modified: signal(false),
    edition: 0,
    base: null,
    source: null,
    workflow: '',
    view: null,
    undo,
    outputs: new Map(),
  };
}
