import type { Page } from 'playwright-core';
import { beforeEach, describe, expect, test } from 'vitest';
import { foundNode } from '../../web/graph/search.ts';
import { categoryTree } from '../../web/node-library/category-tree.ts';
import { objectInfo } from './fixtures/object-info.ts';
import { graphOf, noBrowser } from './support/browser.ts';
import { useFreshPage } from './support/built-page.ts';

test('nodes lie in a tree of readable categories, those set aside last', () => {
  const node = { ...foundNode(objectInfo.KSampler), title: 'A' };
  const tree = categoryTree([
    { ...node, category: '_for_testing/custom_sampling' },
    { ...node, category: 'sampling' },
    { ...node, category: 'latent/advanced' },
    { ...node, category: 'latent' },
  ]);
  expect(tree.map(({ name, count }) => [name, count])).toEqual([
    ['Latent', 2],
    ['Sampling', 1],
    ['For testing', 1],
  ]);
  expect(tree[0].children.map(({ name, path }) => [name, path])).toEqual([
    ['Advanced', 'latent/advanced'],
  ]);
});

describe.skipIf(noBrowser !== null)('the panel of nodes', () => {
  let page: Page;
  useFreshPage((fresh) => ({ page } = fresh));
  beforeEach(() => page.keyboard.press('n'));
  const shot = (name: string) =>
    process.env.SHOTS ? page.screenshot({ path: `${process.env.SHOTS}/${name}.png` }) : undefined;

  test('marks, previews, explains and adds nodes', async () => {
    const panel = page.locator('.side-panel');
    const sampler = panel.getByRole('button', { name: 'KSampler', exact: true });
    await sampler.hover();
    await page.locator('.node-preview header').getByText('KSampler').waitFor();
    await shot('nodes');
    await panel.getByRole('button', { name: 'Bookmark KSampler', exact: true }).click();
    await panel.getByText('Bookmarks').waitFor();

    await panel.getByRole('button', { name: 'Help on KSampler', exact: true }).first().click();
    const help = page.locator('.node-help');
    await help.getByText('sampler_name').waitFor();
    await help.getByRole('button', { name: /Open an example/ }).waitFor();
    await shot('node-help');
    await page.keyboard.press('Escape');

    await page.reload();
    await page.waitForSelector('.top-bar');
    await page.keyboard.press('n');
    await panel.getByText('Bookmarks').waitFor();
    const before = (await graphOf(page)).nodes.length;
    await sampler.first().click();
    await expect.poll(async () => (await graphOf(page)).nodes.length).toBe(before + 1);
  });

  test('a model file dragged onto the canvas brings its loader', async () => {
    await page.keyboard.press('m');
    const row = page.locator('.model-row');
    await row.getByText('tiny-scenes.safetensors').waitFor();
    await shot('models');
    const loaders = async () =>
      (await graphOf(page)).nodes.filter(({ type }) => type === 'CheckpointLoaderSimple');
    const before = (await loaders()).length;
    await row.dragTo(page.locator('#graph'), { targetPosition: { x: 900, y: 640 } });
    await expect.poll(async () => (await loaders()).length).toBe(before + 1);
    const id = Number((await loaders()).at(-1)?.id);
    expect(await page.evaluate((n) => window.noodle.widget(n, 'ckpt_name'), id)).toBe(
      'tiny-scenes.safetensors',
    );
  });
});
