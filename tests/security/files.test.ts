/** Which files can be reached over HTTP and by prompts, and what a browser does with them. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseConfig } from '../../engine/config.ts';
import { OWN_PAGE_POLICY } from '../../engine/server/app.ts';
import { refuseReachable } from '../../engine/server/reachable.ts';
import { createFolders } from '../../engine/store/folders.ts';
import { type TestServer, startServer } from '../support/server.ts';
import { raw } from './raw.ts';

/* eslint-disable @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-return -- JSON from the wire */

const root = fileURLToPath(new URL('../../', import.meta.url));
const SECRET = 'the secret of this test';
const PACK = "export const nodes = []; export const webDirectory = './web';";
let top: string;
let base: string;
let server: TestServer;
let png: Buffer;
beforeAll(async () => {
  const create = { width: 4, height: 4, channels: 3, background: '#804020' } as const;
  png = await sharp({ create }).png().toBuffer();
  top = mkdtempSync(join(tmpdir(), 'noodle-files-'));
  base = join(top, '.hidden', 'base');
  for (const name of ['output/sub', 'input', 'temp', 'user/default/workflows', 'models/loras']) {
    mkdirSync(join(base, name), { recursive: true });
  }
  for (const name of [
    ...['secret.txt', 'base/secret.txt', 'base/secret.png', 'base/user/users.json'],
    ...['base/user/secret.json', 'base/models/secret.png'],
  ]) {
    writeFileSync(join(top, '.hidden', name), SECRET);
  }
  for (const folder of ['output', 'input', 'user/default', 'models/loras']) {
    symlinkSync(join(base, 'secret.txt'), join(base, folder, 'link.txt'));
    symlinkSync(join(base, 'secret.png'), join(base, folder, 'link.png'));
    symlinkSync(base, join(base, folder, 'up'));
  }
  writeFileSync(join(base, 'models', 'loras', 'link.safetensors'), '');
  const pack = join(base, 'custom_nodes', 'pack');
  mkdirSync(join(pack, 'web', 'sub'), { recursive: true });
  mkdirSync(join(pack, 'locales', '__proto__'), { recursive: true });
  writeFileSync(join(pack, 'web', 'main.js'), 'export {};');
  writeFileSync(join(pack, 'web', 'sub', 'page.html'), '<script>alert(1)</script>');
  for (const name of ['index.ts', 'config.json', '.env', 'web/.env', 'web/sub/.git']) {
    writeFileSync(join(pack, name), `${PACK} // ${SECRET}`);
  }
  symlinkSync(join(base, 'secret.txt'), join(pack, 'web', 'link.js'));
  const polluting = '{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}';
  writeFileSync(join(pack, 'locales', '__proto__', 'main.json'), polluting);
  server = await startServer({ base });
});
afterAll(async () => {
  await server?.stop();
  rmSync(top, { recursive: true, force: true });
});

/** Links are counted, not followed (some versions of Node's own recursive listing go round and round). */
const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? [entry.name, ...filesBelow(join(folder, entry.name))] : [entry.name],
  );

/** Ways of writing "one folder up", as they have worked somewhere. */
const ups = (name: string): string[] => [
  `../${name}`,
  `..%2f${name}`,
  `..%5c${name}`,
  `%2e%2e%2f${name}`,
  `%2e%2e/${name}`,
  `..%252f${name}`,
  `....//${name}`,
  `..;/${name}`,
  `..%00/${name}`,
  `..%c0%af${name}`,
  `sub/../../${name}`,
  `sub%2f..%2f..%2f${name}`,
  `.%2f..%2f${name}`,
];
const upwards = [
  ...ups('secret.txt'),
  ...ups('secret.png'),
  ...ups('users.json'),
  ...ups('noodle.db'),
  ...ups('../secret.txt'),
  ...ups('../../secret.txt'),
  ...ups('user/noodle.db'),
];

describe('names that lead out of a folder', () => {
  it.each([
    ['/view', (name: string) => `/view?filename=${name}`],
    ['/view, type', (name: string) => `/view?filename=${name}&type=input`],
    ['/view, preview', (name: string) => `/view?filename=${name}&preview=webp`],
    ['/view, annotated', (name: string) => `/view?filename=${name}%20%5Btemp%5D`],
    ['/view, subfolder', (name: string) => `/view?filename=secret.txt&subfolder=${name}`],
    ['/userdata', (name: string) => `/userdata/${name}`],
    ['/userdata, list', (name: string) => `/userdata?dir=${name}&recurse=true`],
    ['/v2/userdata', (name: string) => `/v2/userdata?path=${name}`],
    ['/settings', (name: string) => `/settings/${name}`],
    ['model previews', (name: string) => `/experiment/models/preview/loras/0/${name}`],
    ['/view_metadata', (name: string) => `/view_metadata/loras?filename=${name}`],
    ['/models', (name: string) => `/models/${name}`],
    ['/internal/files', (name: string) => `/internal/files/${name}`],
    ['templates', (name: string) => `/workflow_templates/pack/${name}`],
    ['pack scripts', (name: string) => `/extensions/pack/${name}`],
    ['example workflows', (name: string) => `/ui/workflows/${name}`],
    ['pictures of examples', (name: string) => `/ui/workflows/${name}/picture`],
    ['the page', (name: string) => `/${name}`],
    ['the page, absolute', (name: string) => `//${name}`],
  ])('%s', async (_, address) => {
    for (const name of [...upwards, base, join(base, 'secret.txt')]) {
      const answer = await raw(server, address(name));
      expect(answer.status, address(name)).toBeLessThan(500);
      expect(answer.body, address(name)).not.toContain(SECRET);
      expect(answer.body, address(name)).not.toContain('SQLite format');
    }
  });

  it('do not write either', async () => {
    const before = filesBelow(top).length;
    const file = new Blob([png]);
    for (const name of [
      '../x.png',
      '..\\x.png',
      'a/../../x.png',
      '/x.png',
      'C:\\x.png',
      'a\0.png',
    ]) {
      const form = new FormData();
      form.set('image', file, name);
      const named = await server.get('/upload/image', { method: 'POST', body: form });
      expect([400, 403], name).toContain(named.status);
      const into = new FormData();
      into.set('image', file, 'x.png');
      into.set('subfolder', name.replace(/x?\.png$/, ''));
      const placed = await server.get('/upload/image', { method: 'POST', body: into });
      expect([200, 400, 403], name).toContain(placed.status);
      const encoded = encodeURIComponent(name);
      expect((await server.post(`/userdata/${encoded}`, 'x')).status, name).toBeGreaterThan(399);
      expect((await server.post(`/userdata/${encoded}/move/y`, '')).status).toBeGreaterThan(399);
      const gone = await raw(server, `/userdata/${encoded}`, { method: 'DELETE' });
      expect(gone.status, name).toBeGreaterThan(399);
    }
    const added = filesBelow(top).length - before;
    const uploads = readdirSync(join(base, 'input')).filter((name) => !name.startsWith('link'));
    expect(added).toBe(uploads.filter((name) => name !== 'up').length);
  });

  it('that are taken by a folder, or go through a file, are the client’s error', async () => {
    mkdirSync(join(base, 'input', 'folder'), { recursive: true });
    writeFileSync(join(base, 'input', 'file'), png);
    const places = [
      { name: 'folder', overwrite: 'true' },
      { name: 'a.png', subfolder: 'file', overwrite: 'true' },
      { name: 'a.png', subfolder: 'file/deeper' },
      { name: 'file/a.png' },
      { name: `${'x'.repeat(300)}.png` },
      { name: 'a.png', subfolder: 'x'.repeat(300) },
    ];
    for (const { name, ...fields } of places) {
      const form = new FormData();
      form.set('image', new Blob([png]), name);
      for (const [key, value] of Object.entries(fields)) form.set(key, value);
      const { status } = await server.get('/upload/image', { method: 'POST', body: form });
      expect([400, 403], JSON.stringify({ name, fields })).toContain(status);
    }
    rmSync(join(base, 'input', 'folder'), { recursive: true });
    rmSync(join(base, 'input', 'file'));
  });

  it('are no inputs or outputs of prompts', async () => {
    const prompt = (image: string, prefix: string) => ({
      1: { class_type: 'LoadImage', inputs: { image } },
      2: { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: prefix } },
    });
    for (const image of [
      ...['../secret.png', '../secret.png [input]', '..\\secret.png', join(base, 'secret.png')],
      ...['link.png', 'up/secret.png', 'up/secret.png [output]', 'a/../../secret.png [temp]'],
    ]) {
      const answer = await server.post('/prompt', { prompt: prompt(image, 'a') });
      expect(answer.status, image).toBe(400);
    }
    writeFileSync(join(base, 'input', 'ok.png'), png);
    for (const prefix of ['../../escaped', join(top, 'escaped'), 'up/escaped', '..\\escaped']) {
      // Before anything runs, in the reference's words and without the server's folders.
      const refused = await server.post('/prompt', { prompt: prompt('ok.png', prefix) });
      expect(refused.status, prefix).toBe(400);
      const text = await refused.text();
      expect(text).toContain('Saving image outside the output folder is not allowed');
      if (!prefix.startsWith(top)) expect(text).not.toContain(top);
      // A prefix that another node makes is known when it runs.
      const linked = {
        ...prompt('ok.png', ''),
        3: { class_type: 'PrimitiveString', inputs: { value: prefix } },
      };
      linked[2].inputs = { ...linked[2].inputs, filename_prefix: ['3', 0] } as never;
      const sent = await server.post('/prompt', { prompt: linked });
      expect(sent.status).toBe(200);
      const { prompt_id: id } = (await sent.json()) as { prompt_id: string };
      const entry = async () => (await server.json(`/history/${id}`))[id]?.status?.status_str;
      await expect.poll(entry, { timeout: 15_000, message: prefix }).toBe('error');
      const told = await (await server.get(`/history/${id}`)).text();
      expect(told).toContain('traceback');
      expect(told).not.toContain(root);
      if (!prefix.startsWith(top)) expect(told).not.toContain(top);
    }
    expect(filesBelow(top).filter((name) => name.includes('escaped'))).toEqual([]);
  });
});

describe('links that lead out of a folder', () => {
  it.each([
    ['/view?filename=link.txt', 403],
    ['/view?filename=link.png&preview=webp', 403],
    ['/view?filename=secret.txt&subfolder=up', 403],
    ['/view?filename=link.txt&type=input', 403],
    ['/userdata/link.txt', 403],
    ['/userdata/up%2Fsecret.txt', 403],
    ['/userdata?dir=up', 403],
    ['/experiment/models/preview/loras/0/link.safetensors', 403],
    ['/experiment/models/preview/loras/0/up/secret.safetensors', 403],
    ['/extensions/pack/link.js', 403],
  ])('%s -> %i', async (path, status) => {
    const answer = await raw(server, path);
    expect(answer.body).not.toContain(SECRET);
    expect(answer.status).toBe(status);
  });
});

describe('files that somebody else put there', () => {
  const hostile = {
    'a.html': '<script>alert(1)</script>',
    'a.svg': '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    'a.xhtml': '<html xmlns="http://www.w3.org/1999/xhtml"/>',
    'a.js': 'alert(1)',
    'a.css': '@import url(//evil.example)',
    'a.xml': '<?xml-stylesheet type="text/xsl" href="#"?><a/>',
    'a.mht': 'MIME-Version: 1.0',
    'a.HTML': '<script>alert(1)</script>',
    'a.htm': '<script>alert(1)</script>',
    'a.unknown': '<script>alert(1)</script>',
    'a.png.html': '<script>alert(1)</script>',
  };

  it('never run in our origin', async () => {
    for (const [name, text] of Object.entries(hostile)) {
      writeFileSync(join(base, 'output', name), text);
      await server.post(`/userdata/${name}`, text);
      for (const path of [`/view?filename=${name}`, `/userdata/${name}`]) {
        const { headers, status } = await raw(server, path);
        expect(status).toBe(200);
        expect(headers['x-content-type-options']).toBe('nosniff');
        expect(headers['content-type'], path).toBe('application/octet-stream');
        if (name !== 'a.unknown') expect(headers['content-disposition']).toMatch(/^attachment/);
      }
    }
  });

  it('an SVG is shown as a picture only', async () => {
    const as = async (destination: string) =>
      (await raw(server, '/view?filename=a.svg', { headers: { 'Sec-Fetch-Dest': destination } }))
        .headers['content-type'];
    expect(await as('image')).toBe('image/svg+xml');
    for (const other of ['document', 'iframe', 'object', 'embed', 'script', 'style', 'empty']) {
      expect(await as(other), other).toBe('application/octet-stream');
    }
  });

  it('are no uploads, whatever they are called', async () => {
    for (const [name, text] of Object.entries(hostile)) {
      const form = new FormData();
      form.set('image', new Blob([text]), name.replace(/\w+$/, 'png'));
      expect((await server.get('/upload/image', { method: 'POST', body: form })).status).toBe(400);
    }
  });

  it('names do not break out of a header', async () => {
    const name = 'a"; filename=b.html; x="é猫.txt';
    writeFileSync(join(base, 'output', name), 'text');
    const { headers } = await raw(server, `/view?filename=${encodeURIComponent(name)}`);
    expect(headers['content-disposition']).toContain('filename="a\\"; filename=b.html; x=\\"');
    expect(headers['set-cookie']).toBeUndefined();
  });
});

describe('pages', () => {
  it('carry a policy under which only our own files run', async () => {
    for (const path of ['/', '/queue', '/view?filename=a.svg', '/nothing', '/userdata/a.svg']) {
      const { headers } = await raw(server, path);
      expect(headers['content-security-policy'], path).toBe(OWN_PAGE_POLICY);
      expect(headers['x-content-type-options']).toBe('nosniff');
      expect(headers['x-frame-options']).toBe('SAMEORIGIN');
      expect(headers['cross-origin-resource-policy']).toBe('same-site');
    }
    expect(/script-src ([^;]*)/.exec(OWN_PAGE_POLICY)?.[1]).toBe("'self'");
    expect(OWN_PAGE_POLICY).toContain("default-src 'self'");
    expect(OWN_PAGE_POLICY).not.toMatch(/unsafe-eval|https?:/);
  });
});

describe('packs', () => {
  it('show their web folder and nothing else', async () => {
    expect(await server.json('/extensions')).toEqual(['/extensions/pack/main.js']);
    expect((await raw(server, '/extensions/pack/main.js')).status).toBe(200);
    for (const file of [
      ...['index.ts', 'config.json', '.env', '../index.ts', '..%2findex.ts', '..%2f.env'],
      ...['web/main.js', 'sub/.git', '.env', 'sub%2f.git', '%2e%2e/config.json', ''],
    ]) {
      const answer = await raw(server, `/extensions/pack/${file}`);
      expect([403, 404], file).toContain(answer.status);
      expect(answer.body).not.toContain(SECRET);
    }
    for (const path of ['/custom_nodes/pack/index.ts', '/extensions/../custom_nodes/pack/.env']) {
      expect((await raw(server, path)).status, path).toBe(404);
    }
    // Pages of packs may not run what stands in them either.
    const { headers } = await raw(server, '/extensions/pack/sub/page.html');
    expect(headers['content-security-policy']).toBe(OWN_PAGE_POLICY);
  });

  it('cannot change objects of the program by their translations', async () => {
    expect((await raw(server, '/i18n')).status).toBe(200);
    expect((await raw(server, '/queue')).body).not.toContain('polluted');
    expect((await raw(server, '/i18n')).body).not.toContain('polluted');
  });
});

describe('what is the server’s own', () => {
  it('is served by no route', async () => {
    expect(existsSync(join(base, 'user', 'noodle.db'))).toBe(true);
    for (const path of [
      ...['/user/noodle.db', '/noodle.db', '/user/users.json', '/user/default/comfy.settings.json'],
      ...['/userdata/noodle.db', '/userdata/users.json', '/userdata/..%2Fnoodle.db-wal'],
      ...['/server.ts', '/package.json', '/engine/config.ts', '/.git/config', '/node_modules/'],
      ...['/models/secret.png', '/extra_model_paths.yaml', '/view?filename=noodle.db'],
    ]) {
      expect([400, 403, 404], path).toContain((await raw(server, path)).status);
    }
    const listed = JSON.stringify(await server.json('/v2/userdata'));
    expect(listed).not.toMatch(/noodle\.db|users\.json/);
  });

  it('may not lie where clients read or write', () => {
    const place = join(top, 'place');
    mkdirSync(join(place, 'user', 'default'), { recursive: true });
    mkdirSync(join(place, 'temp'));
    writeFileSync(join(place, 'temp', 'paths.yaml'), '{}');
    symlinkSync(join(place, 'output'), join(place, 'shortcut'));
    const check = (...flags: string[]) => {
      const config = parseConfig(['--base-directory', place, ...flags]);
      const { database = join(place, 'user', 'noodle.db') } = config;
      refuseReachable(createFolders(config.engine.folders), { ...config, database });
    };
    const tls = (file: string) => ['--tls-keyfile', file, '--tls-certfile', file];
    expect(() => check()).not.toThrow();
    expect(() => check('--database-url', `sqlite:///${place}/queue.db`)).not.toThrow();
    expect(() => check('--database-url', `sqlite:///${place}/user/queue.db`)).not.toThrow();
    for (const flags of [
      ['--user-directory', place, '--output-directory', place],
      ['--output-directory', place],
      ['--input-directory', join(place, 'user')],
      ['--front-end-root', place],
      ['--database-url', `sqlite:///${place}/output/noodle.db`],
      ['--database-url', `sqlite:///${place}/shortcut/noodle.db`],
      ['--database-url', `sqlite:///${place}/user/default/noodle.db`],
      tls(join(place, 'input', 'key.pem')),
      ['--multi-user', '--user-tokens', join(place, 'user', 'default', 'tokens.json')],
      ['--extra-model-paths-config', join(place, 'temp', 'paths.yaml')],
    ]) {
      expect(() => check(...flags), flags.join(' ')).toThrow(/whose files clients can read/);
    }
  });
});
