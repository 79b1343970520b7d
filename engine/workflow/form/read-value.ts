/** Values of fields as somebody types or lists them. */
import type { FormField } from './form.ts';

/** More runs than this at once are a mistake more often than a wish. */
export const MOST_RUNS = 500;

/** What a field holds when it was read from a text; null where the text cannot be one. */
export type TextValue = string | number | bigint | boolean | null;

/** A number as somebody typed it; whole numbers beyond 2^53 stay exact. */
export function readNumber(text: string, whole: boolean): number | bigint | null {
  const trimmed = text.trim();
  if (whole && /^-?\d+$/.test(trimmed)) {
    const exact = BigInt(trimmed);
    return Number.isSafeInteger(Number(exact)) ? Number(exact) : exact;
  }
  const number = trimmed === '' ? Number.NaN : Number(trimmed);
  return Number.isFinite(number) ? number : null;
}

/** A text as the value of a field; null where it cannot be one. */
export function readValue(field: FormField, text: string): TextValue {
  switch (field.kind) {
    case 'int':
    case 'seed':
      return readNumber(text, true);
    case 'float':
      return readNumber(text, false);
    case 'bool':
      return /^(true|yes|on|1)$/i.test(text.trim());
    case 'select':
    case 'model':
      return field.options?.find((option) => String(option) === text.trim()) ?? text.trim();
    default:
      return text;
  }
}

/** Whether a value is a text of the kind that may hold commas. */
export const isWords = ({ kind }: Pick<FormField, 'kind'>): boolean =>
  kind === 'longtext' || kind === 'text';

/**
 * The values somebody lists for a field: one a line for texts, else divided by commas or lines;
 * numbers also as `20..40` or `20..40..5`.
 */
export function listedValues(field: FormField, text: string): TextValue[] {
  const parts = text
    .split(isWords(field) ? /\n/ : /[\n,;]/)
    .map((part) => part.trim())
    .filter((part) => part !== '');
  return parts.flatMap((part) =>
    isWords(field) ? [part] : (spanned(part) ?? [readValue(field, part)]),
  );
}

/** The numbers of `first..last` or `first..last..step`. */
function spanned(part: string): number[] | undefined {
  const found = /^(-?[\d.]+?)\.\.(-?[\d.]+?)(?:\.\.([\d.]+))?$/.exec(part);
  if (found === null) return undefined;
  const [first, last, step] = [Number(found[1]), Number(found[2]), Number(found[3] ?? 1)];
  if (![first, last, step].every(Number.isFinite) || step <= 0) return undefined;
  const count = Math.min(MOST_RUNS + 1, Math.floor(Math.abs(last - first) / step + 1e-9) + 1);
  const sign = last < first ? -1 : 1;
  // Rounded: 0.1 + 0.2 is not what anybody wants to read.
  return Array.from({ length: Math.max(0, count) }, (_, i) =>
    Number((first + sign * i * step).toFixed(6)),
  );
}

/** A line of a table: where it begins (1 is the first line of the text) and its cells. */
export interface TableLine {
  readonly line: number;
  readonly cells: readonly string[];
}

/** Comma-separated values (RFC 4180); a semicolon or tab where the first line has no comma. */
export function readCsv(text: string): TableLine[] {
  const source = text.replace(/^\ufeff/, '').replaceAll('\r\n', '\n');
  const first = source.slice(0, source.search(/\n|$/));
  const divider = [',', ';', '\t'].find((each) => first.includes(each)) ?? ',';
  const rows: TableLine[] = [];
  let [line, begun] = [1, 1];
  let cells: string[] = [];
  let cell = '';
  let quoted = false;
  const endCell = (): void => void (cells.push(cell), (cell = ''));
  const endRow = (): void => {
    endCell();
    if (cells.some((each) => each !== '')) rows.push({ line: begun, cells });
    cells = [];
    begun = line;
  };
  for (let i = 0; i < source.length; i++) {
    const c = source[i];
    if (c === '\n') line++;
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

/** The field that a column's title names: by label, name or key, in any case. */
export function fieldTitled(fields: readonly FormField[], title: string): FormField | undefined {
  const wanted = title.trim().toLowerCase();
  return fields.find(({ label, name, key }) =>
    [label, name, key].some((each) => each.toLowerCase() === wanted),
  );
}
