/** Notices that clients asked for with their jobs: kept on the disk until they are delivered. */
import type { Db, Row } from '../store/db.ts';

export interface WebhookRow {
  readonly jobId: string;
  readonly url: string;
  /** Key of the signature. */
  readonly secret?: string;
  /** Address of the server as the client wrote it: addresses in the notice begin with it. */
  readonly base: string;
}

/** A notice whose job has left the queue. */
export interface ArmedWebhook extends WebhookRow {
  readonly payload: string;
  readonly attempts: number;
}

/** Every method is one transaction. */
export interface WebhookRows {
  /** Adds a notice; one for the same job is replaced. */
  add(row: WebhookRow): void;
  get(jobId: string): WebhookRow | undefined;
  /** The text to send, from `due` (milliseconds) on. */
  arm(jobId: string, payload: string, due: number): void;
  /** One more attempt failed; the next is at `due`. */
  postpone(jobId: string, due: number): void;
  remove(jobId: string): void;
  /** Up to `limit` armed notices, earliest first. */
  armed(limit: number): (ArmedWebhook & { readonly due: number })[];
  /** Jobs with a notice that is not armed. */
  unarmed(): string[];
  count(): number;
}

/** The rows of the `webhooks` table. */
export function createWebhookRows(db: Db): WebhookRows {
  const add = db.prepare(
    'INSERT OR REPLACE INTO webhooks (job_id, url, secret, base) VALUES (?, ?, ?, ?)',
  );
  const get = db.prepare('SELECT * FROM webhooks WHERE job_id = ?');
  const arm = db.prepare('UPDATE webhooks SET payload = ?, due = ? WHERE job_id = ?');
  const postpone = db.prepare(
    'UPDATE webhooks SET attempts = attempts + 1, due = ? WHERE job_id = ?',
  );
  const remove = db.prepare('DELETE FROM webhooks WHERE job_id = ?');
  const armed = db.prepare('SELECT * FROM webhooks WHERE due IS NOT NULL ORDER BY due LIMIT ?');
  const unarmed = db.prepare('SELECT job_id FROM webhooks WHERE due IS NULL');
  const count = db.prepare('SELECT count(*) AS n FROM webhooks');
  return {
    add: ({ jobId, url, secret, base }) => void add.run(jobId, url, secret ?? null, base),
    get: (jobId) => {
      const row = get.get(jobId);
      return row === undefined ? undefined : readRow(row);
    },
    arm: (jobId, payload, due) => void arm.run(payload, due, jobId),
    postpone: (jobId, due) => void postpone.run(due, jobId),
    remove: (jobId) => void remove.run(jobId),
    armed: (limit) =>
      armed.all(limit).map((row) => ({
        ...readRow(row),
        payload: String(row.payload),
        attempts: Number(row.attempts),
        due: Number(row.due),
      })),
    unarmed: () => unarmed.all().map((row) => String(row.job_id)),
    count: () => Number(count.get()!.n),
  };
}

const readRow = (row: Row): WebhookRow => ({
  jobId: String(row.job_id),
  url: String(row.url),
  secret: row.secret === null ? undefined : String(row.secret),
  base: String(row.base),
});
