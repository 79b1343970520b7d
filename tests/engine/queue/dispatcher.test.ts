import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { FromEngine, JobEnd, ToEngine } from '../../../engine/worker/messages.ts';
import { createDispatcher } from '../../../engine/queue/dispatcher.ts';
import type { EngineEvents, StartEngine } from '../../../engine/worker/link.ts';
import { createQueue } from '../../../engine/queue/queue.ts';
import { openSqliteStore } from '../../../engine/queue/sqlite.ts';
import { engineReport } from '../../support/engine-report.ts';

const success: JobEnd = {
  status: 'success',
  completed: true,
  messages: [],
  untold: '{}',
  meta: '{}',
};

/** Engines that do what the test says. */
function setup({ engines = 1 } = {}) {
  const started: { events: EngineEvents; sent: ToEngine[]; killed: boolean }[] = [];
  const seen: string[] = [];
  const queue = createQueue(openSqliteStore(':memory:', { maxHistory: 10 }));
  queue.watch({ changed: () => dispatcher.pump() });
  const dispatcher = createDispatcher({
    queue,
    interruptGrace: 1000,
    onMessage: (job, message) =>
      seen.push(message.type === 'event' ? `${job.id} ${message.event}` : message.type),
    onFinished: (job) => seen.push(`${job.id} finished`),
    log: () => undefined,
  });
  const startEngine: StartEngine = (events) => {
    const engine = { events, sent: [] as ToEngine[], killed: false };
    started.push(engine);
    return {
      pid: 1,
      send: (message) => engine.sent.push(message),
      kill: () => {
        engine.killed = true;
        events.exit('SIGKILL');
      },
    };
  };
  const start = (): void => {
    for (let i = 0; i < engines; i++) dispatcher.join(startEngine);
  };
  const submit = (id: string, number = 0): void =>
    queue.submit({
      id,
      number,
      numberText: '0',
      prompt: '{"5": {"class_type": "KSampler", "inputs": {}}}',
      extraData: '{}',
      outputs: ['5'],
      clientId: `client-${id}`,
    });
  const ready: FromEngine = { type: 'ready', report: engineReport() };
  const event = (jobId: string, name: string, data: object): FromEngine => ({
    type: 'event',
    jobId,
    event: name,
    data: JSON.stringify(data),
    to: 'client',
  });
  const status = (id: string): string => queue.history.get(id)?.statusText ?? '';
  return { queue, dispatcher, start, started, seen, submit, ready, event, status };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('dispatcher', () => {
  it('takes on engines that come over other links, and starts them again too', () => {
    const { start, queue, dispatcher, started, submit, ready } = setup({ engines: 1 });
    start();
    const joined: { events: EngineEvents; sent: ToEngine[] }[] = [];
    dispatcher.join((events) => {
      const sent: ToEngine[] = [];
      joined.push({ events, sent });
      return { pid: undefined, send: (message) => sent.push(message), kill: () => undefined };
    });
    expect(dispatcher.engines()).toEqual({ total: 2, ready: 0, restarts: 0 });
    submit('a');
    submit('b', 1);
    joined[0].events.message(ready);
    expect(joined[0].sent).toMatchObject([{ type: 'run', job: { id: 'a' } }]);
    started[0].events.message(ready);
    expect(queue.running().map(({ id }) => id)).toEqual(['a', 'b']);
    joined[0].events.message({ type: 'done', jobId: 'a', end: success });
    joined[0].events.exit('lost');
    vi.advanceTimersByTime(1);
    expect(joined).toHaveLength(2);
    expect(started).toHaveLength(1);
    expect(dispatcher.engines()).toEqual({ total: 2, ready: 1, restarts: 1 });
  });

  it('gives no job to an engine that is being killed, though its last one ends just then', () => {
    const { queue, dispatcher, submit, ready } = setup({ engines: 0 });
    const links: { events: EngineEvents; sent: ToEngine[] }[] = [];
    dispatcher.join((events) => {
      const sent: ToEngine[] = [];
      links.push({ events, sent });
      return { pid: undefined, send: (message) => sent.push(message), kill: () => undefined };
    });
    submit('a');
    submit('b', 1);
    links[0].events.message(ready);
    dispatcher.interrupt('a');
    vi.advanceTimersByTime(1000);
    links[0].events.message({ type: 'done', jobId: 'a', end: success });
    expect(queue.running()).toEqual([]);
    links[0].events.exit('SIGKILL');
    vi.advanceTimersByTime(1);
    links[1].events.message(ready);
    expect(links[1].sent).toMatchObject([{ type: 'run', job: { id: 'b' } }]);
    // the new engine is kept after its first job
    links[1].events.message({ type: 'done', jobId: 'b', end: success });
    expect(links[1].sent).toHaveLength(1);
  });

  it('renews an engine that lost its device before it gives out the next job', () => {
    const { start, queue, dispatcher, started, submit, ready } = setup();
    start();
    started[0].events.message(ready);
    submit('a');
    submit('b', 1);
    const end: JobEnd = { ...success, status: 'error', completed: false };
    started[0].events.message({ type: 'done', jobId: 'a', end, isSpent: true });
    expect(queue.history.get('a')?.status).toBe('failed');
    expect(started[0].sent.slice(1)).toEqual([{ type: 'stop' }]);
    started[0].events.exit('exit code 0');
    vi.advanceTimersByTime(1);
    started[1].events.message(ready);
    expect(started[1].sent).toMatchObject([{ type: 'run', job: { id: 'b' } }]);
    // it was asked to end: nothing broke
    expect(dispatcher.engines()).toEqual({ total: 1, ready: 1, restarts: 0 });
  });

  it('waits for an engine, runs one job at a time, stores before it tells', () => {
    const { start, queue, started, seen, submit, ready } = setup();
    submit('a');
    submit('b', 1);
    start();
    expect(queue.running()).toEqual([]);
    started[0].events.message(ready);
    expect(started[0].sent).toMatchObject([{ type: 'run', job: { id: 'a' } }]);
    started[0].events.message({ type: 'done', jobId: 'a', end: success });
    expect(seen).toEqual(['a finished']);
    expect(queue.history.get('a')?.status).toBe('completed');
    expect(started[0].sent[1]).toMatchObject({ type: 'run', job: { id: 'b' } });
  });

  it('keeps what messages told of and what only the end tells, in that order', () => {
    const { start, queue, started, submit, ready, event } = setup();
    start();
    started[0].events.message(ready);
    submit('a');
    const tell = (node: string, output: object | null): void =>
      started[0].events.message(event('a', 'executed', { node, display_node: node, output }));
    tell('7', { text: ['first'] });
    tell('6', null);
    tell('5', { scale: [2] });
    tell('7', { text: ['again'] });
    const end = { ...success, untold: '{"3": {"text": ["kept"]}}', meta: '{"7": {}}' };
    started[0].events.message({ type: 'done', jobId: 'a', end });
    const { outputsText, metaText } = queue.history.get('a')!;
    expect(outputsText).toBe(
      '{"7": {"text": ["again"]}, "5": {"scale": [2]}, "3": {"text": ["kept"]}}',
    );
    expect(metaText).toBe('{"7": {}}');
  });

  it('feeds several engines', () => {
    const { start, started, submit, ready, queue } = setup({ engines: 2 });
    start();
    started.forEach(({ events }) => events.message(ready));
    submit('a');
    submit('b');
    expect(started.map(({ sent }) => sent.length)).toEqual([1, 1]);
    expect(queue.remaining()).toBe(2);
  });

  it('renews idle engines at once, busy ones after their job, starting ones from the beginning', () => {
    const { start, dispatcher, started, submit, ready, seen, queue } = setup({ engines: 3 });
    start();
    started[0].events.message(ready);
    submit('a');
    started[1].events.message(ready);
    dispatcher.renew();
    expect(started[0].sent.map(({ type }) => type)).toEqual(['run']);
    expect(started[1].sent).toEqual([{ type: 'stop' }]);
    expect(started[2].killed).toBe(true);
    started[1].events.exit('exit code 0');
    vi.advanceTimersByTime(0);
    expect(started).toHaveLength(5);
    started[0].events.message({ type: 'done', jobId: 'a', end: success });
    expect(started[0].sent.at(-1)).toEqual({ type: 'stop' });
    expect(seen).toEqual(['a finished']);
    expect(queue.remaining()).toBe(0);
    expect(dispatcher.engines()).toMatchObject({ restarts: 0 });
  });

  it('runs a job again, once, when its engine dies before anything was shown', () => {
    const { start, started, submit, ready, event, seen, status } = setup();
    start();
    started[0].events.message(ready);
    submit('a');
    started[0].events.message(event('a', 'execution_start', { timestamp: 1 }));
    started[0].events.message(event('a', 'executing', { node: '5', display_node: '5' }));
    started[0].events.exit('SIGSEGV');
    vi.advanceTimersByTime(0);
    started[1].events.message(ready);
    expect(started[1].sent).toMatchObject([{ type: 'run', job: { id: 'a' } }]);
    started[1].events.message(event('a', 'executing', { node: '5', display_node: '5' }));
    started[1].events.exit('SIGSEGV');
    expect(seen.slice(-2)).toEqual(['a execution_error', 'a finished']);
    expect(status('a')).toContain('"node_id": "5", "node_type": "KSampler"');
    expect(status('a')).toContain('SIGSEGV');
    vi.advanceTimersByTime(0);
    expect(started).toHaveLength(3);
  });

  it('reports a job whose results were shown already, with those results', () => {
    const { start, started, submit, ready, event, queue } = setup();
    start();
    started[0].events.message(ready);
    submit('a');
    submit('b', 1);
    const ui = { images: [{ filename: 'x.png', subfolder: '', type: 'output' }] };
    started[0].events.message(event('a', 'executed', { node: '5', display_node: '5', output: ui }));
    started[0].events.exit('exit code 1');
    const entry = queue.history.get('a');
    expect(entry?.status).toBe('failed');
    expect(JSON.parse(entry!.outputsText)).toEqual({ 5: ui });
    vi.advanceTimersByTime(0);
    started[1].events.message(ready);
    expect(started[1].sent).toMatchObject([{ type: 'run', job: { id: 'b' } }]);
  });

  it('interrupts by id or all, and ends an engine that does not obey', () => {
    const { start, dispatcher, started, submit, ready, status, queue } = setup();
    start();
    started[0].events.message(ready);
    expect(dispatcher.interrupt()).toBe(false);
    submit('a');
    expect(dispatcher.interrupt('other')).toBe(false);
    expect(dispatcher.interrupt('a')).toBe(true);
    expect(started[0].sent[1]).toEqual({ type: 'interrupt', jobId: 'a' });
    vi.advanceTimersByTime(999);
    expect(started[0].killed).toBe(false);
    vi.advanceTimersByTime(1);
    expect(started[0].killed).toBe(true);
    expect(status('a')).toContain('execution_interrupted');
    expect(queue.history.get('a')?.status).toBe('cancelled');
  });

  it('waits as long as it is told to, or shorter when it is told again', () => {
    const { start, dispatcher, started, submit, ready } = setup();
    start();
    started[0].events.message(ready);
    submit('a');
    dispatcher.interrupt('a', 60_000);
    vi.advanceTimersByTime(10_000);
    dispatcher.interrupt('a', 90_000);
    dispatcher.interrupt('a');
    vi.advanceTimersByTime(999);
    expect(started[0].killed).toBe(false);
    vi.advanceTimersByTime(1);
    expect(started[0].killed).toBe(true);
  });

  it('renews the process for free_memory when idle or after the job', () => {
    const { start, dispatcher, started, submit, ready } = setup();
    start();
    started[0].events.message(ready);
    submit('a');
    dispatcher.free({ unloadModels: true, freeMemory: true });
    expect(started[0].sent).toHaveLength(1);
    started[0].events.message({ type: 'done', jobId: 'a', end: success });
    expect(started[0].sent[1]).toEqual({ type: 'stop' });
    submit('b');
    started[0].events.exit('exit code 0');
    vi.advanceTimersByTime(0);
    started[1].events.message(ready);
    expect(started[1].sent).toMatchObject([{ type: 'run', job: { id: 'b' } }]);
    dispatcher.free({ unloadModels: true, freeMemory: false });
    expect(started[1].sent[1]).toMatchObject({ type: 'free' });
  });

  it('fails waiting jobs when no engine can be started, and goes on trying', () => {
    const { start, started, submit, status } = setup();
    start();
    submit('a');
    for (let i = 0; i < 3; i++) {
      started[i].events.exit('exit code 1');
      vi.advanceTimersByTime(30_000);
    }
    expect(status('a')).toContain('No engine process could be started (exit code 1)');
    expect(started).toHaveLength(4);
  });

  it('leaves running jobs to the next server when it is stopped, uncounted', async () => {
    const { start, dispatcher, started, submit, ready, queue, status } = setup({ engines: 2 });
    start();
    started.forEach(({ events }) => events.message(ready));
    submit('a');
    submit('b', 1);
    dispatcher.interrupt('b');
    await dispatcher.stop();
    expect(queue.job('a')).toMatchObject({ status: 'pending', attempt: 0 });
    expect(status('b')).toContain('execution_interrupted');
    expect(started).toHaveLength(2);
  });

  it('waits for no engine that is starting when it is stopped', async () => {
    const { start, dispatcher, started, ready } = setup({ engines: 2 });
    start();
    started[0].events.message(ready);
    const stopped = dispatcher.stop();
    expect(started.map(({ killed }) => killed)).toEqual([false, true]);
    expect(started[0].sent).toEqual([{ type: 'stop' }]);
    started[0].events.exit('exit code 0');
    await stopped;
    expect(started).toHaveLength(2);
  });

  it('knows what runs for a client that comes back', () => {
    const { start, dispatcher, started, submit, ready, event } = setup();
    start();
    started[0].events.message(ready);
    submit('a');
    expect(dispatcher.activeNode('client-a')).toBeUndefined();
    started[0].events.message(event('a', 'executing', { node: '5.0.0.1', display_node: '5' }));
    expect(dispatcher.activeNode('client-a')).toBe('5');
    expect(dispatcher.activeNode('client-b')).toBeUndefined();
  });
});
