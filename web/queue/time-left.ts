import { t } from '../locale/translate.ts';
import type { JobRow } from './jobs-api.ts';
import type { LiveJob } from './live-job.ts';

/** Jobs that are looked at for how long one like them takes. */
const looked = 5;

/** Milliseconds that a job like this one took lately (the median); null when there was none. */
export function typicalDuration(job: JobRow, finished: readonly JobRow[]): number | null {
  const done = finished.filter(
    ({ status, duration }) => status === 'completed' && duration !== null,
  );
  const alike = done.filter(({ name, nodes }) => name === job.name && nodes === job.nodes);
  const times = alike
    .slice(0, looked)
    .map(({ duration }) => duration as number)
    .sort((a, b) => a - b);
  return times.length === 0 ? null : times[Math.floor(times.length / 2)];
}

/**
 * Milliseconds until the running job ends: by the pace of its steps, and by what jobs like it took
 * (loading and decoding have no steps); null while neither is known.
 */
export function timeLeft(
  live: Pick<LiveJob, 'startedAt' | 'steps'>,
  typical: number | null,
  now: number,
): number | null {
  const { steps, startedAt } = live;
  const done = steps === null ? 0 : steps.value - steps.first;
  const bySteps =
    steps === null || done <= 0 ? null : ((now - steps.firstAt) / done) * (steps.max - steps.value);
  const byOthers = typical === null ? null : Math.max(0, typical - (now - startedAt));
  if (bySteps === null) return byOthers;
  return Math.max(bySteps, byOthers ?? 0);
}

/** A stretch of time as people say it; fractions of a second are none. */
export function durationText(milliseconds: number): string {
  const seconds = Math.max(1, Math.round(milliseconds / 1000));
  if (seconds < 60) return t('{count} s', { count: seconds });
  if (seconds < 3600) {
    return t('{minutes} min {seconds} s', {
      minutes: Math.floor(seconds / 60),
      seconds: seconds % 60,
    });
  }
  return t('{hours} h {minutes} min', {
    hours: Math.floor(seconds / 3600),
    minutes: Math.round((seconds % 3600) / 60),
  });
}
