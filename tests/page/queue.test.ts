/** The queue as an artist uses it, on a real server that is also killed. */
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildWeb } from '../../web/build.mjs';
import { picture } from '../support/public-api.ts';
import { startServer, testingPack, type TestServer } from '../support/server.ts';
import { dropFile, graphOf, launch, noBrowser, openPage, spotOf } from '../web/support/browser.ts';

interface Listed {
  readonly paused: boolean;
  readonly running: readonly { id: string }[];
  readonly pending: readonly { id: string; summary: { name: string | null } }[];
}

const models = fileURLToPath(new URL('../../models', import.meta.url));

describe.skipIf(noBrowser !== null)('the queue', () => {
  const base = mkdtempSync(join(tmpdir(), 'noodle-queue-page-'));
  // The page finds the server again after a restart.
  const flags = ['--port', String(20_000 + (process.pid % 12_000))];
  let server: TestServer;
  let browser: Browser;
  let page: Page;

  const sleeper = (seconds: number) => ({
    ...picture(),
    3: { class_type: 'TestSleep', inputs: { value: ['1', 0], seconds } },
    2: { class_type: 'PreviewImage', inputs: { images: ['3', 0] } },
    4: { class_type: 'PreviewImage', inputs: { images: ['1', 0] } },
  });
  const open = async (name: string, prompt: object): Promise<void> => {
    const bytes = Buffer.from(JSON.stringify(prompt));
    await dropFile(page, { name: `${name}.json`, type: 'application/json', bytes });
    const count = Object.keys(prompt).length;
    await expect.poll(async () => (await graphOf(page)).nodes.length).toBe(count);
  };
  const queue = async (): Promise<void> => {
    await page.locator('#graph').focus();
    await page.keyboard.press('Control+Enter');
  };
  const listed = (): Promise<Listed> => server.json('/v1/queue') as Promise<Listed>;
  const names = async () => (await listed()).pending.map(({ summary }) => summary.name);
  const rows = () => page.locator('.waiting-rows .job-row');
  const wayToQueue = async (name: string): Promise<void> => {
    await page.getByRole('button', { name: 'Ways to queue' }).click();
    await page.getByRole('menuitem', { name }).click();
  };

  beforeAll(async () => {
    // Without its models the default workflow would open with a question about them.
    symlinkSync(models, join(base, 'models'));
    await buildWeb();
    server = await startServer({ base, flags, packs: [testingPack] });
    browser = await launch();
    ({ page } = await openPage(browser, server.url));
    page.setDefaultTimeout(10_000);
    await page.keyboard.press('q');
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    rmSync(base, { recursive: true, force: true });
  });

  test('a paused queue starts nothing; its rows have names and places', async () => {
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByText('The queue is paused').waitFor();
    for (const name of ['first', 'second', 'third']) {
      await open(name, sleeper(0.1));
      await queue();
      await rows().filter({ hasText: name }).waitFor();
    }
    await expect
      .poll(() => rows().locator('b').allTextContents())
      .toEqual(['first', 'second', 'third']);
    expect(await rows().locator('.job-position').allTextContents()).toEqual(['1', '2', '3']);
    await page.getByRole('button', { name: 'Paused, 3 waiting' }).waitFor();
  });

  test('rows are dragged to another place, or moved by keys', async () => {
    await rows()
      .nth(2)
      .dragTo(rows().nth(0), { targetPosition: { x: 100, y: 4 } });
    await expect.poll(names).toEqual(['third', 'first', 'second']);
    await rows().nth(0).getByRole('button', { name: 'Move to the front' }).focus();
    await page.keyboard.press('Alt+ArrowDown');
    await expect.poll(names).toEqual(['first', 'third', 'second']);
  });

  test('order and pause survive a killed server, and the page comes back by itself', async () => {
    await server.kill();
    await page.getByText('Connection lost').waitFor();
    server = await startServer({ base, flags });
    await page.locator('.connection').waitFor({ state: 'detached' });
    expect(await names()).toEqual(['first', 'third', 'second']);
    expect((await listed()).paused).toBe(true);
    const remove = () =>
      rows()
        .filter({ hasText: 'third' })
        .getByRole('button', { name: 'Remove from the queue' })
        .click();
    await remove();
    await expect.poll(names).toEqual(['first', 'second']);
    await page.locator('.toast').getByRole('button', { name: 'Undo' }).click();
    await expect.poll(names).toEqual(['first', 'third', 'second']);
    await remove();
    await expect.poll(names).toEqual(['first', 'second']);
    await page.getByRole('button', { name: 'Resume' }).click();
    await expect.poll(() => page.locator('.history-entry').count()).toBe(2);
    await page.locator('.history-entry').first().getByText('second').waitFor();
  });

  test('a server that dies in mid-run is told at once; the job goes on afterwards', async () => {
    await open('long', sleeper(30));
    await queue();
    await page.locator('.job-row[data-active="true"]').getByText('long').waitFor();
    await page.locator('.run-title').waitFor();
    await server.kill();
    await page.getByText('Connection lost').waitFor({ timeout: 2_000 });
    expect(await page.locator('.run-title').count()).toBe(0);
    server = await startServer({ base, flags });
    await page.locator('.connection').waitFor({ state: 'detached' });
    await expect.poll(async () => (await listed()).running.length, { timeout: 10_000 }).toBe(1);
    await page.locator('.job-row[data-active="true"]').getByText('long').waitFor();
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.locator('.history-entry').first().getByText('Cancelled').waitFor();
  });

  test('one output is run alone, and a finished job again', async () => {
    await open('two outputs', sleeper(30));
    const { x, y } = await spotOf(page, 4, 'title');
    await page.mouse.click(x, y);
    await wayToQueue('Run selected outputs only');
    const newest = page.locator('.history-entry').first();
    await newest.getByText('two outputs').waitFor();
    expect(await newest.locator('.thumb').count()).toBe(1);
    const before = await page.locator('.history-entry').count();
    await newest.getByRole('button', { name: 'Run again' }).click();
    await expect.poll(() => page.locator('.history-entry').count()).toBe(before + 1);
  });

  test('on change and again and again queue by themselves until they are stopped', async () => {
    await open('quick', {
      ...picture(0.3),
      4: { class_type: 'PreviewImage', inputs: { images: ['1', 0] } },
    });
    const made = async () =>
      ((await server.json('/v1/jobs?status=completed')) as { total: number }).total;
    const before = await made();
    await wayToQueue('Queue on change');
    await page.evaluate(() => window.noodle.setWidget(1, 'value', '0.7'));
    await expect.poll(made).toBe(before + 1);
    await wayToQueue('Queue again and again');
    await expect.poll(made, { timeout: 30_000 }).toBeGreaterThan(before + 3);
    await wayToQueue('Queue by hand');
    await expect.poll(async () => (await listed()).running.length).toBe(0);
  });
});
