/**
 * Notices to clients when their jobs have come to an end. They lie in the database from the job's
 * submission to their delivery: a restart in between delays a notice and loses none.
 */
import { NoodleError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { Queue } from '../../queue/queue.ts';
import type { ArmedWebhook, WebhookRow, WebhookRows } from '../../queue/webhook-rows.ts';
import type { LeftJob } from '../events.ts';

export interface WebhookOptions {
  readonly queue: Pick<Queue, 'has' | 'job'>;
  /** Where notices lie until they are delivered. */
  readonly rows: WebhookRows;
  /** The text of a notice; addresses in it begin with `base`. */
  readonly payload: (left: LeftJob, base: string) => string;
  /** Posts and answers with the status. */
  readonly post: (
    url: string,
    body: string,
    headers: Readonly<Record<string, string>>,
  ) => Promise<number>;
  readonly log: Log;
  readonly now: () => number;
}

export interface Webhooks {
  /** Throws TOO_MANY when as many notices wait as are kept. */
  checkRoom(): void;
  /** Promises a notice for a job that was submitted just now. */
  add(row: WebhookRow): void;
  jobsLeft(left: readonly LeftJob[]): void;
  /** Takes up what an earlier process left. */
  start(): void;
  stop(): void;
  count(): number;
}

/** Notices that may wait. */
const MAX_WAITING = 10_000;
const AT_ONCE = 4;
const SECOND = 1000;
/** Pauses before the second and further attempts; a notice that failed after the last is dropped. */
const PAUSES = [5, 30, 120, 600, 3600, 4 * 3600].map((seconds) => seconds * SECOND);

/** Delivers notices of the queue's store; nothing is sent before `start`. */
export function createWebhooks(options: WebhookOptions): Webhooks {
  const { queue, rows, payload, post, log, now } = options;
  const sending = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  let running = false;

  /** Whether a notice was promised for the job. */
  const arm = ({ id, job }: LeftJob): boolean => {
    const row = rows.get(id);
    if (row !== undefined) rows.arm(id, payload({ id, job }, row.base), now());
    return row !== undefined;
  };
  const armById = (id: string): boolean => arm({ id, job: queue.job(id) });

  const later = (milliseconds: number): void => {
    clearTimeout(timer);
    timer = setTimeout(pump, milliseconds);
    timer.unref();
  };

  /** Sends what is due, and comes back when the next is. */
  const pump = (): void => {
    clearTimeout(timer);
    if (!running) return;
    const waiting = rows.armed(AT_ONCE + sending.size).filter(({ jobId }) => !sending.has(jobId));
    for (const row of waiting) {
      if (sending.size >= AT_ONCE) return;
      if (row.due > now()) {
        return later(Math.min(row.due - now(), 60 * SECOND));
      }
      sending.add(row.jobId);
      void deliver(row)
        .finally(() => sending.delete(row.jobId))
        .then(pump)
        .catch((error: Error) => {
          // The database said no; asking again at once would only post the same notice again.
          log('ERROR', `webhook of job ${row.jobId}: ${error.message}`);
          later(60 * SECOND);
        });
    }
  };

  const deliver = async (row: ArmedWebhook): Promise<void> => {
    const { jobId, url, secret, payload: body, attempts } = row;
    const { signedHeaders } = await import('./webhook-request.ts');
    const seconds = Math.floor(now() / SECOND);
    const failure = await post(url, body, signedHeaders({ id: jobId, seconds, secret }, body))
      .then((status) => (status >= 200 && status < 300 ? undefined : `status ${status}`))
      .catch((error: unknown) => error as Error);
    if (!running) return;
    const isFinal =
      failure instanceof NoodleError || failure === 'status 410' || attempts >= PAUSES.length;
    if (failure === undefined) {
      rows.remove(jobId);
    } else if (isFinal) {
      rows.remove(jobId);
      log('WARNING', `webhook of job ${jobId} is given up: ${reasonOf(failure)}`);
    } else {
      // Some spread, so that a receiver that comes back is not met by all at once.
      rows.postpone(jobId, now() + Math.round(PAUSES[attempts] * (1 + spread(jobId) / 4)));
    }
  };

  return {
    checkRoom: () => {
      if (rows.count() < MAX_WAITING) return;
      throw new NoodleError('TOO_MANY', { what: 'waiting webhooks', limit: MAX_WAITING });
    },
    add: (row) => {
      rows.add(row);
      if (queue.has(row.jobId)) return;
      armById(row.jobId);
      pump();
    },
    jobsLeft: (left) => {
      if (left.filter(arm).length > 0) pump();
    },
    start: () => {
      running = true;
      for (const id of rows.unarmed()) if (!queue.has(id)) armById(id);
      pump();
    },
    stop: () => {
      running = false;
      clearTimeout(timer);
    },
    count: () => rows.count(),
  };
}

const reasonOf = (failure: string | Error): string =>
  typeof failure === 'string' ? failure : failure.message;

/** A number in [0, 1) that differs from job to job. */
function spread(id: string): number {
  let sum = 0;
  for (const character of id) sum = (sum * 31 + character.codePointAt(0)!) % 1009;
  return sum / 1009;
}
