import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { JobResult } from '../../../engine/queue/store.ts';
import type { EngineJob } from '../../../engine/worker/messages.ts';
import { createQueue } from '../../../engine/queue/queue.ts';
import { openSqliteStore } from '../../../engine/queue/sqlite.ts';
import { type EventOptions, createEvents } from '../../../engine/server/events.ts';
import { eventStream } from '../../../engine/server/v1/sse.ts';

const success: JobResult = {
  ...{ status: 'success', completed: true, messages: [], outputs: '{}', meta: '{}' },
};

function setup(options: Partial<EventOptions> = {}) {
  const queue = createQueue(openSqliteStore(':memory:', { maxHistory: 99 }));
  const events = createEvents({ queue, boot: 'boot', ...options });
  const submit = (id: string): void =>
    queue.submit({
      ...{ id, number: 0, numberText: '0', prompt: '{}', extraData: '{}', outputs: [] },
    });
  const engine = (event: string, data: object): void =>
    events.tell.message({ id: 'a' } as EngineJob, {
      ...{ type: 'event', jobId: 'a', event, data: JSON.stringify(data), to: 'client' },
    });
  const seen: string[] = [];
  const follow = (after?: string) =>
    events.follow(({ type }, id) => seen.push(id === undefined ? type : `${id} ${type}`), after);
  return { queue, events, submit, engine, seen, follow };
}

describe('events', () => {
  it('tell the story of a job', () => {
    const { queue, submit, engine, seen, follow } = setup();
    follow();
    submit('a');
    queue.take();
    engine('execution_start', {});
    engine('progress', { node: '3', value: 1, max: 4 });
    engine('progress_state', {});
    engine('executed', { node: '9', output: { images: [] } });
    queue.finish('a', success);
    expect(seen).toEqual([
      ...['boot.1 queue', 'boot.2 queue', 'boot.3 started', 'progress', 'boot.4 executed'],
      ...['boot.5 finished', 'boot.6 queue'],
    ]);
  });

  it('are told again from where a client was', () => {
    const { queue, submit, seen, follow } = setup();
    submit('a');
    queue.take();
    queue.finish('a', success);
    expect(follow('boot.2').complete).toBe(true);
    expect(seen).toEqual(['boot.3 finished', 'boot.4 queue']);
    seen.length = 0;
    expect(follow('boot.4').complete).toBe(true);
    expect(seen).toEqual([]);
  });

  it.each(['other.2', 'boot.99', 'nonsense', ''])('cannot go on from %s', (after) => {
    const { submit, seen, follow } = setup();
    submit('a');
    expect(follow(after).complete).toBe(false);
    expect(seen).toEqual([]);
  });

  it('are kept up to a number and a size', () => {
    const { submit, follow, queue } = setup({ ringLength: 5 });
    for (let i = 0; i < 10; i++) submit(`${i}`);
    expect(follow('boot.4').complete).toBe(false);
    expect(follow('boot.5').complete).toBe(true);
    queue.clearPending();
    const small = setup({ ringBytes: 400 });
    for (let i = 0; i < 50; i++) small.submit(`${i}`);
    expect(small.follow('boot.30').complete).toBe(false);
    expect(small.follow('boot.49').complete).toBe(true);
  });

  it('do not repeat a queue that is as it was', () => {
    const { queue, seen, follow } = setup();
    queue.resume();
    follow();
    queue.resume();
    expect(seen).toEqual([]);
    queue.pause();
    expect(seen).toEqual(['boot.2 queue']);
  });
});

describe('waiting for a job', () => {
  const isSettled = async (promise: Promise<void>): Promise<boolean> =>
    Promise.race([promise.then(() => true), new Promise<boolean>((r) => setTimeout(r, 5, false))]);

  it('ends with the job, at once when it has ended, and with the signal', async () => {
    const { queue, events, submit } = setup();
    const never = new AbortController();
    submit('a');
    const waiting = events.left('a', never.signal);
    expect(await isSettled(waiting)).toBe(false);
    const aborted = new AbortController();
    const given = events.left('a', aborted.signal);
    aborted.abort();
    expect(await isSettled(given)).toBe(true);
    expect(await isSettled(waiting)).toBe(false);
    queue.take();
    queue.finish('a', success);
    expect(await isSettled(waiting)).toBe(true);
    expect(await isSettled(events.left('a', never.signal))).toBe(true);
    expect(await isSettled(events.left('unknown', never.signal))).toBe(true);
  });
});

describe('a stream', () => {
  /** A response that takes as much as it is told to. */
  function response() {
    const state = { text: '', writableLength: 0, destroyed: false, close: () => undefined as void };
    const res = {
      writeHead: () => undefined,
      write: (chunk: string) => void (state.text += chunk),
      destroy: () => {
        state.destroyed = true;
        state.close();
      },
      on: (_: 'close', listener: () => void) => void (state.close = listener),
      get writableLength() {
        return state.writableLength;
      },
    };
    const req = { socket: { setNoDelay: () => undefined } };
    return { state, res: res as unknown as ServerResponse, req: req as unknown as IncomingMessage };
  }
  const eventsIn = (text: string): string[] =>
    [...text.matchAll(/^event: (.*)$/gm)].map(([, name]) => name);

  it('drops progress for a slow client, then the client', () => {
    const { events, queue, submit, engine } = setup();
    submit('a');
    const { state, res, req } = response();
    eventStream({ events, queue }, { base: '' })(req, res);
    engine('progress', { node: '3', value: 1, max: 4 });
    state.writableLength = 100_000;
    engine('progress', { node: '3', value: 2, max: 4 });
    engine('execution_start', {});
    expect(eventsIn(state.text)).toEqual(['queue', 'progress', 'started']);
    state.writableLength = 10_000_000;
    engine('execution_start', {});
    expect(state.destroyed).toBe(true);
    expect(events.readers()).toBe(0);
  });

  it('of one job begins with the job and holds nothing of others', () => {
    const { events, queue, submit, engine } = setup();
    submit('a');
    const { state, res, req } = response();
    eventStream({ events, queue }, { job: 'a', base: 'http://me' })(req, res);
    submit('b');
    engine('execution_start', {});
    queue.clearPending();
    expect(eventsIn(state.text)).toEqual(['job', 'started', 'finished']);
    expect(state.text).toContain('"self": "http://me/v1/jobs/a"');
    state.close();
  });

  it('says that there is a gap, and begins anew', () => {
    const { events, queue } = setup();
    const { state, res, req } = response();
    eventStream({ events, queue }, { after: 'old.7', base: '' })(req, res);
    expect(eventsIn(state.text)).toEqual(['gap', 'queue']);
    state.close();
  });

  it('is refused for unknown jobs and beyond the limit', () => {
    const { events, queue } = setup();
    expect(() => eventStream({ events, queue }, { job: 'nope', base: '' })).toThrow(
      /no job 'nope'/,
    );
    for (let i = 0; i < 200; i++) events.follow(() => undefined);
    expect(() => eventStream({ events, queue }, { base: '' })).toThrow(/too many event streams/);
  });
});
