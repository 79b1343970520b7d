/** What is there after the worst: a tab that crashes, a browser that is killed. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import {
  browserOptions,
  drag,
  dropFile,
  noBrowser,
  openPage,
  spotOf,
} from '../web/support/browser.ts';
import { useBuiltPage } from '../web/support/built-page.ts';

const example = (name: string): Buffer =>
  readFileSync(new URL(`../../workflows/${name}.json`, import.meta.url));

describe.skipIf(noBrowser !== null)('after the worst', () => {
  const stand = useBuiltPage();

  const names = (page: Page) => page.locator('.workflow-tab .name > span').allTextContents();
  const live = (page: Page) => page.evaluate(() => window.noodle.live());
  const drop = async (page: Page, name: string, file: string): Promise<void> => {
    await dropFile(page, { name: `${name}.json`, type: 'application/json', bytes: example(file) });
    const front = page.locator('.workflow-tab[data-active=true]');
    await front.getByText(name, { exact: true }).waitFor();
  };
  /** Work in three tabs, the second in front; returns what the second shows once it is kept. */
  const work = async (page: Page): Promise<string> => {
    await page.getByRole('textbox', { name: 'Positive prompt: text' }).fill('dear words');
    await drop(page, 'two', 'hires-fix');
    await drop(page, 'three', 'inpaint');
    await page.locator('.workflow-tab .name').nth(1).click();
    const at = await spotOf(page, 3, 'title');
    await drag(page, at, { x: at.x + 40, y: at.y + 40 });
    const shown = await live(page);
    const [x, y] = (JSON.parse(shown) as { nodes: { id: number; pos: number[] }[] }).nodes.find(
      ({ id }) => id === 3,
    )?.pos ?? [NaN, NaN];
    await page.waitForFunction((pos) => window.noodle.text().includes(pos), `[${x},${y}]`);
    return shown;
  };
  const isBack = async (page: Page, shown: string): Promise<void> => {
    expect(await names(page)).toEqual(['Untitled', 'two', 'three']);
    expect(await page.locator('.workflow-tab[data-active=true] span').first().textContent()).toBe(
      'two',
    );
    expect(await live(page)).toBe(shown);
    expect(await page.locator('.workflow-tab i').count()).toBe(2);
    await page.locator('.workflow-tab .name').first().click();
    expect(await page.evaluate(() => window.noodle.widget(6, 'text'))).toBe('dear words');
  };

  test('a tab that crashed shows everything again when it is loaded anew', async () => {
    const context = await stand.browser.newContext({ viewport: { width: 1280, height: 800 } });
    const { page } = await openPage(context, stand.server.url);
    const shown = await work(page);
    const session = await context.newCDPSession(page);
    const crashed = page.waitForEvent('crash');
    void session.send('Page.crash').catch(() => undefined);
    await crashed;
    const again = await openPage(context, stand.server.url);
    await isBack(again.page, shown);
    expect(again.errors).toEqual([]);
    await context.close();
  });

  test(
    'a browser that was killed shows everything again when it is started',
    { timeout: 90_000 },
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'noodle-browser-'));
      try {
        const first = await startBrowser(folder);
        const [context] = first.browser.contexts();
        const shown = await work((await openPage(context, stand.server.url)).page);
        // No more than one rest of the mouse and one write later.
        await new Promise((resolve) => setTimeout(resolve, 300));
        await first.kill();
        const second = await startBrowser(folder);
        const { page } = await openPage(second.browser.contexts()[0], stand.server.url);
        await isBack(page, shown);
        await second.kill();
      } finally {
        rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
      }
    },
  );
});

/** A browser of its own with a profile in `folder`, which can be killed as a power cut would. */
async function startBrowser(folder: string) {
  const portFile = join(folder, 'DevToolsActivePort');
  rmSync(portFile, { force: true });
  const { executablePath, args } = browserOptions;
  const child = spawn(
    executablePath,
    [
      ...args,
      '--headless',
      '--window-size=1280,800',
      '--remote-debugging-port=0',
      `--user-data-dir=${folder}`,
    ],
    { detached: true, stdio: 'ignore' },
  );
  await expect.poll(() => existsSync(portFile), { timeout: 15_000 }).toBe(true);
  const port = await expect
    .poll(() => readFileSync(portFile, 'utf8').split('\n')[0])
    .toMatch(/^\d+$/)
    .then(() => readFileSync(portFile, 'utf8').split('\n')[0]);
  const browser = await chromium.connectOverCDP(`http://127.0.0.1:${port}`);
  return {
    browser,
    async kill(): Promise<void> {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      process.kill(-(child.pid ?? 0), 'SIGKILL'); // with all its processes
      await gone;
      await browser.close().catch(() => undefined);
    },
  };
}
