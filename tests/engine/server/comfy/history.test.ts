import { type Server, type ServerResponse, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import express from 'express';
import { afterEach, expect, it } from 'vitest';
import type { FinishedJob } from '../../../../engine/queue/store.ts';
import { historyRoutes } from '../../../../engine/server/comfy/history.ts';

const COUNT = 2000;

const entry = (i: number): FinishedJob => ({
  ...{ id: `job-${i}`, number: i, numberText: `${i}`, prompt: `{"x": "${'y'.repeat(20_000)}"}` },
  ...{ extraData: '{}', outputs: [], needsSecrets: false, createdAt: 0, status: 'completed' },
  ...{ attempt: 1, statusText: '{}', outputsText: '{}', metaText: '{}' },
});

let server: Server;
afterEach(() => void server.close());

it('a long history goes to a slow reader whole, and leaves no listeners behind', async () => {
  let response: ServerResponse | undefined;
  let most = 0;
  let pages = 0;
  const app = express();
  app.use((_req, res, next) => {
    response = res;
    next();
  });
  const page = (offset: number, count: number): FinishedJob[] => {
    pages++;
    most = Math.max(most, response!.listenerCount('close'), response!.listenerCount('drain'));
    return Array.from({ length: count }, (_, i) => entry(offset + i));
  };
  const history = {
    ...{ page, count: () => COUNT, get: () => undefined, delete: () => undefined },
  };
  app.use(historyRoutes({ history }));
  server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));

  const { port } = server.address() as AddressInfo;
  const text = await new Promise<string>((resolve, reject) => {
    const ask = request({ host: '127.0.0.1', port, path: '/history' }, (res) => {
      void (async () => {
        let text = '';
        let chunks = 0;
        for await (const chunk of res) {
          text += String(chunk);
          if (++chunks % 50 === 0) await pause(1);
        }
        resolve(text);
      })();
    });
    ask.on('error', reject).end();
  });
  expect(Object.keys(JSON.parse(text) as object)).toHaveLength(COUNT);
  expect(pages).toBeGreaterThan(20);
  expect(most).toBeLessThan(10);
}, 30_000);
