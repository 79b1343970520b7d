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

describe('examples', () => {
  it('have a small picture of what they make each', async () => {
    const names = (await server.json('/ui/workflows')) as string[];
    for (const name of names) {
      const answer = await server.get(`/ui/workflows/${name}/picture`);
      expect(answer.headers.get('content-type'), name).toBe('image/webp');
      expect((await answer.arrayBuffer()).byteLength, name).toBeLessThan(15_000);
    }
    expect((await server.get('/ui/workflows/none.json/picture')).status).toBe(404);
  });
});

describe('templates', () => {
  it.each(['index.json', 'index.de.json'])('lists the examples in %s', async (index) => {
    const [group] = await server.json(`/templates/${index}`); // eslint-disable-line @typescript-eslint/no-unsafe-assignment -- JSON from the wire
    // What the page looks for when it greets a new user; under another title its list is empty.
    expect(group).toMatchObject({
      moduleName: 'default',
      title: 'Getting Started',
      type: 'image',
      isEssential: true,
    });
    const { templates } = group as { templates: Record<string, string>[] };
    expect(templates).toContainEqual({
      name: 'hires-fix',
      title: 'Hires fix',
      description: 'An example that comes with Noodle.',
      mediaType: 'image',
      mediaSubtype: 'svg',
    });
    for (const { name } of templates) {
      const flow = (await server.json(`/templates/${name}.json`)) as { nodes: unknown[] };
      const answer = await server.get(`/templates/${name}-1.svg`);
      expect(answer.headers.get('content-type')).toBe('image/svg+xml');
      expect((await answer.text()).match(/<rect/g)).toHaveLength(flow.nodes.length);
    }
  });

  it.each([
    ['/templates/index_logo.json', 200],
    ['/templates/fuse_options.json', 200],
    ['/templates/none.json', 404],
    ['/templates/..%2Fpackage.json', 403],
    ['/api/templates/index.json', 404],
  ])('%s -> %i', async (path, status) => {
    expect((await server.get(path)).status).toBe(status);
  });
});
