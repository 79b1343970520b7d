import { readdirSync, readFileSync } from 'node:fs';
import type { BrowserContext, Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import {
  doubleClick,
  drag,
  dropFile,
  graphOf,
  noBrowser,
  opened,
  openPage,
  spotOf,
} from './support/browser.ts';
import { useFreshPage } from './support/built-page.ts';

interface Saved {
  readonly nodes: readonly { id: number; type: string; pos: number[]; size: number[] }[];
  readonly links: readonly (readonly unknown[])[];
}

const example = (name: string): Buffer =>
  readFileSync(new URL(`../../workflows/${name}.json`, import.meta.url));

describe.skipIf(noBrowser !== null)('work is never lost', () => {
  let context: BrowserContext;
  let page: Page;
  const stand = useFreshPage((fresh) => ({ context, page } = fresh), /status of 409/);

  const graphNow = async (from: Page = page): Promise<Saved> =>
    JSON.parse(await from.evaluate(() => window.noodle.live())) as Saved;
  const nodeIn = (saved: Saved, id: number) => saved.nodes.find((n) => n.id === id);
  const sourceOf = (saved: Saved, id: number, slot: number): unknown =>
    saved.links.find((link) => link[3] === id && link[4] === slot)?.[1];
  const nameOf = (from: Page = page) =>
    from.locator('.workflow-tab[data-active=true] .name > span').textContent();
  const unsaved = (from: Page = page) => from.locator('.workflow-tab[data-active=true] i').count();
  /** Waits until the tab of that name is in front. */
  const front = (name: string) =>
    page.locator('.workflow-tab[data-active=true]').getByText(name, { exact: true }).waitFor();
  const moveNode = async (id: number, by: number, from: Page = page): Promise<void> => {
    const at = await spotOf(from, id, 'title');
    await drag(from, at, { x: at.x + by, y: at.y + by });
  };
  const drop = (name: string, bytes: Buffer): Promise<void> =>
    dropFile(page, { name, type: 'application/json', bytes });
  const saveAs = async (name: string): Promise<void> => {
    await page.keyboard.press('Control+Shift+s');
    await page.getByRole('textbox', { name: 'Save workflow as' }).fill(name);
    await page.keyboard.press('Enter');
  };

  test('what is done by mouse is kept, marked and undone one by one', async () => {
    const before = await graphNow();
    expect(sourceOf(before, 3, 2)).toBe(7);

    await moveNode(9, 60);
    await page.waitForTimeout(200);
    const corner = await spotOf(page, 5, 'corner');
    await drag(page, corner, { x: corner.x + 50, y: corner.y + 40 });
    await page.waitForTimeout(200);
    await drag(page, await spotOf(page, 6, 'output:0'), await spotOf(page, 3, 'input:2'));
    await page.waitForTimeout(200);
    expect(await unsaved()).toBe(1);

    await page.close();
    ({ page } = await openPage(context, stand.server.url));
    const after = await graphNow();
    const moved = nodeIn(after, 9)?.pos ?? [];
    expect(moved[0]).toBeGreaterThan((nodeIn(before, 9)?.pos[0] ?? NaN) + 50);
    expect(nodeIn(after, 5)?.size[0]).toBeGreaterThan((nodeIn(before, 5)?.size[0] ?? NaN) + 40);
    expect(sourceOf(after, 3, 2)).toBe(6);
    expect(await unsaved()).toBe(1);
  });

  test('each of three edits by mouse is an undo step', async () => {
    const before = await graphNow();
    const states = [before];
    for (const id of [9, 5, 8]) {
      await moveNode(id, 30);
      await page.waitForTimeout(200);
      states.push(await graphNow());
    }
    await page.locator('#graph').focus();
    for (const state of states.slice(0, -1).reverse()) {
      await page.keyboard.press('Control+z');
      const now = await graphNow();
      for (const id of [9, 5, 8]) expect(nodeIn(now, id)?.pos).toEqual(nodeIn(state, id)?.pos);
    }
    await page.keyboard.press('Control+y');
    expect(nodeIn(await graphNow(), 9)?.pos).toEqual(nodeIn(states[1], 9)?.pos);
  });

  test('an edit of the last moment survives a reload, and so does the view', async () => {
    await page.mouse.move(640, 400);
    await page.mouse.wheel(0, -300);
    await drag(page, { x: 640, y: 780 }, { x: 560, y: 720 });
    const at = await spotOf(page, 9, 'title');
    await drag(page, at, { x: at.x + 40, y: at.y + 40 });
    const moved = await spotOf(page, 9, 'title');
    await page.reload();
    await opened(page);
    const again = await spotOf(page, 9, 'title');
    expect(again.x).toBeCloseTo(moved.x, 1);
    expect(again.y).toBeCloseTo(moved.y, 1);
  });

  test('opening, looking and clicking are no edits', async () => {
    const folder = new URL('./fixtures/', import.meta.url);
    const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
    for (const name of files) {
      await drop(name, readFileSync(new URL(name, folder)));
      await front(name.replace('.json', ''));
      await page.keyboard.press('.');
      await page.waitForTimeout(100);
      for (const { id } of (await graphOf(page)).nodes) {
        const { x, y } = await spotOf(page, Number(id), 'title');
        await page.mouse.click(x, y, { delay: 20 });
      }
      await page.waitForTimeout(200);
      expect(await unsaved(), name).toBe(0);
    }
  });

  test('a node too small for its fields is no edit either', async () => {
    const file = JSON.parse(example('default').toString()) as { nodes: { size: number[] }[] };
    for (const node of file.nodes) node.size = [120, 30];
    await drop('small.json', Buffer.from(JSON.stringify(file)));
    await front('small');
    await page.keyboard.press('.');
    await page.waitForTimeout(100);
    await page.mouse.click(640, 780, { delay: 20 });
    await page.waitForTimeout(200);
    expect(await unsaved()).toBe(0);
  });

  test('the room made for a picture is no edit and not saved', async () => {
    const file = JSON.parse(example('default').toString()) as {
      nodes: { id: number; size: number[]; widgets_values: unknown[] }[];
    };
    for (const node of file.nodes) {
      if (node.id === 9) node.size = [320, 90];
      if (node.id === 3) node.widgets_values[1] = 'fixed';
    }
    await drop('low.json', Buffer.from(JSON.stringify(file)));
    await front('low');
    const before = await graphNow();
    await page.keyboard.press('Control+Enter');
    await page.waitForFunction(() => window.noodle.imagesOf(9).length === 1);
    await page.mouse.click(640, 780, { delay: 20 });
    await page.waitForTimeout(300);
    expect(nodeIn(await graphNow(), 9)?.size).toEqual(nodeIn(before, 9)?.size);
    expect(await unsaved()).toBe(0);
  });

  test('saving never takes the place of another workflow unasked', async () => {
    await saveAs('portrait');
    await page.getByText('Saved portrait').waitFor();
    const first = stand.server.saved.get('workflows/portrait.json');

    await drop('portrait.json', example('hires-fix'));
    await page.waitForFunction(() => window.noodle.nodes().length === 11);
    await page.keyboard.press('Control+s');
    await expect(
      page.getByRole('textbox', { name: 'Save workflow as' }).inputValue(),
    ).resolves.toBe('portrait');
    await page.keyboard.press('Enter');
    await page.getByText('There is already a workflow called portrait').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('dialog[open]').waitFor({ state: 'detached' });
    expect(stand.server.saved.get('workflows/portrait.json')).toBe(first);

    await saveAs('portrait');
    await page.getByRole('button', { name: 'Replace' }).click();
    await page.getByText('Saved portrait').last().waitFor();
    await expect.poll(() => stand.server.saved.get('workflows/portrait.json')).not.toBe(first);

    // From here on it is the same workflow: no more questions.
    await moveNode(9, 30);
    await page.waitForTimeout(200);
    expect(await unsaved()).toBe(1);
    await page.keyboard.press('Control+s');
    await page.waitForFunction(() => document.querySelector('.workflow-tab i') === null);
    await expect(page.locator('dialog[open]').count()).resolves.toBe(0);
  });

  test('what is opened replaces nothing', async () => {
    await page.getByRole('textbox', { name: 'Positive prompt: text' }).fill('my dear words');
    await page.waitForTimeout(200);
    await drop('other.json', example('hires-fix'));
    await front('other');
    await page.getByRole('button', { name: 'Untitled has unsaved changes' }).click();
    const words = () => page.evaluate(() => window.noodle.widget(6, 'text'));
    expect(await words()).toBe('my dear words');
    expect(await unsaved()).toBe(1);
    // With its history of edits.
    await page.locator('#graph').focus();
    await page.keyboard.press('Control+z');
    expect(await words()).not.toBe('my dear words');
    await page.keyboard.press('Control+y');
    expect(await words()).toBe('my dear words');
  });

  test.each([
    ['at once', '{"nodes":[{"id":1,"type":"KSampler"'],
    ['half way', '{"nodes":[],"links":[],"definitions":{"subgraphs":[{"id":"x"}]}}'],
  ])('a file that fails %s leaves the present one as it is', async (_, text) => {
    const before = await graphNow();
    await drop('broken.json', Buffer.from(text));
    await page.locator('.toast[data-kind=error]').waitFor();
    expect((await graphNow()).nodes).toEqual(before.nodes);
    expect(await nameOf()).toBe('Untitled');
  });

  test('every window keeps its own work; a closed one leaves it as a draft', async () => {
    await moveNode(9, 30);
    const second = await openPage(context, stand.server.url);
    await second.page.locator('#graph').focus();
    await second.page.getByRole('button', { name: 'New workflow' }).click();
    await doubleClick(second.page, { x: 900, y: 500 });
    await second.page.getByRole('textbox', { name: 'Search nodes' }).fill('empty latent image');
    await second.page.keyboard.press('Enter');
    await second.page.waitForTimeout(200);
    await page.reload();
    await opened(page);
    expect((await graphOf(page)).nodes).toHaveLength(7);
    await second.page.reload();
    await opened(second.page);
    expect((await graphOf(second.page)).nodes).toHaveLength(1);

    const drafts = page.locator('.draft-row');
    await page.locator('#graph').focus();
    await page.keyboard.press('w');
    await page.getByRole('button', { name: 'Default' }).waitFor();
    await page.waitForTimeout(300);
    expect(await drafts.count()).toBe(0);
    await second.page.close();
    // A closed window is gone when it no longer answers.
    await expect
      .poll(async () => {
        await page.keyboard.press('w');
        await page.keyboard.press('w');
        await page.waitForTimeout(300);
        return drafts.count();
      })
      .toBe(1);
    await page.getByRole('button', { name: /^Remove the draft/ }).click();
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await drafts.locator('.list-row').click();
    expect((await graphOf(page)).nodes).toHaveLength(1);
  });

  test('a duplicated window starts from a copy', async () => {
    await moveNode(9, 30);
    await page.waitForTimeout(200);
    const id = await page.evaluate(() => sessionStorage.getItem('noodle.window'));
    const twin = await context.newPage();
    await twin.addInitScript((value) => {
      if (sessionStorage.length === 0) sessionStorage.setItem('noodle.window', value ?? '');
    }, id);
    const { page: other } = await openPage(context, stand.server.url, undefined, twin);
    expect(await other.evaluate(() => sessionStorage.getItem('noodle.window'))).not.toBe(id);
    const before = await graphNow();
    expect((await graphNow(other)).nodes).toEqual(before.nodes);
    await moveNode(9, 30, other);
    await other.waitForTimeout(200);
    await page.reload();
    await opened(page);
    expect((await graphNow()).nodes).toEqual(before.nodes);
  });

  test('a workflow from the history is a new one under its own name', async () => {
    await saveAs('mine');
    await page.getByText('Saved mine').waitFor();
    await page.keyboard.press('Control+Enter');
    await expect.poll(() => stand.server.finished(), { timeout: 10_000 }).toBeGreaterThan(0);
    await page.locator('#graph').focus();
    await page.keyboard.press('q');
    await page.getByRole('button', { name: 'Load this workflow' }).first().click();
    await expect.poll(() => nameOf()).toMatch(/^Noodle_\d+$|^ComfyUI_\d+$/);
    await page.keyboard.press('Control+s');
    await page.getByRole('textbox', { name: 'Save workflow as' }).waitFor();
    await page.keyboard.press('Escape');
  });

  test('the history is cleared only after asking', async () => {
    await page.keyboard.press('Control+Enter');
    const runs = stand.server.finished();
    await expect.poll(() => stand.server.finished(), { timeout: 10_000 }).toBeGreaterThan(runs);
    await page.locator('#graph').focus();
    await page.keyboard.press('q');
    await page.locator('.history-entry').first().waitFor();
    const clears = () => stand.server.requests.filter((r) => r === 'POST /history').length;
    const before = clears();
    await page.getByRole('button', { name: 'Clear history' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel', exact: true }).click();
    expect(clears()).toBe(before);
    await page.getByRole('button', { name: 'Clear history' }).click();
    await page.locator('dialog').getByRole('button', { name: 'Clear history' }).click();
    await expect.poll(clears).toBe(before + 1);
  });
});
