/** What trying the page as an artist found wrong, where no other test looks at it. */
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { searchNodes } from '../../web/graph/search.ts';
import { objectInfo } from './fixtures/object-info.ts';
import { drag, dropFile, noBrowser, opened, spotOf } from './support/browser.ts';
import { useFreshPage } from './support/built-page.ts';

interface Said {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

declare global {
  interface Window {
    /** What is written on the canvas from now on, in the coordinates of whatever is drawn. */
    said: Said[];
  }
}

test("the editor's own nodes have readable names and a category", () => {
  const own = ['primitive', 'markdown note'].map((words) => searchNodes(objectInfo, words)[0]);
  expect(own).toMatchObject([
    { type: 'PrimitiveNode', title: 'Primitive', category: 'utils' },
    { type: 'MarkdownNote', title: 'Markdown note', category: 'utils' },
  ]);
});

describe.skipIf(noBrowser !== null)('on the page', () => {
  let page: Page;
  // What the server does not answer here is what the tests are about.
  const stand = useFreshPage((fresh) => ({ page } = fresh), /net::ERR_FAILED|status of 404/);

  const drop = async (name: string, text: string | Buffer): Promise<void> =>
    dropFile(page, { name, type: 'application/json', bytes: Buffer.from(text) });
  const front = (name: string) =>
    page.locator('.workflow-tab[data-active=true]').getByText(name, { exact: true }).waitFor();
  /** Everything that is written on the canvas until it was drawn anew. */
  const written = async (): Promise<Said[]> => {
    await page.evaluate(() => {
      const listening = window.said as Said[] | undefined;
      window.said = [];
      if (listening !== undefined) return;
      const { prototype } = CanvasRenderingContext2D;
      const { fillText } = prototype; // eslint-disable-line @typescript-eslint/unbound-method -- called on its context
      prototype.fillText = function (...args) {
        const [text, x, y] = args;
        window.said.push({ text, x, y, width: this.measureText(text).width });
        fillText.apply(this, args);
      };
    });
    await page.keyboard.press('.'); // all of it is seen
    await page.waitForFunction(() => window.said.length > 0);
    return page.evaluate(() => window.said);
  };

  test('the place and size of the view alone are kept', async () => {
    const before = await page.evaluate(() => window.noodle.live());
    await page.mouse.move(640, 400);
    await page.mouse.wheel(0, -300);
    await drag(page, { x: 640, y: 780 }, { x: 560, y: 700 });
    const seen = await spotOf(page, 9, 'title');
    await page.reload();
    await opened(page);
    expect(await spotOf(page, 9, 'title')).toEqual(seen);
    expect(await page.evaluate(() => window.noodle.live())).toBe(before);
    expect(await page.locator('.workflow-tab i').count()).toBe(0);
  });

  test('the inside of a subgraph is seen as soon as it is opened', async () => {
    const fixture = new URL('fixtures/nested-subgraphs.json', import.meta.url);
    await drop('nested.json', readFileSync(fixture));
    await front('nested');
    // So near that the place of what is inside is far away.
    const { x: left, y: top } = await spotOf(page, 5, 'title');
    await page.mouse.move(left, top);
    for (let i = 0; i < 5; i++) await page.mouse.wheel(0, -300);
    const title = await spotOf(page, 5, 'title');
    await page.mouse.click(title.x, title.y, { button: 'right' });
    await page.getByRole('menu').getByText('Open subgraph', { exact: true }).click();
    await page.locator('.subgraph-trail').waitFor();
    const ids = await page.evaluate(() => window.noodle.nodes().map(({ id }) => Number(id)));
    expect(ids.length).toBeGreaterThan(0);
    for (const id of ids) {
      const { x, y } = await spotOf(page, id, 'title');
      expect(x > 0 && x < 1280 && y > 0 && y < 800, `node ${id} at ${x}, ${y}`).toBe(true);
    }
  });

  test('a missing node shows its values and that it is not installed, within its frame', async () => {
    const node = {
      ...{ id: 1, type: 'SomePack Wave', pos: [300, 200], size: [120, 140], mode: 0, order: 0 },
      ...{ flags: { pinned: true }, properties: {}, widgets_values: ['a value of some length', 7] },
      inputs: [{ name: 'image', type: 'IMAGE', link: null }],
      outputs: [],
    };
    await drop('wave.json', JSON.stringify({ nodes: [node], links: [], version: 0.4 }));
    await front('wave');
    const said = await written();
    const lines = said.filter(({ text }) => /^(Not installed|a valu.*…|7)$/.test(text));
    expect(lines.map(({ text }) => text)).toEqual(expect.arrayContaining(['Not installed', '7']));
    expect(new Set(lines.map(({ y }) => y)).size).toBeGreaterThan(2);
    for (const { x, y, width } of lines) expect([x + width <= 120, y <= 140]).toEqual([true, true]);
    // The mark of a pinned node is no letter of a font that may not be there.
    const glyphs = said.filter(({ text }) => /\p{Extended_Pictographic}/u.test(text));
    expect(glyphs).toEqual([]);

    // In a prompt outputs have no names, only numbers.
    const wave = { class_type: 'SomePack Wave', inputs: {} };
    const save = { class_type: 'SaveImage', inputs: { images: ['1', 1] } };
    await drop('prompt.json', JSON.stringify({ 1: wave, 2: save }));
    await front('prompt');
    const names = (await written()).map(({ text }) => text);
    expect(names).toEqual(expect.arrayContaining(['output 1', 'output 2']));
  });

  test('a server that is away, a text and a broken file are said in words', async () => {
    const toast = (text: string | RegExp) => page.locator('.toast').getByText(text).waitFor();
    await drop('notes.txt', 'dear diary');
    await toast('notes.txt: this is no workflow');
    await drop('bad.json', '{"nodes":[');
    await toast('bad.json: this is no workflow');
    await page.route('**/prompt', (route) => route.abort());
    await page.locator('#graph').focus();
    await page.keyboard.press('Control+Enter');
    await toast(/server does not answer/);
    expect(await page.getByText('Failed to fetch').count()).toBe(0);
  });

  test('a thumbnail keeps its place until it is there, and where it never comes', async () => {
    let answer = (): void => undefined;
    const asked = new Promise<void>((resolve) => (answer = resolve));
    await page.route('**/v1/outputs/thumbnail**', async (route) => {
      await asked;
      await route.fulfill({ status: 404 });
    });
    const runs = stand.server.finished();
    await page.keyboard.press('Control+Enter');
    await expect.poll(() => stand.server.finished()).toBeGreaterThan(runs);
    await page.locator('#graph').focus();
    await page.keyboard.press('q');
    const thumbnail = page.locator('.history-entry .thumbnail').first();
    const state = () => thumbnail.getAttribute('data-state');
    await thumbnail.waitFor();
    expect(await state()).toBe('loading');
    const size = await thumbnail.boundingBox();
    expect(size!.height).toBeGreaterThan(20);
    answer();
    await expect.poll(state).toBe('failed');
    expect(await thumbnail.boundingBox()).toEqual(size);
  });
});
