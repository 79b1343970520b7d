import type { Form, FormField } from '../../engine/workflow/form/form.ts';
import type { Json } from '../../engine/workflow/lossless-json.ts';
import type { Values } from '../forms/api.ts';
import { type Choices, type Row, rows } from './fields.ts';

/** The form of a new run. */
export function formOf(choices: Choices): Form {
  const fields = rows.map((row) => fieldOf(row, choices));
  return { title: '', description: '', source: 'rules', fields, outputs: [], warnings: [] };
}

function fieldOf(row: Row, choices: Choices): FormField {
  const { key, label, help = '', kind, section, min = null, max = null, advanced = false } = row;
  return {
    ...{ key, name: key, node_id: '', input: key, label, help, kind, section, min, max, advanced },
    ...{ role: null, category: 'model', step: null, slider: null, hidden: false, masked: false },
    targets: [],
    default: firstValue(row, choices),
    options: row.options?.(choices) ?? null,
  };
}

function firstValue({ key, kind, options }: Row, choices: Choices): Json {
  if (key === 'family') return choices.families[0]?.title ?? null;
  const given = choices.defaults[key];
  if (given !== undefined) return given as Json;
  if (options !== undefined) return options(choices)[0] ?? null;
  if (kind === 'bool') return false;
  return kind === 'text' || kind === 'longtext' ? '' : null;
}

/** Keys of fields that may stay empty. */
export const isOpen = (key: string): boolean => rows.find((row) => row.key === key)?.open === true;

/** What the server is told of the values; an empty field is not said. */
export function settingsOf(values: Values, choices: Choices): Readonly<Record<string, unknown>> {
  const settings: Record<string, unknown> = {};
  for (const { key, setting } of rows) {
    const value = values[key];
    if (key === 'name' || value === null || value === '') continue;
    const said = setting === undefined ? value : setting(value, choices);
    if (key === 'dataset') settings.datasets = [said];
    else if (said !== undefined) settings[key] = said;
  }
  return settings;
}
