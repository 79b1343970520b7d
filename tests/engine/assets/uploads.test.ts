/** Uploads, contents, single assets and tags of the assets API (spec §1.9). */
import { existsSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { blake3 } from 'hash-wasm';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { type AssetServer, pngBytes, safetensorsBytes, startAssetServer } from './support.ts';

/* eslint-disable @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-return, @typescript-eslint/no-unsafe-call -- JSON from the wire */

let server: AssetServer;
beforeAll(async () => {
  server = await startAssetServer();
});
afterAll(() => server.stop());

const error = (code: string) => ({ error: { code, message: expect.any(String) } });
const upload = async (seed: number, fields: Record<string, string | string[]> = {}) => {
  const { body } = await server.upload(pngBytes(seed), `p${seed}.png`, {
    tags: 'input',
    ...fields,
  });
  return body;
};

test('an upload is stored under its hash and described', async () => {
  const bytes = pngBytes(1);
  const hash = await blake3(bytes);
  const { status, body } = await server.upload(bytes, 'a/ñ.png', {
    tags: ['input, pasted', '["x", "y"]'],
    user_metadata: '{"n": 5.0, "big": 18446744073709551615}',
  });
  expect(status).toBe(201);
  expect(body).toEqual({
    id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    name: 'ñ.png',
    hash: `blake3:${hash}`,
    loader_path: `${hash}.png`,
    display_name: `${hash}.png`,
    size: bytes.length,
    mime_type: 'image/png',
    tags: ['input', 'pasted', 'uploaded', 'x', 'y'],
    preview_url: `/api/view?type=input&filename=${hash}.png`,
    user_metadata: { n: 5, big: Number('18446744073709551615') },
    metadata: {
      ...{ filename: `${hash}.png`, content_length: bytes.length, format: 'png' },
      ...{ content_type: 'image/png', kind: 'image', width: 9, height: 6 },
    },
    created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
    updated_at: body.created_at,
    created_new: true,
  });
  const text = await (await server.fetch(`/api/assets/${body.id}`)).text();
  expect(text).toContain('"user_metadata": {"n": 5.0, "big": 18446744073709551615}');
  expect(existsSync(join(server.folders.input, `${hash}.png`))).toBe(true);
  expect(readdirSync(join(server.folders.temp, 'uploads'))).toEqual([]);
});

test('equal bytes are stored once, whatever their name and tags', async () => {
  const first = await upload(2);
  const again = await server.upload(pngBytes(2), 'other.png', { tags: 'nowhere' });
  expect(again.status).toBe(200);
  expect(again.body).toMatchObject({ hash: first.hash, name: 'other.png', created_new: false });
  expect(again.body.id).not.toBe(first.id);
  expect(again.body.tags).toEqual(['nowhere', 'uploaded']);
  const [one, two] = await Promise.all([upload(3, { name: 'l' }), upload(3, { name: 'r' })]);
  expect([one.created_new, two.created_new].sort()).toEqual([false, true]);
});

test('models go to the folder their tag names and say what they are', async () => {
  const bytes = safetensorsBytes({
    'modelspec.base_model': 'sd1',
    ss_tag_frequency: '{"a": {"cat": 3, "ant": 1}}',
  });
  const tags = 'models,model_type:loras';
  const { status, body } = await server.upload(bytes, 'style.safetensors', { tags });
  expect(status).toBe(201);
  expect(body.display_name).toBe(`loras/${body.loader_path}`);
  expect(body.metadata).toMatchObject({ base_model: 'sd1', trained_words: ['ant', 'cat'] });
  expect(body.preview_url).toBeUndefined();
  expect(server.folders.modelFiles('loras')).toEqual([body.loader_path]);
});

const png = pngBytes(4);
const unknownHash = `blake3:${'0'.repeat(64)}`;
test.each([
  ['no file and no hash', undefined, {}, 400, 'MISSING_FILE'],
  ['nothing', Buffer.alloc(0), { tags: 'input' }, 400, 'EMPTY_UPLOAD'],
  ['an id', png, { tags: 'input', id: 'x' }, 400, 'UNSUPPORTED_FIELD'],
  ['no tags', png, {}, 400, 'INVALID_BODY'],
  ['two destinations', png, { tags: 'input,output' }, 400, 'INVALID_BODY'],
  ['models without a type', png, { tags: 'models' }, 400, 'INVALID_BODY'],
  ['an unknown model type', png, { tags: 'models,model_type:../x' }, 400, 'INVALID_BODY'],
  ['a picture as a model', png, { tags: 'models,model_type:loras' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
  ['a page', Buffer.from('<html>'), { tags: 'input' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
  ['another hash', png, { tags: 'input', hash: unknownHash }, 400, 'HASH_MISMATCH'],
  ['no hash', png, { tags: 'input', hash: 'md5:1' }, 400, 'INVALID_HASH'],
  ['metadata that is a list', png, { tags: 'input', user_metadata: '[]' }, 400, 'INVALID_BODY'],
  ['a media type that is none', png, { tags: 'input', mime_type: 'a\nb' }, 400, 'INVALID_BODY'],
  ['a preview that is not there', png, { tags: 'input', preview_id: 'x' }, 400, 'INVALID_BODY'],
  ['a hash alone, unhashed', undefined, { hash: unknownHash }, 400, 'FEATURE_DISABLED'],
])('an upload with %s is refused', async (_what, bytes, fields, status, code) => {
  const answer = await server.upload(bytes, 'x.png', fields);
  expect(answer).toMatchObject({ status, body: error(code) });
  expect(readdirSync(join(server.folders.temp, 'uploads'))).toEqual([]);
});

test('other refusals', async () => {
  expect((await server.upload(Buffer.alloc(200_000), 'x.png')).status).toBe(413);
  const plain = await server.send('POST', '/api/assets', '{}');
  expect(plain).toMatchObject({ status: 415, body: error('UNSUPPORTED_MEDIA_TYPE') });
  const hash = await server.send('POST', '/api/assets/from-hash', { hash: unknownHash });
  expect(hash).toMatchObject({ status: 400, body: error('FEATURE_DISABLED') });
  const broken = await server.send('POST', '/api/assets/from-hash', '{');
  expect(broken).toMatchObject({ status: 400, body: error('INVALID_JSON') });
});

describe('one asset', () => {
  it('is changed, found and removed; its file stays', async () => {
    const asset = await upload(10);
    const path = `/api/assets/${asset.id}`;
    const preview = await upload(11);
    const changed = await server.send('PUT', path, {
      ...{ name: 'new', user_metadata: { a: [1] }, preview_id: preview.id.toUpperCase() },
    });
    expect(changed.status).toBe(200);
    expect(changed.body).toMatchObject({
      ...{ name: 'new', user_metadata: { a: [1] }, preview_id: preview.id },
      preview_url: preview.preview_url,
    });
    expect(changed.body.updated_at > asset.updated_at).toBe(true);
    for (const [body, code, status] of [
      [{}, 'INVALID_BODY', 400],
      [{ name: 5 }, 'INVALID_BODY', 400],
      ['[', 'INVALID_JSON', 400],
      [{ preview_id: 'x' }, 'ASSET_NOT_FOUND', 404],
    ] as const) {
      expect(await server.send('PUT', path, body)).toMatchObject({ status, body: error(code) });
    }
    expect((await server.fetch(`/api/assets/${preview.id}`, { method: 'DELETE' })).status).toBe(
      204,
    );
    expect((await server.ask(path)).body.preview_id).toBeUndefined();
    expect((await server.fetch(path, { method: 'DELETE' })).status).toBe(204);
    for (const method of ['GET', 'DELETE']) {
      const gone = await server.ask(path, { method });
      expect(gone).toMatchObject({ status: 404, body: error('ASSET_NOT_FOUND') });
    }
    expect(existsSync(join(server.folders.input, asset.loader_path))).toBe(true);
    expect((await server.ask('/api/assets/no-uuid')).status).toBe(404);
  });

  it('gets and loses tags', async () => {
    const path = `/api/assets/${(await upload(12)).id}/tags`;
    const tags = [' B ', 'input', 'B', 'a'];
    expect((await server.send('POST', path, { tags })).body).toEqual({
      added: ['B', 'a'],
      already_present: ['input'],
      total_tags: ['B', 'a', 'input', 'uploaded'],
    });
    expect((await server.send('DELETE', path, { tags: ['B', 'nothing'] })).body).toEqual({
      ...{ removed: ['B'], not_present: ['nothing'], protected: [] },
      total_tags: ['a', 'input', 'uploaded'],
    });
    for (const method of ['POST', 'DELETE']) {
      expect(await server.send(method, path, { tags: ['missing'] })).toMatchObject({
        status: 400,
        body: { error: { code: 'SYSTEM_TAG_FORBIDDEN', details: { tag: 'missing' } } },
      });
      for (const wrong of [[], [1], 'a']) {
        const answer = await server.send(method, path, { tags: wrong });
        expect(answer).toMatchObject({ status: 400, body: error('INVALID_BODY') });
      }
    }
    const nobody = '/api/assets/00000000-0000-4000-8000-000000000000/tags';
    expect((await server.send('POST', nobody, { tags: ['a'] })).status).toBe(404);
  });
});

describe('contents', () => {
  const content = (id: string, query = '', headers: Record<string, string> = {}) =>
    server.fetch(`/api/assets/${id}/content${query}`, { headers });

  it('are streamed, in parts if asked, as a download unless shown inline', async () => {
    const { id } = await upload(20, { name: "it's ñ (1).png" });
    const whole = await content(id);
    expect(Buffer.from(await whole.arrayBuffer()).equals(pngBytes(20))).toBe(true);
    expect(whole.headers.get('content-type')).toBe('image/png');
    expect(whole.headers.get('x-content-type-options')).toBe('nosniff');
    expect(whole.headers.get('content-disposition')).toBe(
      "attachment; filename*=UTF-8''it%27s%20%C3%B1%20%281%29.png",
    );
    const inline = await content(id, '?disposition=inline');
    expect(inline.headers.get('content-disposition')).toMatch(/^inline/);
    const part = await content(id, '', { range: 'bytes=1-3' });
    expect([part.status, await part.text()]).toEqual([206, 'PNG']);
    expect((await server.ask(`/api/assets/${id}`)).body.last_access_time).toMatch(/Z$/);
  });

  it.each(['text/html', 'image/svg+xml', 'text/xsl', 'application/xhtml+xml', 'image/x+xml'])(
    'of type %s never run in our origin',
    async (mime) => {
      const { id } = await upload(21, { mime_type: mime });
      const answer = await content(id, '?disposition=inline');
      expect(answer.headers.get('content-type')).toBe('application/octet-stream');
      expect(answer.headers.get('content-disposition')).toMatch(/^attachment/);
      expect(answer.headers.get('cache-control')).toBe('no-store');
    },
  );

  it('are not sent once the file is gone or leads out of its folder', async () => {
    const { id, loader_path: name } = await upload(22);
    const path = join(server.folders.input, name);
    rmSync(path);
    expect(await server.ask(`/api/assets/${id}/content`)).toMatchObject({
      ...{ status: 404, body: error('FILE_NOT_FOUND') },
    });
    writeFileSync(join(server.base, 'secret.txt'), 'secret');
    symlinkSync(join(server.base, 'secret.txt'), path);
    expect((await content(id)).status).toBe(404);
  });

  it('are found by their hash', async () => {
    const asset = await upload(23);
    const head = (hash: string) =>
      server.fetch(`/api/assets/hash/${hash}`, { method: 'HEAD' }).then(({ status }) => status);
    expect(await head(asset.hash)).toBe(200);
    expect(await head(asset.hash.toUpperCase())).toBe(200);
    expect(await head(unknownHash)).toBe(404);
    expect(await head('blake3:12')).toBe(400);
    const view = await server.fetch(`/api/view?filename=${asset.hash}`);
    expect(Buffer.from(await view.arrayBuffer()).equals(pngBytes(23))).toBe(true);
    expect((await server.fetch(`/api/view?filename=${unknownHash}`)).status).toBe(404);
    writeFileSync(join(server.folders.input, asset.loader_path), 'changed');
    expect(await head(asset.hash)).toBe(404);
  });
});

test('POST /upload/image tells of the asset', async () => {
  const send = async (bytes: Buffer) => {
    const form = new FormData();
    form.set('image', new Blob([Buffer.from(bytes)]), 'u.png');
    form.set('subfolder', 'webcam');
    return (await server.ask('/api/upload/image', { method: 'POST', body: form })).body;
  };
  const first = await send(pngBytes(30));
  expect(first).toEqual({
    ...{ name: 'u.png', subfolder: 'webcam', type: 'input' },
    asset: {
      id: expect.any(String),
      name: 'u.png',
      asset_hash: `blake3:${await blake3(pngBytes(30))}`,
      size: 64,
      mime_type: 'image/png',
      tags: ['input', 'uploaded', 'webcam'],
    },
  });
  const again = await send(pngBytes(30));
  expect(again.name).toBe('u.png');
  expect(again.asset.id).not.toBe(first.asset.id);
  expect((await send(pngBytes(31))).name).toBe('u (1).png');
});

test('turned off, every route says so', async () => {
  const off = await startAssetServer({ disabled: true });
  for (const path of ['/api/assets', '/api/tags', '/api/assets/seed/status', '/api/assets/x']) {
    expect(await off.ask(path)).toMatchObject({ status: 503, body: error('SERVICE_DISABLED') });
  }
  expect((await off.send('POST', '/api/assets/seed', {})).status).toBe(503);
  expect((await off.fetch(`/api/view?filename=${unknownHash}`)).status).toBe(404);
  expect(off.assets.isRunning()).toBe(false);
  expect(existsSync(join(off.folders.user, 'assets.db'))).toBe(false);
  await off.stop();
});
