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

/** What a path of a job file leads to. */
export type PathKind = 'training folder' | 'dataset' | 'mask' | 'words' | 'model' | 'adapter';

/** The path that is used for one of a job file; throws a NoodleError for one that may not be used. */
export type Place = (path: string, kind: PathKind) => string;

/** The reading of one job. */
export interface Reading extends Findings {
  readonly place: Place;
}

export const newReading = (place: Place): Reading => ({
  problems: [],
  substitutions: [],
  warnings: [],
  place,
});

/** A value as the lines show it. */
export function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}

/** `train.optimizer: adamw8bit -> adamw (fp32 state)`. */
export const substitution = (at: string, given: unknown, used: string, why: string): string =>
  `${at}: ${shown(given)} -> ${used} (${why})`;

/** What cannot be used, and why: one problem of a key (its path is put in front), or all of a file. */
export class Complaint extends Error {
  readonly problems: readonly string[];

  constructor(...problems: string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/** Throws what was expected of a value and what came. */
export function expected(what: string, got: unknown): never {
  throw new Complaint(`expected ${what}, got ${shown(got)}`);
}
