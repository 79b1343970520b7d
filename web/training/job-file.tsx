import { useSignal } from '@preact/signals';
import { ServerProblem } from '../api/v1.ts';
import { t } from '../locale/translate.ts';
import { toast } from '../state.ts';
import { messageOf, textOf } from '../text.ts';
import type { JobCheck, RunDetail } from './api.ts';
import { Findings } from './findings.tsx';
import type { TrainingParts } from './parts.ts';
import type { RunLive } from './run-live.ts';
import { isActive } from './run-words.ts';

interface JobFileParts {
  readonly run: RunDetail;
  readonly live: RunLive;
  readonly parts: TrainingParts;
}

/** The job file of a run: to be read, and changed while nothing trains by it. */
export function JobFile({ run, live, parts }: JobFileParts) {
  const { api, state } = parts;
  const text = useSignal<string | null>(null);
  const errors = useSignal<JobCheck['errors']>([]);
  const open = async (): Promise<void> => {
    if (text.value !== null) return;
    try {
      text.value = await api.config(run.name);
    } catch (error) {
      toast(state, messageOf(error), 'error');
    }
  };
  const save = async (): Promise<void> => {
    errors.value = [];
    try {
      await live.change(() => api.changeConfig(run.name, text.value ?? ''));
      text.value = await api.config(run.name);
      toast(state, t('The job file is saved'));
    } catch (error) {
      const list = error instanceof ServerProblem ? error.parts : [];
      errors.value = list.map(({ detail }) => ({ detail: textOf(detail) }));
      if (list.length === 0) toast(state, messageOf(error), 'error');
    }
  };
  return (
    <>
      <Findings check={{ warnings: run.warnings, substitutions: run.substitutions }} />
      <details class="job-file" onToggle={(e) => e.currentTarget.open && void open()}>
        <summary>{t('Job file')}</summary>
        <textarea
          aria-label={t('Job file')}
          rows={20}
          spellcheck={false}
          readOnly={isActive(run)}
          value={text.value ?? ''}
          onInput={(e) => (text.value = e.currentTarget.value)}
        />
        <Findings check={{ errors: errors.value }} />
        <div class="training-actions">
          <button
            type="button"
            disabled={isActive(run) || text.value === null}
            onClick={() => void save()}
          >
            {t('Save the job file')}
          </button>
          {isActive(run) && <small>{t('It can be changed while the run is paused.')}</small>}
        </div>
      </details>
    </>
  );
}
