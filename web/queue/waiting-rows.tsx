import { useSignal } from '@preact/signals';
import { isRecord } from '../graph/input-spec.ts';
import { t } from '../locale/translate.ts';
import { Icon } from '../panels/icons.tsx';
import type { AppParts } from '../panels/parts.ts';
import { toast } from '../state.ts';
import { messageOf } from '../text.ts';
import type { createJobsApi, JobRow } from './jobs-api.ts';
import { JobWords } from './job-words.tsx';
import { liveJob } from './live-job.ts';
import { durationText, timeLeft, typicalDuration } from './time-left.ts';

interface WaitingParts {
  readonly parts: AppParts;
  readonly jobs: ReturnType<typeof createJobsApi>;
}

const dragged = 'application/x-noodle-job';

/** The waiting jobs; they are dragged, or moved with Alt and the arrow keys, to another place. */
export function WaitingRows({ parts, jobs }: WaitingParts) {
  const { runner, state } = parts;
  const { pending } = state.queue.value;
  /** Where a dragged job would go: before this row. */
  const gap = useSignal<number | null>(null);
  const said = (action: Promise<unknown>): void => {
    action
      .catch((error: unknown) => toast(state, messageOf(error), 'error'))
      .finally(() => void runner.refreshLists());
  };
  /** Moves a job before the one in row `to` at once, and on the server. */
  const move = (id: string, to: number): void => {
    const before = pending[to] as JobRow | undefined;
    const job = pending.find((each) => each.id === id);
    if (job === undefined || before?.id === id) return;
    const others = pending.filter((each) => each !== job);
    const place = before === undefined ? others.length : others.indexOf(before);
    state.queue.value = { ...state.queue.value, pending: others.toSpliced(place, 0, job) };
    said(jobs.moveBefore(id, before?.id ?? null));
  };
  /** What was only waiting can be had back. */
  const remove = async (id: string): Promise<void> => {
    const answer = await jobs.cancel(id);
    if (!isRecord(answer) || answer.status !== 'cancelled') return;
    const undo = { label: t('Undo'), run: () => said(jobs.restore(id)) };
    toast(state, t('Removed from the queue'), 'info', undo);
  };
  const starts = startTimes(parts);
  return (
    <div class="waiting-rows" role="list" aria-label={t('Waiting')}>
      {pending.map((job, i) => (
        <div
          key={job.id}
          class="job-row"
          role="listitem"
          draggable
          data-gap={gap.value === i ? 'before' : gap.value === i + 1 ? 'after' : undefined}
          onDragStart={(event) => event.dataTransfer?.setData(dragged, job.id)}
          onDragOver={(event) => {
            if (event.dataTransfer?.types.includes(dragged) !== true) return;
            event.preventDefault();
            const { top, height } = event.currentTarget.getBoundingClientRect();
            gap.value = event.clientY < top + height / 2 ? i : i + 1;
          }}
          onDragEnd={() => (gap.value = null)}
          onDrop={(event) => {
            const id = event.dataTransfer?.getData(dragged) ?? '';
            if (id === '' || gap.value === null) return;
            event.preventDefault();
            event.stopPropagation();
            move(id, gap.value);
            gap.value = null;
          }}
        >
          <span class="job-picture job-position" title={t('Place in the queue')}>
            {i + 1}
          </span>
          <JobWords
            job={job}
            now={
              starts[i] !== null && (
                <span>{t('in about {time}', { time: durationText(starts[i]) })}</span>
              )
            }
          />
          <button
            type="button"
            data-own-keys="alt+arrowup alt+arrowdown"
            aria-label={t('Move to the front')}
            title={`${t('Move to the front')} (Alt ↑, Alt ↓)`}
            onClick={() => said(jobs.moveToFront(job.id))}
            onKeyDown={(event) => {
              const to = event.altKey ? { ArrowUp: i - 1, ArrowDown: i + 2 }[event.key] : undefined;
              if (to === undefined || to < 0 || to > pending.length) return;
              event.preventDefault();
              move(job.id, to);
            }}
          >
            <Icon name="front" />
          </button>
          <button
            type="button"
            aria-label={t('Remove from the queue')}
            title={t('Remove')}
            onClick={() => said(remove(job.id))}
          >
            <Icon name="clear" />
          </button>
        </div>
      ))}
    </div>
  );
}

/** Milliseconds until each waiting job starts; null where that cannot be told. */
function startTimes({ state }: AppParts): (number | null)[] {
  const { paused, running, pending } = state.queue.value;
  const history = state.history.value;
  const live = liveJob.value;
  let at: number | null = paused ? null : 0;
  for (const job of running) {
    const typical = typicalDuration(job, history);
    const left = live?.id === job.id ? timeLeft(live, typical, performance.now()) : typical;
    at = at === null || left === null ? null : at + left;
  }
  return pending.map((job) => {
    const start = at;
    const typical = typicalDuration(job, history);
    at = at === null || typical === null ? null : at + typical;
    return start === 0 ? null : start;
  });
}
