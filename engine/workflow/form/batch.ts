/** Many runs of one form: over lists of values, a table, or seeds. */
import type { Json } from '../lossless-json.ts';
import type { Form, FormField } from './form.ts';
import { fieldTitled, MOST_RUNS, readCsv, readValue } from './read-value.ts';
import { checkValues } from './set-values.ts';
import { numberOf } from './settings.ts';

/** A field and the values it is to have in turn. */
export interface Axis {
  /** Name or key. */
  readonly field: string;
  readonly values: readonly Json[];
}

export type SeedMode = 'fixed' | 'random' | 'increment';

export interface BatchRequest {
  /** What all runs share, by name or key. */
  readonly values?: Readonly<Record<string, Json>>;
  /** Every value of each with every value of the others; those of the last change quickest. */
  readonly vary?: readonly Axis[];
  /** A table with a run in each line; the first line names fields. */
  readonly csv?: string;
  /** How often each of them. */
  readonly count?: number;
  /** Of seeds that a run does not give itself; `random` leaves those of `values` as well. */
  readonly seed_mode?: SeedMode;
}

/** What is wrong with a part of a request. */
export interface BatchProblem {
  /** The way to that part: names of members and places in lists. */
  readonly at: readonly string[];
  readonly detail: string;
}

type Members = Readonly<Record<string, Json>>;

export interface BatchPlan {
  /** What all runs share, by key, where it is not what the file has. */
  readonly values: Members;
  /** The lists, by key. */
  readonly vary: readonly Axis[];
  /** What each run has of its own, by key. */
  readonly runs: readonly Members[];
  readonly problems: readonly BatchProblem[];
}

/**
 * The runs that are asked for, with values checked against the form. Where there are problems, the
 * runs are not to be used. `randomSeed` draws one for a field.
 */
export function planBatch(
  form: Form,
  request: BatchRequest,
  randomSeed: (field: FormField) => Json,
): BatchPlan {
  const { count = 1, csv, vary: given = [] } = request;
  const base = checkValues(form, request.values ?? {});
  const axes = given.map((axis, i) => readAxis(form, axis, ['vary', String(i)]));
  const table = csv === undefined ? undefined : readTable(form, csv);
  const problems = [
    ...base.problems.map(({ name, detail }) => ({ at: ['values', name], detail })),
    ...axes.flatMap((axis) => axis.problems),
    ...(table?.problems ?? []),
  ];
  const vary = axes.map(({ key, values }) => ({ field: key, values }));
  const size = (table?.runs.length ?? lengthOf(vary)) * count;
  if (size > MOST_RUNS || size < 1) {
    const part = csv !== undefined ? 'csv' : given.length > 0 ? 'vary' : 'count';
    const detail =
      size < 1 ? 'makes no run' : `makes ${size} runs; a batch has at most ${MOST_RUNS}`;
    problems.push({ at: [part], detail });
  }
  if (csv !== undefined && given.length > 0) {
    problems.push({ at: ['vary'], detail: 'cannot be given together with csv' });
  }
  const values = Object.fromEntries(base.values);
  if (problems.length > 0) return { values, vary, runs: [], problems };
  const each = (table?.runs ?? product(vary)).flatMap((own) => Array<Members>(count).fill(own));
  const mode = request.seed_mode ?? (request.count === undefined ? 'fixed' : 'increment');
  const seeds = seedsFor(form, base.values, mode, randomSeed);
  return { values, vary, runs: each.map((own, i) => ({ ...seeds(i), ...own })), problems };
}

function readAxis(form: Form, { field, values }: Axis, at: readonly string[]) {
  const found = form.fields.find(({ key, name }) => key === field || name === field);
  if (found === undefined) {
    const problem = { at: [...at, 'field'], detail: 'is no field of this form' };
    return { key: field, values, problems: [problem] };
  }
  const problems = values.flatMap((value, i) =>
    checkValues(form, { [found.key]: value }).problems.map(({ detail }) => ({
      at: [...at, 'values', String(i)],
      detail,
    })),
  );
  return { key: found.key, values, problems };
}

function readTable(form: Form, csv: string) {
  const [head, ...lines] = readCsv(csv);
  const problems: BatchProblem[] = [];
  const refuse = (detail: string): void => void problems.push({ at: ['csv'], detail });
  const columns = (head?.cells ?? []).map((title) => {
    const field = fieldTitled(form.fields, title);
    if (field === undefined) refuse(`line 1: '${title.trim()}' is no field of this form`);
    return field;
  });
  const runs = lines.slice(0, MOST_RUNS + 1).map(({ line, cells }) => {
    if (cells.length > columns.length) refuse(`line ${line}: it has more cells than the first one`);
    const own: Record<string, Json> = {};
    for (const [i, field] of columns.entries()) {
      // An empty cell leaves the value that all share.
      if (field === undefined || (cells[i] ?? '') === '') continue;
      const value = readValue(field, cells[i]);
      const [problem] = checkValues(form, { [field.key]: value }).problems;
      if (problem !== undefined) refuse(`line ${line}, ${field.label}: ${problem.detail}`);
      own[field.key] = value;
    }
    return own;
  });
  return { runs, problems };
}

const lengthOf = (axes: readonly Axis[]): number =>
  axes.reduce((size, { values }) => size * values.length, 1);

function product([axis, ...others]: readonly Axis[]): readonly Members[] {
  if (axis === undefined) return [{}];
  const rest = product(others);
  return axis.values.flatMap((value) => rest.map((own) => ({ ...own, [axis.field]: value })));
}

/** Seeds of the run in place `i`, by key. */
function seedsFor(
  form: Form,
  given: ReadonlyMap<string, Json>,
  mode: SeedMode,
  randomSeed: (field: FormField) => Json,
): (i: number) => Members {
  const seeds = form.fields.filter(({ kind }) => kind === 'seed');
  if (mode === 'fixed') return () => ({});
  if (mode === 'random') {
    const drawn = seeds.filter(({ key }) => !given.has(key));
    return () => Object.fromEntries(drawn.map((field) => [field.key, randomSeed(field)]));
  }
  return (i) =>
    Object.fromEntries(
      seeds.map((field) => [field.key, seedAfter(field, given.get(field.key) ?? field.default, i)]),
    );
}

/** The seed `i` places on, from the least one again after the greatest. */
function seedAfter({ min, max }: FormField, first: Json, i: number): Json {
  const start = typeof first === 'bigint' ? first : BigInt(Math.trunc(numberOf(first) ?? 0));
  const least = BigInt(min ?? 0);
  const span = (max === null || max >= 2 ** 64 ? 2n ** 64n - 1n : BigInt(max)) - least + 1n;
  const next = least + ((((start - least + BigInt(i)) % span) + span) % span);
  return next <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(next) : next;
}
