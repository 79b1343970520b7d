/** A page from outside: what the server answers besides the files of --front-end-root. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestServer, startServer } from '../support/server.ts';

let server: TestServer;
const folder = mkdtempSync(join(tmpdir(), 'noodle-front-end-'));
const base = join(folder, 'installation');

beforeAll(async () => {
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  write('page/index.html', '<title>another page</title>');
  write('page/scripts/app.js', 'export const app = 1;');
  write('page/extensions/core/a b.js', 'export const a = 1;');
  write('installation/custom_nodes/pack/web/pack.js', 'export const pack = 1;');
  write(
    'installation/custom_nodes/pack/index.mjs',
    "export const nodes = []; export const webDirectory = 'web';",
  );
  server = await startServer({ base, flags: ['--front-end-root', join(folder, 'page')] });
});
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('scripts', () => {
  it("lists the page's extensions before those of packs, and serves both", async () => {
    const scripts = (await server.json('/api/extensions')) as string[];
    expect(scripts).toEqual(['/extensions/core/a%20b.js', '/extensions/pack/pack.js']);
    for (const script of [...scripts, '/scripts/app.js']) {
      const answer = await server.get(script);
      expect(answer.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
      expect(await answer.text()).toContain('export const');
    }
  });

  it.each(['/extensions/core/none.js', '/extensions/pack/none.js', '/extensions/none/a.js'])(
    'has no %s',
    async (path) => expect((await server.get(path)).status).toBe(404),
  );
});
