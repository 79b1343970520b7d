/** Links between nodes as they stand in a prompt: `[source node id, output slot]`. */
import { Float } from '../workflow/lossless-json.ts';

/** A link: [source node id, output slot]. */
export type Link = [nodeId: string, slot: number];

/** A link as JSON may spell it; the slot may even be `0.0` or `false`, as Python allows. */
export type LooseLink = [nodeId: string, slot: number | bigint | boolean | Float];

/** Whether an input value is a link and not a constant: a list of a string and a number. */
export function isLink(value: unknown): value is LooseLink {
  if (!Array.isArray(value) || value.length !== 2 || typeof value[0] !== 'string') return false;
  const slot: unknown = value[1];
  return (
    typeof slot === 'number' ||
    typeof slot === 'bigint' ||
    typeof slot === 'boolean' ||
    slot instanceof Float
  );
}

/** The node a link comes from. */
export const linkSource = (link: LooseLink): string => link[0];

/** The output slot of a link as a number (a slot of -1 counts from the end, as in Python). */
export const linkSlot = (link: LooseLink, outputs: number): number => {
  const slot = Number(link[1]);
  return slot < 0 ? slot + outputs : slot;
};
