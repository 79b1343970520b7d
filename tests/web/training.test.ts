/** The page of training on our server, with a loop that trains nothing. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { noBrowser } from './support/browser.ts';
import { useRealPage } from './support/real-page.ts';

const trainingPack = fileURLToPath(new URL('../protocol/training-pack', import.meta.url));
const picture = (): Promise<Buffer> =>
  sharp({ create: { width: 40, height: 30, channels: 3, background: 'teal' } })
    .png()
    .toBuffer();

describe.skipIf(noBrowser !== null)('the page of training', () => {
  const stand = useRealPage({
    packs: [trainingPack],
    prepare: async (base) => {
      mkdirSync(join(base, 'input/cats'), { recursive: true });
      for (const name of ['a', 'b']) {
        writeFileSync(join(base, `input/cats/${name}.png`), await picture());
      }
      writeFileSync(join(base, 'input/cats/a.txt'), 'a cat');
    },
  });
  let page: Page;
  const errors: string[] = [];

  beforeAll(async () => {
    const context = await stand.browser.newContext({ viewport: { width: 1280, height: 900 } });
    context.setDefaultTimeout(15_000);
    page = await context.newPage();
    page.on('console', (message) => {
      // What the server refuses on purpose, browsers log.
      if (message.type() === 'error' && !/status of 400/.test(message.text())) {
        errors.push(message.text());
      }
    });
    page.on('pageerror', (error) => errors.push(String(error)));
  });
  afterAll(() => page?.context().close());

  const open = (fragment = ''): Promise<unknown> =>
    page.goto(`${stand.server.url}/ui/train${fragment}`);
  /** What axe calls serious or worse. */
  const serious = async (): Promise<string[]> => {
    await page.evaluate(axe.source);
    return page.evaluate(async () => {
      const found = await (window as unknown as { axe: typeof axe }).axe.run();
      return found.violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
    });
  };
  const state = () => page.locator('.run-head .training-state');
  const caption = (name: string): string =>
    readFileSync(join(stand.base, `input/cats/${name}.txt`), 'utf8');

  test('the editor leads to it', async () => {
    await page.goto(stand.server.url);
    const opened = page.waitForEvent('popup');
    await page.getByRole('button', { name: 'Training: runs and data sets' }).click();
    const popup = await opened;
    await popup.getByText('Nothing was trained yet.').waitFor();
    await popup.close();
  });

  test(
    'a run is filled into the form, watched, paused, and goes on',
    { timeout: 240_000 },
    async () => {
      await open();
      expect(await serious()).toEqual([]);
      await page.getByRole('link', { name: 'New run' }).click();
      await page.getByRole('button', { name: 'Start', exact: true }).click();
      await page.getByText('the run needs a name').waitFor();
      expect(await serious()).toEqual([]);
      await page.getByLabel('Name', { exact: true }).fill('my cat');
      await page.getByLabel('Steps', { exact: true }).fill('5000');
      await page.getByLabel('Resolutions').fill('64');
      await page.getByLabel('Steps between samples').fill('10');
      await page.getByLabel('Steps between saves').fill('10');
      await page.getByText('Advanced').click();
      await page.getByLabel('Steps of a sample').fill('1');
      await page.getByLabel('Prompts of samples').fill('a cat\n\nsks cat in the snow');
      await page.getByRole('button', { name: 'Start', exact: true }).click();
      await expect.poll(() => state().innerText(), { timeout: 90_000 }).toBe('Running');
      await page.locator('.loss-plot polyline.smooth').waitFor({ timeout: 90_000 });
      await page.locator('.samples-grid img').first().waitFor({ timeout: 90_000 });
      expect(await page.locator('.samples-grid thead th').allInnerTexts()).toEqual([
        'Step',
        'a cat',
        'sks cat in the snow',
      ]);
      expect(await serious()).toEqual([]);
      const plot = page.getByRole('slider', { name: 'Loss by step' });
      await plot.focus();
      await page.keyboard.press('ArrowLeft');
      expect(await plot.getAttribute('aria-valuetext')).toMatch(/^Step \d+: loss \d+\.\d+/);
      const saves = page.locator('.training-saves li').first();
      await saves.waitFor({ timeout: 90_000 });
      await page.getByRole('button', { name: 'Pause' }).click();
      await expect.poll(() => state().innerText(), { timeout: 90_000 }).toBe('Paused');
      await page.getByRole('button', { name: 'Go on' }).click();
      await expect.poll(() => state().innerText(), { timeout: 90_000 }).toBe('Running');
      await page.locator('.samples-grid button').first().click();
      await page.getByRole('dialog').waitFor();
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Stop' }).click();
      await expect.poll(() => state().innerText(), { timeout: 90_000 }).toBe('Stopped');
      await page.getByRole('button', { name: 'Delete' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
      await page.getByText('Nothing was trained yet.').waitFor();
      expect(errors).toEqual([]);
    },
  );

  test(
    'a job file says what is wrong with it, and becomes a run that can be changed',
    { timeout: 240_000 },
    async () => {
      await open('#new');
      // What was filled in last is there again, but for the name.
      await page.getByLabel('Name', { exact: true }).fill('by file');
      await page.getByRole('button', { name: 'Job file' }).click();
      const text = page.getByLabel('A job of ai-toolkit, as YAML');
      await expect.poll(() => text.inputValue()).toContain('folder_path: cats');
      const yaml = await text.inputValue();
      await text.fill(yaml.replace('folder_path: cats', 'folder_path: lost'));
      await page.getByText(/data set 'lost' was not found/).waitFor();
      mkdirSync(join(stand.base, 'input/lost'));
      await text.fill(
        yaml.replace('folder_path: cats', 'folder_path: lost').replace('steps: 5000', 'steps: 30'),
      );
      await page.getByText(/data set 'lost' was not found/).waitFor({ state: 'detached' });
      await page.getByRole('button', { name: 'Make it, start later' }).click();
      await expect.poll(() => state().innerText(), { timeout: 90_000 }).toBe('Not started');
      rmSync(join(stand.base, 'input/lost'), { recursive: true });
      await page.getByRole('button', { name: 'Start' }).click();
      await expect.poll(() => state().innerText(), { timeout: 90_000 }).toBe('Failed');
      await page.locator('.training-problem').waitFor();
      await page.locator('.job-file summary').click();
      const file = page.getByRole('textbox', { name: 'Job file' });
      await expect.poll(() => file.inputValue()).toContain('folder_path: lost');
      await file.fill((await file.inputValue()).replace('folder_path: lost', 'folder_path: cats'));
      await page.getByRole('button', { name: 'Save the job file' }).click();
      await page.getByText('The job file is saved').waitFor();
      await page.getByRole('button', { name: 'Go on' }).click();
      await expect.poll(() => state().innerText(), { timeout: 90_000 }).toBe('Finished');
      await page.getByRole('link', { name: 'by file.safetensors' }).waitFor({ timeout: 90_000 });
      expect(errors).toEqual([]);
    },
  );

  test('captions are saved as they are typed, and none is lost where the server is away', async () => {
    await open('#dataset/cats');
    const a = page.getByLabel('Caption of a.png');
    const b = page.getByLabel('Caption of b.png');
    expect(await a.inputValue()).toBe('a cat');
    expect(await serious()).toEqual([]);
    await b.fill('another cat');
    await b.blur();
    await expect.poll(() => caption('b')).toBe('another cat');
    await page.getByText('Change all captions').click();
    await page.getByLabel('Put before').fill('sks');
    await page.getByRole('button', { name: 'Change', exact: true }).click();
    await expect.poll(() => a.inputValue()).toBe('sks, a cat');
    expect(caption('b')).toBe('sks, another cat');
    expect(errors).toEqual([]);

    await page.context().setOffline(true);
    await a.fill('a cat that nobody saved');
    await a.blur();
    await page.getByText('Not saved, it is tried again').waitFor();
    expect(caption('a')).toBe('sks, a cat');
    // Another window has it too.
    await page.context().setOffline(false);
    await page.getByText('Not saved, it is tried again').waitFor({ state: 'detached' });
    expect(caption('a')).toBe('a cat that nobody saved');
    errors.length = 0;
  });

  test('what was typed and not saved is there in the next visit', async () => {
    await page.evaluate(() => localStorage.setItem('noodle.caption.cats/b.png', 'from before'));
    await page.reload();
    await expect.poll(() => page.getByLabel('Caption of b.png').inputValue()).toBe('from before');
    await expect.poll(() => caption('b')).toBe('from before');
    const kept = () => page.evaluate(() => localStorage.getItem('noodle.caption.cats/b.png'));
    await expect.poll(kept).toBeNull();
  });

  test('a data set is made, and filled with pictures and their captions', async () => {
    await open('#datasets');
    await page.getByRole('link', { name: /cats/ }).waitFor();
    expect(await serious()).toEqual([]);
    await page.getByRole('button', { name: 'New data set' }).click();
    await page.getByRole('textbox', { name: 'Name of the data set' }).fill('dogs');
    await page.getByRole('button', { name: 'Make it' }).click();
    await page.getByText('Drop pictures here').waitFor();
    const bytes = await picture();
    await page.locator('input[type=file]').setInputFiles([
      { name: 'rex.png', mimeType: 'image/png', buffer: bytes },
      { name: 'rex.txt', mimeType: 'text/plain', buffer: Buffer.from('a dog called Rex') },
    ]);
    const rex = page.getByLabel('Caption of rex.png');
    await expect.poll(() => rex.inputValue()).toBe('a dog called Rex');
    await page.getByRole('button', { name: 'Delete rex.png' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByText('Drop pictures here').waitFor();
    expect(errors).toEqual([]);
  });

  test('on a phone nothing sticks out, in light colours and dark ones', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    for (const theme of ['light', 'dark', 'contrast']) {
      for (const fragment of ['', '#new', '#run/by%20file', '#datasets', '#dataset/cats']) {
        await open(fragment);
        await page.locator('.training-body').waitFor();
        await page.evaluate((name) => (document.documentElement.dataset.theme = name), theme);
        const over = () => page.evaluate(() => document.body.scrollWidth - innerWidth);
        await expect.poll(over, { message: `${theme} ${fragment}` }).toBeLessThanOrEqual(0);
        expect(await serious(), `${theme} ${fragment}`).toEqual([]);
      }
    }
  });
});
