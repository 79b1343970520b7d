/** Saved workflows in the OpenAPI document: an operation each, with the types of its own fields. */
import { Type, type TSchema } from 'typebox';
import type { Form, FormField } from '../../workflow/form/form.ts';
import { plain } from './validate.ts';
import { FormRunResult, runMembers } from './form-schemas.ts';
import type { Route } from './route.ts';

/** Enumerations longer than this are left to the form: models may be thousands. */
const LONGEST_ENUM = 200;

/** The row that documents the run of one workflow; the general route answers it. */
export function formOperation(id: string, form: Form): Route {
  const properties = Object.fromEntries(form.fields.map((field) => [field.name, schemaOf(field)]));
  const body: TSchema = Type.Object(
    {
      values: Type.Optional(Type.Object(properties, { additionalProperties: false })),
      ...runMembers,
    },
    { additionalProperties: false },
  );
  const shown = form.fields.filter(({ advanced, hidden }) => !advanced && !hidden);
  return {
    method: 'post',
    path: `/v1/workflows/${encodeURIComponent(id)}/run`,
    id: `run_${id.replaceAll(/[^A-Za-z0-9]+/g, '_')}`,
    tag: 'Forms',
    summary: form.title === '' ? `Run ${id}` : form.title,
    description: form.description === '' ? undefined : form.description,
    body,
    bodyExample: {
      values: Object.fromEntries(shown.map((field) => [field.name, plain(field.default)])),
      wait: 60,
    },
    responses: {
      200: { description: 'The job has finished, one way or another.', schema: FormRunResult },
      202: { description: 'The job waits or runs.', schema: FormRunResult },
    },
    run: () => {
      throw new Error('documents only');
    },
  };
}

function schemaOf(field: FormField): TSchema {
  const { label, help, min, max, options, default: value } = field;
  const said = {
    description: help === '' ? label : `${label}: ${help}`,
    ...(value === null ? {} : { default: plain(value) }),
  };
  const range = {
    ...(min === null ? {} : { minimum: min }),
    ...(max === null ? {} : { maximum: max }),
  };
  switch (field.kind) {
    case 'int':
    case 'seed':
      return Type.Integer({ ...said, ...range });
    case 'float':
      return Type.Number({ ...said, ...range });
    case 'bool':
      return Type.Boolean(said);
    case 'select':
    case 'model':
      return options === null || options.length === 0 || options.length > LONGEST_ENUM
        ? Type.Unsafe<unknown>({ type: ['string', 'number'], ...said })
        : Type.Unsafe<unknown>({ enum: [...options], ...said });
    default:
      return Type.String(said);
  }
}
