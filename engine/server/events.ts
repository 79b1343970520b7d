/**
 * What happens in the server, told to everybody who listens: to faces as it comes, and as a numbered
 * story that is kept in a bounded ring, so that a client can come back and hear what it missed.
 * Progress is told to whoever listens now and is not kept. Here speak stored jobs and engines; how a
 * client is told is its face's affair.
 */
import { contentOf } from '../worker/link.ts';
import type { EngineJob, FromEngine } from '../worker/messages.ts';
import type { Queue } from '../queue/queue.ts';
import {
  type FinishedJob,
  type FinishedRecord,
  type Job,
  type JobRecord,
  isFinished,
} from '../queue/store.ts';
import { type Json, parseJson } from '../workflow/lossless-json.ts';

/** A job that neither waits nor runs any more; without `job` it was dropped from the queue. */
export interface LeftJob {
  readonly id: string;
  readonly job: Job | FinishedJob | undefined;
}

/** What a part of the server may be told, as it happens. */
export interface Listener {
  /** Something waits, runs or is paused that did not before, or the other way round. */
  readonly queue?: () => void;
  readonly left?: (jobs: readonly LeftJob[]) => void;
  /** A running job's engine says something. */
  readonly message?: (job: EngineJob, message: FromEngine) => void;
  /** The history of a job that ran is stored, and everybody was told that it left. */
  readonly finished?: (job: EngineJob) => void;
  /** News for every client that are no part of a job's story; `data` is JSON text. */
  readonly news?: (type: string, data: string) => void;
}

/** One event of the story. */
export type StoryEvent =
  | { readonly type: 'queue'; readonly state: QueueState }
  | { readonly type: 'started'; readonly job: string }
  | { readonly type: 'progress'; readonly job: string; readonly progress: Progress }
  | {
      readonly type: 'executed';
      readonly job: string;
      readonly node: string;
      readonly output: Json;
    }
  | {
      readonly type: 'finished';
      readonly job: string;
      readonly record: JobRecord | FinishedRecord | undefined;
    };

export interface QueueState {
  readonly paused: boolean;
  readonly running: number;
  readonly pending: number;
}

/** Steps of the node that runs. */
export interface Progress {
  readonly node: string;
  readonly value: number;
  readonly max: number;
}

/** `id` is absent from events that are not kept. */
export type Reader = (event: StoryEvent, id: string | undefined) => void;

export interface Events {
  /** Tells `listener` everything from now on. */
  listen(listener: Listener): void;
  /**
   * Calls `reader` with what was missed of the story since the event `after` and with everything
   * from now on. `complete` is false when some of it is not kept any more.
   */
  follow(reader: Reader, after?: string): { complete: boolean; stop: () => void };
  /** Readers there are. */
  readers(): number;
  queueState(): QueueState;
  /** Where the running job is. */
  progress(jobId: string): Progress | undefined;
  /** Resolves when the job neither waits nor runs, or when `signal` is aborted. */
  left(jobId: string, signal: AbortSignal): Promise<void>;
  /** For those who have something to tell. */
  readonly tell: {
    message(job: EngineJob, message: FromEngine): void;
    finished(job: EngineJob): void;
    news(type: string, data: string): void;
  };
}

export interface EventOptions {
  readonly queue: Queue;
  /** Begins every event id: those of an earlier process mean nothing here. */
  readonly boot: string;
  /** Events that are kept, and bytes of them. */
  readonly ringLength?: number;
  readonly ringBytes?: number;
}

interface Kept {
  readonly number: number;
  readonly event: StoryEvent;
  readonly bytes: number;
}

/** Bytes of an event besides its texts. */
const SMALL = 100;

/** Events of a queue, from now on. */
export function createEvents(options: EventOptions): Events {
  const { queue, boot, ringLength = 1000, ringBytes = 4 * 1024 * 1024 } = options;
  const listeners: Listener[] = [];
  const ring: Kept[] = [];
  const readers = new Set<Reader>();
  const waiters = new Map<string, Set<() => void>>();
  const progress = new Map<string, Progress>();
  let kept = 0;
  let last = 0;
  let lastState = '';

  const idOf = (number: number): string => `${boot}.${number}`;

  const tellReaders = (event: StoryEvent, id: string | undefined): void => {
    for (const reader of [...readers]) reader(event, id);
  };

  const publish = (event: StoryEvent, bytes = 0): void => {
    last++;
    ring.push({ number: last, event, bytes: bytes + SMALL });
    kept += bytes + SMALL;
    while (ring.length > ringLength || kept > ringBytes) kept -= ring.shift()!.bytes;
    tellReaders(event, idOf(last));
  };

  const queueState = (): QueueState => ({ paused: queue.paused(), ...queue.counts() });

  /** Progress of the job and what its nodes showed become part of the story. */
  const tellStory = (job: string, message: FromEngine): void => {
    if (message.type !== 'event') return;
    if (message.event === 'execution_start') {
      publish({ type: 'started', job });
    } else if (message.event === 'progress') {
      const now = readProgress(message.data);
      if (now === undefined) return;
      progress.set(job, now);
      tellReaders({ type: 'progress', job, progress: now }, undefined);
    } else if (message.event === 'executed') {
      const { node, output } = contentOf(message) as { node: string; output: Json };
      publish({ type: 'executed', job, node, output }, message.data.length);
    }
  };

  const tellLeft = ({ id, job }: LeftJob): void => {
    progress.delete(id);
    const record = job && recordOf(job);
    publish({ type: 'finished', job: id, record }, record && textLength(record));
    for (const resolve of [...(waiters.get(id) ?? [])]) resolve();
  };

  queue.watch({
    changed: () => {
      const state = queueState();
      const text = JSON.stringify(state);
      if (text !== lastState) publish({ type: 'queue', state });
      lastState = text;
      for (const listener of listeners) listener.queue?.();
    },
    left: (ids) => {
      const jobs = ids.map((id) => ({ id, job: queue.job(id) }));
      jobs.forEach(tellLeft);
      for (const listener of listeners) listener.left?.(jobs);
    },
  });

  return {
    listen: (listener) => void listeners.push(listener),
    follow: (reader, after) => {
      const from = after === undefined ? last : numberOf(after, boot);
      const known = from !== undefined && from <= last && from >= (ring[0]?.number ?? last + 1) - 1;
      const missed = known ? ring.filter(({ number }) => number > from) : [];
      for (const { event, number } of missed) reader(event, idOf(number));
      readers.add(reader);
      return { complete: known, stop: () => void readers.delete(reader) };
    },
    readers: () => readers.size,
    queueState,
    progress: (jobId) => progress.get(jobId),
    left: (jobId, signal) =>
      new Promise((resolve) => {
        if (signal.aborted || !queue.has(jobId)) return resolve();
        const waiting = waiters.get(jobId) ?? new Set();
        waiters.set(jobId, waiting);
        const done = (): void => {
          waiting.delete(done);
          if (waiting.size === 0) waiters.delete(jobId);
          signal.removeEventListener('abort', done);
          resolve();
        };
        waiting.add(done);
        signal.addEventListener('abort', done);
      }),
    tell: {
      message: (job, message) => {
        tellStory(job.id, message);
        for (const listener of listeners) listener.message?.(job, message);
      },
      finished: (job) => {
        for (const listener of listeners) listener.finished?.(job);
      },
      news: (type, data) => {
        for (const listener of listeners) listener.news?.(type, data);
      },
    },
  };
}

function recordOf(job: Job | FinishedJob): JobRecord | FinishedRecord {
  const { prompt: _prompt, extraData: _extraData, ...record } = job;
  return record;
}

const textLength = (job: JobRecord | FinishedRecord): number =>
  isFinished(job) ? job.outputsText.length + job.statusText.length + job.metaText.length : 0;

function numberOf(id: string, boot: string): number | undefined {
  const [, name, number] = /^([^.]+)\.(\d{1,15})$/.exec(id) ?? [];
  return name === boot ? Number(number) : undefined;
}

function readProgress(text: string): Progress | undefined {
  const { node, value, max } = parseJson(text) as Record<string, Json>;
  return typeof node === 'string' ? { node, value: Number(value), max: Number(max) } : undefined;
}
