/** Saving, moving and removing workflows against the real server. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildWeb } from '../../web/build.mjs';
import { startServer, type TestServer } from '../support/server.ts';
import { launch, noBrowser, openPage } from './support/browser.ts';

describe.skipIf(noBrowser !== null)("the user's workflows on the server", () => {
  const base = mkdtempSync(join(tmpdir(), 'noodle-saved-'));
  const fileOf = (name: string) => join(base, 'user/default/workflows', name);
  let server: TestServer;
  let browser: Browser;
  let page: Page;
  let errors: string[];

  beforeAll(async () => {
    await buildWeb();
    server = await startServer({ base });
    // No model is there, and nobody here wants to hear of it.
    await server.post('/settings/Comfy.Workflow.ShowMissingModelsWarning', false);
    browser = await launch();
    ({ page, errors } = await openPage(browser, server.url));
    page.setDefaultTimeout(10_000);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    rmSync(base, { recursive: true, force: true });
  });

  const row = (name: string) => page.locator(`.saved-row:has([title="${name}"])`).last();

  test('are saved in folders, renamed, marked, removed and put back', async () => {
    await page.keyboard.press('Control+s');
    await page.getByRole('textbox', { name: 'Save workflow as' }).fill('boats/at 100% & more');
    await page.keyboard.press('Enter');
    await page.getByText('Saved boats/at 100% & more').waitFor();
    expect(existsSync(fileOf('boats/at 100% & more.json'))).toBe(true);

    await page.getByRole('button', { name: 'Workflows', exact: true }).click();
    await page.locator('.saved-tree summary').getByText('boats').click();
    await row('boats/at 100% & more').click({ button: 'right' });
    await page.getByRole('menuitem', { name: 'Rename' }).click();
    await page.getByRole('textbox', { name: 'Rename' }).fill('évening');
    await page.keyboard.press('Enter');
    await row('boats/évening').waitFor();
    await expect.poll(() => existsSync(fileOf('boats/évening.json'))).toBe(true);
    expect(existsSync(fileOf('boats/at 100% & more.json'))).toBe(false);

    await row('boats/évening')
      .getByRole('button', { name: /^Bookmark/ })
      .click();
    await page.locator('.bookmarks').waitFor();
    await expect.poll(() => existsSync(fileOf('.index.json'))).toBe(true);
    const index = JSON.parse(readFileSync(fileOf('.index.json'), 'utf8')) as unknown;
    expect(index).toEqual({ favorites: ['workflows/boats/évening.json'] });

    const before = readFileSync(fileOf('boats/évening.json'), 'utf8');
    await row('boats/évening').click({ button: 'right' });
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    await expect.poll(() => existsSync(fileOf('boats/évening.json'))).toBe(false);
    await page.locator('.toast').getByRole('button', { name: 'Undo' }).click();
    await expect.poll(() => existsSync(fileOf('boats/évening.json'))).toBe(true);
    expect(readFileSync(fileOf('boats/évening.json'), 'utf8')).toBe(before);
    // Pictures of examples and everything else came; for marks nobody asked before there were any.
    expect(errors).toEqual([]);
  });
});
