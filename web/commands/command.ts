/** Something the user can do: by key, from the palette, from menus and buttons. */
export interface Command {
  /** ComfyUI's name where it has such a command: keybindings that users made there hold here. */
  readonly id: string;
  /** What it does, in English (shown through `t`). */
  readonly title: string;
  /** One of `commandGroups`, or one that a pack names. */
  readonly group: string;
  /** Chords that start it until the user chooses others: 'ctrl+enter', 'shift+?', 'p'. */
  readonly keys: readonly string[];
  /** Also while the user types into a field. */
  readonly whileTyping?: boolean;
  /** Says no where its keys mean something else at the moment; they do that then. */
  readonly when?: () => boolean;
  readonly run: () => void;
}

export const commandGroups = ['Queue', 'Workflow', 'Edit', 'View', 'Panels', 'Help'] as const;

/** Shortcuts that are gestures, or keys of fields: shown beside the commands' own. */
export const gestures: readonly (readonly [keys: string, what: string])[] = [
  ['Delete', 'Remove the selection'],
  ['Double click', 'Search for a node'],
  ['Space drag', 'Move the canvas'],
  ['Shift drag a link', 'Move all its links'],
  ['Ctrl C / Ctrl V', 'Copy / paste'],
  ['Ctrl Shift V', 'Paste with incoming links'],
  ['Ctrl Up / Down', 'Prompt weight of the selected words'],
  ['Ctrl /', 'Comment out lines of a prompt'],
];
