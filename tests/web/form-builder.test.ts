/** The form of the open workflow, chosen over the graph. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Page } from 'playwright-core';
import { noBrowser, openPage } from './support/browser.ts';
import { useBuiltPage } from './support/built-page.ts';

describe.skipIf(noBrowser !== null)('the builder of forms', () => {
  const stand = useBuiltPage();
  let page: Page;
  let errors: string[];

  beforeAll(async () => {
    ({ page, errors } = await openPage(stand.browser, stand.server.url));
  });
  afterAll(() => page?.context().close());

  test('what is chosen becomes part of the workflow, in a step that can be undone', async () => {
    await page.keyboard.press('Control+Shift+P');
    await page.keyboard.type('Edit the form');
    await page.getByText('Edit the form of the workflow').first().waitFor();
    await page.keyboard.press('Enter');
    const dialog = page.locator('dialog.form-builder');
    await dialog.getByLabel('Title').fill('Circles');
    await dialog.getByRole('checkbox', { name: /Negative prompt/ }).uncheck();
    await dialog.getByRole('button', { name: 'Save the form' }).click();
    await dialog.waitFor({ state: 'detached' });
    await expect
      .poll(() => page.evaluate(() => window.noodle.text()))
      .toContain('"title":"Circles"');
    const { extra } = JSON.parse(await page.evaluate(() => window.noodle.text())) as {
      extra: { linearData: { inputs: unknown[][] } };
    };
    expect(extra.linearData.inputs).toContainEqual([6, 'text']);
    expect(extra.linearData.inputs).not.toContainEqual([7, 'text']);
    await page.locator('#graph').focus();
    await page.keyboard.press('Control+z');
    await expect
      .poll(() => page.evaluate(() => window.noodle.text()))
      .not.toContain('"title":"Circles"');
    expect(errors).toEqual([]);
  });
});
