/** Fields of nodes with a real server, as an artist uses them. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { buildWeb } from '../../web/build.mjs';
import { startServer, type TestServer } from '../support/server.ts';
import { useBuiltPage } from './support/built-page.ts';
import { drag, dropFile, launch, noBrowser, openPage, spotOf } from './support/browser.ts';

/** A picture of the page for people, where a folder for them is given. */
async function shotOf(page: Page, name: string): Promise<void> {
  const folder = process.env.SHOTS;
  if (folder !== undefined) await page.screenshot({ path: join(folder, `${name}.png`) });
}

describe.skipIf(noBrowser !== null)('fields of nodes', () => {
  const base = mkdtempSync(join(tmpdir(), 'noodle-widgets-'));
  let server: TestServer;
  let browser: Browser;
  let page: Page;
  let errors: string[];

  beforeAll(async () => {
    await buildWeb();
    for (const folder of ['input', 'output', 'models/embeddings', 'models/loras']) {
      mkdirSync(join(base, folder), { recursive: true });
    }
    const models = fileURLToPath(new URL('../../models', import.meta.url));
    symlinkSync(join(models, 'checkpoints'), join(base, 'models', 'checkpoints'));
    const picture = (path: string, background: string) =>
      sharp({ create: { width: 96, height: 64, channels: 3, background } })
        .png()
        .toFile(join(base, path));
    await picture('input/alps.png', '#406080');
    await picture('input/boats.png', '#804060');
    await picture('output/Noodle_00001_.png', '#608040');
    await picture('models/loras/ink-style.preview.png', '#302820');
    writeFileSync(join(base, 'models/loras/plain.safetensors'), '');
    writeFileSync(join(base, 'models/embeddings/easynegative.safetensors'), '');
    writeFileSync(join(base, 'models/loras/ink-style.safetensors'), '');
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

  const shot = (name: string) => shotOf(page, name);
  /** Opens a prompt of the API's form; its nodes have the ids they have there. */
  const open = async (prompt: Readonly<Record<number, unknown>>): Promise<void> => {
    const bytes = Buffer.from(JSON.stringify(prompt));
    await dropFile(page, { name: 'fields.json', type: 'application/json', bytes });
    const types = Object.values(prompt).map((node) => (node as { class_type: string }).class_type);
    await page.waitForFunction(
      (wanted) =>
        JSON.stringify(
          window.noodle
            .nodes()
            .map((n) => n.type)
            .sort(),
        ) === wanted,
      JSON.stringify(types.sort()),
    );
  };
  const press = async (id: number, widget: string): Promise<void> => {
    const { x, y } = await spotOf(page, id, `widget:${widget}`);
    await page.mouse.click(x, y);
    // What opens has the keys.
    await page.waitForFunction(() =>
      document.querySelector('.choice-list')?.contains(document.activeElement),
    );
  };
  const value = (id: number, widget: string) =>
    page.evaluate(([node, name]) => window.noodle.widget(node, name), [id, widget] as const);

  test('pictures are chosen by sight, from every folder', async () => {
    await open({ 1: { class_type: 'LoadImage', inputs: { image: 'alps.png' } } });
    await press(1, 'image');
    const list = page.getByRole('dialog', { name: 'Image' });
    await list.getByRole('option', { name: 'boats.png' }).waitFor();
    await page.waitForFunction(() =>
      [...document.querySelectorAll<HTMLImageElement>('.file-grid img')].every(
        (image) => image.complete && image.naturalWidth > 0,
      ),
    );
    await shot('image-combo');
    await page.keyboard.type('boat');
    await expect.poll(() => list.getByRole('option').count()).toBe(1);
    await page.keyboard.press('Enter');
    expect(await value(1, 'image')).toBe('boats.png');

    await press(1, 'image');
    await list.getByRole('tab', { name: 'Outputs' }).click();
    await list.getByRole('option', { name: 'Noodle_00001_.png' }).click();
    expect(await value(1, 'image')).toBe('Noodle_00001_.png [output]');
    await page.waitForFunction(() => window.noodle.imagesOf(1)[0]?.width === 96);
    expect(errors).toEqual([]);
  });

  test('model files are chosen with the pictures beside them', async () => {
    await open({ 1: { class_type: 'LoraLoader', inputs: { lora_name: 'plain.safetensors' } } });
    await press(1, 'lora_name');
    const list = page.locator('.choice-list');
    const option = list.getByRole('option', { name: 'ink-style.safetensors' });
    await page.waitForFunction(
      () => document.querySelector<HTMLImageElement>('.choice-picture img')?.naturalWidth === 96,
    );
    await shot('model-combo');
    expect(await list.locator('img').count()).toBe(1);
    expect(await option.locator('img').count()).toBe(1);
    await option.click();
    expect(await value(1, 'lora_name')).toBe('ink-style.safetensors');
    expect(errors).toEqual([]);
  });

  test('many pictures of a node: a grid, one of them, and back', async () => {
    await open({
      1: { class_type: 'EmptyImage', inputs: { width: 96, height: 64, batch_size: 4, color: 255 } },
      2: { class_type: 'PreviewImage', inputs: { images: ['1', 0] } },
    });
    await page.keyboard.press('Control+Enter');
    await page.waitForFunction(() => window.noodle.imagesOf(2).length === 4, null, {
      timeout: 20_000,
    });
    const opened = () => page.evaluate(() => window.noodle.opened(2));
    const at = (picture: number) => spotOf(page, 2, `picture:${picture}`);
    const third = await at(2);
    await page.mouse.move(third.x, third.y);
    await shot('pictures-grid');

    // A drag of a picture moves the node; a press opens it.
    const before = await spotOf(page, 2, 'title');
    await drag(page, third, { x: third.x + 30, y: third.y + 20 });
    expect(await opened()).toBe(null);
    expect((await spotOf(page, 2, 'title')).x).toBeCloseTo(before.x + 30, -1);
    const moved = await at(2);
    await page.mouse.click(moved.x, moved.y);
    await expect.poll(opened).toBe(2);
    await shot('pictures-one');

    // Arrows go on, and round; where nothing is opened they move the node.
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await expect.poll(opened).toBe(0);
    await page.keyboard.press('ArrowLeft');
    await expect.poll(opened).toBe(3);
    // What is done with a picture is done with that one, wherever the menu was opened.
    const title = await spotOf(page, 2, 'title');
    await page.mouse.click(title.x, title.y, { button: 'right' });
    await page.getByRole('menuitem', { name: 'Open image' }).click();
    const viewer = page.getByRole('dialog', { name: /4/ });
    await viewer.waitFor();
    await shot('pictures-viewer');
    await page.keyboard.press('Escape');
    await viewer.waitFor({ state: 'detached' });
    expect(await opened()).toBe(3);
    await page.keyboard.press('Escape');
    await expect.poll(opened).toBe(null);
    expect(errors).toEqual([]);
  });

  test('embeddings and LoRAs are suggested while a prompt is typed', async () => {
    await open({ 1: { class_type: 'CLIPTextEncode', inputs: { text: '', clip: ['2', 1] } } });
    const area = page.locator('textarea.node-text');
    await area.click();
    await page.keyboard.type('a boat, embedding:ea');
    const list = page.getByRole('listbox', { name: 'Suggestions' });
    await list.getByRole('option', { name: 'easynegative' }).waitFor();
    await shot('suggestions');
    await page.keyboard.press('Enter');
    expect(await area.inputValue()).toBe('a boat, embedding:easynegative');
    await list.waitFor({ state: 'detached' });

    await page.keyboard.type(', <lora:ink');
    await list.waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.type('0.7'); // over the weight
    expect(await area.inputValue()).toMatch(/, <lora:ink-style:0\.7>$/);
    await page.keyboard.press('End');

    // A plain word gets suggestions too, but Enter stays a new line.
    await page.keyboard.type(' easy');
    await list.waitFor();
    await page.keyboard.press('Enter');
    expect(await area.inputValue()).toMatch(/ easy\n$/);
    await page.keyboard.press('Control+/');
    expect(await area.inputValue()).toMatch(/\n$/);

    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('Control+ArrowUp');
    expect(await area.inputValue()).toContain('(easy:1.05)');
    await page.keyboard.press('Control+z');
    expect(await area.inputValue()).not.toContain('(easy:1.05)');
    const typed = await area.inputValue();
    await page.keyboard.press('Control+/');
    expect(await area.inputValue()).toBe(`// ${typed}`);
    expect(await value(1, 'text')).toBe(`// ${typed}`);

    // Left, the whole is one step of the graph.
    const { x, y } = await spotOf(page, 1, 'title');
    await page.mouse.click(x, y);
    await page.keyboard.press('Control+z');
    await expect.poll(() => value(1, 'text')).not.toBe(`// ${typed}`);
    expect(errors).toEqual([]);
  });

  test('colours, boxes, curves and two pictures to compare', async () => {
    await open({
      1: { class_type: 'LoadImage', inputs: { image: 'alps.png' } },
      2: {
        class_type: 'ImageCropV2',
        inputs: { image: ['1', 0], crop_region: { x: 0, y: 0, width: 96, height: 64 } },
      },
      3: { class_type: 'EmptyImage', inputs: { width: 96, height: 64, batch_size: 1, color: 0 } },
      4: { class_type: 'ImageCompare', inputs: { image_a: ['1', 0], image_b: ['3', 0] } },
      5: { class_type: 'PreviewImage', inputs: { images: ['2', 0] } },
      6: { class_type: 'ColorToRGBInt', inputs: { color: '#ffffff' } },
      7: { class_type: 'CurveEditor', inputs: {} },
    });
    const json = (id: number, widget: string) =>
      page.evaluate(([node, name]) => window.noodle.json(node, name), [id, widget] as const);

    await press(6, 'color');
    await page.keyboard.type('2a6');
    await shot('color');
    await page.keyboard.press('Enter');
    expect(await json(6, 'color')).toBe('#22aa66');
    await press(3, 'color');
    await page.locator('.color-list input[type=color]').fill('#ff8000');
    await page.keyboard.press('Escape');
    expect(await json(3, 'color')).toBe(0xff8000);

    await press(2, 'crop_region');
    const stage = (await page.locator('.box-list canvas').boundingBox())!;
    const at = (x: number, y: number) => ({
      x: stage.x + (x * stage.width) / 96,
      y: stage.y + (y * stage.height) / 64,
    });
    await drag(page, at(95.5, 63.5), at(47.5, 31.5));
    await drag(page, at(20, 20), at(30, 25));
    await shot('box');
    await page.keyboard.press('Escape');
    expect(await json(2, 'crop_region')).toEqual({ x: 10, y: 5, width: 48, height: 32 });

    const curve = await spotOf(page, 7, 'widget:curve');
    await page.mouse.move(curve.x, curve.y + 60);
    await page.mouse.down();
    await page.mouse.move(curve.x, curve.y + 30, { steps: 3 });
    await page.mouse.up();
    const { points } = (await json(7, 'curve')) as { points: number[][] };
    expect(points).toHaveLength(3);
    expect(points[1][0]).toBeCloseTo(0.5, 1);
    expect(points[1][1]).toBeGreaterThan(0.55);

    await page.keyboard.press('Control+Enter');
    await page.waitForFunction(() => window.noodle.imagesOf(5)[0]?.width === 48, null, {
      timeout: 20_000,
    });
    await page.waitForFunction(() => window.noodle.compared(4) === 2);
    await shot('compare');
    expect(errors).toEqual([]);
  });
});

describe.skipIf(noBrowser !== null)('sounds and films', () => {
  const stand = useBuiltPage();

  test('are played in their node, and leave with it', async () => {
    const { page, errors } = await openPage(stand.browser, stand.server.url);
    const prompt = { 1: { class_type: 'SaveAudio', inputs: {} } };
    const bytes = Buffer.from(JSON.stringify(prompt));
    await dropFile(page, { name: 'sound.json', type: 'application/json', bytes });
    await page.waitForFunction(() => window.noodle.nodes().length === 1);
    await page.keyboard.press('Control+Enter');
    const player = page.locator('.node-player audio');
    await player.waitFor();
    expect(await player.getAttribute('src')).toContain('filename=tone.flac');
    await shotOf(page, 'player');
    const { x, y } = await spotOf(page, 1, 'title');
    await page.mouse.click(x, y);
    await page.keyboard.press('Delete');
    await player.waitFor({ state: 'detached' });
    expect(errors).toEqual([]);
    await page.context().close();
  });
});
