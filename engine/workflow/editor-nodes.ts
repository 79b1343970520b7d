/** Node types that exist in the editor only: no server has a class for them, and no prompt holds them. */

/** Those that hand their input on. */
export const PASS_THROUGH: ReadonlySet<string> = new Set([
  'Reroute',
  'Reroute (rgthree)',
  'mxReroute',
]);

const EDITOR_ONLY: ReadonlySet<string> = new Set([
  ...PASS_THROUGH,
  // ComfyUI's own.
  ...['PrimitiveNode', 'Note', 'MarkdownNote'],
  // KJNodes' variables.
  ...['SetNode', 'GetNode'],
  // Use Everywhere: links that broadcasts.ts makes.
  ...['Anything Everywhere', 'Anything Everywhere3', 'Anything Everywhere?', 'Prompts Everywhere'],
  // rgthree: what switches other nodes on and off, and what is only looked at.
  ...[
    'Fast Muter',
    'Fast Bypasser',
    'Fast Groups Muter',
    'Fast Groups Bypasser',
    'Fast Actions Button',
    'Mute / Bypass Relay',
    'Mute / Bypass Repeater',
    'Random Unmuter',
    'Node Collector',
    'Node Combiner',
    'Label',
    'Bookmark',
  ].map((name) => `${name} (rgthree)`),
  // Notes and clocks of other packs.
  ...['Note Plus (mtb)', 'FancyNoteNode', 'FancyTimerNode', 'WorkspaceTitle'],
]);

/** Whether nodes of a type live in the editor only. */
export const isEditorOnly = (type: string): boolean => EDITOR_ONLY.has(type);
