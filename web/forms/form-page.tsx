import { useSignal } from '@preact/signals';
import { lazy, Suspense } from 'preact/compat';
import { t } from '../locale/translate.ts';
import { Icon } from '../panels/icons.tsx';
import { toast } from '../state.ts';
import { Fields } from './fields.tsx';
import { MoreRuns } from './more-runs.tsx';
import { titleOf } from './open-form.ts';
import type { FormPageParts } from './parts.ts';
import { Results } from './results.tsx';
import { startOne } from './start-runs.ts';
import { linkFragment } from './values.ts';

const Builder = lazy(async () => ({ default: (await import('./builder.tsx')).Builder }));

/** A form beside what it made. */
export function FormPage(parts: FormPageParts) {
  const { form, model, api, state } = parts;
  const isEditing = useSignal(location.hash === '#edit');
  const { id, description, fields, warnings } = form.value;
  const shown = fields.filter(({ hidden, advanced }) => !hidden && !advanced);
  const advanced = fields.filter((field) => !field.hidden && field.advanced);
  return (
    <main class="run-page">
      <section class="run-form" aria-label={t('Form')}>
        <header>
          <a class="run-link" href="ui/run" aria-label={t('All forms')} title={t('All forms')}>
            <Icon name="back" />
          </a>
          <h1>{t(titleOf(form.value))}</h1>
          <button
            type="button"
            aria-label={t('Copy a link to these values')}
            title={t('Copy a link to these values')}
            onClick={() => void share(parts)}
          >
            <Icon name="link" />
          </button>
          <button
            type="button"
            aria-label={t('Back to the first values')}
            title={t('Back to the first values')}
            onClick={parts.reset}
          >
            <Icon name="undo" />
          </button>
          <button
            type="button"
            aria-label={t('Edit the form')}
            aria-pressed={isEditing.value}
            title={t('Edit the form')}
            onClick={() => (isEditing.value = !isEditing.value)}
          >
            <Icon name="pencil" />
          </button>
        </header>
        {isEditing.value ? (
          <Suspense fallback={null}>
            <Builder
              form={form.value}
              values={model.value.values.value}
              close={() => (isEditing.value = false)}
              save={async (choice) => {
                parts.changed(await api.choose(id, choice));
                toast(state, t('The form is saved'));
              }}
            />
          </Suspense>
        ) : (
          <form
            noValidate
            onSubmit={(e) => {
              e.preventDefault();
              void startOne(parts);
            }}
            onKeyDown={(e) => {
              if (e.key !== 'Enter' || !(e.ctrlKey || e.metaKey)) return;
              e.preventDefault();
              void startOne(parts);
            }}
          >
            {description !== '' && <p class="soft">{t(description)}</p>}
            <Fields fields={shown} model={model.value} server={parts.server} state={state} />
            {advanced.length > 0 && (
              <details class="form-advanced">
                <summary>{t('Advanced')}</summary>
                <Fields fields={advanced} model={model.value} server={parts.server} state={state} />
              </details>
            )}
            {warnings.length > 0 && (
              <details class="form-advanced">
                <summary>{t('Notes on this workflow')}</summary>
                {warnings.map((warning) => (
                  <p key={warning} class="soft">
                    {warning}
                  </p>
                ))}
              </details>
            )}
            <div class="run-bar">
              <button type="submit" class="run-button" title="Ctrl Enter">
                <Icon name="play" />
                {t('Run')}
              </button>
            </div>
          </form>
        )}
        {!isEditing.value && <MoreRuns {...parts} />}
      </section>
      <Results {...parts} />
    </main>
  );
}

/** Puts the values into the address and the address into the clipboard. */
async function share({ form, model, state }: FormPageParts): Promise<void> {
  const fragment = linkFragment(form.value, model.value.values.value);
  const address = `${location.pathname}${location.search}${fragment === '' ? '' : `#${fragment}`}`;
  history.replaceState(null, '', address);
  try {
    await navigator.clipboard.writeText(location.href);
    toast(state, t('The link is in the clipboard'));
  } catch {
    toast(state, t('The link is in the address bar'));
  }
}
