/** How much the nodes of one prompt may show: it all becomes one text, in the history of the server. */
import { NoodleError } from '../errors.ts';
import type { Ui } from './call-results.ts';

/** Characters. JSON needs up to six for one, and no text can have more than 2^29. */
const MOST_SHOWN = 2 ** 25;

/** What was shown so far in a run. */
export interface Shown {
  characters: number;
}

/** Whether `ui` still fits; it counts as shown then. */
export function fits(shown: Shown, ui: Ui): boolean {
  let characters = shown.characters;
  const add = (part: unknown): void => {
    if (characters > MOST_SHOWN) return;
    characters += typeof part === 'string' ? part.length : 8;
    if (typeof part !== 'object' || part === null) return;
    for (const [key, value] of Object.entries(part)) {
      characters += key.length;
      add(value);
    }
  };
  add(ui);
  if (characters > MOST_SHOWN) return false;
  shown.characters = characters;
  return true;
}

/** Counts what a node shows. Throws BAD_INPUT when the prompt has shown too much with it. */
export function countShown(shown: Shown, ui: Ui): void {
  if (fits(shown, ui)) return;
  throw new NoodleError('BAD_INPUT', {
    subject: 'what the nodes of a prompt show',
    expected: `at most ${MOST_SHOWN} characters together`,
    got: 'more',
  });
}
