import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { noBrowser, opened, openPage } from './support/browser.ts';
import { useBuiltPage } from './support/built-page.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface AxePage {
  readonly axe: { run(options: object): Promise<AxeResults> };
}

describe.skipIf(noBrowser !== null)('without a mouse, or without eyes', () => {
  const stand = useBuiltPage();
  let page: Page;

  beforeAll(async () => {
    ({ page } = await openPage(stand.browser, stand.server.url));
    await page.evaluate(axe);
  });

  /** Serious and critical findings on what is shown now, in short. */
  const findings = async (): Promise<string[]> => {
    const { violations } = await page.evaluate(
      async () => await (window as unknown as AxePage).axe.run({ resultTypes: ['violations'] }),
    );
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) =>
        nodes.map(({ html, target }) => `${id}: ${target.join(' ')} ${html.slice(0, 120)}`),
      );
  };
  /** Where the keys go. */
  const focused = (): Promise<string> =>
    page.evaluate(() => {
      const element = document.activeElement;
      return element?.getAttribute('aria-label') ?? element?.textContent ?? element?.id ?? '';
    });
  const press = async (key: string, shown: string): Promise<void> => {
    await page.locator('#graph').focus();
    await page.keyboard.press(key);
    await page.locator(shown).first().waitFor();
  };

  test('the page itself', async () => {
    expect(await findings()).toEqual([]);
  });

  test.each([
    ['queue', 'q'],
    ['gallery', 'a'],
    ['workflows', 'w'],
    ['nodes', 'n'],
  ])('the side panel: %s', async (_name, key) => {
    await press(key, '.side-panel');
    expect(await findings()).toEqual([]);
    await page.locator('#graph').focus();
    await page.keyboard.press(key);
    await page.locator('.side-panel').waitFor({ state: 'detached' });
  });

  test.each([
    ['settings', 'Control+,', '.settings'],
    ['all commands', 'Control+k', '.palette'],
    ['shortcuts', '?', '.help'],
    ['a question', 'Control+Shift+s', '.question'],
  ])('the dialog: %s; the focus comes back', async (_name, key, shown) => {
    await press(key, shown);
    expect(await findings()).toEqual([]);
    await page.keyboard.press('Escape');
    await page.locator(shown).waitFor({ state: 'detached' });
    expect(await focused()).toBe('Workflow graph');
  });

  test('the keys in the settings, and the log', async () => {
    await press('Control+,', '.settings');
    await page.getByRole('button', { name: 'Keybindings' }).click();
    await page.locator('.key-row').first().waitFor();
    expect(await findings()).toEqual([]);
    await page.keyboard.press('Escape');
    await press('Control+`', '.log-panel');
    expect(await findings()).toEqual([]);
    await page.getByRole('button', { name: 'Close the log' }).click();
  });

  test('a finished job in the list, and problems', async () => {
    await page.locator('#graph').focus();
    await page.keyboard.press('Control+Enter');
    await expect.poll(() => stand.server.finished(), { timeout: 15_000 }).toBe(1);
    await press('q', '.history-entry');
    await page.locator('textarea').first().fill('reject this');
    await page.locator('textarea').first().press('Control+Enter');
    await page.locator('.problem-panel').waitFor();
    expect(await findings()).toEqual([]);
    await page.getByRole('button', { name: 'Dismiss' }).click();
    await page.locator('#graph').focus();
    await page.keyboard.press('q');
  });

  test('a light theme and one of high contrast', async () => {
    for (const theme of ['light', 'contrast']) {
      await page.evaluate((name) => (document.documentElement.dataset.theme = name), theme);
      await press('Control+,', '.settings');
      expect(await findings(), theme).toEqual([]);
      await page.keyboard.press('Escape');
      await page.locator('.settings').waitFor({ state: 'detached' });
      expect(await findings(), theme).toEqual([]);
    }
    await page.evaluate(() => (document.documentElement.dataset.theme = 'dark'));
  });

  test('everything around the canvas is reached by Tab, and what runs is said', async () => {
    await page.locator('#graph').focus();
    const names = new Set<string>();
    for (let i = 0; i < 60; i++) {
      await page.keyboard.press('Tab');
      names.add(await focused());
    }
    for (const name of ['Save', 'Undo', 'Settings', 'Fit the view', 'Queue and history']) {
      expect([...names], name).toContain(name);
    }
    const said = await page.locator('[aria-live="polite"]').count();
    expect(said).toBeGreaterThan(1);
  });

  test('nothing moves by itself where that is unwanted, and nothing shifts while starting', async () => {
    const context = await stand.browser.newContext({ reducedMotion: 'reduce' });
    const quiet = await context.newPage();
    await quiet.addInitScript(() => {
      const shifts: number[] = [];
      Object.assign(window, { shifts });
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) {
          shifts.push((entry as PerformanceEntry & { value: number }).value);
        }
      }).observe({ type: 'layout-shift', buffered: true });
    });
    await quiet.goto(stand.server.url);
    await opened(quiet);
    await quiet.evaluate(() => document.fonts.ready);
    const moving = await quiet.evaluate(() => document.getAnimations().length);
    const shifts = await quiet.evaluate(() => (window as unknown as { shifts: number[] }).shifts);
    expect(moving).toBe(0);
    expect(shifts.reduce((sum, value) => sum + value, 0)).toBeLessThan(0.02);
    await context.close();
  });
});
