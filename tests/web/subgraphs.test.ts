import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { dropFile, graphOf, noBrowser, spotOf } from './support/browser.ts';
import { useFreshPage } from './support/built-page.ts';

interface Saved {
  nodes: unknown[];
  definitions: { subgraphs: unknown[] };
}

const fixture = (name: string): Buffer =>
  readFileSync(new URL(`fixtures/${name}`, import.meta.url));

describe.skipIf(noBrowser !== null)('subgraphs', () => {
  let page: Page;
  const stand = useFreshPage((fresh) => ({ page } = fresh));

  const trail = () => page.locator('.subgraph-trail > *').allTextContents();
  const unsaved = () => page.locator('.workflow-tab[data-active=true] i').count();
  const types = async () => (await graphOf(page)).nodes.map(({ type }) => type).sort();
  const shot = (name: string) =>
    process.env.SHOTS ? page.screenshot({ path: `${process.env.SHOTS}/${name}.png` }) : undefined;

  const menuOf = async (id: number, item: string): Promise<void> => {
    const title = await spotOf(page, id, 'title');
    await page.mouse.click(title.x, title.y, { button: 'right' });
    await page.getByRole('menu').getByText(item, { exact: true }).click();
  };

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
    // A field for text is as high as it needs to be, and the node around it.
    const [top, corner] = [await spotOf(page, id, 'title'), await spotOf(page, id, 'corner')];
    const areas = await page.locator('textarea.node-text').all();
    const boxes = (await Promise.all(areas.map((area) => area.boundingBox()))).map((box) => box!);
    const own = boxes.filter(({ x, width }) => x < top.x && top.x < x + width);
    expect(own.some(({ y, height }) => y > top.y && y + height <= corner.y)).toBe(true);

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

  test('show the parameters that were chosen, in order and under their labels, and are published', async () => {
    await dropFile(page, {
      name: 'nested.json',
      type: 'application/json',
      bytes: fixture('nested-subgraphs.json'),
    });
    await page.getByText('nested', { exact: true }).waitFor();
    const shown = () =>
      page.evaluate(() => (JSON.parse(window.noodle.live()) as Live).nodes.find((n) => n.id === 5));
    interface Live {
      nodes: { id: number; properties: { proxyWidgets: unknown } }[];
    }
    await menuOf(5, 'Parameters');
    await shot('parameters');
    await page.getByRole('checkbox', { name: 'Show batch_size' }).click();
    await page.getByRole('button', { name: 'Move batch_size up' }).click();
    await page.getByRole('textbox', { name: 'Label of batch_size' }).fill('How many');
    await page.keyboard.press('Tab');
    await page.getByRole('checkbox', { name: 'Show How many' }).waitFor();
    await shot('parameters-changed');
    await page.keyboard.press('Escape');
    expect((await shown())?.properties.proxyWidgets).toEqual([
      ['3', 'width'],
      ['3', 'batch_size'],
      ['3', 'height'],
    ]);
    await shot('parameters-closed');

    await menuOf(5, 'Publish');
    await page.getByRole('textbox', { name: 'Publish the subgraph' }).fill('Mine');
    await page.keyboard.press('Enter');
    await page.getByText('Mine is published').waitFor();
    const file = JSON.parse(stand.server.saved.get('subgraphs/Mine.json') ?? '{}') as Saved;
    expect(file.nodes).toHaveLength(1);
    expect(file.definitions.subgraphs).toHaveLength(2);
  });

  test('are opened and left level by level, which is no edit', async () => {
    await dropFile(page, {
      name: 'nested.json',
      type: 'application/json',
      bytes: fixture('nested-subgraphs.json'),
    });
    await page.getByText('nested', { exact: true }).waitFor();
    const root = await types();
    await menuOf(5, 'Open subgraph');
    await expect.poll(trail).toHaveLength(2);
    await shot('inside');
    const outer = await types();
    await menuOf(2, 'Open subgraph');
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

    // A copy in another workflow is whole: what its inside refers to came along.
    const { x, y } = await spotOf(page, 5, 'title');
    await page.mouse.click(x, y);
    await page.keyboard.press('Control+c');
    await page.getByRole('button', { name: 'New workflow' }).click();
    await expect.poll(types).toEqual([]);
    await page.keyboard.press('Control+v');
    await expect.poll(async () => (await types()).length).toBe(1);
    const kept = () => page.evaluate(() => JSON.parse(window.noodle.text()) as Saved);
    await expect.poll(async () => (await kept()).nodes.length).toBe(1);
    expect((await kept()).definitions.subgraphs).toHaveLength(2);
  });
});
