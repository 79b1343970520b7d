/** Fields of nodes whose values are drawn or recorded, with a real server. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { buildWeb } from '../../web/build.mjs';
import { startServer, type TestServer } from '../support/server.ts';
import { drag, dropFile, launch, noBrowser, openPage, spotOf } from '../web/support/browser.ts';

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
    // where a widget lies is known when its node was drawn
    await page.evaluate(
      () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
    );
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

  test('a choice brings its own inputs; sockets grow with their links', async () => {
    await open({
      1: {
        class_type: 'ResizeImageMaskNode',
        inputs: {
          'resize_type.multiplier': 0.5,
          resize_type: 'scale by multiplier',
          scale_method: 'area',
          input: ['2', 0],
        },
      },
      2: {
        class_type: 'BatchImagesNode',
        inputs: { 'images.image0': ['3', 0], 'images.image1': ['4', 0] },
      },
      3: { class_type: 'EmptyImage', inputs: { width: 64, height: 64, batch_size: 1, color: 255 } },
      4: {
        class_type: 'EmptyImage',
        inputs: { width: 64, height: 64, batch_size: 1, color: 65280 },
      },
      5: { class_type: 'PreviewImage', inputs: { images: ['1', 0] } },
    });
    const fieldsOf = (id: number) =>
      page.evaluate(
        (node) => window.noodle.fields(node).filter((name) => !name.startsWith('$')),
        id,
      );
    expect(await fieldsOf(1)).toEqual(['resize_type', 'resize_type.multiplier', 'scale_method']);
    expect(await json(1, 'resize_type.multiplier')).toBe(0.5);
    await shot('dynamic');
    let sent = await queue();
    expect(sent[1].inputs).toMatchObject({
      resize_type: 'scale by multiplier',
      'resize_type.multiplier': 0.5,
      scale_method: 'area',
    });
    expect(Object.keys(sent[2].inputs)).toEqual(['images.image0', 'images.image1']);
    await page.waitForFunction(() => window.noodle.imagesOf(5)[0]?.width === 32, null, {
      timeout: 20_000,
    });

    // A third picture into the free socket: there is a fourth one then.
    await drag(page, await spotOf(page, 3, 'output:0'), await spotOf(page, 2, 'input:2'));
    sent = await queue();
    expect(sent[2].inputs['images.image2']).toEqual(['3', 0]);
    await page.waitForFunction(() => window.noodle.imagesOf(5).length === 3, null, {
      timeout: 20_000,
    });
    await press(1, 'resize_type');
    await page.getByRole('option', { name: 'scale longer dimension' }).click();
    expect(await fieldsOf(1)).toEqual(['resize_type', 'resize_type.longer_size', 'scale_method']);
    sent = await queue();
    expect(sent[1].inputs).toMatchObject({ 'resize_type.longer_size': 512, scale_method: 'area' });
    expect(sent[1].inputs).not.toHaveProperty('resize_type.multiplier');

    // What was saved comes back as it was.
    const before = await page.evaluate(() => window.noodle.live());
    await page.keyboard.press('Control+z');
    await expect.poll(() => fieldsOf(1)).toContain('resize_type.multiplier');
    await page.keyboard.press('Control+Shift+z');
    await expect.poll(() => fieldsOf(1)).toContain('resize_type.longer_size');
    expect(JSON.parse(await page.evaluate(() => window.noodle.live()))).toEqual(JSON.parse(before));
    expect(errors).toEqual([]);
  });

  test('paint over a plain colour, and again', async () => {
    await open({
      1: { class_type: 'Painter', inputs: { width: 128, height: 64, bg_color: '#203040' } },
      2: { class_type: 'PreviewImage', inputs: { images: ['1', 0] } },
    });
    const stroke = async (from: number, to: number): Promise<void> => {
      const { x, y } = await spotOf(page, 1, 'widget:mask');
      await page.mouse.click(x, y);
      const stage = page.locator('.mask-stage canvas');
      await stage.waitFor();
      const box = (await stage.boundingBox())!;
      const at = (part: number) => ({ x: box.x + part * box.width, y: box.y + box.height / 2 });
      await drag(page, at(from), at(to));
      await shot('painter');
      await page.locator('.mask-settings .primary').click();
      await stage.waitFor({ state: 'detached' });
    };
    await stroke(0.3, 0.4);
    const first = await json(1, 'mask');
    expect(first).toMatch(/^painter\/painter-1-\d+\.png \[input\]$/);
    await stroke(0.6, 0.7);
    const sent = await queue();
    const value = String(await json(1, 'mask'));
    expect(value).not.toBe(first);
    expect(sent[1].inputs).toEqual({ mask: value, width: 128, height: 64, bg_color: '#203040' });
    await page.waitForFunction(() => window.noodle.imagesOf(2)[0]?.width === 128, null, {
      timeout: 20_000,
    });
    // Both strokes are in the one file, all else is see-through.
    const { data, info } = await sharp(join(base, 'input', value.replace(' [input]', '')))
      .ensureAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    expect([info.width, info.height]).toEqual([128, 64]);
    const painted = (x: number): boolean => data[4 * (32 * 128 + x) + 3] > 128;
    expect([5, 40, 80, 123].map(painted)).toEqual([false, true, true, false]);
    await shot('painted');
    expect(errors).toEqual([]);
  });

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
    expect(sent[2].inputs.color_palette).toEqual({ __value__: ['#2aa666', '#102030'] });
    await page.waitForFunction(() => window.noodle.widget(3, '$text').includes('AHOY'), null, {
      timeout: 20_000,
    });
    await shot('boxes-run');
    expect(errors).toEqual([]);
  });
});
