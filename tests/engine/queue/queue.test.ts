import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { JobResult } from '../../../engine/queue/store.ts';
import { openDb } from '../../../engine/store/db.ts';
import { createQueue } from '../../../engine/queue/queue.ts';
import type { Queue, Submission } from '../../../engine/queue/queue.ts';
import type { JobStore } from '../../../engine/queue/store.ts';
import { openSqliteStore } from '../../../engine/queue/sqlite.ts';

const submission = (id: string, number: number, more: Partial<Submission> = {}): Submission => ({
  id,
  number,
  numberText: String(number),
  prompt: `{"1": {"class_type": "A", "inputs": {"seed": 18446744073709551615, "cfg": 5.0}}}`,
  extraData: '{"client_id": "c"}',
  outputs: ['1'],
  clientId: 'c',
  ...more,
});

const success: JobResult = {
  status: 'success',
  completed: true,
  messages: [
    ['execution_start', '{"prompt_id": "x", "timestamp": 1000}'],
    ['execution_success', '{"prompt_id": "x", "timestamp": 1500}'],
  ],
  outputs: '{"1": {"text": ["a"]}}',
  meta: '{}',
};
const interrupted: JobResult = {
  ...success,
  status: 'error',
  completed: false,
  messages: [['execution_interrupted', '{"timestamp": 5}']],
};

let folder: string;
/** The store that was opened last. */
let opened: JobStore;
const open = (maxHistory = 100): JobStore =>
  (opened = openSqliteStore(join(folder, 'q.db'), { maxHistory }));
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'noodle-queue-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('queue order', () => {
  it('runs by number, then by id text, front items newest first', () => {
    const queue = createQueue(open());
    queue.nextNumber(false);
    queue.submit(submission('b', 1));
    queue.submit(submission('a', 1));
    queue.submit(submission('z', 0.5));
    const first = queue.nextNumber(true);
    const second = queue.nextNumber(true);
    queue.submit(submission('f1', first));
    queue.submit(submission('f2', second));
    expect([first, second]).toEqual([-1, -2]);
    const order = [];
    for (let job = queue.take(); job !== undefined; job = queue.take()) order.push(job.id);
    expect(order).toEqual(['f2', 'f1', 'z', 'a', 'b']);
  });

  it('brings back what was dropped, to its place and with its secrets, once', () => {
    const queue = createQueue(open());
    const secrets = { api_key_comfy_org: 'k' };
    for (const [i, id] of ['a', 'b', 'c'].entries()) queue.submit(submission(id, i, { secrets }));
    expect(queue.deletePending('b')).toBe(true);
    expect(queue.job('b')).toBeUndefined();
    expect(queue.restore('b')).toBe(true);
    expect([queue.restore('b'), queue.restore('none')]).toEqual([false, false]);
    expect(queue.next(3).map(({ id }) => id)).toEqual(['a', 'b', 'c']);
    queue.deletePending('a');
    expect(queue.take()).toMatchObject({
      id: 'b',
      extraData: expect.stringContaining('api_key') as string,
    });
    expect(createQueue(opened).restore('a')).toBe(false);
  });

  it('moves, deletes and clears only what waits', () => {
    const onChange = vi.fn();
    const queue = createQueue(open());
    queue.watch({ changed: onChange });
    for (const [i, id] of ['a', 'b', 'c', 'd'].entries()) queue.submit(submission(id, i));
    expect(queue.take()?.id).toBe('a');
    expect(queue.deletePending('a')).toBe(false);
    expect(queue.move('d', -5)).toBe(true);
    expect(queue.pending().map(({ id }) => id)).toEqual(['d', 'c', 'b']);
    expect(queue.deletePending('c')).toBe(true);
    queue.clearPending();
    expect(queue.remaining()).toBe(1);
    expect(queue.isRunning('a')).toBe(true);
    onChange.mockClear();
    queue.submit(submission('last', 9));
    queue.deletePending('last');
    expect(onChange).toHaveBeenCalledTimes(3); // put, emptied, deleted
  });

  it('counts and places jobs without listing them', () => {
    const queue = createQueue(open());
    for (const [i, id] of ['c', 'a', 'b', 'd'].entries()) queue.submit(submission(id, i % 3));
    expect(queue.next(3).map(({ id }) => id)).toEqual(['c', 'd', 'a']);
    expect(['c', 'd', 'a', 'b'].map((id) => queue.position(id))).toEqual([0, 1, 2, 3]);
    queue.take();
    expect(queue.counts()).toEqual({ running: 1, pending: 3 });
    expect(['c', 'd', 'unknown'].map((id) => queue.position(id))).toEqual([
      undefined,
      0,
      undefined,
    ]);
    expect(queue.next(0)).toEqual([]);
  });

  it('pauses', () => {
    const queue = createQueue(open());
    queue.submit(submission('a', 0));
    queue.pause();
    expect(queue.take()).toBeUndefined();
    queue.resume();
    expect(queue.take()?.id).toBe('a');
  });

  it('moves jobs between others, and what is submitted later runs after them', () => {
    const queue = createQueue(open());
    const add = (id: string) => queue.submit(submission(id, queue.nextNumber(false)));
    const order = () =>
      queue
        .next(9)
        .map(({ id }) => id)
        .join('');
    for (const id of 'abcd') add(id);
    expect(queue.moveBefore('d', 'b')).toBe(true);
    expect(order()).toBe('adbc');
    expect(queue.moveBefore('a', undefined)).toBe(true);
    expect(queue.moveBefore('c', 'd')).toBe(true);
    expect(order()).toBe('cdba');
    add('e');
    expect(order()).toBe('cdbae');
    queue.submit(submission('f', queue.nextNumber(true)));
    expect(order()).toBe('fcdbae');
    expect(queue.moveBefore('a', 'x') || queue.moveBefore('x', 'a')).toBe(false);
    expect(queue.moveBefore('a', 'a')).toBe(false);
  });

  it('moves jobs also where their numbers leave no room', () => {
    const queue = createQueue(open());
    for (const id of 'abcdef') queue.submit(submission(id, 3));
    const order = () =>
      queue
        .next(9)
        .map(({ id }) => id)
        .join('');
    // Halving a gap sixty times leaves nothing of it.
    for (let i = 0; i < 60; i++) {
      queue.moveBefore(i % 2 === 0 ? 'e' : 'f', 'c');
      expect(order().replace(/[ef]/g, '')).toBe('abcd');
      expect(order().indexOf(i % 2 === 0 ? 'e' : 'f')).toBe(order().indexOf('c') - 1);
    }
  });

  it('refuses an id that waits or runs, takes one that has finished', () => {
    const queue = createQueue(open());
    queue.submit(submission('a', 0));
    expect(() => queue.submit(submission('a', 1))).toThrow(/waiting or running/);
    queue.take();
    expect(() => queue.submit(submission('a', 1))).toThrow(/waiting or running/);
    queue.finish('a', success);
    queue.submit(submission('a', 1));
    expect(queue.take()?.id).toBe('a');
  });
});

describe('what survives', () => {
  it('keeps a pause and the order that was chosen', () => {
    let queue = createQueue(open());
    for (const id of ['a', 'b', 'c']) queue.submit(submission(id, queue.nextNumber(false)));
    queue.pause();
    queue.moveBefore('c', 'a');
    opened.close();
    queue = createQueue(open());
    expect(queue.paused()).toBe(true);
    expect(queue.next(3).map(({ id }) => id)).toEqual(['c', 'a', 'b']);
    queue.resume();
    opened.close();
    expect(createQueue(open()).paused()).toBe(false);
  });

  it('keeps waiting jobs, their order, their exact text and the counter', () => {
    let queue = createQueue(open());
    queue.submit(submission('b', queue.nextNumber(false)));
    queue.submit(submission('a', queue.nextNumber(false)));
    opened.close();
    queue = createQueue(open());
    expect(queue.nextNumber(false)).toBe(2);
    const job = queue.take();
    expect(job?.id).toBe('b');
    expect(job?.prompt).toContain('18446744073709551615, "cfg": 5.0');
    opened.close();
  });

  it('runs an interrupted job once more after a restart, and not a third time', () => {
    for (const expected of ['a', 'a', undefined]) {
      const queue = createQueue(open());
      if (expected === 'a' && queue.remaining() === 0) queue.submit(submission('a', 0));
      expect(queue.take()?.id).toBe(expected);
      if (expected === undefined) {
        expect(queue.history.get('a')?.statusText).toContain('"ServerRestart"');
      }
      opened.close();
    }
  });

  it('gives a crashed job one more attempt, in its old place', () => {
    const queue = createQueue(open());
    queue.submit(submission('a', 0));
    queue.submit(submission('b', 1));
    expect(queue.take()?.id).toBe('a');
    expect(queue.requeue('a')).toBe(true);
    expect(queue.take()?.id).toBe('a');
    expect(queue.requeue('a')).toBe(false);
    expect(queue.isRunning('a')).toBe(true);
  });

  it('keeps credentials in memory only, and says so when a job needed them', () => {
    const secrets = { api_key_comfy_org: 'k' };
    let queue = createQueue(open());
    queue.submit(submission('a', 0, { secrets, asksForSecrets: true }));
    queue.submit(submission('b', 1, { secrets, asksForSecrets: false }));
    expect(queue.pending()[0].extraData).not.toContain('api_key');
    expect(queue.take()?.extraData).toBe('{"client_id": "c", "api_key_comfy_org": "k"}');
    queue.requeue('a');
    opened.close();
    queue = createQueue(open());
    expect(queue.take()?.id).toBe('b');
    expect(queue.history.get('a')?.statusText).toContain('credentials');
  });

  it('takes a database of the version before jobs had owners', () => {
    createQueue(open()).submit(submission('a', 0));
    opened.close();
    const db = openDb(join(folder, 'q.db'));
    db.exec('DROP TRIGGER batch_job_gone; DROP TABLE batch_runs; DROP TABLE batches;');
    db.exec('ALTER TABLE jobs DROP COLUMN owner; PRAGMA user_version = 2;');
    db.close();
    const queue = createQueue(open());
    expect(queue.job('a')).toMatchObject({ status: 'pending', owner: undefined });
    queue.submit(submission('b', 1, { owner: 'ada' }));
    expect(queue.job('b')?.owner).toBe('ada');
    opened.close();
  });

  it('lets one server at a time have the database', () => {
    const store = open();
    expect(() => open()).toThrow(/in use by another server/);
    store.close();
    open().close();
  }, 20_000);
});

describe('history', () => {
  it('pages from the oldest, finds, forgets and prunes', () => {
    const queue = createQueue(open(3));
    for (const [i, id] of ['a', 'b', 'c', 'd'].entries()) {
      queue.submit(submission(id, i));
      queue.take();
      queue.finish(id, success);
    }
    const ids = (offset: number, count: number) =>
      queue.history.page(offset, count).map(({ id }) => id);
    expect(ids(0, 10)).toEqual(['b', 'c', 'd']);
    expect(ids(1, 1)).toEqual(['c']);
    expect(queue.history.count()).toBe(3);
    expect(queue.history.get('a')).toBeUndefined();
    queue.history.delete(['c', 'none']);
    expect(ids(0, 10)).toEqual(['b', 'd']);
    queue.history.delete('all');
    expect(queue.history.count()).toBe(0);
  });

  it('counts an id that came again once, also after a restart', () => {
    const run = (queue: Queue, id: string, number: number): void => {
      queue.submit(submission(id, number));
      queue.take();
      queue.finish(id, success);
    };
    const queue = createQueue(open(3));
    for (const [i, id] of ['a', 'b', 'a', 'c'].entries()) run(queue, id, i);
    expect(queue.history.count()).toBe(3);
    opened!.close();
    const again = createQueue(open(3));
    expect(again.history.count()).toBe(3);
    run(again, 'd', 9);
    expect(again.history.count()).toBe(3);
    expect(again.history.page(0, 10).map(({ id }) => id)).toEqual(['a', 'c', 'd']);
  });

  it('writes the status as ComfyUI does and tells how a job ended', () => {
    const queue = createQueue(open());
    for (const [id, result] of [
      ['a', success],
      ['b', interrupted],
    ] as const) {
      queue.submit(submission(id, 0));
      queue.take();
      queue.finish(id, result);
    }
    expect(queue.history.get('a')).toMatchObject({
      status: 'completed',
      executionStart: 1000,
      executionEnd: 1500,
      statusText:
        '{"status_str": "success", "completed": true, "messages": [' +
        '["execution_start", {"prompt_id": "x", "timestamp": 1000}], ' +
        '["execution_success", {"prompt_id": "x", "timestamp": 1500}]]}',
    });
    expect(queue.history.get('b')?.status).toBe('cancelled');
  });

  it('lists jobs of all kinds by creation or duration', () => {
    let now = 0;
    const queue = createQueue(open(), { now: () => ++now });
    for (const id of ['a', 'b', 'c']) queue.submit(submission(id, now, { workflowId: `w${id}` }));
    queue.take();
    queue.finish('a', success);
    queue.take();
    const list = (filter: object) =>
      queue
        .list({ sortBy: 'created_at', descending: true, offset: 0, ...filter })
        .jobs.map(({ id }) => id);
    expect(list({})).toEqual(['c', 'b', 'a']);
    expect(list({ descending: false, limit: 1, offset: 1 })).toEqual(['b']);
    expect(list({ statuses: ['pending', 'completed'] })).toEqual(['c', 'a']);
    expect(list({ workflowId: 'wb' })).toEqual(['b']);
    expect(list({ sortBy: 'execution_duration' })[0]).toBe('a');
  });

  it('answers in milliseconds with 100 000 entries', () => {
    open().close();
    const db = openDb(join(folder, 'q.db'));
    db.exec(`
      WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
      INSERT INTO jobs (id, status, number, number_text, created_at, finished, needs_secrets,
        outputs_to_execute, extra_data, prompt, status_text, meta, outputs)
      SELECT 'job-' || i, 'completed', i, i, i, i, 0, '[]', '{}', printf('%.*c', 2000, 'x'), '{}', '{}', '{}'
      FROM n`);
    db.close();
    const store = open(1_000_000);
    const queue = createQueue(store);
    const timed = (read: () => unknown): number => {
      const begin = performance.now();
      read();
      return performance.now() - begin;
    };
    expect(store.history.count()).toBe(100_000);
    const median = (read: () => unknown): number =>
      Array.from({ length: 5 }, () => timed(read)).sort((a, b) => a - b)[2];
    expect(median(() => store.history.get('job-99999'))).toBeLessThan(5);
    expect(median(() => store.history.page(99_900, 100))).toBeLessThan(50);
    expect(median(() => queue.submit(submission(`n${Math.random()}`, 0)))).toBeLessThan(20);
    store.close();
  }, 60_000);
});
