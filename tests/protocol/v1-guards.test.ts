/** The public API of servers that keep somebody out, or keep themselves in. */
import { describe, expect, it } from 'vitest';
import { picture } from '../support/public-api.ts';
import { startServer } from '../support/server.ts';

/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-member-access -- JSON from the wire */

describe('a server with a token and a limit', () => {
  it('lets nobody in without the token but to its health, and holds up the hasty', async () => {
    const guarded = await startServer({
      flags: ['--token', 'long enough', '--rate-limit', '3', '--max-upload-size', '0.001'],
    });
    try {
      const ask = (path: string, init: RequestInit = {}) => guarded.get(path, init);
      const headers = { Authorization: 'Bearer long enough' };
      expect((await ask('/healthz')).status).toBe(200);
      expect([200, 503]).toContain((await ask('/readyz')).status);
      for (const path of [
        '/metrics',
        '/docs',
        '/v1/system',
        '/v1/openapi.json',
        '/docs/ui-assets/page.js',
      ]) {
        expect((await ask(path)).status).toBe(401);
        expect((await ask(path, { headers })).status).toBe(200);
      }
      const refused = await ask('/v1/jobs');
      expect(refused.headers.get('www-authenticate')).toBe('Bearer');
      expect(await refused.json()).toMatchObject({ code: 'unauthorized', status: 401 });
      const foreign = await ask('/v1/jobs', {
        headers: { ...headers, Origin: 'http://evil.test' },
      });
      expect(await foreign.json()).toMatchObject({ code: 'forbidden', status: 403 });
      const post = (path: string, body = '{}') => ask(path, { method: 'POST', body, headers });
      expect((await post('/v1/workflows/run')).status).toBe(400);
      const large = await post('/v1/workflows/run', ' '.repeat(5000));
      expect(await large.json()).toMatchObject({ code: 'too_large', status: 413 });
      expect((await post('/queue')).status).toBe(200);
      const hasty = await post('/queue');
      expect(hasty.status).toBe(429);
      expect(await hasty.json()).toMatchObject({ error: { type: 'rate_limited' } });
      expect(Number(hasty.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(await (await post('/v1/queue/pause')).json()).toMatchObject({ code: 'rate_limited' });
      expect((await ask('/v1/system', { headers })).status).toBe(200);
      const document: any = await (await ask('/v1/openapi.json', { headers })).json();
      expect(document.security).toEqual([{ token: [] }, { cookie: [] }]);
    } finally {
      await guarded.stop();
    }
  }, 20_000);

  it('calls no private address unless it is told to', async () => {
    const careful = await startServer();
    try {
      const response = await careful.post('/v1/workflows/run', {
        prompt: picture(),
        webhook: { url: 'http://127.0.0.1:1/' },
      });
      expect(await response.json()).toMatchObject({ code: 'webhook_address', status: 400 });
    } finally {
      await careful.stop();
    }
  }, 20_000);
});
