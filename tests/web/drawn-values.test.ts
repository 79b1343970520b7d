/** Fields of nodes whose values are drawn or recorded, with a real server. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { buildWeb } from '../../web/build.mjs';
import { startServer, type TestServer } from '../support/server.ts';
import { drag, dropFile, launch, noBrowser, openPage, spotOf } from './support/browser.ts';

/** A node of a prompt. */
interface PromptNode {
  readonly class_type: string;
  readonly inputs: Readonly<Record<string, unknown>>;
}

describe.skipIf(noBrowser !== null)('drawn values', () => {
  const base = mkdtempSync(join(tmpdir(), 'noodle-drawn-'));
  let server: TestServer;
  let browser: Browser;
  let page: Page;
  let errors: string[];

  beforeAll(async () => {
    await buildWeb();
    for (const folder of ['input', 'models']) mkdirSync(join(base, folder));
    // The first graph misses nothing: a dialog would say so.
    const models = fileURLToPath(new URL('../../models/checkpoints', import.meta.url));
    symlinkSync(models, join(base, 'models/checkpoints'));
    server = await startServer({ base });
    browser = await launch();
    ({ page, errors } = await openPage(browser, server.url));
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    rmSync(base, { recursive: true, force: true });
  });
  beforeEach(() => void errors.splice(0));

  const shot = async (name: string): Promise<void> => {
    const folder = process.env.SHOTS;
    if (folder !== undefined) await page.screenshot({ path: join(folder, `${name}.png`) });
  };
  const open = async (prompt: Readonly<Record<number, PromptNode>>): Promise<void> => {
    const bytes = Buffer.from(JSON.stringify(prompt));
    await dropFile(page, { name: 'drawn.json', type: 'application/json', bytes });
    const types = Object.values(prompt).map((node) => node.class_type);
    await page.waitForFunction((wanted) => {
      const now = window.noodle.nodes().map((node) => node.type);
      return now.sort().join() === wanted;
    }, types.sort().join());
  };
  const press = async (id: number, widget: string): Promise<void> => {
    const { x, y } = await spotOf(page, id, `widget:${widget}`);
    await page.mouse.click(x, y);
    await page.waitForFunction(() =>
      document.querySelector('.choice-list')?.contains(document.activeElement),
    );
  };
  const json = (id: number, widget: string) =>
    page.evaluate(([node, name]) => window.noodle.json(node, name), [id, widget] as const);
  /** Queues the graph; what the page sent. */
  const queue = async (): Promise<Readonly<Record<string, PromptNode>>> => {
    const [request] = await Promise.all([
      page.waitForRequest((each) => each.url().endsWith('/prompt') && each.method() === 'POST'),
      page.keyboard.press('Control+Enter'),
    ]);
    return (request.postDataJSON() as { prompt: Record<string, PromptNode> }).prompt;
  };

  test('colours in a list, boxes with what is in them', async () => {
    await open({
      1: { class_type: 'CreateBoundingBoxes', inputs: { width: 1024, height: 512 } },
      2: { class_type: 'BuildJsonPromptIdeogram', inputs: { element: ['1', 2] } },
      3: { class_type: 'PreviewAny', inputs: { source: ['2', 0] } },
    });
    await press(2, 'color_palette');
    const palette = page.locator('.colors-list');
    await palette.getByRole('button', { name: 'Add a colour' }).click();
    await palette.getByLabel('Colour 1', { exact: true }).fill('#2aa666');
    await palette.getByRole('button', { name: 'Add a colour' }).click();
    await palette.getByLabel('Colour 2', { exact: true }).fill('#102030');
    await palette.getByRole('button', { name: 'Add a colour' }).click();
    await palette.getByRole('button', { name: 'Remove colour 2' }).click();
    await shot('colors');
    await page.keyboard.press('Escape');
    expect(await json(2, 'color_palette')).toEqual(['#2aa666', '#102030']);

    await press(1, 'editor_state');
    const list = page.locator('.box-list');
    const stage = (await list.locator('canvas').boundingBox())!;
    const at = (x: number, y: number) => ({
      x: stage.x + (x * stage.width) / 1024,
      y: stage.y + (y * stage.height) / 512,
    });
    await drag(page, at(102.4, 51.2), at(512, 256));
    await list.getByLabel('Description').fill('a red boat');
    await drag(page, at(600, 300), at(900, 400));
    await list.locator('select').selectOption('text');
    await list.getByLabel('Text', { exact: true }).fill('AHOY');
    await list.getByRole('button', { name: 'Add a colour' }).click();
    await list.getByLabel('Colour 1', { exact: true }).fill('#ff8000');
    await drag(page, at(20, 400), at(60, 480));
    await page.keyboard.press('Delete');
    // The first one, moved.
    await drag(page, at(300, 150), at(320, 150));
    await shot('boxes');
    await page.keyboard.press('Escape');
    const boxes = (await json(1, 'editor_state')) as Record<string, unknown>[];
    expect(boxes.map(({ metadata }) => metadata)).toEqual([
      { type: 'obj', text: '', desc: 'a red boat', palette: [] },
      { type: 'text', text: 'AHOY', desc: '', palette: ['#ff8000'] },
    ]);
    expect(Math.abs(Number(boxes[0].x) - 122)).toBeLessThan(5);
    expect(Math.abs(Number(boxes[0].width) - 410)).toBeLessThan(5);
    expect(Math.abs(Number(boxes[0].height) - 205)).toBeLessThan(5);

    // The server takes them as they are.
    const sent = await queue();
    expect(sent[1].inputs.editor_state).toEqual({ __value__: boxes });
    await page.waitForFunction(() => window.noodle.widget(3, '$text').includes('AHOY'), null, {
      timeout: 20_000,
    });
    await shot('boxes-run');
    expect(errors).toEqual([]);
  });
});
