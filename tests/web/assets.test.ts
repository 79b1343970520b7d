import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { buildWeb } from '../../web/build.mjs';
import { noBrowser, opened } from './support/browser.ts';
import { useBuiltPage } from './support/built-page.ts';

/** Bytes that everything needed for the first sight may take, compressed. */
const limit = 250_000;

describe('the built page', () => {
  let dist: string;
  beforeAll(async () => {
    dist = await buildWeb();
  });
  const read = (name: string): Buffer => readFileSync(join(dist, name));

  /** Too little to be worth compressing. */
  const isSmall = (name: string): boolean => read(name).length < 1024;

  test('needs little for the first sight, and lies there compressed', () => {
    const html = read('index.html').toString();
    const first = [...html.matchAll(/(?:src|href)="\.\/(assets\/[^"]+)"/g)].map(([, name]) => name);
    const fonts = readdirSync(join(dist, 'assets')).filter((name) => name.endsWith('.woff2'));
    expect(first.length).toBeGreaterThan(1);
    const sizes = first.map((name) => read(isSmall(name) ? name : `${name}.gz`).length);
    const all = [...sizes, ...fonts.map((name) => read(`assets/${name}`).length)];
    expect(all.reduce((sum, size) => sum + size, 0)).toBeLessThan(limit);
    for (const name of first.filter((each) => !isSmall(each))) {
      expect(read(`${name}.gz`).length).toBeLessThan(read(name).length);
      expect(read(`${name}.br`).length).toBeLessThan(read(`${name}.gz`).length);
    }
  });

  test('every name in assets is hashed, and the start page names no other host', () => {
    for (const name of readdirSync(join(dist, 'assets'))) {
      expect(name).toMatch(/-[\w-]{8}\.\w+(\.br|\.gz)?$/);
    }
    expect(read('index.html').toString()).not.toMatch(/https?:\/\//);
  });
});

describe.skipIf(noBrowser !== null)('starting', () => {
  const stand = useBuiltPage();

  test('the outline is there before the script, descriptions are asked for once and beside it', async () => {
    const page = await stand.browser.newPage();
    const hosts = new Set<string>();
    const asked: string[] = [];
    page.on('request', (request) => {
      const { host, pathname } = new URL(request.url());
      if (request.url().startsWith('http')) hosts.add(host);
      asked.push(pathname);
    });
    let outline = 0;
    await page.route('**/assets/index-*.js', async (route) => {
      outline = await page.locator('.skeleton-bar').count();
      await route.continue();
    });
    const seen = page.waitForRequest(/object_info$/);
    await page.goto(stand.server.url, { waitUntil: 'commit' });
    await seen;
    await opened(page);
    expect(outline).toBe(1);
    expect(asked.filter((path) => path === '/object_info')).toHaveLength(1);
    expect([...hosts]).toEqual([new URL(stand.server.url).host]);
    expect(await page.locator('.skeleton-bar').count()).toBe(0);
    await page.close();
  });

  test('a server that does not answer is said, asked again, and found', async () => {
    const page = await stand.browser.newPage();
    let isAway = true;
    await page.route(/object_info$/, (route) => (isAway ? route.abort() : route.continue()));
    await page.goto(stand.server.url);
    await page.getByRole('heading', { name: 'The server does not answer' }).waitFor();
    isAway = false;
    await page.getByRole('button', { name: 'Try again' }).click();
    await opened(page);
    await page.close();
  });
});
