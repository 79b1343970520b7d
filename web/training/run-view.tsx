import { useSignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import { t } from '../locale/translate.ts';
import { Icon } from '../panels/icons.tsx';
import { ask, toast } from '../state.ts';
import { messageOf } from '../text.ts';
import type { RunDetail, Save } from './api.ts';
import { JobFile } from './job-file.tsx';
import { LossChart } from './loss-chart.tsx';
import type { TrainingParts } from './parts.ts';
import { usePolling } from './polling.ts';
import { createRunLive, type RunLive } from './run-live.ts';
import { isActive, numberText, stateText, stepText } from './run-words.ts';
import { SamplesGrid } from './samples-grid.tsx';
import { addressOf, show } from './view.ts';

/** A run: how far it is, its curve, its samples, and what it saved. */
export function RunView(parts: TrainingParts & { readonly name: string }) {
  const { api, name, state } = parts;
  const live = useMemo(() => createRunLive(name, api), [name]);
  usePolling(live.look, [live, live.changes.value]);
  const run = live.run.value;
  return (
    <section class="training-body" aria-label={name}>
      <header class="run-head">
        <a
          class="run-link"
          href={addressOf({ page: 'runs' })}
          aria-label={t('All runs')}
          title={t('All runs')}
        >
          <Icon name="back" />
        </a>
        <h2>{name}</h2>
        {run !== null && (
          <span class="training-state" data-state={run.state} role="status">
            {stateText(run.state)}
          </span>
        )}
        <span class="grow" />
        {run !== null && <Actions run={run} live={live} parts={parts} />}
      </header>
      {live.problem.value !== '' && (
        <p class="form-error" role="alert">
          {live.problem.value}
        </p>
      )}
      {run !== null && (
        <>
          <Progress run={run} />
          {run.error !== null && (
            <p class="training-problem" role="alert">
              {run.error}
            </p>
          )}
          <h3>{t('Loss')}</h3>
          <LossChart losses={live.losses.value} />
          <h3>{t('Samples')}</h3>
          <SamplesGrid samples={live.samples.value} prompts={run.prompts} state={state} />
          <h3>{t('Files')}</h3>
          <Saves saves={live.saves.value} />
          <JobFile run={run} live={live} parts={parts} />
        </>
      )}
    </section>
  );
}

interface RunParts {
  readonly run: RunDetail;
  readonly live: RunLive;
  readonly parts: TrainingParts;
}

function Actions({ run, live, parts }: RunParts) {
  const { api, state } = parts;
  const { name } = run;
  const isBusy = useSignal(false);
  const act = async (what: () => Promise<unknown>): Promise<void> => {
    isBusy.value = true;
    try {
      await what();
    } catch (error) {
      toast(state, messageOf(error), 'error');
    } finally {
      isBusy.value = false;
    }
  };
  const change = (what: (name: string) => Promise<RunDetail>): void =>
    void act(() => live.change(() => what(name)));
  const remove = async (): Promise<void> => {
    const answer = await ask(state, {
      title: t('Delete the run {name}?', { name }),
      text: t('Its weights, samples and losses are deleted too. This cannot be undone.'),
      confirm: t('Delete'),
      danger: true,
    });
    if (answer === null) return;
    await act(async () => {
      await api.remove(name);
      show({ page: 'runs' });
    });
  };
  const isEnding = run.state === 'pausing' || run.state === 'stopping';
  const canStop = isActive(run) || run.state === 'paused' || run.state === 'interrupted';
  return (
    <div class="training-actions">
      {isActive(run) ? (
        <button
          type="button"
          disabled={isBusy.value || isEnding}
          title={t('It ends its step and saves; it can go on later')}
          onClick={() => change(api.pause)}
        >
          <Icon name="pause" />
          {t('Pause')}
        </button>
      ) : (
        <button
          type="button"
          class={run.state === 'finished' ? '' : 'training-button'}
          disabled={isBusy.value}
          onClick={() => change(api.start)}
        >
          <Icon name="play" />
          {run.state === 'new' ? t('Start') : t('Go on')}
        </button>
      )}
      {canStop && (
        <button
          type="button"
          disabled={isBusy.value || run.state === 'stopping'}
          title={t('It ends its step and saves, and counts as done')}
          onClick={() => change(api.stop)}
        >
          <Icon name="stop" />
          {t('Stop')}
        </button>
      )}
      {!isActive(run) && (
        <button type="button" disabled={isBusy.value} onClick={() => void remove()}>
          <Icon name="trash" />
          {t('Delete')}
        </button>
      )}
    </div>
  );
}

function Progress({ run }: { readonly run: RunDetail }) {
  const { step, steps, loss, rate, seconds_per_step: pace } = run;
  if (steps === null || steps === 0) return null;
  return (
    <div class="run-progress">
      <progress max={steps} value={step} aria-label={t('Progress')} />
      <p>
        <span>{stepText(run)}</span>
        {loss !== null && <span>{t('loss {loss}', { loss: numberText(loss) })}</span>}
        {rate !== null && <span>{t('rate {rate}', { rate: numberText(rate) })}</span>}
        {pace !== null && <span>{t('{count} s a step', { count: numberText(pace) })}</span>}
      </p>
    </div>
  );
}

function Saves({ saves }: { readonly saves: readonly Save[] }) {
  if (saves.length === 0) return <p class="empty">{t('Nothing was saved yet.')}</p>;
  return (
    <ul class="training-saves">
      {saves.map(({ filename, step, bytes, url }) => (
        <li key={filename}>
          <a href={url.slice(1)} download={filename}>
            <Icon name="download" />
            {filename}
          </a>
          <small>
            {step === null ? t('at the end') : t('Step {step}', { step })}
            {', '}
            {t('{size} MB', { size: (bytes / 1e6).toFixed(1) })}
          </small>
        </li>
      ))}
    </ul>
  );
}
