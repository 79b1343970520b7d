import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { TYPESCRIPT } from '../../engine/threads.ts';
import { type ServerOptions, type TestServer, connect, startServer } from '../support/server.ts';

let server: TestServer | undefined;
afterEach(async () => {
  await server?.stop();
  server = undefined;
});
const start = async (options: ServerOptions): Promise<TestServer> =>
  (server = await startServer(options));

describe('--token', () => {
  it('is asked for everywhere and taken in every form', async () => {
    const { url, get } = await start({ flags: ['--token', 'a-long-token'] });
    for (const path of ['/', '/queue', '/api/system_stats', '/internal/logs', '/ui/workflows']) {
      expect((await get(path)).status, path).toBe(401);
    }
    await expect(connect({ url })).rejects.toThrow(/401/);
    const headers = { Authorization: 'Bearer a-long-token' };
    const stats = await get('/system_stats', { headers });
    expect(stats.status).toBe(200);
    expect(await stats.text()).not.toContain('a-long-token');
    const first = await get('/queue?token=a-long-token');
    expect(first.status).toBe(200);
    const cookie = first.headers.get('set-cookie')!;
    expect(cookie).toMatch(/HttpOnly; SameSite=Strict/);
    expect((await get('/queue', { headers: { cookie: cookie.split(';')[0] } })).status).toBe(200);
    const client = await connect({ url }, { headers });
    await client.close();
  });
});

describe('--enable-cors-header', () => {
  it('adds the headers and lets other origins in', async () => {
    const { get } = await start({ flags: ['--enable-cors-header', 'https://a.example'] });
    const answer = await get('/queue', { headers: { Origin: 'https://a.example' } });
    expect(answer.status).toBe(200);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'access-control-allow-origin': 'https://a.example',
      'access-control-allow-methods': 'POST, GET, DELETE, PUT, OPTIONS, PATCH',
      'access-control-allow-headers': 'Content-Type, Authorization',
      'access-control-allow-credentials': 'true',
    });
  });
});

describe('--enable-compress-response-body and --offline', () => {
  it('compress JSON and forbid other hosts', async () => {
    const { get } = await start({
      flags: [
        '--enable-compress-response-body',
        '--offline',
        '--feature-flag',
        'x=1',
        'supports_preview_metadata=no',
      ],
    });
    const answer = await get('/object_info/KSampler');
    expect(answer.headers.get('content-encoding')).toBe('gzip');
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(await (await get('/features')).json()).toMatchObject({
      x: '1',
      supports_preview_metadata: true,
    });
  });
});

describe('--front-end-root', () => {
  it('serves that page, never from a cache, and its files by the cache rules', async () => {
    const page = mkdtempSync(join(tmpdir(), 'noodle-page-'));
    writeFileSync(join(page, 'index.html'), '<h1>page</h1>');
    writeFileSync(join(page, 'a.js'), '1');
    mkdirSync(join(page, 'images'));
    writeFileSync(join(page, 'images', 'a.png'), '');
    const { get } = await start({ flags: ['--front-end-root', page] });
    for (const path of ['/', '/api/', '/index.html']) {
      const answer = await get(path);
      expect(await answer.text(), path).toBe('<h1>page</h1>');
      expect(answer.headers.get('cache-control')).toBe('no-store, must-revalidate');
      expect(answer.headers.get('expires')).toBe('0');
    }
    expect((await get('/a.js')).headers.get('cache-control')).toBe('no-cache');
    expect((await get('/images/a.png')).headers.get('cache-control')).toBe('public, max-age=86400');
    const missing = await get('/images/b.png');
    expect([missing.status, missing.headers.get('cache-control')]).toEqual([
      404,
      'public, max-age=3600',
    ]);
    for (const path of ['/../server.ts', '/%2e%2e/%2e%2e/etc/passwd', '/..%2f..%2fetc/passwd']) {
      expect([400, 403, 404], path).toContain((await get(path)).status);
    }
    rmSync(page, { recursive: true });
  });
});

describe('--quick-test-for-ci', () => {
  it('loads everything and ends', () => {
    const base = mkdtempSync(join(tmpdir(), 'noodle-quick-'));
    const main = fileURLToPath(new URL('../../server.ts', import.meta.url));
    const { status, stderr } = spawnSync(
      process.execPath,
      ['--import', TYPESCRIPT, main, '--quick-test-for-ci'].concat([
        '--port',
        '0',
        '--base-directory',
        base,
        '--engines',
        '2',
        '--fast',
      ]),
      { encoding: 'utf8', timeout: 25_000 },
    );
    expect(stderr).toContain("--fast is ComfyUI's and has no effect here");
    expect(status).toBe(0);
    rmSync(base, { recursive: true });
  });

  it.each([
    [['--listen', '0.0.0.0'], /--listen: expected loopback addresses only/],
    [['--what'], /unknown option '--what'/],
    [['--user-directory', '/no/such/folder'], /--user-directory: expected an existing folder/],
  ])('is not reached with %j', (flags, message) => {
    const main = fileURLToPath(new URL('../../server.ts', import.meta.url));
    const { status, stderr } = spawnSync(
      process.execPath,
      ['--import', TYPESCRIPT, main, ...flags],
      { encoding: 'utf8', timeout: 25_000 },
    );
    expect(stderr).toMatch(message);
    expect(status).toBe(2);
  });
});
