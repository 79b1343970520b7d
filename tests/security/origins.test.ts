/** Pages of other sites must not drive the server: CSRF, websocket hijack, DNS rebinding. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isAllowedOrigin, isOurHost } from '../../engine/server/security.ts';
import { type TestServer, connect, startServer } from '../support/server.ts';
import { raw } from './raw.ts';

let server: TestServer;
let port: string;
beforeAll(async () => {
  server = await startServer({ flags: ['--allowed-hosts', 'studio.example,Second.Example'] });
  port = new URL(server.url).port;
});
afterAll(() => server?.stop());

/** What a page of another site can send without asking first: a form or a fetch in no-cors mode. */
const forged = (headers: Record<string, string>, path = '/queue') =>
  raw(server, path, {
    method: 'POST',
    headers: { 'Content-Type': 'text/plain', ...headers },
    body: '{"clear": true}',
  });

describe('forged requests (CSRF)', () => {
  it.each([
    ['another site', { Origin: 'https://evil.example' }],
    ['another site that looks alike', { Origin: 'http://127.0.0.1.evil.example' }],
    ['a program on another port', { Origin: 'http://127.0.0.1:1' }],
    ['a sandboxed frame or a file', { Origin: 'null' }],
    ['an origin that is none', { Origin: 'evil' }],
    ['a page without an origin', { 'Sec-Fetch-Site': 'cross-site' }],
  ])('of %s are refused on every route', async (_, headers) => {
    const paths = ['/prompt', '/queue', '/history', '/interrupt', '/free', '/upload/image'];
    const more = ['/userdata/a.txt', '/settings', '/users', '/api/jobs/cancel', '/api/prompt'];
    const api = ['/v1/queue/pause', '/v1/workflows/run', '/api/assets', '/api/assets/seed'];
    for (const path of [...paths, ...more, ...api]) {
      expect((await forged(headers as Record<string, string>, path)).status, path).toBe(403);
    }
  });

  it('are told from those of the own page and of programs', async () => {
    expect((await forged({})).status).toBe(200);
    expect((await forged({ Origin: server.url })).status).toBe(200);
    expect((await forged({ Origin: server.url, 'Sec-Fetch-Site': 'same-origin' })).status).toBe(
      200,
    );
  });

  it('are refused at addresses in a local network too, where browsers send no Sec-Fetch-Site', () => {
    const host = '192.168.1.5:8188';
    expect(isAllowedOrigin({ host, origin: 'https://evil.example' })).toBe(false);
    expect(isAllowedOrigin({ host, origin: `http://${host}` })).toBe(true);
    expect(isAllowedOrigin({ host: 'gpu.lan', origin: 'https://gpu.lan' })).toBe(true);
  });

  it('are refused with --enable-cors-header ORIGIN, except from that origin', () => {
    const options = { corsOrigin: 'https://app.example' };
    const host = '127.0.0.1:8188';
    const site = { 'sec-fetch-site': 'cross-site' };
    expect(isAllowedOrigin({ host, origin: 'https://app.example', ...site }, options)).toBe(true);
    expect(isAllowedOrigin({ host, origin: 'https://evil.example', ...site }, options)).toBe(false);
    expect(isAllowedOrigin({ host, origin: 'null' }, options)).toBe(false);
    // A picture in the page that is let in; nobody can read it and nothing changes.
    expect(isAllowedOrigin({ host, ...site }, options)).toBe(true);
    expect(isAllowedOrigin({ host, origin: 'null' }, { corsOrigin: '*' })).toBe(true);
  });
});

describe('websockets of other sites', () => {
  it.each([
    [{ Origin: 'https://evil.example' }],
    [{ Origin: 'null' }],
    [{ 'Sec-Fetch-Site': 'cross-site' }],
    [{ Host: 'evil.example', Origin: 'http://evil.example' }],
  ])('are refused: %j', async (headers) => {
    for (const path of ['/ws', '/api/ws']) {
      await expect(connect(server, { path, headers: headers })).rejects.toThrow(/403/);
    }
  });

  it('are told from those of the own page and of programs', async () => {
    await (await connect(server)).close();
    await (await connect(server, { headers: { Origin: server.url } })).close();
  });
});

describe('names that a stranger points here (DNS rebinding)', () => {
  it('are refused, with a word on how to allow one of ours', async () => {
    const headers = { Host: `evil.example:${port}` };
    for (const path of ['/', '/queue', '/view?filename=a.png', '/api/prompt', '/internal/logs']) {
      const answer = await raw(server, path, { headers });
      expect(answer.status, path).toBe(403);
      expect(answer.body).toContain('--allowed-hosts');
    }
    const own = { ...headers, Origin: `http://evil.example:${port}` };
    expect((await forged({ ...own, 'Sec-Fetch-Site': 'same-origin' })).status).toBe(403);
    expect((await raw(server, '/queue', { headers: { Host: '<b>.evil.example' } })).status).toBe(
      403,
    );
  });

  it('are told from names that only the owner can give', async () => {
    for (const name of [
      ...['127.0.0.1', '[::1]', 'localhost', 'LOCALHOST', '192.168.1.5', 'gpu-box', 'comfyui'],
      ...['a.localhost', 'host.docker.internal', 'gpu.local', 'gpu.lan', 'gpu.home.arpa'],
      ...['studio.example', 'STUDIO.example', 'second.example', 'studio.example.'],
    ]) {
      const answer = await raw(server, '/queue', { headers: { Host: `${name}:${port}` } });
      expect(answer.status, name).toBe(200);
    }
    expect(isOurHost(undefined)).toBe(true);
    for (const name of [
      '127.0.0.1.evil.example',
      'x.studio.example',
      'locallan.',
      'a.lan.example',
    ]) {
      expect(isOurHost(name, ['studio.example']), name).toBe(name === 'locallan.');
    }
  });

  it('behind a proxy the page’s own name counts, whatever Host says', async () => {
    const origin = { Origin: 'https://studio.example' };
    expect((await forged({ ...origin, Host: 'studio.example' })).status).toBe(200);
    expect((await forged(origin)).status).toBe(200);
  });
});
