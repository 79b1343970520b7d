import { signal } from '@preact/signals';
import type { Form, FormField } from '../../engine/workflow/form/form.ts';
import type { RefusedValue, Value, Values } from './api.ts';
import { defaultsOf, randomSeed } from './values.ts';

export type FormModel = ReturnType<typeof createFormModel>;

/** A form as somebody fills it in: values by key, what is wrong with them, and which seeds are drawn. */
export function createFormModel(form: Form, initial: Values = {}) {
  const known = new Set(form.fields.map(({ key }) => key));
  const given = Object.entries(initial).filter(([key]) => known.has(key));
  const values = signal<Values>({ ...defaultsOf(form), ...Object.fromEntries(given) });
  const errors = signal<Readonly<Record<string, string>>>({});
  const seeds = form.fields.filter(({ kind }) => kind === 'seed');
  /** Keys of seeds that every run draws anew. */
  const drawn = signal<ReadonlySet<string>>(new Set(seeds.map(({ key }) => key)));

  return {
    form,
    values,
    errors,
    drawn,
    set(key: string, value: Value): void {
      values.value = { ...values.value, [key]: value };
      if (!(key in errors.value)) return;
      const { [key]: _, ...others } = errors.value;
      errors.value = others;
    },
    setAll(all: Values): void {
      const fit = Object.entries(all).filter(([key]) => known.has(key));
      values.value = { ...values.value, ...Object.fromEntries(fit) };
      errors.value = {};
    },
    reset(): void {
      values.value = defaultsOf(form);
      errors.value = {};
    },
    drawSeed(key: string, isDrawn: boolean): void {
      const next = new Set(drawn.value);
      if (isDrawn) next.add(key);
      else next.delete(key);
      drawn.value = next;
    },
    /** The values of the next run, with seeds drawn where they are to be; shown in their fields too. */
    next(): Values {
      const fresh = seeds
        .filter(({ key }) => drawn.value.has(key))
        .map((field) => [field.key, randomSeed(field)] as const);
      values.value = { ...values.value, ...Object.fromEntries(fresh) };
      return values.value;
    },
    /** Marks fields that were left empty where the node wants something; true when there are some. */
    findEmpty(isGivenElsewhere: (key: string) => boolean = () => false): boolean {
      const empty = form.fields
        .filter(({ key }) => values.value[key] === null && !isGivenElsewhere(key))
        .map(({ key }) => [key, 'needs a value'] as const);
      errors.value = Object.fromEntries(empty);
      return empty.length > 0;
    },
    /** Puts what the server refused beside its fields; what belongs to none is returned. */
    refuse(parts: readonly RefusedValue[]): readonly string[] {
      const found = parts.map(({ field, detail }) => ({ field: fieldOf(form, field), detail }));
      errors.value = Object.fromEntries(
        found.flatMap(({ field, detail }) => (field === undefined ? [] : [[field.key, detail]])),
      );
      return found.filter(({ field }) => field === undefined).map(({ detail }) => detail);
    },
  };
}

const fieldOf = ({ fields }: Form, named: string | null): FormField | undefined =>
  fields.find(
    ({ key, name, targets }) => named !== null && [key, name, ...targets].includes(named),
  );
