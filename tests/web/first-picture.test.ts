/** A newcomer's first minute, for real: our server, our engine, the embedded checkpoint, a browser. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildWeb } from '../../web/build.mjs';
import { startServer, type TestServer } from '../support/server.ts';
import { graphOf, launch, noBrowser, openPage } from './support/browser.ts';

const models = fileURLToPath(new URL('../../models', import.meta.url));

describe.skipIf(noBrowser !== null)('a first picture', () => {
  const base = mkdtempSync(join(tmpdir(), 'noodle-page-'));
  let server: TestServer;
  let browser: Browser;
  let page: Page;
  let errors: string[];

  beforeAll(async () => {
    await buildWeb();
    mkdirSync(join(base, 'models'));
    symlinkSync(join(models, 'checkpoints'), join(base, 'models', 'checkpoints'));
    server = await startServer({ base, flags: ['--preview-method', 'latent2rgb'] });
    browser = await launch();
    ({ page, errors } = await openPage(browser, server.url));
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    rmSync(base, { recursive: true, force: true });
  });

  const nodeOf = async (type: string): Promise<number> =>
    Number((await graphOf(page)).nodes.find((node) => node.type === type)?.id);
  const imagesOf = (id: number) => page.evaluate((node) => window.noodle.imagesOf(node), id);

  test('load, queue, watch it form, see the picture', async () => {
    const [sampler, save] = [await nodeOf('KSampler'), await nodeOf('SaveImage')];
    await page.keyboard.press('Control+Enter');
    // The preview of a step, live in the sampler.
    await expect.poll(() => imagesOf(sampler), { timeout: 20_000 }).toMatchObject([{ live: true }]);
    await expect
      .poll(() => imagesOf(save), { timeout: 20_000 })
      .toEqual([{ width: 128, height: 128, live: false }]);
    expect(errors).toEqual([]);
  });

  test('the picture on the disk is what the words say', async () => {
    const [name] = (await (await server.get('/internal/files/output')).json()) as string[];
    const file = await server.get(
      `/view?filename=${encodeURIComponent(name.replace(/ \[output\]$/, ''))}`,
    );
    const { data } = await sharp(Buffer.from(await file.arrayBuffer()))
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    const pixel = (x: number, y: number) => [...data.subarray(3 * (128 * y + x)).subarray(0, 3)];
    const [r, g, b] = pixel(64, 64);
    expect(r, 'red in the middle').toBeGreaterThan(2 * Math.max(g, b));
    const [cornerR, , cornerB] = pixel(4, 4);
    expect(cornerB, 'blue in the corner').toBeGreaterThan(2 * cornerR);
  });
});
