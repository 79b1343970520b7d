/** Reads the keys of a section by its rows. */
import { NoodleError } from '../../errors.ts';
import { Complaint, type Reading, expected, substitution } from './findings.ts';
import { nearest } from './nearest.ts';
import { isMapping } from './readers.ts';
import { type Reader, type Row, type Rows, type Values, camelCase, rowOf } from './row.ts';

/**
 * The values of a section, `at` its path with a dot behind it ('' for that of the process). What is wrong goes to
 * `found`; a value that is then missing is the one that counts where nothing is said.
 */
export function readSection<R extends Rows>(
  rows: R,
  given: Readonly<Record<string, unknown>>,
  at: string,
  found: Reading,
): Values<R> {
  for (const [name, value] of Object.entries(given)) {
    const row = rowOf<Row>(rows, name);
    if (row === undefined) found.warnings.push(unknownKey(rows, name, at));
    else if (row.tier !== 'implemented' && !isSame(value, row.otherwise)) {
      if (row.tier === 'ignored') {
        found.substitutions.push(substitution(at + name, value, 'ignored', row.why));
      } else found.problems.push(`${at}${name} is not supported: ${row.why}`);
    }
  }
  const values: Record<string, unknown> = {};
  for (const [name, row] of Object.entries<Row>(rows)) {
    if (row.tier !== 'implemented') continue;
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    if (value === undefined && row.required) found.problems.push(`${at}${name} is missing`);
    values[camelCase(name)] = reading(`${at}${name}`, row.otherwise, found, () => {
      if (value === undefined) return row.otherwise;
      if (value === null && !row.required) return 'ofNull' in row ? row.ofNull : row.otherwise;
      return row.read(value, `${at}${name}`, found);
    });
  }
  return values as Values<R>;
}

/** A key that holds a section of its own. */
export const section =
  <R extends Rows>(rows: R): Reader<Values<R>> =>
  (given, at, found) =>
    isMapping(given)
      ? readSection(rows, given, `${at}.`, found)
      : expected('keys with values', given);

/** What `read` gives; a complaint becomes a problem of the key at `at`, and `otherwise` stands in for it. */
export function reading<T>(at: string, otherwise: T, found: Reading, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Complaint || error instanceof NoodleError)) throw error;
    found.problems.push(`${at}: ${error.message}`);
    return otherwise;
  }
}

/** Whether a key asks for what is there anyway; nothing, no, none, 0 and empty are the same. */
const isSame = (given: unknown, otherwise: unknown): boolean =>
  JSON.stringify(given) === JSON.stringify(otherwise) || (isNothing(given) && isNothing(otherwise));

function isNothing(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0;
  return value === undefined || value === null || value === false || value === 0 || value === '';
}

function unknownKey(rows: Rows, name: string, at: string): string {
  const near = nearest(name, Object.keys(rows));
  return `${at}${name}: unknown key` + (near === undefined ? '' : `; did you mean ${at}${near}?`);
}
