import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { parseConfig } from '../../../engine/config.ts';
import {
  type EngineLink,
  type EventMessage,
  type StartEngine,
  contentOf,
  withContent,
} from '../../../engine/worker/link.ts';
import { localEngineStarter } from '../../../engine/worker/local-link.ts';
import type { EngineJob, FromEngine } from '../../../engine/worker/messages.ts';
import { engineStarter } from '../../../engine/worker/process-link.ts';
import { parseJson } from '../../../engine/workflow/lossless-json.ts';
import { testingPack } from '../../support/server.ts';

const event = (data: string): EventMessage => ({
  type: 'event',
  jobId: 'j',
  event: 'executed',
  data,
  to: 'client',
});

it('reads the text of an event once', () => {
  const message = event('{"node": "1"}');
  expect(contentOf(message)).toEqual({ node: '1' });
  expect(contentOf(message)).toBe(contentOf(message));
  const changed = withContent(message, { node: '2' });
  expect(changed.data).toBe('{"node": "2"}');
  expect(contentOf(changed)).toEqual({ node: '2' });
  expect(contentOf(message)).toEqual({ node: '1' });
});

const base = mkdtempSync(join(tmpdir(), 'noodle-link-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));
const settings = parseConfig(['--base-directory', base]).engine;
const blame = (): void => undefined;

/** Every kind of link keeps the same promises. */
const LINKS: readonly (readonly [name: string, start: StartEngine])[] = [
  [
    'another process',
    engineStarter(settings, { loadable: async () => [testingPack], blame }, () => undefined),
  ],
  ['this process', localEngineStarter(settings, [testingPack], () => undefined)],
];

const WAIT = 60_000;

describe.each(LINKS)('a link to an engine in %s', (_, start) => {
  /** What came over the link, in short and whole; the end is the word `exit`. */
  function open(): { link: EngineLink; heard: string[]; messages: FromEngine[] } {
    const heard: string[] = [];
    const messages: FromEngine[] = [];
    const link = start({
      message: (message) => {
        messages.push(message);
        heard.push(message.type === 'event' ? message.event : message.type);
      },
      exit: () => void heard.push('exit'),
    });
    return { link, heard, messages };
  }
  const until = (heard: readonly string[], word: string): Promise<void> =>
    vi.waitFor(() => expect(heard).toContain(word), { timeout: WAIT, interval: 20 });

  const job = (id: string, prompt: object, output: string): EngineJob => ({
    id,
    prompt: JSON.stringify(prompt),
    extraData: '{}',
    outputs: [output],
  });
  const show = { class_type: 'PreviewAny', inputs: { source: 'x' } };
  const sleep = { class_type: 'TestSleep', inputs: { value: 'x', seconds: 60 } };
  const long = { 1: sleep, 2: { class_type: 'PreviewAny', inputs: { source: ['1', 0] } } };

  it(
    'tells a job from its start to its result in order, and its end once after all',
    async () => {
      const { link, heard, messages } = open();
      expect(heard).toEqual([]);
      await until(heard, 'ready');
      link.send({ type: 'run', job: job('a', { 1: show }, '1') });
      // The order comes after the job, however soon it is given.
      link.send({ type: 'stop' });
      await until(heard, 'exit');
      const said = [
        'ready',
        ...['execution_start', 'execution_cached', 'progress_state', 'executing'],
        ...['executed', 'progress_state', 'execution_success', 'done', 'exit'],
      ];
      expect(heard).toEqual(said);
      const done = messages.find(({ type }) => type === 'done');
      if (done?.type !== 'done') throw new Error('no result');
      expect(done.jobId).toBe('a');
      expect(done.end.status).toBe('success');
      // Told by the message of its node, and not once more.
      expect(done.end.untold).toBe('{}');
      const executed = messages.find((one) => one.type === 'event' && one.event === 'executed');
      if (executed?.type !== 'event') throw new Error('no output');
      expect(parseJson(executed.data)).toMatchObject({ node: '1', output: { text: ['x'] } });
      link.send({ type: 'stop' });
      link.kill();
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(heard).toEqual(said);
    },
    WAIT,
  );

  it(
    'interrupts the job that is named, and runs the next one',
    async () => {
      const { link, heard, messages } = open();
      await until(heard, 'ready');
      link.send({ type: 'run', job: job('a', long, '2') });
      await until(heard, 'executing');
      link.send({ type: 'interrupt', jobId: 'other' });
      link.send({ type: 'interrupt', jobId: 'a' });
      await until(heard, 'done');
      expect(heard.slice(-2)).toEqual(['execution_interrupted', 'done']);
      heard.length = 0;
      link.send({ type: 'run', job: job('b', { 1: show }, '1') });
      await until(heard, 'done');
      expect(messages.at(-1)).toMatchObject({ type: 'done', jobId: 'b' });
      link.send({ type: 'stop' });
      await until(heard, 'exit');
    },
    WAIT,
  );

  it(
    'is killed in the middle of a job, which has no result then',
    async () => {
      const { link, heard } = open();
      await until(heard, 'ready');
      link.send({ type: 'run', job: job('a', long, '2') });
      await until(heard, 'executing');
      link.kill();
      await until(heard, 'exit');
      expect(heard).not.toContain('done');
      expect(heard.filter((word) => word === 'exit')).toHaveLength(1);
      expect(heard.at(-1)).toBe('exit');
    },
    WAIT,
  );

  it(
    'ends while the engine is starting',
    async () => {
      const { link, heard } = open();
      link.send({ type: 'stop' });
      await until(heard, 'exit');
      expect(heard.at(-1)).toBe('exit');
      expect(heard).not.toContain('done');
    },
    WAIT,
  );
});
