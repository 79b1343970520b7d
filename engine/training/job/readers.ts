/** What the keys of job files hold. */
import { Complaint, type PathKind, expected, substitution } from './findings.ts';
import { type Reader, rowOf } from './row.ts';

export const flag: Reader<boolean> = (given) =>
  typeof given === 'boolean' ? given : expected('true or false', given);

/** Any finite number within bounds. */
export const real =
  (least = -Infinity, most = Infinity): Reader<number> =>
  (given) =>
    typeof given === 'number' && Number.isFinite(given) && given >= least && given <= most
      ? given
      : expected(`a number${bounds(least, most)}`, given);

/** A whole number within bounds, of at most 53 bits. */
export const whole =
  (least = 0, most = Number.MAX_SAFE_INTEGER): Reader<number> =>
  (given) =>
    typeof given === 'number' && Number.isSafeInteger(given) && given >= least && given <= most
      ? given
      : expected(`a whole number${bounds(least, most)}`, given);

/** A share of one. */
export const share = real(0, 1);

function bounds(least: number, most: number): string {
  const isOpen = most === Infinity || most === Number.MAX_SAFE_INTEGER;
  if (least === -Infinity && isOpen) return '';
  return isOpen ? ` of at least ${least}` : ` from ${least} to ${most}`;
}

/** A line of text; numbers count as what they are written like. */
export const text: Reader<string> = (given) => {
  if (typeof given === 'number') return String(given);
  return typeof given === 'string' ? given : expected('a text', given);
};

/** Text that says something; an empty one is none. */
export const filledText: Reader<string> = (given, at, found) => {
  const read = text(given, at, found);
  return read.trim() === '' ? expected('a text', given) : read;
};

/** Text, where the empty one says nothing. */
export const textOrNone: Reader<string | undefined> = (given, at, found) =>
  text(given, at, found) || undefined;

/** A path to something of that kind, where the job's reader puts it; an empty one is none. */
export const path =
  (kind: PathKind): Reader<string | undefined> =>
  (given, at, found) => {
    const read = text(given, at, found);
    return read === '' ? undefined : found.place(read, kind);
  };

/** A list, each of its items read by `item`; one item alone is a list of one. */
export const listOf =
  <T>(item: Reader<T>): Reader<readonly T[]> =>
  (given, at, found) =>
    Array.isArray(given)
      ? (given as unknown[]).map((one, i) => item(one, `${at}[${i}]`, found))
      : [item(given, at, found)];

/** Keys and whatever they hold. */
export const mapping: Reader<Readonly<Record<string, unknown>>> = (given) =>
  isMapping(given) ? given : expected('keys with values', given);

export const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What one of several names means. */
export interface Choice {
  /** The name that is used for it. */
  readonly becomes?: string;
  /** Why that one: then it is a substitution and not another spelling. */
  readonly why?: string;
  /** Why it cannot be chosen. */
  readonly refused?: string;
}

/** Several names for one thing. */
export const spelled = <T extends string>(becomes: T, ...names: string[]): Record<string, Choice> =>
  Object.fromEntries(names.map((name) => [name, { becomes }]));

/** Names that cannot be chosen, for one reason. */
export const never = (reason: string, ...names: string[]): Record<string, Choice> =>
  Object.fromEntries(names.map((name) => [name, { refused: reason }]));

/**
 * One of the names of `chosen`, in whatever case, or of the further rows of `choices`, where `*` stands for any
 * text. `unknown` is said of other names, else the names that there are.
 */
export function choice<const T extends string>(
  chosen: readonly T[],
  choices: Readonly<Record<string, Choice>> = {},
  unknown?: string,
): Reader<T> {
  const taken = Object.keys(choices).filter((name) => choices[name].becomes && !name.includes('*'));
  const names = [...chosen, ...taken].join(', ');
  return (given, at, found) => {
    if (typeof given !== 'string') return expected(`one of ${names}`, given);
    const name = given.toLowerCase();
    const itself = chosen.find((one) => one.toLowerCase() === name);
    if (itself !== undefined) return itself;
    const row = rowOf(choices, name);
    if (row === undefined) {
      if (unknown !== undefined) throw new Complaint(`${unknown}; got ${given}`);
      return expected(`one of ${names}`, given);
    }
    if (row.becomes === undefined) {
      throw new Complaint(`${given} is not supported: ${row.refused ?? 'unknown'}`);
    }
    if (row.why !== undefined)
      found.substitutions.push(substitution(at, given, row.becomes, row.why));
    return row.becomes as T;
  };
}
