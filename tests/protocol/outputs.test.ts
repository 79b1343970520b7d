/** /v1/outputs over HTTP, on a whole server. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPublicApi } from '../support/public-api.ts';
import { startServer, type TestServer } from '../support/server.ts';

describe('/v1/outputs', () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startServer();
    mkdirSync(join(server.base, 'output', 'sub'));
    const picture = await sharp({
      create: { width: 640, height: 480, channels: 3, background: { r: 200, g: 30, b: 30 } },
    })
      .png()
      .toBuffer();
    for (const name of ['a.png', 'sub/ü & b.png']) {
      writeFileSync(join(server.base, 'output', name), picture);
    }
  });
  afterAll(() => server.stop());

  const list = (query = ''): Promise<{ outputs: Record<string, unknown>[]; total: number }> =>
    server.json(`/v1/outputs${query}`) as never;

  it('lists files with what is known of them, and its addresses work', async () => {
    const { outputs, total } = await list('?sort=name');
    expect(total).toBe(2);
    expect(outputs[1]).toMatchObject({
      ...{ path: 'sub/ü & b.png', filename: 'ü & b.png', subfolder: 'sub', directory: 'output' },
      ...{ kind: 'image', media_type: 'image/png', width: 640, height: 480 },
      ...{ prompt: null, seed: null, favourite: false },
    });
    expect((await server.get(String(outputs[1].url))).status).toBe(200);
    const small = await server.get(String(outputs[1].thumbnail_url));
    expect(small.headers.get('content-type')).toBe('image/webp');
    expect(small.headers.get('cache-control')).toContain('immutable');
    const { width, height } = await sharp(Buffer.from(await small.arrayBuffer())).metadata();
    expect([width, height]).toEqual([320, 240]);
  });

  it('keeps favourites', async () => {
    await server.post('/v1/outputs/favourites', { add: ['a.png'] });
    expect(await list('?favourites=true')).toMatchObject({
      total: 1,
      outputs: [{ path: 'a.png', favourite: true }],
    });
  });

  it('deletes and brings back', async () => {
    const answer = await server.post('/v1/outputs/delete', { paths: ['a.png'] });
    const { trash_id, moved } = (await answer.json()) as { trash_id: string; moved: string[] };
    expect(moved).toEqual(['a.png']);
    expect((await list()).total).toBe(1);
    const back = await server.post('/v1/outputs/restore', { trash_id });
    expect(await back.json()).toEqual({ restored: ['a.png'], kept: [] });
    expect(existsSync(join(server.base, 'output', 'a.png'))).toBe(true);
  });

  it('answers as the document says', async () => {
    const api = await openPublicApi(server);
    const { outputs } = (await api.call('GET', '/v1/outputs')).json as {
      outputs: { path: string }[];
    };
    const paths = outputs.map(({ path }) => path);
    await api.call('GET', `/v1/outputs/thumbnail?path=${encodeURIComponent(paths[0])}`);
    await api.call('POST', '/v1/outputs/favourites', { remove: paths });
    const deleted = await api.call('POST', '/v1/outputs/delete', { paths });
    const { trash_id } = deleted.json as { trash_id: string };
    await api.call('POST', '/v1/outputs/restore', { trash_id });
    expect(api.uncalled((tag) => tag === 'Outputs')).toEqual([]);
  });

  it('refuses in plain words', async () => {
    const refused = async (path: string, body: object) => {
      const answer = await server.post(path, body);
      return [answer.status, ((await answer.json()) as { detail: string }).detail];
    };
    expect(await refused('/v1/outputs/delete', { paths: ['../user/x'] })).toEqual([
      expect.any(Number) as number,
      expect.stringContaining('outside') as string,
    ]);
    expect((await refused('/v1/outputs/restore', { trash_id: '../..' }))[0]).toBe(404);
    expect((await server.get('/v1/outputs?cursor=x')).status).toBe(400);
    expect((await server.get('/v1/outputs/thumbnail?path=../server.ts')).status).toBeGreaterThan(
      399,
    );
    expect((await server.get('/v1/outputs/thumbnail?path=none.png')).status).toBe(404);
  });
});
