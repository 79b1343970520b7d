/**
 * The queue with its database and the event bus behind it: 10 000 jobs are put in and cleared.
 * The time of each thousand should not grow with the number of jobs that wait.
 *
 *     node --import ./bin/typescript.js bench/queue.ts
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createQueue } from '../engine/queue/queue.ts';
import { openSqliteStore } from '../engine/queue/sqlite.ts';
import { createEvents } from '../engine/server/events.ts';

const COUNT = 10_000;

/** Milliseconds of each thousand calls of `step`. */
function perThousand(step: (i: number) => void): number[] {
  return Array.from({ length: COUNT / 1000 }, (_, thousand) => {
    const begin = performance.now();
    for (let i = thousand * 1000; i < (thousand + 1) * 1000; i++) step(i);
    return performance.now() - begin;
  });
}

function measure(name: string, path: string): void {
  const store = openSqliteStore(path, { maxHistory: 100 });
  const queue = createQueue(store);
  createEvents({ queue, boot: 'bench' });
  const report = (what: string, times: readonly number[]): void =>
    console.log(`${name}, ${what}:`.padEnd(28), times.map((ms) => ms.toFixed(0)).join(' '));

  report(
    'submit',
    perThousand((i) => {
      const text = { prompt: '{}', extraData: '{}', outputs: [] };
      queue.submit({ id: `job-${i}`, number: i, numberText: `${i}`, ...text });
    }),
  );
  const clear = performance.now();
  queue.clearPending();
  report('clear', [performance.now() - clear]);
  store.close();
}

console.log(`milliseconds for each thousand of ${COUNT} jobs`);
measure('memory', ':memory:');
const folder = mkdtempSync(join(tmpdir(), 'noodle-bench-'));
measure('disk', join(folder, 'queue.db'));
rmSync(folder, { recursive: true });
