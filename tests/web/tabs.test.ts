import { readFileSync } from 'node:fs';
import type { BrowserContext, Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { drag, dropFile, graphOf, noBrowser, opened, openPage, spotOf } from './support/browser.ts';
import { useFreshPage } from './support/built-page.ts';

const example = (name: string): Buffer =>
  readFileSync(new URL(`../../workflows/${name}.json`, import.meta.url));

describe.skipIf(noBrowser !== null)('workflow tabs', () => {
  let context: BrowserContext;
  let page: Page;
  const stand = useFreshPage((fresh) => ({ context, page } = fresh), /status of (409|404)/);

  const names = (from: Page = page) => from.locator('.workflow-tab .name > span').allTextContents();
  const front = (from: Page = page) =>
    from.locator('.workflow-tab[data-active=true] .name > span').textContent();
  const tab = (name: string) => page.locator('.workflow-tab').filter({ hasText: name });
  const drop = async (name: string, file: string): Promise<void> => {
    await dropFile(page, { name: `${name}.json`, type: 'application/json', bytes: example(file) });
    await page
      .locator('.workflow-tab[data-active=true]')
      .getByText(name, { exact: true })
      .waitFor();
  };
  const edit = async (text: string): Promise<void> => {
    await page.getByRole('textbox', { name: 'Positive prompt: text' }).first().fill(text);
    await page.locator('.workflow-tab[data-active=true] i').waitFor();
  };
  const words = () => page.evaluate(() => window.noodle.widget(6, 'text'));
  const size = async (): Promise<number> => (await graphOf(page)).nodes.length;

  test('what is opened takes the place of the untouched first one, then stands beside', async () => {
    expect(await names()).toEqual(['Untitled']);
    await drop('one', 'hires-fix');
    expect(await names()).toEqual(['one']);
    await drop('two', 'default');
    await page.getByRole('button', { name: 'New workflow' }).click();
    expect(await names()).toEqual(['one', 'two', 'Untitled']);
    await page.getByRole('button', { name: 'New workflow' }).click();
    expect(await names()).toEqual(['one', 'two', 'Untitled', 'Untitled 2']);
    await tab('one').click();
    expect([await front(), await size()]).toEqual(['one', 11]);
    await page.locator('#graph').focus();
    await page.keyboard.press('Shift+ArrowRight');
    expect(await front()).toBe('two');
    await page.keyboard.press('Shift+ArrowLeft');
    await page.keyboard.press('Shift+ArrowLeft');
    expect(await front()).toBe('Untitled 2');
  });

  test('several files dropped at once are a tab each; one that is broken is named in words', async () => {
    await page.evaluate(
      ([good, bad]) => {
        const dataTransfer = new DataTransfer();
        for (const [name, text] of [
          ['a', good],
          ['broken', bad],
          ['b', good],
        ]) {
          dataTransfer.items.add(new File([text], `${name}.json`, { type: 'application/json' }));
        }
        document.body.dispatchEvent(
          new DragEvent('drop', { dataTransfer, bubbles: true, clientX: 600, clientY: 400 }),
        );
      },
      [example('default').toString(), '{"nodes":'],
    );
    await expect.poll(names).toEqual(['a', 'b']);
    await page.getByText('broken.json: this is no workflow').waitFor();
  });

  test('each has its own unsaved mark and its own undo', async () => {
    await edit('first words');
    await drop('two', 'default');
    await edit('second words');
    await tab('Untitled').click();
    await page.locator('#graph').focus();
    await page.keyboard.press('Control+z');
    expect(await words()).not.toBe('first words');
    await page.keyboard.press('Control+y');
    expect(await words()).toBe('first words');
    await tab('two').click();
    expect(await words()).toBe('second words');
    await page.locator('#graph').focus();
    await page.keyboard.press('Control+z');
    expect(await words()).not.toBe('second words');
  });

  test('closing asks where work would be lost: save, do not save, or stay', async () => {
    await drop('portrait', 'default');
    await page.keyboard.press('Alt+w');
    expect(await names()).toEqual(['Untitled']); // nothing was changed: no question

    await drop('portrait', 'default');
    await edit('dear words');
    await tab('portrait').getByRole('button', { name: 'Close portrait' }).click();
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    expect(await words()).toBe('dear words');

    await tab('portrait').getByRole('button', { name: 'Close portrait' }).click();
    await page.locator('dialog').getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('textbox', { name: 'Save workflow as' }).fill('folder/portrait');
    await page.keyboard.press('Enter');
    await page.getByText('Saved folder/portrait').waitFor();
    await expect.poll(names).toEqual(['Untitled']);
    expect(stand.server.saved.get('workflows/folder/portrait.json')).toContain('dear words');
  });

  test('what was closed without saving can be opened again', async () => {
    await edit('lost words');
    await tab('Untitled').click({ button: 'middle' });
    await page.getByRole('button', { name: "Don't save" }).click();
    await expect.poll(size).toBe(0);
    await page.locator('#graph').focus();
    await page.keyboard.press('Alt+Shift+w');
    expect(await words()).toBe('lost words');
  });

  test('after a reload all are back, in their order, with the same one in front', async () => {
    await edit('first');
    await drop('two', 'hires-fix');
    await drop('three', 'inpaint');
    await tab('three').dragTo(tab('Untitled'));
    expect(await names()).toEqual(['three', 'Untitled', 'two']);
    await tab('two').click();
    const at = await spotOf(page, 3, 'title');
    await drag(page, at, { x: at.x + 30, y: at.y + 30 });
    await page.reload();
    await opened(page);
    expect([await names(), await front()]).toEqual([['three', 'Untitled', 'two'], 'two']);
    expect(await page.locator('.workflow-tab i').count()).toBe(2);
    await tab('Untitled').click();
    expect(await words()).toBe('first');
    // Another window has tabs of its own.
    const other = await openPage(context, stand.server.url);
    expect(await names(other.page)).toEqual(['Untitled']);
    await tab('three').click();
    expect(await size()).toBeGreaterThan(7);
  });

  test('are renamed by double click and from their menu, closed and duplicated there', async () => {
    await tab('Untitled').dblclick();
    await page.getByRole('textbox', { name: 'Rename workflow' }).fill('sunset');
    await page.keyboard.press('Enter');
    expect(await names()).toEqual(['sunset']);
    await drop('two', 'default');
    await tab('sunset').click({ button: 'right' });
    await page.getByRole('menuitem', { name: 'Duplicate' }).click();
    expect(await names()).toEqual(['sunset', 'two', 'sunset (copy)']);
    expect(await page.locator('.workflow-tab i').count()).toBe(1);
    await tab('two').click({ button: 'right' });
    await page.keyboard.press('ArrowUp'); // from the first to the last
    await page.keyboard.press('Escape');
    await page.getByRole('menu').waitFor({ state: 'detached' });
    await tab('sunset (copy)').click({ button: 'right' });
    await page.getByRole('menuitem', { name: 'Close others' }).click();
    await expect.poll(names).toEqual(['sunset (copy)']);
  });

  test('a saved one that is open is brought to the front; renaming it renames the file', async () => {
    await page.keyboard.press('Control+s');
    await page.getByRole('textbox', { name: 'Save workflow as' }).fill('mine');
    await page.keyboard.press('Enter');
    await page.getByText('Saved mine').waitFor();
    await drop('two', 'default');
    await page.locator('#graph').focus();
    await page.keyboard.press('w');
    await page.locator('.side-panel').getByRole('button', { name: 'mine', exact: true }).click();
    await expect.poll(names).toEqual(['mine', 'two']);
    expect(await front()).toBe('mine');
    await tab('mine').dblclick();
    await page.getByRole('textbox', { name: 'Rename workflow' }).fill('yours');
    await page.keyboard.press('Enter');
    await expect.poll(names).toEqual(['yours', 'two']);
    expect(stand.server.saved.has('workflows/mine.json')).toBe(false);
    expect(stand.server.saved.has('workflows/yours.json')).toBe(true);
  });

  test('a workflow that another window changed is replaced only after asking', async () => {
    await page.keyboard.press('Control+s');
    await page.getByRole('textbox', { name: 'Save workflow as' }).fill('shared');
    await page.keyboard.press('Enter');
    await page.getByText('Saved shared').waitFor();
    const path = 'workflows/shared.json';
    (stand.server.saved as Map<string, string>).set(path, '{"nodes":[],"links":[]}');
    await edit('mine');
    await page.keyboard.press('Control+s');
    await page.getByText('Changed elsewhere').waitFor();
    await page.keyboard.press('Escape');
    expect(stand.server.saved.get(path)).toBe('{"nodes":[],"links":[]}');
    await page.keyboard.press('Control+s');
    await page.locator('dialog').getByRole('button', { name: 'Replace' }).click();
    await expect.poll(() => stand.server.saved.get(path)).toContain('mine');
    await edit('mine again');
    await page.keyboard.press('Control+s');
    await expect.poll(() => stand.server.saved.get(path)).toContain('mine again');
    expect(await page.locator('dialog[open]').count()).toBe(0);
  });
});
