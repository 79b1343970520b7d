/** The gallery and the viewer as an artist uses them: real server, real files, real mouse and keys. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildWeb } from '../../web/build.mjs';
import { startServer, type TestServer } from '../support/server.ts';
import { graphOf, launch, noBrowser, openPage } from '../web/support/browser.ts';
import { pngWithText } from '../web/support/png-with-text.ts';

const models = fileURLToPath(new URL('../../models', import.meta.url));

describe.skipIf(noBrowser !== null)('the gallery', () => {
  const base = mkdtempSync(join(tmpdir(), 'noodle-gallery-'));
  const out = (name: string): string => join(base, 'output', name);
  let server: TestServer;
  let browser: Browser;
  let page: Page;
  let errors: string[];

  beforeAll(async () => {
    // Without its models the default workflow would open with a question about them.
    symlinkSync(models, join(base, 'models'));
    mkdirSync(join(base, 'output', 'boats'), { recursive: true });
    const prompt = (text: string) =>
      JSON.stringify({
        6: { class_type: 'CLIPTextEncode', inputs: { text } },
        3: { class_type: 'KSampler', inputs: { seed: 42, positive: ['6', 0] } },
      });
    for (let i = 0; i < 300; i++) {
      const text = [{ key: 'prompt', text: prompt(i === 7 ? 'a red fox' : `picture ${i}`) }];
      writeFileSync(out(`art_${String(i).padStart(5, '0')}_.png`), await pngWithText(text));
    }
    const workflow = readFileSync(
      new URL('../../workflows/hires-fix.json', import.meta.url),
      'utf8',
    );
    writeFileSync(
      out('boats/evening_00001_.png'),
      await pngWithText([{ key: 'workflow', text: workflow }]),
    );
    await buildWeb();
    server = await startServer({ base });
    browser = await launch();
    ({ page, errors } = await openPage(browser, server.url));
    page.setDefaultTimeout(15_000);
    await page.keyboard.press('a');
    await page.getByText('301 files', { exact: true }).waitFor();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    rmSync(base, { recursive: true, force: true });
  });

  const cell = (name: string) => page.locator('.gallery-cell', { hasText: name });
  const names = () => page.locator('.gallery-cell figcaption').allTextContents();
  const search = async (text: string): Promise<void> => {
    await page.getByRole('searchbox', { name: 'Search names and prompts' }).fill(text);
  };

  test('the newest come first, few are drawn, and the rest arrives by scrolling', async () => {
    expect((await names())[0]).toBe('evening_00001_.png');
    expect((await names()).length).toBeLessThan(80);
    await page.locator('.thumbnail[data-state="there"]').first().waitFor();
    const grid = page.locator('.gallery-grid');
    await expect
      .poll(
        async () => {
          await grid.evaluate((element) => element.scrollTo(0, element.scrollHeight));
          return names();
        },
        { timeout: 10_000 },
      )
      .toContain('art_00000_.png');
    expect((await names()).length).toBeLessThan(80);
    await grid.evaluate((element) => element.scrollTo(0, 0));
  });

  test('words of the prompt find a picture; the viewer shows them and its size', async () => {
    await search('red fox');
    await page.getByText('1 file', { exact: true }).waitFor();
    await cell('art_00007_').locator('.open').click();
    await page.locator('.lightbox').getByText('a red fox').waitFor();
    await expect(page.locator('.viewer-words').textContent()).resolves.toContain('Seed 42');
    await expect(page.locator('.viewer-scale').textContent()).resolves.toBe('8 × 8, 400%');
    await page.keyboard.press('Escape');
    await page.locator('.lightbox').waitFor({ state: 'detached' });
    await search('');
    await page.getByText('301 files', { exact: true }).waitFor();
  });

  test('the wheel zooms at sharp corners, 0 and 1 come back, arrows step through all', async () => {
    await cell('art_00299_').locator('.open').click();
    const scale = page.locator('.viewer-scale');
    await scale.waitFor();
    const box = async () => (await page.locator('.viewer-picture').boundingBox())!;
    const place = async () => [(await box()).width, (await box()).x + (await box()).width / 2];
    await expect.poll(place).toEqual([32, 640]);
    await page.mouse.move(640, 360);
    await page.mouse.wheel(0, -300);
    await expect.poll(() => scale.textContent()).not.toBe('8 × 8, 400%');
    expect(await page.locator('.viewer-picture').getAttribute('data-sharp')).toBe('true');
    await page.keyboard.press('1');
    await expect.poll(() => scale.textContent()).toBe('8 × 8, 100%');
    expect(await page.locator('.viewer-picture').getAttribute('data-sharp')).toBe('false');
    await page.keyboard.press('0');
    await expect.poll(() => scale.textContent()).toBe('8 × 8, 400%');
    await page.keyboard.press('ArrowRight');
    await page.getByRole('dialog', { name: 'art_00298_.png' }).waitFor();
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowLeft');
    await page.getByRole('dialog', { name: 'evening_00001_.png' }).waitFor();
    await page.keyboard.press('Escape');
  });

  test('two selected pictures are compared behind a slider', async () => {
    await cell('art_00299_')
      .locator('.open')
      .click({ modifiers: ['Control'] });
    await cell('art_00298_').locator('.open').click();
    await page.getByText('2 selected').waitFor();
    await page.getByRole('button', { name: 'Compare' }).click();
    const slider = page.getByRole('slider');
    await slider.waitFor();
    const before = (await slider.boundingBox())!;
    await page.mouse.move(before.x + before.width / 2, before.y + 4);
    await page.mouse.down();
    await page.mouse.move(before.x + before.width / 2 - 8, before.y + 4, { steps: 3 });
    await page.mouse.up();
    expect(Number(await slider.getAttribute('aria-valuenow'))).toBe(25);
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    await page.locator('.lightbox').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Clear the selection' }).click();
  });

  test('favourites are kept on the server', async () => {
    await cell('art_00297_').hover();
    await page.getByRole('button', { name: 'Favourite art_00297_.png' }).click();
    await page.getByRole('button', { name: 'Only favourites' }).click();
    await page.getByText('1 file', { exact: true }).waitFor();
    expect(await names()).toEqual(['art_00297_.png']);
    const kept = readFileSync(join(base, 'user/default/comfy.settings.json'), 'utf8');
    expect(kept).toContain('art_00297_.png');
    await page.getByRole('button', { name: 'Only favourites' }).click();
    await page.getByText('301 files', { exact: true }).waitFor();
  });

  test('keys walk, select a stretch and delete; undo brings the files back', async () => {
    const nodes = (await graphOf(page)).nodes.length;
    await cell('art_00299_').locator('.pick').click();
    await cell('art_00299_').locator('.open').focus();
    await page.keyboard.press('Shift+ArrowRight');
    await page.keyboard.press('Shift+ArrowRight');
    await page.getByText('3 selected').waitFor();
    await page.keyboard.press('Delete');
    await page.getByText('Deleted 3 files').waitFor();
    await page.getByText('298 files', { exact: true }).waitFor();
    expect(existsSync(out('art_00298_.png'))).toBe(false);
    expect((await graphOf(page)).nodes).toHaveLength(nodes);
    await page.getByRole('button', { name: 'Undo', exact: true }).last().click();
    await page.getByText('301 files', { exact: true }).waitFor();
    expect(existsSync(out('art_00298_.png'))).toBe(true);
    await page.locator('.gallery-cell .open').first().focus();
    await page.keyboard.press('Control+a');
    await page.getByText(/^\d+ selected$/).waitFor();
    await page.keyboard.press('Escape');
  });

  test('a picture dragged onto the canvas becomes a node that loads it', async () => {
    await cell('art_00296_')
      .locator('.open')
      .dragTo(page.locator('#graph'), {
        targetPosition: { x: 1100, y: 500 },
      });
    await page.waitForFunction(() => window.noodle.nodes().some((n) => n.type === 'LoadImage'));
    const node = (await graphOf(page)).nodes.find((n) => n.type === 'LoadImage');
    await expect
      .poll(() => page.evaluate((id) => window.noodle.widget(id, 'image'), Number(node?.id)))
      .toBe('art_00296_.png');
    expect(existsSync(join(base, 'input', 'art_00296_.png'))).toBe(true);
  });

  test('the menu of a picture opens its workflow', async () => {
    await cell('evening_00001_').click({ button: 'right' });
    await page.getByText('Open its workflow').click();
    await page.waitForFunction(() => window.noodle.nodes().length === 11);
  });

  test('what is made meanwhile appears by itself', async () => {
    writeFileSync(out('new_00001_.png'), await pngWithText([]));
    // Any news of the queue makes the page look.
    await server.post('/v1/queue/pause', {});
    await server.post('/v1/queue/resume', {});
    await cell('new_00001_').waitFor();
    expect(errors).toEqual([]);
  });
});
