import { createServer, type Server } from 'node:http';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import express from 'express';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cacheHeaders } from '../../../engine/server/cache-headers.ts';
import { servePage } from '../../../engine/server/page.ts';

const folder = mkdtempSync(join(tmpdir(), 'noodle-page-'));
const servers: Server[] = [];
const text = 'export const a = 1;';

async function serve(isOwn: boolean): Promise<string> {
  const app = express()
    .use(cacheHeaders)
    .use(servePage(async () => folder, { isOwn }));
  const server = createServer(app);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('the files of the page', () => {
  let own: string;
  let foreign: string;
  beforeAll(async () => {
    mkdirSync(join(folder, 'assets'));
    const write = (name: string, bytes: string | Buffer): void =>
      writeFileSync(join(folder, name), bytes);
    write('index.html', '<title>page</title>');
    for (const name of ['assets/index-Ab1_-xyZ.js', 'plain.js']) {
      write(name, text);
      write(`${name}.br`, brotliCompressSync(text));
      write(`${name}.gz`, gzipSync(text));
    }
    write('assets/small-Ab1_-xyZ.js', text);
    own = await serve(true);
    foreign = await serve(false);
  });
  afterAll(() => {
    for (const server of servers) server.close();
    rmSync(folder, { recursive: true });
  });

  const answer = async (url: string, accepts: string) => {
    const response = await fetch(url, { headers: { 'Accept-Encoding': accepts } });
    const header = (name: string) => response.headers.get(name);
    return {
      text: await response.text(),
      type: header('content-type'),
      encoding: header('content-encoding'),
      cache: header('cache-control'),
      vary: header('vary'),
    };
  };

  it('are sent as they lie there compressed, by what the browser takes', async () => {
    const type = 'text/javascript; charset=utf-8';
    for (const [accepts, encoding] of [
      ['gzip, deflate, br', 'br'],
      ['gzip', 'gzip'],
      ['identity', null],
    ] as const) {
      const given = await answer(`${own}/plain.js`, accepts);
      expect(given).toMatchObject({ text, type, encoding, vary: 'Accept-Encoding' });
    }
    const small = await answer(`${own}/assets/small-Ab1_-xyZ.js`, 'br');
    expect(small).toMatchObject({ text, type, encoding: null, vary: null });
  });

  it('with a hashed name are kept for ever when they are ours, the start page never', async () => {
    const hashed = '/assets/index-Ab1_-xyZ.js';
    const forever = 'public, max-age=31536000, immutable';
    for (const accepts of ['br', 'identity']) {
      expect((await answer(own + hashed, accepts)).cache).toBe(forever);
      expect((await answer(foreign + hashed, accepts)).cache).toBe('no-cache');
      expect((await answer(`${own}/plain.js`, accepts)).cache).toBe('no-cache');
      expect((await answer(`${own}/`, accepts)).cache).toBe('no-store, must-revalidate');
    }
  });
});
