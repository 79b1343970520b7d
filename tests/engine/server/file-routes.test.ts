/** The file routes over real HTTP, without the rest of the server (spec §1.4–1.6, §8). */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express from 'express';
import type { ErrorRequestHandler } from 'express';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { NoodleError } from '../../../engine/errors.ts';
import { modelRoutes } from '../../../engine/server/comfy/models.ts';
import { packRoutes } from '../../../engine/server/comfy/packs.ts';
import { uploadRoutes } from '../../../engine/server/comfy/upload.ts';
import { userdataRoutes } from '../../../engine/server/comfy/userdata.ts';
import { userRoutes } from '../../../engine/server/comfy/users.ts';
import { viewRoutes } from '../../../engine/server/comfy/view.ts';
import { createFolders } from '../../../engine/store/folders.ts';
import { createUsers } from '../../../engine/store/users.ts';
import { writeSafetensors } from '../../../engine/weights/write.ts';

const base = mkdtempSync(join(tmpdir(), 'noodle-routes-'));
let server: Server;
let url: string;
let png: Buffer;

beforeAll(async () => {
  png = await sharp({
    create: { width: 8, height: 6, channels: 4, background: { r: 255, g: 0, b: 0, alpha: 0.5 } },
  })
    .png()
    .toBuffer();
  const folders = createFolders({ base });
  writeFileSync(join(base, 'output', 'pic.png'), png);
  mkdirSync(join(base, 'output', 'sub'));
  writeFileSync(
    join(base, 'output', 'sub', 'evil.svg'),
    '<svg xmlns="http://www.w3.org/2000/svg"/>',
  );
  writeFileSync(join(base, 'output', 'page.html'), '<script>alert(1)</script>');
  writeFileSync(join(base, 'secret.txt'), 'secret');
  symlinkSync(join(base, 'secret.txt'), join(base, 'output', 'link.txt'));
  const loras = join(base, 'models', 'loras');
  mkdirSync(join(loras, 'deep'), { recursive: true });
  await writeSafetensors(join(loras, 'deep', 'a.safetensors'), new Map(), {
    note: 'ü',
    ssmd_cover_images: JSON.stringify([png.toString('base64')]),
  });
  const pack = join(base, 'custom_nodes', 'my-pack');
  mkdirSync(join(pack, 'locales', 'de'), { recursive: true });
  mkdirSync(join(pack, 'example_workflows'));
  mkdirSync(join(pack, 'subgraphs'));
  writeFileSync(join(pack, 'locales', 'de', 'main.json'), '{"hello": "hallo"}');
  writeFileSync(join(pack, 'locales', 'de', 'nodeDefs.json'), '{"A": {"display_name": "B"}}');
  writeFileSync(join(pack, 'locales', 'de', 'settings.json'), 'broken');
  writeFileSync(join(pack, 'example_workflows', 'one.json'), '{"nodes": []}');
  writeFileSync(join(pack, 'subgraphs', 'blur.json'), '{"x": 1}');

  const users = createUsers(folders.user, { multiUser: false });
  const app = express();
  app.use((req, res, next) =>
    req.is('multipart/form-data') ? next() : express.raw({ type: () => true })(req, res, next),
  );
  app.use(viewRoutes({ folders }));
  app.use(uploadRoutes({ folders, maxUploadBytes: 100_000, hash: 'sha256', users }));
  app.use(userRoutes({ users }), userdataRoutes({ users }));
  app.use(modelRoutes({ folders }), packRoutes({ packFolders: () => [pack], program: base }));
  const onError: ErrorRequestHandler = (error, _req, res, _next) => {
    res.status(error instanceof NoodleError ? error.status : 500).end(String(error));
  };
  app.use(onError);
  server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
  rmSync(base, { recursive: true, force: true });
});

const get = (path: string, headers: Record<string, string> = {}) => fetch(url + path, { headers });

/** A GET whose path is sent as it stands (fetch would normalise `..` away). */
const rawGet = (path: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const { port } = server.address() as AddressInfo;
    request({ host: '127.0.0.1', port, path }, (res) => {
      res.resume();
      resolve(res.statusCode ?? 0);
    })
      .on('error', reject)
      .end();
  });

test.each([
  ['/view', 404],
  ['/view?filename=', 404],
  ['/view?filename=nothing.png', 404],
  ['/view?filename=pic.png', 200],
  ['/view?filename=pic.png%20%5Boutput%5D', 200],
  ['/view?filename=pic.png%20%5Binput%5D', 404],
  ['/view?filename=elsewhere/pic.png', 200],
  ['/view?filename=pic.png&type=models', 400],
  ['/view?filename=../secret.txt', 400],
  ['/view?filename=/etc/passwd', 400],
  ['/view?filename=secret.txt&subfolder=..', 403],
  ['/view?filename=secret.txt&subfolder=sub/../..', 403],
  ['/view?filename=link.txt', 403],
  ['/view?filename=page.html&channel=rgb', 415],
])('GET %s answers %i', async (path, status) => {
  expect((await get(path)).status).toBe(status);
});

test('files of others never run in our origin', async () => {
  const page = await get('/view?filename=page.html');
  expect(page.headers.get('content-type')).toBe('application/octet-stream');
  expect(page.headers.get('content-disposition')).toMatch(/^attachment/);
  expect(page.headers.get('x-content-type-options')).toBe('nosniff');
  const svg = '/view?filename=evil.svg&subfolder=sub';
  expect((await get(svg)).headers.get('content-type')).toBe('application/octet-stream');
  const asPicture = await get(svg, { 'sec-fetch-dest': 'image' });
  expect(asPicture.headers.get('content-type')).toBe('image/svg+xml');
});

test('a picture is served with range, and transformed on request', async () => {
  const plain = await get('/view?filename=pic.png', { range: 'bytes=0-3' });
  expect(plain.status).toBe(206);
  expect(plain.headers.get('content-disposition')).toBe('filename="pic.png"');
  const preview = await get('/view?filename=pic.png&preview=jpeg;80&channel=rgb');
  expect(preview.headers.get('content-type')).toBe('image/jpeg');
  const alpha = await get('/view?filename=pic.png&channel=a');
  const { data } = await sharp(Buffer.from(await alpha.arrayBuffer()))
    .raw()
    .toBuffer({ resolveWithObject: true });
  expect([...data.subarray(0, 4)]).toEqual([0, 0, 0, 128]);
});

const upload = (
  file: Uint8Array,
  name: string,
  fields: Record<string, string> = {},
  path = 'image',
) => {
  const form = new FormData();
  form.set('image', new Blob([Buffer.from(file)]), name);
  for (const [key, value] of Object.entries(fields)) form.set(key, value);
  return fetch(`${url}/upload/${path}`, { method: 'POST', body: form });
};

test('uploads keep their names, number clashes and recognise equal content', async () => {
  const other = await sharp(png).negate().png().toBuffer();
  expect(await (await upload(png, 'ñ 猫.png')).json()).toEqual({
    name: 'ñ 猫.png',
    subfolder: '',
    type: 'input',
  });
  expect(await (await upload(png, 'ñ 猫.png')).json()).toMatchObject({ name: 'ñ 猫.png' });
  expect(await (await upload(other, 'ñ 猫.png')).json()).toMatchObject({ name: 'ñ 猫 (1).png' });
  expect(await (await upload(other, 'ñ 猫.png', { overwrite: 'true' })).json()).toMatchObject({
    name: 'ñ 猫.png',
  });
  expect(readFileSync(join(base, 'input', 'ñ 猫.png')).equals(other)).toBe(true);
  expect(await (await upload(png, 'p.png', { subfolder: 'a/b', type: 'temp' })).json()).toEqual({
    name: 'p.png',
    subfolder: 'a/b',
    type: 'temp',
  });
});

test.each([
  ['text', Buffer.from('<html>hello</html>'), 'x.png', {}, 400],
  ['nothing', Buffer.alloc(0), 'x.png', {}, 400],
  ['an unknown directory', undefined, 'x.png', { type: 'models' }, 400],
  ['a path out of the folder', undefined, '../../x.png', {}, 403],
  ['a subfolder out of the folder', undefined, 'x.png', { subfolder: '../..' }, 403],
  ['too much', Buffer.alloc(200_000, 1), 'x.png', {}, 413],
])('an upload of %s is refused', async (_what, bytes, name, fields, status) => {
  const answer = await upload(bytes ?? png, name, fields);
  expect(answer.status).toBe(status);
});

test('a mask upload writes the original with the alpha of the mask', async () => {
  const reference = JSON.stringify({ filename: 'pic.png', type: 'output' });
  const answer = await upload(png, 'mask.png', { original_ref: reference }, 'mask');
  expect(await answer.json()).toMatchObject({ name: 'mask.png', type: 'input' });
  const missing = await upload(png, 'm.png', { original_ref: '{"filename": "no.png"}' }, 'mask');
  expect(missing.status).toBe(400);
  const outside = JSON.stringify({ filename: '../secret.txt' });
  expect((await upload(png, 'm.png', { original_ref: outside }, 'mask')).status).toBe(403);
});

test('models are listed, described and previewed', async () => {
  expect(await (await get('/models')).json()).toContain('checkpoints');
  expect(await (await get('/models/loras')).json()).toEqual(['deep/a.safetensors']);
  expect((await get('/models/unet')).status).toBe(404);
  expect((await get('/models/nothing')).status).toBe(404);
  expect(await (await get('/experiment/models/loras')).json()).toMatchObject([
    { name: 'deep/a.safetensors', pathIndex: 0 },
  ]);
  const preview = await get('/experiment/models/preview/loras/0/deep/a.safetensors');
  expect(preview.headers.get('content-type')).toBe('image/webp');
  const none = '/experiment/models/preview/loras/0/deep/b.safetensors';
  expect((await get(none)).status).toBe(404);
  expect((await get(`${none}?optional`)).status).toBe(204);
  const metadata = await get('/view_metadata/loras?filename=deep/a.safetensors');
  expect(await metadata.json()).toMatchObject({ note: 'ü' });
  expect((await get('/view_metadata/loras?filename=../../../etc/passwd')).status).toBe(404);
  expect(await rawGet('/experiment/models/preview/loras/0/../../../secret.txt')).toBeGreaterThan(
    399,
  );
  expect((await get('/experiment/models/preview/loras/0/..%2f..%2f..%2fsecret.txt')).status).toBe(
    403,
  );
  expect((await get('/experiment/models/preview/loras/9/a.safetensors')).status).toBe(400);
});

test('packs bring translations, templates and subgraphs', async () => {
  expect(await (await get('/i18n')).json()).toEqual({
    de: { hello: 'hallo', nodeDefs: { A: { display_name: 'B' } } },
  });
  expect(await (await get('/workflow_templates')).json()).toEqual({ 'my-pack': ['one'] });
  expect(await (await get('/workflow_templates/my-pack/one.json')).json()).toEqual({ nodes: [] });
  expect((await get('/workflow_templates/my-pack/..%2f..%2f..%2fsecret.txt')).status).toBe(403);
  const list = (await (await get('/global_subgraphs')).json()) as Record<string, { name: string }>;
  const [[id, entry]] = Object.entries(list);
  expect(entry).toEqual({
    source: 'custom_node',
    name: 'blur',
    info: { node_pack: 'custom_nodes.my-pack' },
  });
  expect(await (await get(`/global_subgraphs/${id}`)).json()).toMatchObject({ data: '{"x": 1}' });
  expect(await (await get('/global_subgraphs/none')).json()).toBeNull();
});

test('user data over HTTP', async () => {
  const post = (path: string, body: string) => fetch(url + path, { method: 'POST', body });
  expect(await (await get('/users')).json()).toEqual({ storage: 'server', migrated: false });
  expect((await get('/userdata')).status).toBe(400);
  expect((await get('/userdata?dir=..')).status).toBe(403);
  expect((await get('/userdata?dir=nothing')).status).toBe(404);
  expect(await (await post('/userdata/workflows%2Fa.json', '{}')).json()).toBe('workflows/a.json');
  expect((await post('/userdata/workflows%2Fa.json?overwrite=false', '{}')).status).toBe(409);
  expect((await post('/userdata/..%2f..%2fa.json', '{}')).status).toBe(403);
  const file = await get('/userdata/workflows%2Fa.json');
  expect(file.headers.get('content-disposition')).toMatch(/^attachment/);
  expect(await file.text()).toBe('{}');
  expect(await (await get('/userdata?dir=workflows&split=true')).json()).toEqual([
    ['a.json', 'a.json'],
  ]);
  expect(await (await get('/v2/userdata?path=workflows')).json()).toMatchObject([
    { name: 'a.json', path: 'workflows/a.json', type: 'file', size: 2 },
  ]);
  const moved = await post('/userdata/workflows%2Fa.json/move/b.json', '');
  expect(await moved.json()).toBe('b.json');
  const gone = await fetch(`${url}/userdata/b.json`, { method: 'DELETE' });
  expect(gone.status).toBe(204);
  await post('/settings/Comfy.Zoom', '2.0');
  expect(await (await get('/settings')).text()).toBe('{"Comfy.Zoom": 2.0}');
  expect(await (await get('/settings/nothing')).json()).toBeNull();
  expect((await post('/settings', '{broken')).status).toBe(400);
});
