/**
 * Jobs that were asked for together, and what each of them was given: kept beside the jobs, so that
 * they outlive the process. How a job ended is remembered when the history has forgotten it.
 */
import type { Db, Row } from '../store/db.ts';
import { readAny } from './job-rows.ts';
import type { FinishedRecord, JobRecord, JobStatus } from './store.ts';

/** Batches that are remembered. */
const MOST = 1000;

export interface Batch {
  readonly id: string;
  readonly createdAt: number;
  /** Id of the saved workflow whose form was filled in. */
  readonly workflow: string;
  readonly title: string;
  /** The user it belongs to; left out where there is a single one. */
  readonly owner?: string;
  /** JSON text: what was asked for. */
  readonly about: string;
}

export interface BatchRun {
  /** Its place in the batch, from 0. */
  readonly place: number;
  readonly jobId: string;
  /** JSON text: what this run has of its own. */
  readonly given: string;
}

export interface BatchRunNow extends BatchRun {
  /** A job that was dropped, or never came into the queue, is cancelled. */
  readonly status: JobStatus;
  /** Undefined where the queue and the history know it no more. */
  readonly job?: JobRecord | FinishedRecord;
}

export type BatchCounts = Readonly<Record<JobStatus, number>>;

export interface BatchFilter {
  readonly workflow?: string;
  readonly owner?: string;
  readonly limit: number;
  readonly offset: number;
}

/** Every method is one transaction. */
export interface BatchRows {
  /** Adds a batch whose jobs are submitted afterwards; the oldest beyond the limit go. */
  add(batch: Batch, runs: readonly BatchRun[]): void;
  get(id: string): Batch | undefined;
  /** By place. */
  runs(id: string): BatchRunNow[];
  counts(id: string): BatchCounts;
  /** The newest first. */
  list(filter: BatchFilter): { readonly batches: Batch[]; readonly total: number };
  /** Other jobs in the places of those that were. */
  replace(id: string, runs: readonly Pick<BatchRun, 'place' | 'jobId'>[]): void;
  remove(id: string): void;
}

const STATUS = `coalesce(jobs.status, batch_runs.ended, 'cancelled')`;
const JOINED = `batch_runs LEFT JOIN jobs ON jobs.id = batch_runs.job_id WHERE batch_id = ?`;
// All but what jobs were sent with, which may be large.
const JOB = `jobs.id, jobs.status, number, number_text, attempt, created_at, finished, execution_start,
  execution_end, client_id, workflow_id, owner, needs_secrets, outputs_to_execute, status_text, meta,
  outputs, '' AS extra_data, '' AS prompt`;

/** The rows of the `batches` and `batch_runs` tables. */
export function createBatchRows(db: Db): BatchRows {
  const insert = db.prepare(
    'INSERT INTO batches (id, created_at, workflow, title, owner, about) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const insertRun = db.prepare(
    'INSERT INTO batch_runs (batch_id, place, job_id, given) VALUES (?, ?, ?, ?)',
  );
  const prune = db.prepare(
    `DELETE FROM batches WHERE id IN
       (SELECT id FROM batches ORDER BY created_at DESC, id DESC LIMIT -1 OFFSET ${MOST})`,
  );
  const get = db.prepare('SELECT * FROM batches WHERE id = ?');
  const runs = db.prepare(
    `SELECT place, job_id, given, ${STATUS} AS status_now, ${JOB} FROM ${JOINED} ORDER BY place`,
  );
  const counts = db.prepare(
    `SELECT ${STATUS} AS status_now, count(*) AS n FROM ${JOINED} GROUP BY status_now`,
  );
  const chosen = `FROM batches WHERE owner IS ?1 AND (?2 IS NULL OR workflow = ?2)`;
  const list = db.prepare(
    `SELECT * ${chosen} ORDER BY created_at DESC, id DESC LIMIT ?3 OFFSET ?4`,
  );
  const total = db.prepare(`SELECT count(*) AS n ${chosen}`);
  const replace = db.prepare(
    'UPDATE batch_runs SET job_id = ?, ended = NULL WHERE batch_id = ? AND place = ?',
  );
  const remove = db.prepare('DELETE FROM batches WHERE id = ?');
  return {
    add: ({ id, createdAt, workflow, title, owner, about }, all) =>
      db.transaction(() => {
        insert.run(id, createdAt, workflow, title, owner ?? null, about);
        for (const { place, jobId, given } of all) insertRun.run(id, place, jobId, given);
        prune.run();
      }),
    get: (id) => {
      const row = get.get(id);
      return row === undefined ? undefined : readBatch(row);
    },
    runs: (id) => runs.all(id).map(readRun),
    counts: (id) => {
      const found = new Map(counts.all(id).map((row) => [row.status_now, Number(row.n)]));
      const count = (status: JobStatus): number => found.get(status) ?? 0;
      return {
        pending: count('pending'),
        in_progress: count('in_progress'),
        completed: count('completed'),
        failed: count('failed'),
        cancelled: count('cancelled'),
      };
    },
    list: ({ workflow = null, owner = null, limit, offset }) => ({
      batches: list.all(owner, workflow, limit, offset).map(readBatch),
      total: Number(total.get(owner, workflow)!.n),
    }),
    replace: (id, all) =>
      db.transaction(() => {
        for (const { place, jobId } of all) replace.run(jobId, id, place);
      }),
    remove: (id) => void remove.run(id),
  };
}

const readBatch = (row: Row): Batch => ({
  id: String(row.id),
  createdAt: Number(row.created_at),
  workflow: String(row.workflow),
  title: String(row.title),
  owner: row.owner === null ? undefined : String(row.owner),
  about: String(row.about),
});

const readRun = (row: Row): BatchRunNow => ({
  place: Number(row.place),
  jobId: String(row.job_id),
  given: String(row.given),
  status: row.status_now as JobStatus,
  job: row.id === null ? undefined : readAny(row),
});
