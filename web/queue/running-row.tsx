import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { t } from '../locale/translate.ts';
import { Icon } from '../panels/icons.tsx';
import type { AppParts } from '../panels/parts.ts';
import { createJobsApi, type JobRow } from './jobs-api.ts';
import { JobWords } from './job-words.tsx';
import { liveJob } from './live-job.ts';
import { durationText, timeLeft, typicalDuration } from './time-left.ts';

/** The job that runs: its newest preview, the node that works, how far it is and how long it takes. */
export function RunningRow({ job, parts }: { job: JobRow; parts: AppParts }) {
  const { runner, server, state } = parts;
  const live = liveJob.value?.id === job.id ? liveJob.value : null;
  const now = useSignal(performance.now());
  useEffect(() => {
    const timer = setInterval(() => (now.value = performance.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  const steps = live?.steps ?? job.progress;
  const left = live && timeLeft(live, typicalDuration(job, state.history.value), now.value);
  const title = live === null ? t('Running') : (state.running.value?.title ?? t('Running'));
  const cancel = (): void => {
    if (live !== null) return runner.cancel();
    void createJobsApi(server)
      .cancel(job.id)
      .then(() => runner.refreshLists());
  };
  return (
    <article class="job-row" data-active="true" aria-label={t('Running')}>
      <span class="job-picture">
        {live?.preview ? <img src={live.preview} alt="" /> : <span class="queue-mark" />}
      </span>
      <JobWords
        job={job}
        now={
          <>
            <span class="run-part">
              {title}
              {steps !== null && ` ${steps.value}/${steps.max}`}
            </span>
            {left !== null && <span>{t('about {time} left', { time: durationText(left) })}</span>}
          </>
        }
      />
      <button type="button" aria-label={t('Cancel')} title={t('Cancel')} onClick={cancel}>
        <Icon name="clear" />
      </button>
      <i class="job-progress" style={{ '--part': steps === null ? 0 : steps.value / steps.max }} />
    </article>
  );
}
