/** A face of one's own beside the two that come with the server: one function, and one more in the list. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Router } from 'express';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseConfig } from '../../../engine/config.ts';
import { bodyJson, sendJson, sendText } from '../../../engine/server/answer.ts';
import type { Face, FaceMaker } from '../../../engine/server/face.ts';
import { faces } from '../../../engine/server/faces.ts';
import { type RunningServer, startServer } from '../../../engine/server/start.ts';
import { ownerOf } from '../../../engine/server/user.ts';
import { builtinNodes } from '../../../nodes/index.ts';

const told: string[] = [];

/** POST /toy answers when the job has left; GET /toy cancels everything; refusals are one word. */
const toyFace: FaceMaker = ({ submit, events, queue, users }): Face => ({
  name: 'toy',
  routes: [
    {
      at: 'root',
      router: Router()
        .post('/toy', async (req, res) => {
          const answer = await submit(bodyJson(req), { owner: ownerOf(res, users) });
          if (!answer.ok) return sendText(res, answer.status, answer.error.type);
          const { owner } = queue.job(answer.promptId)!;
          await events.left(answer.promptId, AbortSignal.timeout(20_000));
          sendJson(res, { owner, left: !queue.has(answer.promptId) });
        })
        .get('/toy', (_req, res) => {
          queue.clearPending();
          sendText(res, 200, 'cleared');
        }),
    },
  ],
  refuse: (req, res, { status, code }) => {
    if (!req.path.startsWith('/toy')) return false;
    sendText(res, status, code);
    return true;
  },
  on: { queue: () => told.push('queue'), left: (jobs) => told.push(`left ${jobs.length}`) },
  start: () => told.push('start'),
  stop: () => told.push('stop'),
});

let base: string;
let server: RunningServer;
const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(server.url + path, {
    ...init,
    headers: { Authorization: 'Bearer secret-text', ...init.headers },
  });

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'noodle-faces-'));
  const config = parseConfig([
    ...['--port', '0', '--base-directory', base, '--token', 'secret-text', '--multi-user'],
    ...['--dont-print-server', '--disable-assets', '--database-url', 'sqlite:///:memory:'],
  ]);
  const parts = { builtinNodes: async () => builtinNodes(), webRoot: async () => base };
  server = await startServer(config, parts, [...faces, toyFace]);
}, 30_000);
afterAll(async () => {
  await server.stop();
  expect(told.at(-1)).toBe('stop');
  rmSync(base, { recursive: true, force: true });
});

describe('a third face', () => {
  it('submits, waits and is told of the queue', async () => {
    expect(told).toEqual(['start']);
    await ask('/v1/queue/pause', { method: 'POST' });
    const user = (await (
      await ask('/users', { method: 'POST', body: '{"username": "ada"}' })
    ).json()) as string;
    const prompt = { 1: { class_type: 'PreviewAny', inputs: { source: 'x' } } };
    const running = ask('/toy', {
      method: 'POST',
      body: JSON.stringify({ prompt }),
      headers: { 'comfy-user': user },
    });
    await expect
      .poll(async () => ((await (await ask('/queue')).json()) as never)['queue_pending'])
      .toHaveLength(1);
    expect(await (await ask('/toy')).text()).toBe('cleared');
    expect(await (await running).json()).toEqual({ owner: user, left: true });
    expect(told).toEqual(expect.arrayContaining(['queue', 'left 1']));
  }, 30_000);

  it('refuses in its own form; others in theirs', async () => {
    const refused = async (path: string) => {
      const answer = await fetch(server.url + path);
      return [
        answer.status,
        answer.headers.get('content-type'),
        (await answer.text()).slice(0, 12),
      ];
    };
    expect(await refused('/toy')).toEqual([401, 'text/plain; charset=utf-8', 'unauthorized']);
    expect((await refused('/v1/queue'))[1]).toMatch(/problem\+json/);
    expect((await refused('/queue'))[2]).toBe('This server ');
  });
});
