/** What reading a job file brings to light beside its values. */

/** Lines for the log, for the page and for the record of the run; each begins with the path of a key. */
export interface Findings {
  /** What forbids the job. */
  readonly problems: string[];
  /** What is done in place of what was asked for. */
  readonly substitutions: string[];
  /** What is there and means nothing. */
  readonly warnings: string[];
}

export const noFindings = (): Findings => ({ problems: [], substitutions: [], warnings: [] });

/** A value as the lines show it. */
export function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}

/** `train.optimizer: adamw8bit -> adamw (fp32 state)`. */
export const substitution = (at: string, given: unknown, used: string, why: string): string =>
  `${at}: ${shown(given)} -> ${used} (${why})`;

/** A value that cannot be used; its message stands behind the path of the key. */
export class Complaint extends Error {}

/** Throws what was expected of a value and what came. */
export function expected(what: string, got: unknown): never {
  throw new Complaint(`expected ${what}, got ${shown(got)}`);
}
