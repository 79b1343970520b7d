/** What --follow-links opens over HTTP: disks that are linked into the server's folders. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestServer, startServer } from '../support/server.ts';

let top: string;
let server: TestServer;
let png: Buffer;
beforeAll(async () => {
  const create = { width: 4, height: 4, channels: 3, background: '#804020' } as const;
  png = await sharp({ create }).png().toBuffer();
  top = mkdtempSync(join(tmpdir(), 'noodle-links-'));
  const base = join(top, 'base');
  for (const name of ['disk/deep', 'other', 'base/input', 'base/output']) {
    mkdirSync(join(top, name), { recursive: true });
  }
  for (const folder of ['disk', 'other']) writeFileSync(join(top, folder, 'photo.png'), png);
  for (const folder of ['input', 'output']) {
    symlinkSync(join(top, 'disk'), join(base, folder, 'disk'));
    symlinkSync(join(top, 'other'), join(base, folder, 'other'));
    symlinkSync(join(top, 'disk/photo.png'), join(base, folder, 'linked.png'));
    symlinkSync(join(top, 'other/photo.png'), join(base, folder, 'closed.png'));
  }
  server = await startServer({ base, flags: ['--follow-links', join(top, 'disk')] });
});
afterAll(async () => {
  await server?.stop();
  rmSync(top, { recursive: true, force: true });
});

it.each([
  ['filename=linked.png&type=input', 200],
  ['filename=photo.png&type=output&subfolder=disk', 200],
  ['filename=closed.png&type=input', 403],
  ['filename=photo.png&type=output&subfolder=other', 403],
  ['filename=photo.png&type=input&subfolder=disk%2F..%2Fother', 403],
])('/view?%s -> %i', async (query, status) => {
  const answer = await server.get(`/view?${query}`);
  expect(answer.status).toBe(status);
  if (status === 200) expect(Buffer.from(await answer.arrayBuffer())).toEqual(png);
  else expect(await answer.text()).not.toContain(top);
});

it('uploads through a link, where that is allowed', async () => {
  const upload = async (subfolder: string): Promise<number> => {
    const form = new FormData();
    form.set('image', new Blob([new Uint8Array(png)]), 'new.png');
    form.set('subfolder', subfolder);
    return (await server.get('/upload/image', { method: 'POST', body: form })).status;
  };
  expect(await upload('disk/deep')).toBe(200);
  expect(existsSync(join(top, 'disk/deep/new.png'))).toBe(true);
  expect(await upload('other')).toBe(403);
  expect(existsSync(join(top, 'other/new.png'))).toBe(false);
});

it('lists what can be used', async () => {
  const info = (await server.json('/object_info/LoadImage')) as {
    LoadImage: { input: { required: { image: [string[]] } } };
  };
  expect(info.LoadImage.input.required.image[0]).toEqual(['linked.png']);
  expect(await server.json('/internal/files/output')).toEqual(['linked.png']);
});

it('saves through a link', async () => {
  const save = async (prefix: string): Promise<number> => {
    const prompt = {
      1: { class_type: 'LoadImage', inputs: { image: 'disk/photo.png' } },
      2: { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: prefix } },
    };
    return (await server.post('/prompt', { prompt })).status;
  };
  expect(await save('disk/deep/saved')).toBe(200);
  await expect
    .poll(() => existsSync(join(top, 'disk/deep/saved_00001_.png')), { timeout: 15_000 })
    .toBe(true);
  expect(await save('other/saved')).toBe(400);
});
