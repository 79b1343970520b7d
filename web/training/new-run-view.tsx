import { effect, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { Fields } from '../forms/fields.tsx';
import { t } from '../locale/translate.ts';
import { Icon } from '../panels/icons.tsx';
import { messageOf } from '../text.ts';
import { Findings } from './findings.tsx';
import { type NewRun, openNewRun } from './new-run.ts';
import type { TrainingParts } from './parts.ts';
import { addressOf } from './view.ts';

/** A new run: filled into a form, or written as a job file. */
export function NewRunView(parts: TrainingParts) {
  const opened = useSignal<NewRun | null>(null);
  const problem = useSignal('');
  useEffect(() => {
    openNewRun(parts)
      .then((run) => (opened.value = run))
      .catch((error: unknown) => (problem.value = messageOf(error)));
  }, []);
  const run = opened.value;
  return (
    <section class="training-body training-new" aria-label={t('New run')}>
      <header class="run-head">
        <a
          class="run-link"
          href={addressOf({ page: 'runs' })}
          aria-label={t('All runs')}
          title={t('All runs')}
        >
          <Icon name="back" />
        </a>
        <h2>{t('New run')}</h2>
      </header>
      {problem.value !== '' && (
        <p class="form-error" role="alert">
          {problem.value}
        </p>
      )}
      {run !== null && <Job run={run} parts={parts} />}
    </section>
  );
}

interface JobParts {
  readonly run: NewRun;
  readonly parts: TrainingParts;
}

function Job({ run, parts }: JobParts) {
  const isBusy = useSignal(false);
  const isForm = run.way.value === 'form';
  // What was typed outlasts the visit, but for the name.
  useEffect(() => effect(() => run.kept.write({ ...run.model.values.value, name: '' })), []);
  const create = (start: boolean): void => {
    isBusy.value = true;
    void run.create(start).finally(() => (isBusy.value = false));
  };
  return (
    <form
      noValidate
      onSubmit={(e) => {
        e.preventDefault();
        create(true);
      }}
    >
      <div class="more-ways" role="group" aria-label={t('How the job is said')}>
        <button type="button" aria-pressed={isForm} onClick={run.toForm}>
          {t('Form')}
        </button>
        <button type="button" aria-pressed={!isForm} onClick={() => void run.toYaml()}>
          {t('Job file')}
        </button>
      </div>
      {isForm ? <SettingsForm run={run} parts={parts} /> : <YamlForm run={run} />}
      <Findings check={run.check.value} />
      <div class="training-actions">
        <button type="submit" class="training-button" disabled={isBusy.value}>
          <Icon name="play" />
          {t('Start')}
        </button>
        <button type="button" disabled={isBusy.value} onClick={() => create(false)}>
          {t('Make it, start later')}
        </button>
      </div>
    </form>
  );
}

function SettingsForm({ run, parts }: JobParts) {
  const { model, choices, form } = run;
  const { server, state } = parts;
  return (
    <>
      {choices.datasets.length === 0 && (
        <p class="training-problem">
          {t('There is no data set with pictures yet.')}{' '}
          <a href={addressOf({ page: 'datasets' })}>{t('Data sets')}</a>
        </p>
      )}
      <div class="training-fields">
        <Fields
          fields={form.fields.filter(({ advanced }) => !advanced)}
          model={model}
          server={server}
          state={state}
        />
      </div>
      <details class="form-advanced">
        <summary>{t('Advanced')}</summary>
        <div class="training-fields">
          <Fields
            fields={form.fields.filter(({ advanced }) => advanced)}
            model={model}
            server={server}
            state={state}
          />
        </div>
      </details>
    </>
  );
}

/** Milliseconds of rest after which what was typed is checked. */
const REST = 700;

function YamlForm({ run }: { readonly run: NewRun }) {
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = run.yaml.subscribe(() => {
      clearTimeout(timer);
      timer = setTimeout(() => void run.checkYaml(), REST);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, []);
  return (
    <div class="form-field">
      <label for="job-yaml">{t('A job of ai-toolkit, as YAML')}</label>
      <textarea
        id="job-yaml"
        class="job-text"
        rows={24}
        spellcheck={false}
        value={run.yaml.value}
        onInput={(e) => run.setYaml(e.currentTarget.value)}
      />
      <small class="form-help">
        {t(
          'Data sets and models are named, not written as paths: they lie in the folders of the server.',
        )}
      </small>
    </div>
  );
}
