import type { ComponentChildren } from 'preact';
import { t } from '../locale/translate.ts';
import type { JobRow } from './jobs-api.ts';

/** What tells a job from others: its workflow, its words, its seed; and what is said of it now. */
export function JobWords({ job, now }: { job: JobRow; now?: ComponentChildren }) {
  const { name, text, seed, nodes } = job;
  return (
    <span class="job-words" title={text}>
      <b>{name ?? t('Workflow of {count} nodes', { count: nodes })}</b>
      {text !== '' && <span class="job-text">{text}</span>}
      <small>
        {seed !== null && <span>{t('Seed {seed}', { seed })}</span>}
        {now}
      </small>
    </span>
  );
}
