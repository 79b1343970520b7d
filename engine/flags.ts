/** Flags of a command line as rows of data: how a flag is written, its help, and what it yields. */
import { Command, InvalidArgumentError, Option } from 'commander';

/** One flag; `T` is what it yields, given or not. */
export interface Flag<T> {
  /** As commander takes it: `--port <N>`. */
  readonly form: string;
  readonly help: string;
  /** What commander has to know besides: default, choices, parser. */
  readonly option: (option: Option) => Option;
  /** From what commander has read (undefined: the flag was not given and has no default). */
  readonly read: (given: never) => T;
}

export type Flags = Readonly<Record<string, Flag<unknown>>>;

/** What the rows of a table yield. */
export type Values<Rows extends Flags> = {
  readonly [K in keyof Rows]: Rows[K] extends Flag<infer T> ? T : never;
};

const asItIs = (option: Option): Option => option;

/** A flag of any other kind. */
export const flag = <Given, T>(
  form: string,
  help: string,
  read: (given: Given) => T,
  option = asItIs,
): Flag<T> => ({ form, help, read, option });

/** On or off. */
export const toggle = (form: string, help: string): Flag<boolean> =>
  flag(form, help, (given: true | undefined) => given === true);

/** On unless the flag is given. */
export const switchOff = (form: string, help: string): Flag<boolean> =>
  flag(form, help, (given: true | undefined) => given !== true);

/** A text, or undefined. */
export const text = (form: string, help: string, option = asItIs): Flag<string | undefined> =>
  flag(form, help, (given: string | undefined) => given, option);

/** All texts of a flag that takes several and may be repeated. */
export const texts = (form: string, help: string): Flag<readonly string[]> =>
  flag(form, help, (given: readonly string[] | undefined) => given ?? []);

/** One of `words`. */
export const choice = <const W extends string>(
  form: string,
  help: string,
  words: readonly W[],
  { initially, bare }: { initially: W; bare?: W },
): Flag<W> =>
  flag(
    form,
    help,
    (given: W) => given,
    (option) => option.choices(words).default(initially).preset(bare),
  );

/** A number with a default; `parse` reads it, `unit` is what one of it is worth. */
export const number = (
  form: string,
  help: string,
  parse: (text: string) => number,
  initially: number,
  unit = 1,
): Flag<number> =>
  flag(
    form,
    help,
    (given: number) => given * unit,
    (option) => option.default(initially).argParser(parse),
  );

/** A number, or undefined. */
export const optionalNumber = (
  form: string,
  help: string,
  parse: (text: string) => number,
  unit = 1,
): Flag<number | undefined> =>
  flag(
    form,
    help,
    (given: number | undefined) => (given === undefined ? undefined : given * unit),
    (option) => option.argParser(parse),
  );

/** Reads an integer of a range. Throws commander's InvalidArgumentError. */
export function integer(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`expected an integer from ${min} to ${max}`);
    }
    return value;
  };
}

/** Reads a number of at least `min`. Throws commander's InvalidArgumentError. */
export function decimal(min: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isFinite(value) || value < min) {
      throw new InvalidArgumentError(`expected a number of at least ${min}`);
    }
    return value;
  };
}

/**
 * A command line of these tables, in their order, under headings. `ignored` flags are accepted and
 * not shown. Throws commander's CommanderError for unknown flags, bad values and --help.
 */
export function readCommandLine(
  name: string,
  argv: readonly string[],
  tables: Readonly<Record<string, Flags>>,
  ignored: readonly string[],
): {
  /** What the rows of one of the tables yield. */
  readonly values: <Rows extends Flags>(rows: Rows) => Values<Rows>;
  /** Ignored flags that were given. */
  readonly given: readonly string[];
} {
  const command = new Command(name);
  command.exitOverride().allowExcessArguments(false);
  const attributes = new Map<Flag<unknown>, string>();
  for (const [heading, rows] of Object.entries(tables)) {
    for (const row of Object.values(rows)) {
      const option = row.option(new Option(row.form, row.help)).helpGroup(`${heading}:`);
      attributes.set(row, option.attributeName());
      command.addOption(option);
    }
  }
  const silent = ignored.map((form) => new Option(form, 'without effect').hideHelp());
  for (const option of silent) command.addOption(option);
  command.parse([...argv], { from: 'user' });
  return {
    values: <Rows extends Flags>(rows: Rows) =>
      Object.fromEntries(
        Object.entries(rows).map(([key, row]) => {
          const given: unknown = command.getOptionValue(attributes.get(row)!);
          return [key, row.read(given as never)];
        }),
      ) as Values<Rows>,
    given: silent
      .filter((option) => command.getOptionValueSource(option.attributeName()) === 'cli')
      .map(({ long }) => long!),
  };
}
