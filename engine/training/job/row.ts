/** A key of a job file as a row of data: what it may hold, what it is without being said, what is done with it. */
import type { Reading } from './findings.ts';

/**
 * Checks what a key holds and makes our value of it. `at` is the key's path, `found` hears of what is
 * put in its place; throws a `Complaint` for what cannot be used.
 */
export type Reader<T> = (given: unknown, at: string, found: Reading) => T;

/** A key that means here what it means upstream. */
export interface Implemented<T> {
  readonly tier: 'implemented';
  readonly read: Reader<T>;
  /** Its value where the file does not say it. */
  readonly otherwise: T;
  /** What `null` means, where that is not the same as saying nothing. */
  readonly ofNull?: T;
  /** Complained of where the file does not say it. */
  readonly required?: boolean;
}

/** A key that is taken and has no effect here; one that differs from `otherwise` is said in the log. */
export interface Ignored {
  readonly tier: 'ignored';
  readonly otherwise: unknown;
  readonly why: string;
}

/** A key that must not ask for anything but `otherwise`. */
export interface Refused {
  readonly tier: 'refused';
  readonly otherwise: unknown;
  readonly why: string;
}

export type Row = Implemented<unknown> | Ignored | Refused;

/** The rows of a section by their names in the file; `*` in a name stands for any text, where no other row fits. */
export type Rows = Readonly<Record<string, Row>>;

type Camel<Name extends string> = Name extends `${infer First}_${infer Rest}`
  ? `${First}${Capitalize<Camel<Rest>>}`
  : Name;

/** What a section's keys hold: those that are implemented, in camel case. */
export type Values<R extends Rows> = {
  readonly [
    K in keyof R & string as R[K] extends Implemented<unknown> ? Camel<K> : never
  ]: R[K] extends Implemented<infer T> ? T : never;
};

/** A key that is implemented, with its value where the file says nothing. */
export function key<T>(read: Reader<T>, otherwise: NoInfer<T>): Implemented<T> {
  return { tier: 'implemented', read, otherwise };
}

/** A key that is implemented and need not have a value. */
export function optional<T>(read: Reader<T>): Implemented<T | undefined> {
  return { tier: 'implemented', read, otherwise: undefined };
}

/** A key that the file must say. */
export function required<T>(read: Reader<T>): Implemented<T> {
  return { tier: 'implemented', read, otherwise: undefined as T, required: true };
}

export const ignored = (why: string, otherwise?: unknown): Ignored => ({
  tier: 'ignored',
  otherwise,
  why,
});

export const refused = (why: string, otherwise?: unknown): Refused => ({
  tier: 'refused',
  otherwise,
  why,
});

/** The same row for several names. */
export const each = <const K extends string, R>(
  row: R,
  names: readonly K[],
): Readonly<Record<K, R>> =>
  Object.fromEntries(names.map((name) => [name, row])) as Readonly<Record<K, R>>;

/** `use_text_encoder_1` as `useTextEncoder1`. */
export const camelCase = (name: string): string =>
  name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** The row of a name, or of the first name with `*` that fits it. */
export function rowOf<T>(rows: Readonly<Record<string, T>>, name: string): T | undefined {
  if (Object.hasOwn(rows, name)) return rows[name];
  const found = Object.keys(rows).find((pattern) => pattern.includes('*') && fits(pattern, name));
  return found === undefined ? undefined : rows[found];
}

/** Whether a name is `before*behind`. */
function fits(pattern: string, name: string): boolean {
  const [before, behind] = pattern.split('*');
  return (
    name.length >= before.length + behind.length && name.startsWith(before) && name.endsWith(behind)
  );
}
