import type { FormField } from '../../engine/workflow/form/form.ts';
import type { Value, Values } from './api.ts';
import { readValue } from './values.ts';

/** A run that is to be made, and what tells it from the others. */
export interface Planned {
  readonly values: Values;
  readonly label: string;
}

/** More runs than this at once are a mistake more often than a wish. */
export const MOST_RUNS = 200;

/**
 * The values somebody lists for a field: one a line for texts, else divided by commas or lines;
 * numbers also as `20..40` or `20..40..5`.
 */
export function listedValues(field: FormField, text: string): Value[] {
  const isText = field.kind === 'longtext' || field.kind === 'text';
  const parts = text
    .split(isText ? /\n/ : /[\n,;]/)
    .map((part) => part.trim())
    .filter((part) => part !== '');
  return parts.flatMap((part) => (isText ? [part] : (spanned(part) ?? [readValue(field, part)])));
}

/** The numbers of `first..last` or `first..last..step`. */
function spanned(part: string): number[] | undefined {
  const found = /^(-?[\d.]+?)\.\.(-?[\d.]+?)(?:\.\.([\d.]+))?$/.exec(part);
  if (found === null) return undefined;
  const [first, last, step] = [Number(found[1]), Number(found[2]), Number(found[3] ?? 1)];
  if (![first, last, step].every(Number.isFinite) || step <= 0) return undefined;
  const count = Math.min(MOST_RUNS, Math.floor(Math.abs(last - first) / step + 1e-9) + 1);
  const sign = last < first ? -1 : 1;
  // Rounded: 0.1 + 0.2 is not what anybody wants to read.
  return Array.from({ length: Math.max(0, count) }, (_, i) =>
    Number((first + sign * i * step).toFixed(6)),
  );
}

export interface Axis {
  readonly field: FormField;
  readonly values: readonly Value[];
}

/** Every value of one field with every value of the other, row by row. */
export function gridRuns(base: Values, columns: Axis, rows: Axis | null): Planned[] {
  const down: readonly (Value | undefined)[] = rows === null ? [undefined] : rows.values;
  return down.flatMap((row) =>
    columns.values.map((column) => ({
      values: {
        ...base,
        [columns.field.key]: column,
        ...(rows === null || row === undefined ? {} : { [rows.field.key]: row }),
      },
      label: [
        `${columns.field.label} ${shown(column)}`,
        ...(rows === null || row === undefined ? [] : [`${rows.field.label} ${shown(row)}`]),
      ].join(', '),
    })),
  );
}

/** A run for each line of a table whose first line names fields (by label, name or key). */
export function tableRuns(
  base: Values,
  fields: readonly FormField[],
  text: string,
): { readonly runs: Planned[]; readonly unknown: readonly string[] } {
  const [head = [], ...lines] = readCsv(text);
  const columns = head.map((title) => {
    const wanted = title.trim().toLowerCase();
    return fields.find(({ label, name, key }) =>
      [label, name, key].some((each) => each.toLowerCase() === wanted),
    );
  });
  const unknown = head.filter((_, i) => columns[i] === undefined);
  const runs = lines.map((line) => {
    const given = columns.flatMap((field, i) =>
      field === undefined || line[i] === undefined || line[i] === ''
        ? []
        : [[field.key, readValue(field, line[i])] as const],
    );
    return { values: { ...base, ...Object.fromEntries(given) }, label: line.join(', ') };
  });
  return { runs, unknown };
}

/** Comma-separated values (RFC 4180); a semicolon or tab where the first line has no comma. */
export function readCsv(text: string): string[][] {
  const first = text.slice(0, text.search(/\n|$/));
  const divider = [',', ';', '\t'].find((each) => first.includes(each)) ?? ',';
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = '';
  let quoted = false;
  const endCell = (): void => void (row.push(cell), (cell = ''));
  const endRow = (): void => {
    endCell();
    if (row.some((each) => each !== '')) rows.push(row);
    row = [];
  };
  const source = text.replace(/^\ufeff/, '').replaceAll('\r\n', '\n');
  for (let i = 0; i < source.length; i++) {
    const c = source[i];
    if (quoted) {
      if (c !== '"') cell += c;
      else if (source[i + 1] === '"') cell += source[++i];
      else quoted = false;
    } else if (c === '"' && cell === '') quoted = true;
    else if (c === divider) endCell();
    else if (c === '\n') endRow();
    else cell += c;
  }
  endRow();
  return rows;
}

const shown = (value: Value): string => {
  const text = String(value);
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
};
