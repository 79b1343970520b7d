import { useSignal } from '@preact/signals';
import { t } from '../locale/translate.ts';
import { Icon } from '../panels/icons.tsx';
import { messageOf } from '../text.ts';
import type { Run } from './api.ts';
import type { TrainingParts } from './parts.ts';
import { usePolling } from './polling.ts';
import { isActive, stateText, stepText } from './run-words.ts';
import { addressOf } from './view.ts';

/** All runs, the newest first. */
export function RunsView({ api }: TrainingParts) {
  const runs = useSignal<readonly Run[] | null>(null);
  const problem = useSignal('');
  usePolling(async () => {
    try {
      runs.value = await api.runs();
      problem.value = '';
    } catch (error) {
      problem.value = messageOf(error);
    }
    return runs.value?.some(isActive) === true ? 2000 : 10_000;
  }, []);
  return (
    <section class="training-body" aria-label={t('Runs')}>
      <div class="training-actions">
        <a class="training-button" href={addressOf({ page: 'new' })}>
          <Icon name="plus" />
          {t('New run')}
        </a>
      </div>
      {problem.value !== '' && (
        <p class="form-error" role="alert">
          {problem.value}
        </p>
      )}
      {runs.value?.length === 0 && (
        <p class="empty run-nothing">
          <Icon name="curve" />
          {t('Nothing was trained yet. Put pictures into a data set, then begin a run.')}
        </p>
      )}
      <ul class="training-runs">
        {(runs.value ?? []).map((run) => (
          <RunRow key={run.name} run={run} />
        ))}
      </ul>
    </section>
  );
}

function RunRow({ run }: { run: Run }) {
  return (
    <li>
      <a href={addressOf({ page: 'run', name: run.name })}>
        <span class="training-picture">
          {run.picture === null ? <Icon name="image" /> : <img src={run.picture.slice(1)} alt="" />}
        </span>
        <span class="training-about">
          <strong>{run.name}</strong>
          <small>{run.error ?? stepText(run)}</small>
          {run.steps !== null && run.steps > 0 && (
            <progress max={run.steps} value={run.step} aria-label={t('Progress')} />
          )}
        </span>
        <span class="training-state" data-state={run.state}>
          {stateText(run.state)}
        </span>
      </a>
    </li>
  );
}
