import { t } from '../locale/translate.ts';
import { Icon } from '../panels/icons.tsx';
import type { AppParts } from '../panels/parts.ts';
import { SidePanel } from '../panels/side-panel.tsx';
import { ask } from '../state.ts';
import { FinishedRow } from './finished-row.tsx';
import { createJobsApi } from './jobs-api.ts';
import { RunningRow } from './running-row.tsx';
import { WaitingRows } from './waiting-rows.tsx';

/** What runs, what waits in which order, and what was made. */
export function QueuePanel(parts: AppParts) {
  const { runner, server, state } = parts;
  const { paused, running, pending, pendingCount } = state.queue.value;
  const history = state.history.value;
  const jobs = createJobsApi(server);
  const pause = (): void => void jobs.pause(!paused).then(() => runner.refreshLists());
  return (
    <SidePanel
      title={t('Queue')}
      state={state}
      className="queue"
      actions={
        <>
          <button type="button" class="text" aria-pressed={paused} onClick={pause}>
            <Icon name={paused ? 'play' : 'pause'} />
            {paused ? t('Resume') : t('Pause')}
          </button>
          {pendingCount > 0 && (
            <button type="button" class="text" onClick={() => void clearQueue(parts)}>
              {t('Clear queue')}
            </button>
          )}
          {history.length > 0 && (
            <button type="button" class="text" onClick={() => void clearHistory(parts)}>
              {t('Clear history')}
            </button>
          )}
        </>
      }
    >
      {paused && (
        <p class="queue-paused" role="status">
          {t('The queue is paused: nothing new is started.')}
        </p>
      )}
      {running.map((job) => (
        <RunningRow key={job.id} job={job} parts={parts} />
      ))}
      {pending.length > 0 && <WaitingRows parts={parts} jobs={jobs} />}
      {pendingCount > pending.length && (
        <p class="empty">{t('and {count} more', { count: pendingCount - pending.length })}</p>
      )}
      {history.length > 0 && running.length + pending.length > 0 && <h3>{t('Finished')}</h3>}
      {history.map((job) => (
        <FinishedRow key={job.id} job={job} parts={parts} jobs={jobs} />
      ))}
      {running.length + pending.length + history.length === 0 && (
        <p class="empty">{t('Nothing yet. Press Queue, or Ctrl Enter.')}</p>
      )}
    </SidePanel>
  );
}

async function clearQueue({ runner, state }: AppParts): Promise<void> {
  const count = state.queue.value.pendingCount;
  const answer = await ask(state, {
    title: t('Clear the queue?'),
    text: t('{count} waiting jobs are dropped. What runs goes on.', { count }),
    confirm: t('Clear queue'),
    danger: true,
  });
  if (answer !== null) await runner.clearQueue();
}

/** Forgets all jobs on the server, after asking: what made the pictures is lost with them. */
async function clearHistory({ runner, server, state }: AppParts): Promise<void> {
  const answer = await ask(state, {
    title: t('Clear the history?'),
    text: t(
      'All finished jobs go from this list, for every window. Their pictures stay in the gallery.',
    ),
    confirm: t('Clear history'),
    danger: true,
  });
  if (answer === null) return;
  await server.clearHistory();
  await runner.refreshLists();
}
