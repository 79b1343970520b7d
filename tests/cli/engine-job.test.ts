import { describe, expect, it, vi } from 'vitest';
import { runInEngine } from '../../cli/engine-job.ts';
import type { RunEvent } from '../../cli/runner.ts';
import type { FromEngine, ToEngine } from '../../engine/worker/messages.ts';
import type { EngineEvents, StartEngine } from '../../engine/worker/link.ts';
import { engineReport } from '../support/engine-report.ts';

const job = { id: 'j', prompt: '{}', extraData: '{}', outputs: ['1'] };

/** An engine that answers each message as the script says. */
function fakeEngine(script: (message: ToEngine, events: EngineEvents) => void): {
  start: StartEngine;
  sent: ToEngine[];
  kill: ReturnType<typeof vi.fn>;
} {
  const sent: ToEngine[] = [];
  const kill = vi.fn();
  const start: StartEngine = (events) => {
    setImmediate(() => events.message({ type: 'ready', report: engineReport() }));
    kill.mockImplementation(() => events.exit('SIGKILL'));
    return {
      pid: 1,
      send: (message) => {
        sent.push(message);
        script(message, events);
      },
      kill: () => void kill(),
    };
  };
  return { start, sent, kill };
}

const event = (name: string, data: unknown): FromEngine => ({
  type: 'event',
  jobId: 'j',
  event: name,
  data: JSON.stringify(data),
  to: 'client',
});

const done = (messages: [string, string][], status: 'success' | 'error'): FromEngine => ({
  type: 'done',
  jobId: 'j',
  end: { status, completed: status === 'success', messages, untold: '{"1":{}}', meta: '{}' },
});

const run = (
  script: (message: ToEngine, events: EngineEvents) => void,
  signal = new AbortController().signal,
): { outcome: ReturnType<typeof runInEngine>; events: RunEvent[]; sent: ToEngine[] } => {
  const { start, sent } = fakeEngine(script);
  const events: RunEvent[] = [];
  return {
    outcome: runInEngine({ start, job, signal, onEvent: (e) => events.push(e) }),
    events,
    sent,
  };
};

describe('runInEngine', () => {
  it('runs a job as often as asked in one engine, until a run fails', async () => {
    const runs = async (...ends: ('success' | 'error')[]): Promise<[string, number, string[]]> => {
      const { start, sent } = fakeEngine((message, engine) => {
        if (message.type === 'stop') engine.exit('exit code 0');
        else engine.message(done([], ends.shift()!));
      });
      const { signal } = new AbortController();
      const onEvent = (): void => undefined;
      const { status, seconds } = await runInEngine({ start, job, times: 2, signal, onEvent });
      return [status, seconds.length, sent.map(({ type }) => type)];
    };
    expect(await runs('success', 'success')).toEqual(['success', 2, ['run', 'run', 'stop']]);
    expect(await runs('error', 'success')).toEqual(['error', 1, ['run', 'stop']]);
  });

  it('passes on what the engine logs, but for its talk to developers', async () => {
    const { outcome, events } = run((message, engine) => {
      if (message.type !== 'run') return engine.exit('exit code 0');
      engine.message({ type: 'log', level: 'DEBUG', text: 'tensors that nobody read' });
      engine.message({ type: 'log', level: 'WARNING', text: 'left out' });
      engine.message(done([], 'success'));
    });
    await outcome;
    expect(events).toContainEqual({ type: 'log', text: 'left out' });
    expect(events).not.toContainEqual(
      expect.objectContaining({ text: 'tensors that nobody read' }),
    );
  });

  it('runs, tells what happens and ends the engine', async () => {
    const { outcome, events, sent } = run((message, engine) => {
      if (message.type === 'run') {
        engine.message(event('execution_cached', { nodes: ['2'] }));
        engine.message(event('executing', { node: '1', display_node: '1' }));
        engine.message(event('progress', { node: '1', value: 3, max: 4 }));
        engine.message(done([], 'success'));
      }
      if (message.type === 'stop') engine.exit('exit code 0');
    });
    const seconds = [expect.any(Number)];
    expect(await outcome).toEqual({
      status: 'success',
      outputs: { 1: {} },
      complaints: [],
      seconds,
    });
    expect(events.map(({ type }) => type)).toEqual(['cached', 'node', 'progress']);
    expect(sent.map(({ type }) => type)).toEqual(['run', 'stop']);
  });

  it('reports a failing node', async () => {
    const failure = '{"node_id": "7", "exception_message": "no\\n", "n": NaN}';
    const { outcome } = run((message, engine) => {
      if (message.type === 'run') engine.message(done([['execution_error', failure]], 'error'));
      if (message.type === 'stop') engine.exit('exit code 0');
    });
    expect(await outcome).toMatchObject({
      status: 'error',
      complaints: [{ nodeId: '7', text: 'no' }],
    });
  });

  it('reports an engine that is lost', async () => {
    const { outcome } = run((message, engine) => {
      if (message.type === 'run') engine.exit('SIGSEGV');
    });
    const { status, complaints } = await outcome;
    expect(status).toBe('error');
    expect(complaints[0].text).toContain('SIGSEGV');
  });

  it('interrupts, and kills an engine that does not obey', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const controller = new AbortController();
    const { outcome, sent } = run((message) => {
      if (message.type === 'run') {
        controller.abort();
        vi.advanceTimersByTime(10_000);
      }
    }, controller.signal);
    expect((await outcome).status).toBe('interrupted');
    expect(sent.map(({ type }) => type)).toEqual(['run', 'interrupt']);
    vi.useRealTimers();
  });
});
