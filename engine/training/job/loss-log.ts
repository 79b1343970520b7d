/** `loss_log.db`: losses in the tables that ai-toolkit's page reads. */
import { openDb } from '../../store/db.ts';
import type { LossLine, Losses } from './loss-line.ts';

const TABLES = `
  CREATE TABLE IF NOT EXISTS steps (step INTEGER PRIMARY KEY, wall_time REAL NOT NULL);
  CREATE TABLE IF NOT EXISTS metric_keys (
    key TEXT PRIMARY KEY,
    first_seen_step INTEGER,
    last_seen_step INTEGER
  );
  CREATE TABLE IF NOT EXISTS metrics (
    step INTEGER NOT NULL,
    key TEXT NOT NULL,
    value_real REAL,
    value_text TEXT,
    PRIMARY KEY (step, key)
  );
  CREATE INDEX IF NOT EXISTS idx_metrics_key_step ON metrics (key, step);`;

/** Key of a metric -> what a step has of it. */
const METRICS: Readonly<Record<string, (line: LossLine) => number | null>> = {
  'loss/loss': ({ loss }) => loss,
  learning_rate: ({ rate }) => rate,
};

/** Opens the database, or makes it, without what it has of steps after `step`. */
export function openLossLog(file: string, step: number, now: () => number = Date.now): Losses {
  const db = openDb(file);
  db.exec('PRAGMA journal_mode = WAL;');
  db.exec(TABLES);
  db.transaction(() => {
    for (const table of ['steps', 'metrics']) {
      db.prepare(`DELETE FROM ${table} WHERE step > ?`).run(step);
    }
    db.prepare('UPDATE metric_keys SET last_seen_step = ? WHERE last_seen_step > ?').run(
      step,
      step,
    );
    db.prepare('DELETE FROM metric_keys WHERE first_seen_step > ?').run(step);
  });
  const addStep = db.prepare('INSERT OR REPLACE INTO steps (step, wall_time) VALUES (?, ?)');
  const addMetric = db.prepare(
    'INSERT OR REPLACE INTO metrics (step, key, value_real) VALUES (?, ?, ?)',
  );
  const addKey = db.prepare(
    `INSERT INTO metric_keys (key, first_seen_step, last_seen_step) VALUES (?, ?, ?)
     ON CONFLICT (key) DO UPDATE SET last_seen_step = excluded.last_seen_step`,
  );
  return {
    append: (line) =>
      db.transaction(() => {
        addStep.run(line.step, now() / 1000);
        for (const [key, of] of Object.entries(METRICS)) {
          addMetric.run(line.step, key, of(line));
          addKey.run(key, line.step, line.step);
        }
      }),
    close: () => db.close(),
  };
}
