/**
 * What happens, for the event stream, for requests that wait for a job and for webhooks. Events that
 * tell of a change are numbered and kept in a bounded ring, so that a client can come back; progress
 * is told to whoever listens now and is not kept.
 */
import type { EngineJob, FromEngine } from '../worker/messages.ts';
import type { Queue } from '../queue/queue.ts';
import { type Json, parseJson } from '../workflow/lossless-json.ts';
import { type LeftJob, jobJson, jobOutputs } from './v1/job-json.ts';
import type { Job, Output, Progress } from './v1/schemas.ts';

export type ApiEvent =
  | { readonly type: 'queue'; readonly data: QueueState }
  | { readonly type: 'started'; readonly job: string; readonly data: { readonly id: string } }
  | {
      readonly type: 'progress';
      readonly job: string;
      readonly data: { readonly id: string } & Progress;
    }
  | {
      readonly type: 'executed';
      readonly job: string;
      readonly data: {
        readonly id: string;
        readonly node_id: string;
        readonly outputs: Output[];
      };
    }
  | { readonly type: 'finished'; readonly job: string; readonly data: FinishedData };

/** The job; one that was cancelled while it waited is gone and leaves only this. */
export type FinishedData = Job | { readonly id: string; readonly status: 'cancelled' };

export interface QueueState {
  readonly paused: boolean;
  readonly running: number;
  readonly pending: number;
}

/** `id` is absent from events that are not kept. */
export type Listener = (event: ApiEvent, id: string | undefined) => void;

export interface EventBus {
  queueChanged(): void;
  engineMessage(job: EngineJob, message: FromEngine): void;
  jobsLeft(left: readonly LeftJob[]): void;
  /**
   * Calls `listener` with what was missed since the event `after` and with everything from now on.
   * `complete` is false when some of it is not kept any more.
   */
  subscribe(listener: Listener, after?: string): { complete: boolean; stop: () => void };
  subscribers(): number;
  queueState(): QueueState;
  /** Where the running job is. */
  progress(jobId: string): Progress | undefined;
  /** Resolves when the job neither waits nor runs, or when `signal` is aborted. */
  left(jobId: string, signal: AbortSignal): Promise<void>;
}

export interface BusOptions {
  readonly queue: () => Queue;
  /** Begins every event id: those of an earlier process mean nothing here. */
  readonly boot: string;
  /** Events that are kept, and bytes of them. */
  readonly ringLength?: number;
  readonly ringBytes?: number;
}

interface Kept {
  readonly number: number;
  readonly event: ApiEvent;
  readonly bytes: number;
}

/** A bus without events. */
export function createEventBus(options: BusOptions): EventBus {
  const { queue, boot, ringLength = 1000, ringBytes = 4 * 1024 * 1024 } = options;
  const ring: Kept[] = [];
  const listeners = new Set<Listener>();
  const waiters = new Map<string, Set<() => void>>();
  const progress = new Map<string, Progress>();
  let bytes = 0;
  let last = 0;
  let lastQueue = '';

  const idOf = (number: number): string => `${boot}.${number}`;

  const tell = (event: ApiEvent, id: string | undefined): void => {
    for (const listener of [...listeners]) listener(event, id);
  };

  const publish = (event: ApiEvent): void => {
    const size = JSON.stringify(event, (_, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    ).length;
    last++;
    ring.push({ number: last, event, bytes: size });
    bytes += size;
    while (ring.length > ringLength || bytes > ringBytes) bytes -= ring.shift()!.bytes;
    tell(event, idOf(last));
  };

  const queueState = (): QueueState => ({ paused: queue().paused(), ...queue().counts() });

  return {
    queueChanged: () => {
      const data = queueState();
      const text = JSON.stringify(data);
      if (text === lastQueue) return;
      lastQueue = text;
      publish({ type: 'queue', data });
    },
    engineMessage: (job, message) => {
      if (message.type !== 'event') return;
      const { id } = job;
      if (message.event === 'execution_start') {
        publish({ type: 'started', job: id, data: { id } });
      } else if (message.event === 'progress') {
        const now = readProgress(message.data);
        if (now === undefined) return;
        progress.set(id, now);
        tell({ type: 'progress', job: id, data: { id, ...now } }, undefined);
      } else if (message.event === 'executed') {
        const { node, output } = parseJson(message.data) as { node: string; output: Json };
        const outputs = jobOutputs({ [node]: output });
        publish({ type: 'executed', job: id, data: { id, node_id: node, outputs } });
      }
    },
    jobsLeft: (left) => {
      for (const { id, job } of left) {
        progress.delete(id);
        const data = job === undefined ? ({ id, status: 'cancelled' } as const) : jobJson(job);
        publish({ type: 'finished', job: id, data });
        for (const resolve of [...(waiters.get(id) ?? [])]) resolve();
      }
    },
    subscribe: (listener, after) => {
      const from = after === undefined ? last : numberOf(after, boot);
      const known = from !== undefined && from <= last && from >= (ring[0]?.number ?? last + 1) - 1;
      const missed = known ? ring.filter(({ number }) => number > from) : [];
      for (const { event, number } of missed) listener(event, idOf(number));
      listeners.add(listener);
      return { complete: known, stop: () => void listeners.delete(listener) };
    },
    subscribers: () => listeners.size,
    queueState,
    progress: (jobId) => progress.get(jobId),
    left: (jobId, signal) =>
      new Promise((resolve) => {
        if (signal.aborted || !queue().has(jobId)) return resolve();
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
  };
}

function numberOf(id: string, boot: string): number | undefined {
  const [, name, number] = /^([^.]+)\.(\d{1,15})$/.exec(id) ?? [];
  return name === boot ? Number(number) : undefined;
}

function readProgress(text: string): Progress | undefined {
  const { node, value, max } = parseJson(text) as Record<string, Json>;
  return typeof node === 'string'
    ? { node_id: node, value: Number(value), max: Number(max) }
    : undefined;
}
