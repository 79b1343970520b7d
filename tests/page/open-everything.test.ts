/** Every file that real users' editors saved, opened on the page: nothing fails, nothing counts as an edit. */
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { dropFile, noBrowser, openPage } from '../web/support/browser.ts';
import { useBuiltPage } from '../web/support/built-page.ts';
import { sharedWorkflows, uiFiles } from '../web/support/shared-workflows.ts';

const files = uiFiles(sharedWorkflows);
const absent = `no ${sharedWorkflows.pathname}: its files are not opened`;
if (files.length === 0) console.warn(absent); // eslint-disable-line no-console -- says why below is skipped

describe.skipIf(noBrowser !== null || files.length === 0)("users' workflow files", () => {
  const stand = useBuiltPage();

  /** Opens a file in a tab, and lets everything that follows have its turn. */
  const open = async (page: Page, file: string): Promise<void> => {
    const bytes = readFileSync(new URL(file, sharedWorkflows));
    await dropFile(page, { name: file, type: 'application/json', bytes });
    const front = page.locator('.workflow-tab[data-active=true]');
    await front.getByText(file.replace(/\.json$/, ''), { exact: true }).waitFor();
    await page.locator('#graph').focus();
    await page.keyboard.press('.'); // all of it is seen, and laid out
    await page.evaluate(
      () => new Promise((seen) => requestAnimationFrame(() => requestAnimationFrame(seen))),
    );
  };
  /** Closes the tab in front, where what changed is noticed at last; tells whether it asked about changes. */
  const close = async (page: Page): Promise<boolean> => {
    const discard = page.getByRole('button', { name: "Don't save" });
    const empty = page.locator('.workflow-tab').getByText('Untitled', { exact: true });
    await page.keyboard.press('Alt+w');
    await discard.or(empty).first().waitFor();
    const asked = await discard.isVisible();
    if (asked) await discard.click();
    await empty.waitFor();
    return asked;
  };

  test(`all ${files.length} open without error and are not changed by it`, async () => {
    // Nearly all of them name models that are not there.
    stand.server.settings['Comfy.Workflow.ShowMissingModelsWarning'] = false;
    const { page, errors } = await openPage(stand.browser, stand.server.url);
    const wrong: string[] = [];
    for (const file of files) {
      await open(page, file);
      if (await close(page)) wrong.push(`${file} is marked as changed`);
      for (const error of errors.splice(0)) wrong.push(`${file}: ${error}`);
    }
    expect(wrong).toEqual([]);
    await page.context().close();
  });
});
