/**
 * Queue and history in one SQLite table. WAL with synchronous=FULL: a prompt that was answered is on
 * the disk, whatever happens to the process or the machine.
 */
import { NoodleError } from '../errors.ts';
import { type Db, type SqlValue, openDb } from '../store/db.ts';
import { type BatchRows, createBatchRows } from './batch-rows.ts';
import {
  executionTimes,
  finalStatus,
  readAny,
  readFinished,
  readJob,
  readOptional,
  statusText,
} from './job-rows.ts';
import { createWebhookRows } from './webhook-rows.ts';
import type { FinishedJob, Job, JobFilter, JobStatus, JobStore } from './store.ts';

/** One step per version of the table; `user_version` counts those that were made. */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE jobs (
     id TEXT PRIMARY KEY,
     status TEXT NOT NULL
       CHECK (status IN ('pending', 'in_progress', 'completed', 'failed', 'cancelled')),
     number REAL NOT NULL,
     number_text TEXT NOT NULL,
     attempt INTEGER NOT NULL DEFAULT 0,
     created_at INTEGER NOT NULL,
     finished INTEGER,                     -- place in the history
     execution_start INTEGER,
     execution_end INTEGER,
     client_id TEXT,
     workflow_id TEXT,
     needs_secrets INTEGER NOT NULL,
     outputs_to_execute TEXT NOT NULL,
     extra_data TEXT NOT NULL,
     prompt TEXT NOT NULL,
     status_text TEXT,
     meta TEXT,
     outputs TEXT
   ) STRICT;
   CREATE INDEX jobs_active ON jobs (number, id) WHERE finished IS NULL;
   CREATE UNIQUE INDEX jobs_finished ON jobs (finished) WHERE finished IS NOT NULL;
   CREATE INDEX jobs_created ON jobs (created_at, id, status);
   CREATE INDEX jobs_duration ON jobs (execution_end - execution_start, id, status);
   CREATE INDEX jobs_workflow ON jobs (workflow_id) WHERE workflow_id IS NOT NULL;
   CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
   INSERT INTO counters VALUES ('submitted', 0);`,
  `CREATE TABLE webhooks (
     job_id TEXT PRIMARY KEY,
     url TEXT NOT NULL,
     secret TEXT,
     base TEXT NOT NULL,
     payload TEXT,                         -- set when the job has left the queue
     attempts INTEGER NOT NULL DEFAULT 0,
     due INTEGER
   ) STRICT;
   CREATE INDEX webhooks_due ON webhooks (due) WHERE due IS NOT NULL;`,
  `ALTER TABLE jobs ADD COLUMN owner TEXT;`,
  `CREATE TABLE batches (
     id TEXT PRIMARY KEY,
     created_at INTEGER NOT NULL,
     workflow TEXT NOT NULL,
     title TEXT NOT NULL,
     owner TEXT,
     about TEXT NOT NULL
   ) STRICT;
   CREATE INDEX batches_created ON batches (created_at, id);
   CREATE TABLE batch_runs (
     batch_id TEXT NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
     place INTEGER NOT NULL,
     job_id TEXT NOT NULL,
     given TEXT NOT NULL,
     ended TEXT,                           -- how the job ended that is in 'jobs' no more
     PRIMARY KEY (batch_id, place)
   ) STRICT;
   CREATE INDEX batch_runs_job ON batch_runs (job_id);
   CREATE TRIGGER batch_job_gone AFTER DELETE ON jobs BEGIN
     UPDATE batch_runs
       SET ended = CASE WHEN OLD.finished IS NULL THEN 'cancelled' ELSE OLD.status END
       WHERE job_id = OLD.id;
   END;`,
];

/** Milliseconds after which an ended job is on the disk at the latest. */
const FLUSH_WITHIN = 50;

export interface SqliteStoreOptions {
  /** Finished jobs that are kept. */
  readonly maxHistory: number;
}

/** The queue's storage, and what stands beside it in the same database. */
export interface SqliteStore extends JobStore {
  /** Jobs that were asked for together. */
  readonly batches: BatchRows;
}

/**
 * Opens (and where needed brings up to date) the database at `path`. Throws DATABASE_BUSY when
 * another server uses it and DATABASE_NEWER when a later version wrote it.
 */
export function openSqliteStore(path: string, { maxHistory }: SqliteStoreOptions): SqliteStore {
  const unlock = path === ':memory:' ? () => undefined : lockDatabase(path);
  const db = openDb(path);
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;');
  migrate(db, path);

  const insert = db.prepare(
    `INSERT INTO jobs (id, status, number, number_text, created_at, client_id,
       workflow_id, owner, needs_secrets, outputs_to_execute, extra_data, prompt)
     VALUES (?, 'pending', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const getCounter = db.prepare(`SELECT value FROM counters WHERE name = 'submitted'`);
  const setCounter = db.prepare(`UPDATE counters SET value = ? WHERE name = 'submitted'`);
  const getPaused = db.prepare(`SELECT value FROM counters WHERE name = 'paused'`);
  const setPaused = db.prepare(`INSERT OR REPLACE INTO counters VALUES ('paused', ?)`);
  const setNumber = db.prepare(`UPDATE jobs SET number = ?, number_text = ? WHERE id = ?`);
  const start = db.prepare(
    `UPDATE jobs SET status = 'in_progress', attempt = attempt + 1 WHERE id = ? AND finished IS NULL`,
  );
  const putBack = db.prepare(
    `UPDATE jobs SET status = 'pending', attempt = attempt - 1 WHERE id = ? AND finished IS NULL`,
  );
  const requeue = db.prepare(
    `UPDATE jobs SET status = 'pending' WHERE id = ? AND finished IS NULL`,
  );
  const finish = db.prepare(
    `UPDATE jobs SET status = ?, execution_start = ?, execution_end = ?, status_text = ?,
       outputs = ?, meta = ?, finished = (SELECT coalesce(max(finished), 0) + 1 FROM jobs)
     WHERE id = ?`,
  );
  const remove = db.prepare(`DELETE FROM jobs WHERE id = ? AND status = 'pending'`);
  const get = db.prepare(`SELECT * FROM jobs WHERE id = ?`);
  const active = db.prepare(
    `SELECT id, number, status, attempt FROM jobs WHERE finished IS NULL ORDER BY number, id`,
  );
  const entry = db.prepare(`SELECT * FROM jobs WHERE id = ? AND finished IS NOT NULL`);
  // The inner query walks the index alone: an offset never touches the wide rows.
  const page = db.prepare(
    `SELECT * FROM jobs WHERE finished IN
       (SELECT finished FROM jobs WHERE finished IS NOT NULL ORDER BY finished LIMIT ? OFFSET ?)
     ORDER BY finished`,
  );
  const forget = db.prepare(`DELETE FROM jobs WHERE id = ? AND finished IS NOT NULL`);
  const forgetAll = db.prepare(`DELETE FROM jobs WHERE finished IS NOT NULL`);
  const prune = db.prepare(
    `DELETE FROM jobs WHERE finished IN
       (SELECT finished FROM jobs WHERE finished IS NOT NULL ORDER BY finished LIMIT ?)`,
  );
  // Nobody else writes here, and counting them would walk the whole history with every job.
  let finished = Number(
    db.prepare(`SELECT count(*) AS n FROM jobs WHERE finished IS NOT NULL`).get()!.n,
  );
  const probe = (): void =>
    db.transaction(() => void setCounter.run(Number(getCounter.get()!.value)));
  let flushTimer: NodeJS.Timeout | undefined;
  /** Any transaction that is flushed takes those before it along. */
  const flush = (): void => {
    flushTimer = undefined;
    try {
      probe();
    } catch {
      // A full disk shows where something is stored, and in the health of the server.
    }
  };

  return {
    insert: (job, counter) => {
      finished -= db.transaction(() => {
        // An id may come again; the newest job has it.
        const replaced = forget.run(job.id);
        insert.run(
          job.id,
          job.number,
          job.numberText,
          job.createdAt,
          job.clientId ?? null,
          job.workflowId ?? null,
          job.owner ?? null,
          job.needsSecrets ? 1 : 0,
          JSON.stringify(job.outputs),
          job.extraData,
          job.prompt,
        );
        setCounter.run(counter);
        return Number(replaced.changes);
      });
    },
    counter: () => Number(getCounter.get()!.value),
    setNumbers: (jobs) =>
      db.transaction(() => {
        for (const { id, number, numberText } of jobs) setNumber.run(number, numberText, id);
      }),
    paused: () => getPaused.get()?.value === 1,
    setPaused: (paused) => void setPaused.run(paused ? 1 : 0),
    start: (id) =>
      // Lost in a power cut, the job waits again, as a running one does after every restart.
      unflushed(db, () => {
        start.run(id);
        return readJob(get.get(id)!);
      }),
    requeue: (id) => void requeue.run(id),
    putBack: (id) => void putBack.run(id),
    finish: (id, result) => {
      // Clients wait for the end of their job, not for the disk; the next job's insert flushes both.
      finished += unflushed(db, () => {
        const { begin, end } = executionTimes(result);
        const text = statusText(result);
        finish.run(finalStatus(result), begin, end, text, result.outputs, result.meta, id);
        const tooMany = finished + 1 - maxHistory;
        return tooMany > 0 ? 1 - Number(prune.run(tooMany).changes) : 1;
      });
      flushTimer ??= setTimeout(flush, FLUSH_WITHIN).unref();
    },
    remove: (ids) => db.transaction(() => ids.forEach((id) => remove.run(id))),
    get: (id) => readOptional(get.get(id), readAny),
    active: () =>
      active.all().map((row) => ({
        id: String(row.id),
        number: Number(row.number),
        status: row.status as JobStatus,
        attempt: Number(row.attempt),
      })),
    history: {
      get: (id) => readOptional(entry.get(id), readFinished),
      page: (offset, limit) => page.all(limit, offset).map(readFinished),
      count: () => finished,
      delete: (ids) => {
        finished -= db.transaction(() => {
          const gone = ids === 'all' ? [forgetAll.run()] : ids.map((id) => forget.run(id));
          return gone.reduce((count, { changes }) => count + Number(changes), 0);
        });
      },
    },
    list: (filter) => listJobs(db, filter),
    probe,
    webhooks: createWebhookRows(db),
    batches: createBatchRows(db),
    close: () => {
      clearTimeout(flushTimer);
      db.close();
      unlock();
    },
  };
}

/** A transaction that outlives this process, but is on the disk only with the next one. */
function unflushed<T>(db: Db, change: () => T): T {
  db.exec('PRAGMA synchronous = NORMAL');
  try {
    return db.transaction(change);
  } finally {
    db.exec('PRAGMA synchronous = FULL');
  }
}

function migrate(db: Db, path: string): void {
  const version = Number(db.prepare('PRAGMA user_version').get()!.user_version);
  if (version > MIGRATIONS.length) throw new NoodleError('DATABASE_NEWER', { path, version });
  for (const [i, sql] of MIGRATIONS.entries()) {
    if (i < version) continue;
    db.transaction(() => {
      db.exec(sql);
      db.exec(`PRAGMA user_version = ${i + 1}`);
    });
  }
}

/**
 * Two servers on one queue would both run its jobs. The lock is SQLite's own on a file beside the
 * database: the operating system drops it when the process ends, however that happens.
 */
function lockDatabase(path: string): () => void {
  // A server that is just ending gets a moment to do so.
  const lock = openDb(`${path}.lock`, 1000);
  try {
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;');
  } catch (cause) {
    lock.close();
    throw new NoodleError('DATABASE_BUSY', { path }, { cause });
  }
  return () => lock.close();
}

function listJobs(db: Db, filter: JobFilter): { jobs: (Job | FinishedJob)[]; total: number } {
  const conditions: string[] = [];
  const values: SqlValue[] = [];
  if (filter.statuses !== undefined) {
    conditions.push(`status IN (${filter.statuses.map(() => '?').join(', ')})`);
    values.push(...filter.statuses);
  }
  if (filter.workflowId !== undefined) {
    conditions.push('workflow_id = ?');
    values.push(filter.workflowId);
  }
  const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '';
  const key = filter.sortBy === 'created_at' ? 'created_at' : 'execution_end - execution_start';
  const direction = filter.descending ? 'DESC' : 'ASC';
  const total = Number(db.prepare(`SELECT count(*) AS n FROM jobs ${where}`).get(...values)!.n);
  const ids = `SELECT id FROM jobs ${where} ORDER BY ${key} ${direction}, id ${direction} LIMIT ? OFFSET ?`;
  const rows = db
    .prepare(
      `SELECT * FROM jobs WHERE id IN (${ids}) ORDER BY ${key} ${direction}, id ${direction}`,
    )
    .all(...values, filter.limit ?? -1, filter.offset);
  return { jobs: rows.map(readAny), total };
}
