import { readFileSync } from 'node:fs';
import type { BrowserContext, Page } from 'playwright-core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { dropFile, graphOf, noBrowser, openPage, spotOf } from './support/browser.ts';
import { useBuiltPage } from './support/built-page.ts';

const fixture = (name: string): Buffer =>
  readFileSync(new URL(`fixtures/${name}`, import.meta.url));

describe.skipIf(noBrowser !== null)('subgraphs', () => {
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

  const trail = () => page.locator('.subgraph-trail > *').allTextContents();
  const unsaved = () => page.locator('.workflow-name i').count();
  const types = async () => (await graphOf(page)).nodes.map(({ type }) => type).sort();
  const openInside = async (id: number): Promise<void> => {
    const { x, y } = await spotOf(page, id, 'title');
    // Below the title, where no widget is: between the sockets.
    await page.mouse.dblclick(x, y + 26);
  };
  const shot = (name: string) =>
    process.env.SHOTS ? page.screenshot({ path: `${process.env.SHOTS}/${name}.png` }) : undefined;

  test('a selection becomes one and comes back, each one step of undo', async () => {
    const before = await types();
    for (const [i, id] of [3, 6].entries()) {
      const { x, y } = await spotOf(page, id, 'title');
      if (i > 0) await page.keyboard.down('Shift');
      await page.mouse.click(x, y);
      await page.keyboard.up('Shift');
    }
    await page.keyboard.press('Control+Shift+e');
    await expect.poll(async () => (await types()).length).toBe(before.length - 1);
    const made = (await graphOf(page)).nodes.find(({ type }) => /^[\da-f-]{36}$/.test(type));
    const id = Number(made?.id);
    // The prompt and the seed are what one wants to reach from outside.
    expect(await page.evaluate((n) => window.noodle.widget(n, 'text'), id)).toMatch(/\w/);
    expect(await page.evaluate((n) => window.noodle.widget(n, 'seed'), id)).toMatch(/^\d+$/);
    await shot('converted');
    expect(await unsaved()).toBe(1);

    await page.keyboard.press('Control+z');
    await expect.poll(types).toEqual(before);
    await page.keyboard.press('Control+y');
    await expect.poll(async () => (await types()).length).toBe(before.length - 1);

    const title = await spotOf(page, id, 'title');
    await page.mouse.click(title.x, title.y, { button: 'right' });
    await page.getByRole('menu').getByText('Unpack subgraph').click();
    await expect.poll(types).toEqual(before);
    await shot('unpacked');
  });

  test('are opened and left level by level, which is no edit', async () => {
    await dropFile(page, {
      name: 'nested.json',
      type: 'application/json',
      bytes: fixture('nested-subgraphs.json'),
    });
    await page.getByText('nested', { exact: true }).waitFor();
    const root = await types();
    await openInside(5);
    await expect.poll(trail).toHaveLength(2);
    await shot('inside');
    const outer = await types();
    await openInside(2);
    await expect.poll(trail).toHaveLength(3);
    expect((await trail())[1]).not.toBe((await trail())[2]);
    await shot('inside-inside');

    await page.keyboard.press('Escape');
    await expect.poll(trail).toHaveLength(2);
    expect(await types()).toEqual(outer);
    await page.keyboard.press('Escape');
    await expect.poll(trail).toHaveLength(0);
    expect(await types()).toEqual(root);
    await page.keyboard.press('.');
    expect(await unsaved()).toBe(0);
  });
});
