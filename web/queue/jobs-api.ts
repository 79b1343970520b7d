import type { Server } from '../api/server.ts';
import type { FileRef } from '../api/types.ts';
import { isRecord } from '../graph/input-spec.ts';
import { textOf } from '../text.ts';
import { refusal } from '../api/refused.ts';

/** A job as the lists of the page show it. */
export interface JobRow {
  readonly id: string;
  readonly status: 'pending' | 'in_progress' | 'completed' | 'failed' | 'cancelled';
  readonly number: number;
  /** Name of its workflow, where the page that sent it said one. */
  readonly name: string | null;
  /** Words of its prompt. */
  readonly text: string;
  readonly seed: string | null;
  readonly nodes: number;
  /** Steps of the running node. */
  readonly progress: { readonly value: number; readonly max: number } | null;
  /** Files that it made. */
  readonly files: readonly FileRef[];
  /** Milliseconds that it ran. */
  readonly duration: number | null;
  readonly error: string | null;
}

/** What waits and runs. */
export interface QueueView {
  readonly paused: boolean;
  readonly running: readonly JobRow[];
  /** The first of the waiting jobs, in the order they will run. */
  readonly pending: readonly JobRow[];
  readonly pendingCount: number;
}

export const emptyQueue: QueueView = { paused: false, running: [], pending: [], pendingCount: 0 };

/** Waiting jobs and finished ones that are listed. */
const listed = { pending: 100, finished: 60 };

/** The server's side of the queue; every method throws when the server refuses. */
export function createJobsApi(server: Server) {
  const send = async (method: string, path: string, body: unknown = {}): Promise<unknown> => {
    const response = await fetch(server.url(path), {
      method,
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    const answer: unknown = await response.json().catch(() => null);
    if (response.ok) return answer;
    if (isRecord(answer) && typeof answer.detail === 'string') throw new Error(answer.detail);
    throw refusal(response.status);
  };
  return {
    queue: async (): Promise<QueueView> => {
      const data = await server.getJson(`v1/queue?limit=${listed.pending}`);
      if (!isRecord(data)) return emptyQueue;
      return {
        paused: data.paused === true,
        running: rowsOf(data.running),
        pending: rowsOf(data.pending),
        pendingCount: Number(data.pending_count),
      };
    },
    /** Newest first. */
    finished: async (): Promise<readonly JobRow[]> => {
      const query = `status=completed,failed,cancelled&limit=${listed.finished}`;
      const data = await server.getJson(`v1/jobs?${query}`);
      return isRecord(data) ? rowsOf(data.jobs) : [];
    },
    pause: (paused: boolean) => send('POST', `v1/queue/${paused ? 'pause' : 'resume'}`),
    /** Makes a waiting job run right before another one; null: last of all. */
    moveBefore: (id: string, before: string | null) =>
      send('PATCH', `v1/queue/${encodeURIComponent(id)}`, { before }),
    moveToFront: (id: string) =>
      send('PATCH', `v1/queue/${encodeURIComponent(id)}`, { front: true }),
    retry: (id: string) => send('POST', `v1/jobs/${encodeURIComponent(id)}/retry`),
    /** Brings back what was cancelled while it waited. */
    restore: (id: string) => send('POST', `v1/jobs/${encodeURIComponent(id)}/restore`),
    cancel: (id: string) => send('DELETE', `v1/jobs/${encodeURIComponent(id)}`),
  };
}

const rowsOf = (list: unknown): JobRow[] =>
  (Array.isArray(list) ? list : []).filter(isRecord).map(readRow);

function readRow(job: Record<string, unknown>): JobRow {
  const summary = isRecord(job.summary) ? job.summary : {};
  const { progress, error } = job;
  const time = (value: unknown): number =>
    typeof value === 'string' ? Date.parse(value) : Number.NaN;
  const duration = time(job.finished_at) - time(job.started_at);
  return {
    id: textOf(job.id),
    status: textOf(job.status) as JobRow['status'],
    number: Number(job.number),
    name: typeof summary.name === 'string' ? summary.name : null,
    text: textOf(summary.text),
    seed: typeof summary.seed === 'string' ? summary.seed : null,
    nodes: Number(summary.nodes ?? 0),
    progress: isRecord(progress)
      ? { value: Number(progress.value), max: Number(progress.max) }
      : null,
    files: (Array.isArray(job.outputs) ? job.outputs : [])
      .filter(isRecord)
      .filter(({ filename }) => typeof filename === 'string')
      .map(({ filename, subfolder, directory }) => ({
        filename: textOf(filename),
        subfolder: textOf(subfolder),
        type: textOf(directory, 'output'),
      })),
    duration: Number.isFinite(duration) ? duration : null,
    error: isRecord(error) ? textOf(error.message) : null,
  };
}
