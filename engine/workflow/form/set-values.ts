/** Values of a form into its workflow: checked, written into the file, and into the prompt that runs. */
import { Float, type Json, parseJson, stringifyJson } from '../lossless-json.ts';
import { isApiFormat } from '../forms.ts';
import { readWorkflow } from '../read-graph.ts';
import { type Converted, type ConvertOptions, workflowToPrompt } from '../to-prompt.ts';
import type { ApiPrompt, ObjectInfo } from '../types.ts';
import type { Form, FormField } from './form.ts';
import { writeValue } from './value-places.ts';
import { numberOf } from './settings.ts';

/** What is wrong with one value. */
export interface ValueProblem {
  /** As it was given: a key or a name. */
  readonly name: string;
  readonly detail: string;
}

export interface CheckedValues {
  /** By key, in the form the node takes. */
  readonly values: ReadonlyMap<string, Json>;
  readonly problems: readonly ValueProblem[];
}

/** Checks values, named by the keys or names of fields, against the form. */
export function checkValues(form: Form, given: Readonly<Record<string, Json>>): CheckedValues {
  const fields = new Map<string, FormField>();
  for (const field of form.fields) fields.set(field.name, field);
  for (const field of form.fields) fields.set(field.key, field);
  const values = new Map<string, Json>();
  const problems: ValueProblem[] = [];
  for (const [name, value] of Object.entries(given)) {
    const field = fields.get(name);
    const detail = field === undefined ? 'is no field of this form' : problemOf(field, value);
    if (field === undefined || detail !== undefined) problems.push({ name, detail: detail! });
    else values.set(field.key, value);
  }
  return { values, problems };
}

function problemOf(field: FormField, value: Json): string | undefined {
  switch (field.kind) {
    case 'text':
    case 'longtext':
      return typeof value === 'string' ? undefined : 'must be a text';
    case 'image':
    case 'mask':
    case 'video':
    case 'audio':
      return typeof value === 'string' && value !== '' ? undefined : 'must name a file';
    case 'bool':
      return typeof value === 'boolean' ? undefined : 'must be true or false';
    case 'select':
    case 'model':
      return isChoice(field, value) ? undefined : choiceProblem(field);
    case 'int':
    case 'seed':
      return isWhole(value) ? rangeProblem(field, value) : 'must be a whole number';
    case 'float':
      return numberOf(value) === undefined ? 'must be a number' : rangeProblem(field, value);
  }
}

const isChoice = ({ options }: FormField, value: Json): boolean =>
  options === null || options.some((choice) => choice === (numberOf(value) ?? value));

function choiceProblem({ options }: FormField): string {
  const shown = (options ?? []).slice(0, 12).join(', ');
  return `must be one of ${shown}${(options?.length ?? 0) > 12 ? ', …' : ''}`;
}

const isWhole = (value: Json): boolean =>
  typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value));

function rangeProblem({ min, max }: FormField, value: Json): string | undefined {
  const number = numberOf(value)!;
  if (min !== null && number < min) return `must be >= ${min}`;
  // 2^64 - 1 is no double: a bigint of that size is compared as what it is.
  const isAbove =
    max !== null && (typeof value === 'bigint' ? value > ceilingOf(max) : number > max);
  return isAbove ? `must be <= ${max}` : undefined;
}

/** The greatest integer that a limit means: limits near 2^64 are those of unsigned words. */
const ceilingOf = (max: number): bigint =>
  max >= 2 ** 64 ? 2n ** 64n - 1n : BigInt(Math.floor(max));

export interface Filled extends Converted {
  /** A copy of the file that holds the values, as far as it has places for them. */
  readonly file: { [key: string]: Json };
}

/** The workflow or prompt with these values (by key), and the prompt that is to run. */
export function fillForm(
  given: { [key: string]: Json },
  form: Form,
  values: ReadonlyMap<string, Json>,
  objectInfo: ObjectInfo,
  options: ConvertOptions = {},
): Filled {
  const file = parseJson(stringifyJson(given)) as { [key: string]: Json };
  const set = form.fields.flatMap((field) => {
    const value = values.get(field.key);
    if (value === undefined) return [];
    const sent = field.kind === 'float' && typeof value === 'number' ? new Float(value) : value;
    return field.targets.map((key) => ({ key, value: sent }));
  });
  if (isApiFormat(file)) {
    for (const { key, value } of set) setInPrompt(file, key, value);
    return { prompt: file, warnings: [], file };
  }
  const graph = readWorkflow(file);
  const missed = set.filter(({ key, value }) => !writeValue(file, graph, key, value, objectInfo));
  const { prompt, warnings } = workflowToPrompt(file, objectInfo, options);
  for (const { key, value } of missed) setInPrompt(prompt, key, value);
  return { prompt, warnings, file };
}

function setInPrompt(prompt: ApiPrompt, key: string, value: Json): void {
  const id = Object.keys(prompt).find((node) => key.startsWith(`${node}.`));
  if (id !== undefined) prompt[id].inputs[key.slice(id.length + 1)] = value;
}
