import type { Form, FormField } from '../../engine/workflow/form/form.ts';
import { readValue } from '../../engine/workflow/form/read-value.ts';
import { parseJson, stringifyJson, toPlain } from '../../engine/workflow/lossless-json.ts';
import type { Value, Values } from './api.ts';

/** What the fields of a form are in its file; a file that is not there is nothing yet. */
export const defaultsOf = ({ fields }: Pick<Form, 'fields'>): Record<string, Value> =>
  Object.fromEntries(
    fields.map((field) => [field.key, isGone(field) ? null : (field.default as Value)]),
  );

const FILES: readonly FormField['kind'][] = ['image', 'mask', 'video', 'audio'];

const isGone = ({ kind, options, default: given }: FormField): boolean =>
  FILES.includes(kind) &&
  options !== null &&
  !options.some((option) => option === given) &&
  // `name [output]` and files in folders are in no list.
  !(typeof given === 'string' && /[/\\]|\[\w+\]$/.test(given));

/** A seed that was not there before: 48 bits, which every program keeps exactly. */
export function randomSeed({ max }: Pick<FormField, 'max'>): number {
  const [high, low] = crypto.getRandomValues(new Uint32Array(2));
  const seed = (high & 0xffff) * 2 ** 32 + low;
  return max === null || seed <= max ? seed : seed % (max + 1);
}

/** Values that differ from the file's, as the fragment of a link. */
export function linkFragment({ fields }: Pick<Form, 'fields'>, values: Values): string {
  const query = new URLSearchParams();
  for (const { key, name, default: given } of fields) {
    const value = values[key];
    if (value === undefined || value === null || value === given) continue;
    query.set(name, typeof value === 'string' ? value : stringifyJson(value));
  }
  return query.toString();
}

/** Values in the fragment of a link, by key; what names no field is left out. */
export function valuesOfLink({ fields }: Pick<Form, 'fields'>, fragment: string): Values {
  const values: Record<string, Value> = {};
  for (const [name, text] of new URLSearchParams(fragment.replace(/^#/, ''))) {
    const field = fields.find((each) => each.name === name || each.key === name);
    if (field !== undefined) values[field.key] = readValue(field, text);
  }
  return values;
}

/** What was typed last into a form, for the next visit of this browser. */
export const keptValues = (storage: Storage, id: string) => {
  const key = `noodle.form.${id}`;
  return {
    read: (): Values => {
      try {
        return (toPlain(parseJson(storage.getItem(key) ?? '{}')) ?? {}) as Values;
      } catch {
        return {};
      }
    },
    write: (values: Values): void => {
      try {
        storage.setItem(key, stringifyJson(values, { style: 'compact' }));
      } catch {
        // No room: the next visit begins with the file's values.
      }
    },
    clear: (): void => storage.removeItem(key),
  };
};
