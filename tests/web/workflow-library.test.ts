import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { beforeEach, describe, expect, test } from 'vitest';
import { treeOf } from '../../web/library/tree.ts';
import { graphOf, noBrowser } from './support/browser.ts';
import { useFreshPage } from './support/built-page.ts';

test('saved workflows become a tree, and a search leaves what fits', () => {
  const file = (path: string) => ({ path, isFolder: false, modified: 0 });
  const saved = [file('b.json'), file('x/deep/z.json'), file('a.json'), file('x/y.json')];
  const tree = treeOf([...saved, { path: 'empty', isFolder: true, modified: 0 }]);
  expect(tree.files).toEqual(['a', 'b']);
  expect(tree.folders.map(({ name }) => name)).toEqual(['empty', 'x']);
  expect(tree.folders[1]).toMatchObject({ files: ['x/y'], folders: [{ files: ['x/deep/z'] }] });
  expect(treeOf(saved, 'X Z')).toMatchObject({ files: [], folders: [{ name: 'x', files: [] }] });
});

const example = (name: string): string =>
  readFileSync(new URL(`../../workflows/${name}.json`, import.meta.url), 'utf8');

describe.skipIf(noBrowser !== null)('the library of workflows', () => {
  let page: Page;
  const stand = useFreshPage((fresh) => ({ page } = fresh), /status of (409|404)/);
  let saved: Map<string, string>;

  beforeEach(async () => {
    saved = stand.server.saved as Map<string, string>;
    saved.clear();
    saved.set('workflows/portrait.json', example('default'));
    saved.set('workflows/work/boats.json', example('hires-fix'));
    await page.locator('#graph').focus();
    await page.keyboard.press('w');
    await row('portrait').waitFor();
  });

  const row = (name: string) => page.locator(`.saved-row:has([title="${name}"])`);
  const menu = async (name: string, item: string): Promise<void> => {
    await row(name).click({ button: 'right' });
    await page.getByRole('menuitem', { name: item, exact: true }).click();
  };
  const files = () => [...saved.keys()].filter((path) => !path.includes('/.')).sort();
  const size = async (): Promise<number> => (await graphOf(page)).nodes.length;

  test('shows folders, opens from them, and finds by name', async () => {
    await page.locator('.saved-tree summary').getByText('work').click();
    await row('work/boats').locator('.list-row').click();
    await expect.poll(size).toBe(11);
    await page.getByRole('searchbox', { name: 'Search workflows' }).fill('PORT');
    await row('work/boats').waitFor({ state: 'detached' });
    expect(await row('portrait').count()).toBe(1);
  });

  test('renames, moves by name and by drag, and duplicates; an open tab follows', async () => {
    await row('portrait').locator('.list-row').click();
    await page.locator('.workflow-tab').getByText('portrait').waitFor();
    await menu('portrait', 'Rename');
    await page.getByRole('textbox', { name: 'Rename' }).fill('face');
    await page.keyboard.press('Enter');
    await row('face').waitFor();
    await page.locator('.workflow-tab').getByText('face').waitFor();
    await menu('face', 'Duplicate');
    await row('face (copy)').waitFor();
    await row('face').dragTo(page.locator('.saved-tree summary').getByText('work'));
    await expect
      .poll(files)
      .toEqual([
        'workflows/face (copy).json',
        'workflows/work/boats.json',
        'workflows/work/face.json',
      ]);
    await page.locator('.workflow-tab').getByText('work/face').waitFor();
    await menu('face (copy)', 'Move to folder');
    await page.getByRole('textbox', { name: 'Move to folder' }).fill('new/inner');
    await page.keyboard.press('Enter');
    await expect.poll(files).toContain('workflows/new/inner/face (copy).json');
  });

  test('a name that is taken is not taken again', async () => {
    await menu('portrait', 'Rename');
    await page.getByRole('textbox', { name: 'Rename' }).fill('work/boats');
    await page.keyboard.press('Enter');
    await page.getByText('There is already a workflow called work/boats').waitFor();
    expect(files()).toEqual(['workflows/portrait.json', 'workflows/work/boats.json']);
  });

  test('what is deleted comes back by the button in the message', async () => {
    await row('portrait').locator('.list-row').click();
    await page.locator('.workflow-tab').getByText('portrait').waitFor();
    const before = saved.get('workflows/portrait.json');
    await menu('portrait', 'Delete');
    await row('portrait').waitFor({ state: 'detached' });
    expect(await page.locator('.workflow-tab[data-active=true] i').count()).toBe(1);
    await page.locator('.toast').getByRole('button', { name: 'Undo' }).click();
    await row('portrait').waitFor();
    expect(saved.get('workflows/portrait.json')).toBe(before);
    // A whole folder goes the same way.
    await page.locator('.saved-tree summary').click({ button: 'right' });
    await page.getByRole('menuitem', { name: 'Delete with all in it' }).click();
    await expect.poll(files).toEqual(['workflows/portrait.json']);
    await page.locator('.toast').getByRole('button', { name: 'Undo' }).last().click();
    await expect.poll(files).toContain('workflows/work/boats.json');
  });

  test('bookmarks are kept where ComfyUI keeps them', async () => {
    await row('portrait').getByRole('button', { name: 'Bookmark portrait' }).click();
    await page.locator('.bookmarks .saved-row').waitFor();
    const index = () => JSON.parse(saved.get('workflows/.index.json') ?? '{}') as unknown;
    await expect.poll(index).toEqual({ favorites: ['workflows/portrait.json'] });
    await page.locator('.bookmarks').getByRole('button', { name: 'Bookmark portrait' }).click();
    await page.locator('.bookmarks').waitFor({ state: 'detached' });
    await expect.poll(index).toEqual({ favorites: [] });
  });

  test('a workflow is inserted into the present one, with its links, as one undo step', async () => {
    await page.locator('.saved-tree summary').getByText('work').click();
    await menu('work/boats', 'Insert into this workflow');
    await expect.poll(size).toBe(18);
    const { links } = JSON.parse(await page.evaluate(() => window.noodle.live())) as {
      links: unknown[];
    };
    const own = (name: string) => (JSON.parse(example(name)) as { links: unknown[] }).links.length;
    expect(links).toHaveLength(own('default') + own('hires-fix'));
    await page.locator('#graph').focus();
    await page.keyboard.press('Control+z');
    expect(await size()).toBe(7);
  });

  test('examples have pictures', async () => {
    const pictures = page.locator('.examples img');
    expect(await pictures.count()).toBe(5);
    await pictures.first().scrollIntoViewIfNeeded();
    await expect
      .poll(() => pictures.first().evaluate((img: HTMLImageElement) => img.naturalWidth), {
        timeout: 5000,
      })
      .toBe(256);
  });
});
