import type { ComponentType } from 'preact';
import type { FieldKind, FormField } from '../../engine/workflow/form/form.ts';
import type { Server } from '../api/server.ts';
import { t } from '../locale/translate.ts';
import type { State } from '../state.ts';
import type { FieldParts } from './field-parts.ts';
import { FileField } from './file-field.tsx';
import type { FormModel } from './model.ts';
import { NumberField, SeedField } from './number-fields.tsx';
import { SizePresets } from './size-field.tsx';
import { ChoiceField, LongTextField, SwitchField, TextField } from './text-fields.tsx';

/** The control for each kind of field. */
const controls: Readonly<Record<FieldKind, ComponentType<FieldParts>>> = {
  text: TextField,
  longtext: LongTextField,
  int: NumberField,
  float: NumberField,
  bool: SwitchField,
  select: ChoiceField,
  model: ChoiceField,
  seed: SeedField,
  image: FileField,
  mask: FileField,
  video: FileField,
  audio: FileField,
};

interface FieldsParts {
  readonly fields: readonly FormField[];
  readonly model: FormModel;
  readonly server: Server;
  readonly state: State;
}

/** Fields under the headings of their sections. */
export function Fields({ fields, ...parts }: FieldsParts) {
  const sections = new Map<string, FormField[]>();
  for (const field of fields) {
    sections.set(field.section, [...(sections.get(field.section) ?? []), field]);
  }
  return [...sections].map(([title, list]) => {
    const heading = title === '' ? undefined : title;
    return (
      <fieldset key={title} class="form-section">
        {heading !== undefined && <legend>{t(heading)}</legend>}
        {list.map((field) => (
          <Field key={field.key} field={field} siblings={list} {...parts} />
        ))}
      </fieldset>
    );
  });
}

type OneField = Omit<FieldsParts, 'fields'> & {
  readonly field: FormField;
  readonly siblings: readonly FormField[];
};

function Field({ field, siblings, model, server, state }: OneField) {
  const id = `field-${field.key.replaceAll(/[^\w-]/g, '-')}`;
  const error = model.errors.value[field.key];
  const Control = controls[field.kind];
  const describedBy = [
    ...(field.help === '' ? [] : [`${id}-help`]),
    ...(error === undefined ? [] : [`${id}-error`]),
  ];
  const described = {
    ...(describedBy.length === 0 ? {} : { 'aria-describedby': describedBy.join(' ') }),
    ...(error === undefined ? {} : ({ 'aria-invalid': 'true' } as const)),
  };
  const height =
    field.role === 'width' ? siblings.find(({ role }) => role === 'height') : undefined;
  return (
    <>
      {height !== undefined && <SizePresets width={field} height={height} model={model} />}
      <div
        class="form-field"
        data-kind={field.kind}
        data-role={field.role}
        data-invalid={error !== undefined}
      >
        <label for={id}>{t(field.label)}</label>
        <Control
          id={id}
          field={field}
          value={model.values.value[field.key] ?? null}
          set={(value) => model.set(field.key, value)}
          model={model}
          server={server}
          state={state}
          described={described}
        />
        {field.help !== '' && (
          <small id={`${id}-help`} class="form-help">
            {t(field.help)}
          </small>
        )}
        {error !== undefined && (
          <p id={`${id}-error`} class="form-error">
            {t(error)}
          </p>
        )}
      </div>
    </>
  );
}
