/**
 * Widgets that a pack's script makes in the editor, as many as the user wants: object_info does not list them, so
 * their names are said here. One row a class.
 */
import type { Json } from './lossless-json.ts';
import { isRecord } from './records.ts';
import type { GraphNode } from './types.ts';

type Named = readonly (readonly [name: string, value: Json])[];

const GROWN: Readonly<Record<string, (stored: readonly Json[]) => Named>> = {
  /** `{ on, lora, strength, strengthTwo }` each; headers and buttons lie between them. */
  'Power Lora Loader (rgthree)': (stored) =>
    stored
      .filter((value) => isRecord(value) && 'lora' in value)
      .map((row, i) => [`lora_${i + 1}`, row]),
};

/** The inputs that such widgets of a node send; none for most classes. */
export function grownValues(type: string, stored: GraphNode['values']): Named {
  if (!Object.hasOwn(GROWN, type) || !Array.isArray(stored)) return [];
  return GROWN[type](stored as readonly Json[]);
}
