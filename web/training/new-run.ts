import { signal } from '@preact/signals';
import { ServerProblem } from '../api/v1.ts';
import { createFormModel } from '../forms/model.ts';
import { keptValues } from '../forms/values.ts';
import { t } from '../locale/translate.ts';
import { toast } from '../state.ts';
import { messageOf, textOf } from '../text.ts';
import type { JobCheck, JobSource } from './api.ts';
import type { Choices } from './fields.ts';
import type { TrainingParts } from './parts.ts';
import { formOf, isOpen, settingsOf } from './settings-form.ts';
import { show } from './view.ts';

export type NewRun = Awaited<ReturnType<typeof openNewRun>>;

/** A run that is not made yet: a form, or a job file in words. What was typed outlasts a visit. */
export async function openNewRun({ api, state }: TrainingParts) {
  const [options, datasets] = await Promise.all([api.options(), api.datasets()]);
  const choices: Choices = {
    ...options,
    datasets: datasets.filter(({ pictures }) => pictures > 0).map(({ name }) => name),
  };
  const form = formOf(choices);
  const kept = keptValues(localStorage, 'training');
  const model = createFormModel(form, kept.read());
  const yaml = signal(sessionStorage.getItem(YAML) ?? '');
  const check = signal<Partial<JobCheck>>({});
  const way = signal<'form' | 'yaml'>(yaml.value === '' ? 'form' : 'yaml');

  const formSource = (): JobSource => {
    const settings = settingsOf(model.values.value, choices);
    const name = textOf(model.values.value.name).trim();
    return { ...(name === '' ? {} : { name }), settings };
  };
  const refused = (error: unknown): void => {
    const parts = error instanceof ServerProblem ? error.parts : [];
    const loose = model.refuse(
      parts.map(({ pointer, detail }) => ({
        field: fieldAt(textOf(pointer)),
        detail: textOf(detail),
      })),
    );
    check.value = { errors: loose.map((detail) => ({ detail })) };
    if (parts.length === 0) toast(state, messageOf(error), 'error');
  };

  return {
    form,
    model,
    choices,
    yaml,
    way,
    check,
    kept,
    /** Shows the form's job as a job file, to be changed. */
    toYaml: async (): Promise<void> => {
      try {
        const found = await api.check(formSource());
        yaml.value = found.yaml;
        check.value = found;
        way.value = 'yaml';
      } catch (error) {
        refused(error);
      }
    },
    toForm: (): void => {
      way.value = 'form';
      check.value = {};
    },
    setYaml: (text: string): void => {
      yaml.value = text;
      sessionStorage.setItem(YAML, text);
    },
    /** Says what is wrong with the job file as it stands. */
    checkYaml: async (): Promise<void> => {
      const text = yaml.value;
      if (text.trim() === '') {
        check.value = {};
        return;
      }
      try {
        const found = await api.check({ yaml: text });
        if (text === yaml.value) check.value = found;
      } catch (error) {
        refused(error);
      }
    },
    /** Makes the run and shows it. */
    create: async (start: boolean): Promise<void> => {
      const isForm = way.value === 'form';
      if (isForm && model.findEmpty(isOpen)) {
        toast(state, t('Some fields need a value'), 'error');
        return;
      }
      try {
        const source = isForm ? formSource() : { yaml: yaml.value };
        const { name } = await api.create(source, start);
        sessionStorage.removeItem(YAML);
        model.set('name', '');
        show({ page: 'run', name });
      } catch (error) {
        refused(error);
      }
    },
  };
}

const YAML = 'noodle.training.yaml';

/** The field that a place in the request is about. */
function fieldAt(pointer: string): string | null {
  const [, first = '', second = ''] = pointer.split('/');
  if (first !== 'settings') return first === '' ? null : first;
  return second === 'datasets' ? 'dataset' : second === '' ? null : second;
}
