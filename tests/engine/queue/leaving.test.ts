import { describe, expect, it } from 'vitest';
import type { JobResult } from '../../../engine/queue/store.ts';
import { createQueue } from '../../../engine/queue/queue.ts';
import { openSqliteStore } from '../../../engine/queue/sqlite.ts';

const success: JobResult = {
  status: 'success',
  completed: true,
  messages: [],
  outputs: '{}',
  meta: '{}',
};

function setup() {
  const left: string[] = [];
  const store = openSqliteStore(':memory:', { maxHistory: 10 });
  const queue = createQueue(store);
  queue.watch({
    left: (ids) => void left.push(...ids.map((id) => `${id} ${store.get(id)?.status ?? 'gone'}`)),
  });
  const submit = (id: string, number: number, asksForSecrets = false): void =>
    queue.submit({
      ...{ id, number, numberText: String(number), prompt: '{}', extraData: '{}', outputs: [] },
      ...(asksForSecrets ? { asksForSecrets, secrets: { key: 'k' } } : {}),
    });
  return { left, queue, store, submit };
}

describe('jobs that leave the queue', () => {
  it('are named once their end is stored, whichever way they went', () => {
    const { left, queue, submit } = setup();
    for (const [i, id] of ['a', 'b', 'c', 'd'].entries()) submit(id, i);
    expect(queue.next(9).map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd']);
    queue.take();
    expect(queue.has('a')).toBe(true);
    queue.finish('a', success);
    queue.deletePending('b');
    queue.clearPending();
    expect(left).toEqual(['a completed', 'b gone', 'c gone', 'd gone']);
    expect(['a', 'b', 'c', 'd'].map((id) => queue.has(id))).toEqual([false, false, false, false]);
  });

  it('stay while they are put back', () => {
    const { left, queue, submit } = setup();
    submit('a', 0);
    queue.take();
    expect(queue.requeue('a')).toBe(true);
    expect(left).toEqual([]);
    expect(queue.has('a')).toBe(true);
  });

  it('include those whose credentials were lost with a restart', () => {
    const { store, submit } = setup();
    submit('a', 0, true);
    const left: string[] = [];
    const next = createQueue(store);
    next.watch({ left: (ids) => void left.push(...ids) });
    expect(next.take()).toBeUndefined();
    expect(left).toEqual(['a']);
  });
});

describe('notices on the disk', () => {
  it('are due once their job has left, and again after a failed attempt', () => {
    const { store } = setup();
    const { webhooks } = store;
    webhooks.add({ jobId: 'a', url: 'https://a.test/', secret: 's', base: 'http://here' });
    webhooks.add({ jobId: 'b', url: 'https://b.test/', base: 'http://here' });
    expect(webhooks.unarmed()).toEqual(['a', 'b']);
    expect(webhooks.armed(10)).toEqual([]);
    webhooks.arm('b', '{"b": 1}', 20);
    webhooks.arm('a', '{"a": 1}', 10);
    const [first, second] = webhooks.armed(10);
    expect(first).toEqual({
      ...{ jobId: 'a', url: 'https://a.test/', secret: 's', base: 'http://here' },
      ...{ payload: '{"a": 1}', attempts: 0, due: 10 },
    });
    expect(second).toMatchObject({ jobId: 'b', secret: undefined });
    webhooks.postpone('a', 30);
    expect(webhooks.armed(10).map(({ jobId, attempts, due }) => [jobId, attempts, due])).toEqual([
      ['b', 0, 20],
      ['a', 1, 30],
    ]);
    webhooks.remove('b');
    expect(webhooks.count()).toBe(1);
  });

  it('find the database writable', () => {
    const { store } = setup();
    store.probe();
    store.close();
    expect(() => store.probe()).toThrow();
  });
});
