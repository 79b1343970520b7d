/**
 * What the author of a form chose, as files keep it: the choice, its order and the help texts where
 * ComfyUI's app mode has them (`extra.linearData`), the rest beside it (`extra.noodle.form`).
 */
import type { Json } from '../lossless-json.ts';
import { asArray, isRecord } from '../records.ts';

/** What is said of one field; absent members are as the rules find them. */
export interface FieldSettings {
  readonly label?: string;
  readonly help?: string;
  readonly section?: string;
  readonly min?: number;
  readonly max?: number;
  readonly step?: number;
}

/** An entry of linearData as the file has it. */
export interface AppEntry {
  readonly id: string;
  readonly widget: string;
  readonly config: Readonly<Record<string, Json>>;
  readonly stored: Json;
}

export interface FormSettings {
  readonly title?: string;
  readonly description?: string;
  /** Chosen inputs in their order; undefined where nobody chose. */
  readonly inputs?: readonly AppEntry[];
  /** Ids of nodes whose results are shown; undefined where nobody chose. */
  readonly outputs?: readonly string[];
  /** By key. */
  readonly fields: ReadonlyMap<string, FieldSettings>;
}

type Members = Record<string, Json>;

/** Reads the settings of an editor workflow; a part that is no settings is none. */
export function readSettings(workflow: unknown): FormSettings {
  const extra = recordOf(isRecord(workflow) ? workflow.extra : undefined);
  const linear = isRecord(extra.linearData) ? extra.linearData : undefined;
  const form = recordOf(recordOf(extra.noodle).form);
  const fields = Object.entries(recordOf(form.fields)).map(
    ([key, value]) => [key, fieldSettings(value)] as const,
  );
  const inputs = asArray(linear?.inputs).flatMap(appEntry);
  const outputs = asArray(linear?.outputs).filter(isId).map(String);
  return {
    title: textOf(form.title),
    description: textOf(form.description),
    inputs: linear === undefined || inputs.length === 0 ? undefined : inputs,
    outputs: linear === undefined || outputs.length === 0 ? undefined : outputs,
    fields: new Map(fields),
  };
}

function appEntry(stored: unknown): AppEntry[] {
  const [id, widget, config] = asArray(stored);
  if (!isId(id) || typeof widget !== 'string') return [];
  const known = isRecord(config) ? (config as Members) : {};
  return [{ id: String(id), widget, config: known, stored: stored as Json }];
}

function fieldSettings(value: Json): FieldSettings {
  const given = recordOf(value);
  return {
    label: textOf(given.label),
    help: textOf(given.help),
    section: textOf(given.section),
    min: numberOf(given.min),
    max: numberOf(given.max),
    step: numberOf(given.step),
  };
}

/** A field as its author wants it. */
export interface ChosenField extends FieldSettings {
  readonly key: string;
  readonly node_id: string;
  readonly input: string;
}

export interface ChosenForm {
  readonly title?: string;
  readonly description?: string;
  /** In their order; null gives the choice back to the rules. */
  readonly fields: readonly ChosenField[] | null;
  readonly outputs?: readonly string[] | null;
}

/**
 * The workflow with another choice. Entries that name nothing in the workflow as it is now, and
 * members that others wrote, stay. `resolve` gives the key an entry stands for.
 */
export function writeSettings(
  workflow: { [key: string]: Json },
  chosen: ChosenForm,
  resolve: (entry: AppEntry) => string | undefined,
): { [key: string]: Json } {
  const extra = recordOf(workflow.extra);
  const linear = recordOf(extra.linearData);
  const noodle = recordOf(extra.noodle);
  const old = asArray(linear.inputs).flatMap(appEntry);
  const byKey = new Map(old.map((entry) => [resolve(entry), entry]));
  const form: Members = {};
  if (chosen.title !== undefined && chosen.title !== '') form.title = chosen.title;
  if (chosen.description !== undefined && chosen.description !== '') {
    form.description = chosen.description;
  }
  if (chosen.fields === null) {
    // Emptied, not taken away: editors put back members of a file that they miss.
    const emptied: Members =
      'linearData' in extra ? { linearData: { ...linear, inputs: [], outputs: [] } } : {};
    return { ...workflow, extra: { ...extra, ...emptied, noodle: { ...noodle, form } } };
  }
  form.fields = Object.fromEntries(chosen.fields.map((field) => [field.key, compact(field)]));
  const inputs = chosen.fields.map((field) => entryOf(field, byKey.get(field.key)));
  const unknown = old.filter((entry) => resolve(entry) === undefined).map(({ stored }) => stored);
  const outputs = (chosen.outputs ?? []).map(plainId);
  return {
    ...workflow,
    extra: {
      ...extra,
      linearData: { ...linear, inputs: [...inputs, ...unknown], outputs },
      noodle: { ...noodle, form },
    },
  };
}

function entryOf({ node_id, input, help }: ChosenField, old: AppEntry | undefined): Json {
  const { description: _, ...config } = old?.config ?? {};
  const known: Members =
    help === undefined || help === '' ? config : { ...config, description: help };
  const entry: Json[] = [plainId(old?.id ?? node_id), old?.widget ?? input];
  if (Object.keys(known).length > 0) entry.push(known);
  return entry;
}

/** Ids of the top level are numbers in files. */
const plainId = (id: string): Json => (/^\d{1,15}$/.test(id) ? Number(id) : id);

/** What is kept beside linearData; help texts are in there. */
function compact({ label, section, min, max, step }: FieldSettings): Members {
  const members: Record<string, Json | undefined> = { label, section, min, max, step };
  return Object.fromEntries(
    Object.entries(members).filter(
      (member): member is [string, Json] => member[1] !== undefined && member[1] !== '',
    ),
  );
}

const isId = (value: unknown): value is string | number =>
  typeof value === 'string' || typeof value === 'number';
const recordOf = (value: unknown): Members => (isRecord(value) ? (value as Members) : {});
const textOf = (value: Json | undefined): string | undefined =>
  typeof value === 'string' ? value : undefined;

/** A number however JSON wrote it. */
export function numberOf(value: unknown): number | undefined {
  const number =
    typeof value === 'bigint'
      ? Number(value)
      : typeof value === 'object' && value !== null && 'value' in value
        ? value.value
        : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}
