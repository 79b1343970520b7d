/** What the queue needs from its storage: one table that is the queue and the history. */
import type { JobEnd } from '../worker/messages.ts';
import type { WebhookRows } from './webhook-rows.ts';

/** Life of a job, in the words of ComfyUI's jobs API. */
export const JOB_STATUSES = ['pending', 'in_progress', 'completed', 'failed', 'cancelled'] as const;
export type JobStatus = (typeof JOB_STATUSES)[number];

/** A job as it is submitted. Every JSON member is text, written Python style. */
export interface NewJob {
  readonly id: string;
  /** Place in the queue: lower runs first. */
  readonly number: number;
  /** The number as JSON shows it: the counter's are integers, a client's are floats (`3.0`). */
  readonly numberText: string;
  readonly prompt: string;
  /** Without secrets. */
  readonly extraData: string;
  readonly outputs: readonly string[];
  readonly clientId?: string;
  readonly workflowId?: string;
  /** The user it belongs to; left out where nobody was named. */
  readonly owner?: string;
  /** It has nodes that ask for credentials, and credentials came with it. */
  readonly needsSecrets: boolean;
  readonly createdAt: number;
}

export interface Job extends NewJob {
  readonly status: JobStatus;
  /** How often it was started. */
  readonly attempt: number;
}

/** A finished job; `statusText`, `outputsText` and `metaText` are the JSON of its history entry. */
export interface FinishedJob extends Job {
  readonly statusText: string;
  readonly outputsText: string;
  readonly metaText: string;
  readonly executionStart?: number;
  readonly executionEnd?: number;
}

/** How a job ended, with everything that its nodes showed. */
export interface JobResult extends Omit<JobEnd, 'untold'> {
  /** JSON text: { node id: ui }. */
  readonly outputs: string;
}

export interface JobFilter {
  /** Any of them; left out: all. */
  readonly statuses?: readonly JobStatus[];
  readonly workflowId?: string;
  readonly sortBy: 'created_at' | 'execution_duration';
  readonly descending: boolean;
  readonly limit?: number;
  readonly offset: number;
}

/** Jobs without what they were sent with, which may be large. */
export type JobRecord = Omit<Job, 'prompt' | 'extraData'>;
export type FinishedRecord = Omit<FinishedJob, 'prompt' | 'extraData'>;

/** The finished jobs. */
export interface History {
  get(id: string): FinishedJob | undefined;
  /** Oldest first: `count` of them from `offset`. */
  page(offset: number, count: number): FinishedJob[];
  count(): number;
  delete(ids: readonly string[] | 'all'): void;
}

/**
 * Every method is one transaction; when it returns, the change outlives the process, and but for
 * `start` and `finish`, which follow in a moment, it is on the disk.
 */
export interface JobStore {
  /** Adds a pending job; `counter` is the submission counter to go on from after a restart. */
  insert(job: NewJob, counter: number): void;
  counter(): number;
  /** Gives waiting jobs other places. */
  setNumbers(jobs: readonly Pick<Job, 'id' | 'number' | 'numberText'>[]): void;
  /** Whether the queue was paused, also by an earlier process. */
  paused(): boolean;
  setPaused(paused: boolean): void;
  /** pending -> in_progress, one more attempt. */
  start(id: string): Job;
  /** in_progress -> pending. */
  requeue(id: string): void;
  /** The same, and the attempt does not count. */
  putBack(id: string): void;
  /** -> finished, as the newest of the history; the oldest beyond the limit go. */
  finish(id: string, result: JobResult): void;
  /** Removes pending jobs. */
  remove(ids: readonly string[]): void;
  get(id: string): Job | FinishedJob | undefined;
  /** Jobs that have not finished, by number and id. */
  active(): Pick<Job, 'id' | 'number' | 'status' | 'attempt'>[];
  readonly history: History;
  /** A page of all jobs and how many there are without paging. */
  list(filter: JobFilter): { jobs: (Job | FinishedJob)[]; total: number };
  /** Throws what the database says when it cannot be written to. */
  probe(): void;
  /** Notices that were promised with jobs. */
  readonly webhooks: WebhookRows;
  close(): void;
}

/** Whether a job has a result. */
export const isFinished = (job: JobRecord | FinishedRecord): job is FinishedRecord =>
  job.status !== 'pending' && job.status !== 'in_progress';
