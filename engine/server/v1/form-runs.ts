/** What routes share that run forms: one at a time, or many. */
import { randomInt } from 'node:crypto';
import { isPlainValue } from '../../workflow/form/field-kind.ts';
import type { Form, FormField } from '../../workflow/form/form.ts';
import type { Filled, ValueProblem } from '../../workflow/form/set-values.ts';
import { isApiFormat } from '../../workflow/forms.ts';
import type { Json } from '../../workflow/lossless-json.ts';
import { ProblemError } from './problem.ts';
import { type Body, escapePointer, objectIn, submission } from './run-workflow.ts';
import type { OpenWorkflow } from './saved-workflows.ts';

/** The body of a POST /prompt that runs a form which was filled in. */
export function formSubmission(
  { entry, form }: Pick<OpenWorkflow, 'entry' | 'form'>,
  { prompt, file }: Filled,
  raw: Body,
): Json {
  const workflow = isApiFormat(file) ? undefined : file;
  const name = form.title === '' ? entry.id : form.title;
  const extraData = { form: entry.id, workflow_name: name };
  return submission({ ...raw, extra_data: extraData }, prompt, workflow);
}

/** Throws where values are not what their fields take; `at` points at the member that holds them. */
export function refuseValues(problems: readonly ValueProblem[], at: string): void {
  if (problems.length === 0) return;
  const names = problems.map(({ name }) => name).join(', ');
  throw new ProblemError({
    status: 400,
    code: 'validation_failed',
    detail: `Not every value is what its field takes: ${names}.`,
    errors: problems.map(({ name, detail }) => ({
      pointer: `${at}/${escapePointer(name)}`,
      input: name,
      detail,
    })),
  });
}

/** A seed for a field: 48 bits at most, which every program keeps exactly. */
export const randomSeed = ({ max }: FormField): number =>
  randomInt(Math.min(max ?? Infinity, 2 ** 48 - 2) + 1);

/** A seed for each field that is one, by key. */
export const randomSeeds = (form: Form): [string, Json][] =>
  form.fields.filter(({ kind }) => kind === 'seed').map((field) => [field.key, randomSeed(field)]);

/** What the fields of a form are in a prompt, by key. */
export function valuesIn(form: Form, prompt: Json): { [key: string]: Json } {
  const values: { [key: string]: Json } = {};
  for (const { key, node_id: id, input } of form.fields) {
    const node = objectIn(objectIn(prompt)[id]);
    const value = objectIn(node.inputs)[input] as Json | undefined;
    if (isPlainValue(value)) values[key] = value;
  }
  return values;
}
