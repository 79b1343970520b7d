import { readFileSync } from 'node:fs';
import type { BrowserContext, Page } from 'playwright-core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { dropFile, graphOf, noBrowser, openPage, spotOf } from './support/browser.ts';
import { useBuiltPage } from './support/built-page.ts';

describe.skipIf(noBrowser !== null)('files of older pages and of other installations', () => {
  const stand = useBuiltPage();
  let context: BrowserContext;
  let page: Page;
  let errors: string[];

  beforeEach(async () => {
    context = await stand.browser.newContext({ viewport: { width: 1280, height: 800 } });
    ({ page, errors } = await openPage(context, stand.server.url));
  });
  afterEach(async () => {
    await context.close();
    expect(errors).toEqual([]);
  });

  const open = async (name: string, bytes: Buffer): Promise<void> => {
    await dropFile(page, { name: `${name}.json`, type: 'application/json', bytes });
    await page.getByText(name, { exact: true }).first().waitFor();
  };
  const fixture = (name: string): Buffer =>
    readFileSync(new URL(`fixtures/${name}.json`, import.meta.url));
  const shot = (name: string) =>
    process.env.SHOTS ? page.screenshot({ path: `${process.env.SHOTS}/${name}.png` }) : undefined;
  const menuOf = async (id: number, item: string): Promise<void> => {
    const title = await spotOf(page, id, 'title');
    await page.mouse.click(title.x, title.y, { button: 'right' });
    await page.getByRole('menu').getByText(item, { exact: true }).click();
  };

  test('group nodes show their fields and become nodes or a subgraph', async () => {
    await open('group-and-missing', fixture('group-and-missing'));
    expect(await page.evaluate(() => window.noodle.widget(2, 'text'))).toBe('a red boat');
    expect(await page.evaluate(() => window.noodle.widget(2, 'text_1'))).toBe('a grey sky');
    expect(await page.locator('.workflow-name i').count()).toBe(0);
    await shot('group');
    await menuOf(2, 'Convert the group node to nodes');
    const encoders = async () =>
      (await graphOf(page)).nodes.filter(({ type }) => type === 'CLIPTextEncode').length;
    await expect.poll(encoders).toBe(2);
    await shot('group-as-nodes');
    await page.keyboard.press('Control+z');
    await expect.poll(encoders).toBe(0);
    await menuOf(2, 'Convert the group node to a subgraph');
    await expect
      .poll(() => page.evaluate(() => window.noodle.widget(2, 'text')))
      .toBe('a red boat');
    await shot('group-as-subgraph');
  });

  test('missing nodes are listed with the way to each', async () => {
    await open('group-and-missing', fixture('group-and-missing'));
    const list = page.locator('.missing-list');
    expect(await list.locator('li > span').allTextContents()).toEqual([
      'A subgraph that this file does not contain',
      'SomePack Wave',
    ]);
    await list.getByRole('button', { name: 'Show node 3' }).click();
    await page.waitForTimeout(50);
    const { x, y } = await spotOf(page, 3, 'title');
    expect(Math.abs(x - 640)).toBeLessThan(30);
    expect(Math.abs(y - 400)).toBeLessThan(160);
    await shot('missing');
  });
});
