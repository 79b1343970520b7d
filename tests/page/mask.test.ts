/** The mask editor with a real server, as an artist uses it. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildWeb } from '../../web/build.mjs';
import { startServer, type TestServer } from '../support/server.ts';
import { drag, dropFile, launch, noBrowser, openPage, spotOf } from '../web/support/browser.ts';

const shots = process.env.SHOTS;
const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

declare global {
  interface Window {
    axe: typeof axe;
  }
}

describe.skipIf(noBrowser !== null)('on the page', () => {
  const base = mkdtempSync(join(tmpdir(), 'noodle-mask-'));
  let server: TestServer;
  let browser: Browser;
  let page: Page;
  let errors: string[];

  beforeAll(async () => {
    await buildWeb();
    mkdirSync(join(base, 'models'));
    mkdirSync(join(base, 'input'));
    const models = fileURLToPath(new URL('../../models', import.meta.url));
    symlinkSync(join(models, 'checkpoints'), join(base, 'models', 'checkpoints'));
    await sharp({ create: { width: 128, height: 128, channels: 3, background: '#3060c0' } })
      .composite([
        {
          input: Buffer.from(
            '<svg width="128" height="128"><rect x="44" y="44" width="40" height="40" fill="#e0e0e0"/></svg>',
          ),
        },
      ])
      .png()
      .toFile(join(base, 'input', 'scene.png'));
    server = await startServer({ base });
    browser = await launch();
    ({ page, errors } = await openPage(browser, server.url));
    const prompt = Buffer.from(JSON.stringify(inpaint));
    await dropFile(page, { name: 'inpaint.json', type: 'application/json', bytes: prompt });
    await page.waitForFunction(
      () => window.noodle.nodes().length === 10 && window.noodle.imagesOf(1).length === 1,
    );
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    rmSync(base, { recursive: true, force: true });
  });

  const shot = async (name: string): Promise<void> => {
    if (shots !== undefined) await page.screenshot({ path: join(shots, `${name}.png`) });
  };
  const open = async (): Promise<void> => {
    const { x, y } = await spotOf(page, 1, 'title');
    await page.mouse.click(x, y, { button: 'right' });
    await page.getByText('Open in mask editor').click();
    await page.locator('.mask-stage canvas').waitFor();
    await expect
      .poll(() => page.locator('.mask-stage canvas').evaluate((c: HTMLCanvasElement) => c.width))
      .toBeGreaterThan(400);
  };
  /** Where a pixel of the 128 x 128 picture is on the page, as the editor first shows it. */
  const at = async (x: number, y: number): Promise<{ x: number; y: number }> => {
    const box = (await page.locator('.mask-stage canvas').boundingBox())!;
    const scale = Math.min((box.width - 48) / 128, (box.height - 48) / 128, 8);
    return {
      x: box.x + (box.width - 128 * scale) / 2 + x * scale,
      y: box.y + (box.height - 128 * scale) / 2 + y * scale,
    };
  };
  const tool = (name: string) =>
    page.locator('.mask-editor').getByRole('button', { name, exact: true }).click();
  const save = async (): Promise<string> => {
    await tool('Save');
    await page.locator('.mask-editor').waitFor({ state: 'detached' });
    return page.evaluate(() => window.noodle.widget(1, 'image'));
  };
  const pixels = async (value: string) => {
    const file = /^clipspace\/(\S+\.png) \[input\]$/.exec(value)?.[1] ?? '';
    const { data } = await sharp(await readFile(join(base, 'input', 'clipspace', file)))
      .raw()
      .toBuffer({ resolveWithObject: true });
    return (x: number, y: number) => [...data.subarray(4 * (128 * y + x), 4 * (128 * y + x) + 4)];
  };

  test('paint, erase, take back, invert: the file is what was seen', async () => {
    await open();
    await page.keyboard.press('r');
    await drag(page, await at(40, 40), await at(88, 88));
    await tool('Brush');
    await drag(page, await at(10, 10), await at(30, 10));
    await page.keyboard.press('Control+z'); // the stroke
    await tool('Eraser');
    for (let i = 0; i < 20; i++) await page.keyboard.press('[');
    for (let i = 0; i < 9; i++) await page.keyboard.press(']');
    const middle = await at(64, 64);
    await page.mouse.click(middle.x, middle.y);
    await shot('mask-editor');
    const value = await save();
    expect(value).toMatch(/^clipspace\/clipspace-mask-\d+\.png \[input\]$/);
    const pixel = await pixels(value);
    expect(pixel(20, 10)).toEqual([0x30, 0x60, 0xc0, 255]);
    expect(pixel(40, 40)).toEqual([0x30, 0x60, 0xc0, 0]);
    expect(pixel(50, 50)).toEqual([0xe0, 0xe0, 0xe0, 0]);
    expect(pixel(87, 87)[3]).toBe(0);
    expect(pixel(88, 88)[3]).toBe(255);
    expect(pixel(64, 64)[3]).toBe(255);
    expect(errors).toEqual([]);
  });

  test('leaving asks when something was painted, and opening again shows the mask', async () => {
    await open();
    await page.keyboard.press('Escape');
    await page.locator('.mask-editor').waitFor({ state: 'detached' });
    await open();
    await tool('Fill like colours of the picture');
    const inside = await at(45, 80);
    await page.mouse.click(inside.x, inside.y, { button: 'right' }); // the light square is free again
    await page.keyboard.press('Escape');
    const question = page.getByRole('dialog', { name: 'Leave without saving?' });
    await question.getByRole('button', { name: 'Cancel' }).click();
    await page.keyboard.press('Control+y');
    const value = await save();
    const pixel = await pixels(value);
    expect(pixel(45, 80)).toEqual([0xe0, 0xe0, 0xe0, 255]);
    expect(pixel(41, 87)).toEqual([0x30, 0x60, 0xc0, 0]);
    expect(errors).toEqual([]);
  });

  test('what is masked is painted anew, the rest stays', async () => {
    await open();
    await page.keyboard.press('Delete');
    await tool('Lasso');
    const corners = await Promise.all([at(40, 40), at(88, 40), at(88, 88), at(40, 88)]);
    await page.mouse.move(corners[0].x, corners[0].y);
    await page.mouse.down();
    for (const { x, y } of corners) await page.mouse.move(x, y, { steps: 4 });
    await page.mouse.up();
    await save();
    await page.keyboard.press('Control+Enter');
    const images = (id: number) => page.evaluate((node) => window.noodle.imagesOf(node), id);
    await expect.poll(() => images(10), { timeout: 30_000 }).toHaveLength(1);
    await shot('inpainted');
    const [before, after] = await Promise.all(
      [join(base, 'input', 'scene.png'), join(base, 'output', 'inpainted_00001_.png')].map(
        async (path) =>
          sharp(await readFile(path))
            .removeAlpha()
            .raw()
            .toBuffer(),
      ),
    );
    let [inside, outside] = [0, 0];
    for (let i = 0; i < before.length; i++) {
      const [x, y] = [Math.floor(i / 3) % 128, Math.floor(i / 3 / 128)];
      const apart = Math.abs(before[i] - after[i]);
      if (x >= 40 && x < 88 && y >= 40 && y < 88) inside += apart / (48 * 48 * 3);
      else outside += apart;
    }
    expect(inside).toBeGreaterThan(20);
    expect(outside).toBe(0);
    expect(errors).toEqual([]);
  });

  test('paint lies on the picture, and can be changed when it is opened again', async () => {
    await open();
    await page.getByRole('radio', { name: 'Paint' }).click();
    await tool('Rectangle');
    await drag(page, await at(0, 0), await at(128, 20));
    await shot('paint-layer');
    const value = await save();
    expect(value).toMatch(/clipspace-painted-masked-\d+\.png \[input\]$/);
    expect((await pixels(value))(64, 10)).toEqual([0xe0, 0x3c, 0x31, 255]);
    await open();
    await page.getByRole('radio', { name: 'Paint' }).click();
    await tool('Eraser');
    await page.keyboard.press('Delete');
    const again = await pixels(await save());
    expect(again(64, 10)).toEqual([0x30, 0x60, 0xc0, 255]);
    expect(errors).toEqual([]);
  });

  test('a finger paints, two fingers zoom and take the stroke of the first one back', async () => {
    await open();
    const undo = page.locator('.mask-editor').getByRole('button', { name: 'Undo' });
    const zoom = page.locator('.mask-zoom button').nth(1);
    const before = await zoom.textContent();
    const touch = await page.context().newCDPSession(page);
    const send = (type: string, ...touchPoints: { x: number; y: number }[]) =>
      touch.send('Input.dispatchTouchEvent', {
        type: type as 'touchStart',
        touchPoints: touchPoints.map((point, id) => ({ ...point, id })),
      });
    const [a, b, c, d] = await Promise.all([at(50, 100), at(60, 110), at(78, 110), at(110, 110)]);
    await send('touchStart', a);
    await send('touchMove', b);
    await send('touchEnd');
    await expect.poll(() => undo.isEnabled()).toBe(true);
    await page.keyboard.press('Control+z');
    expect(await undo.isEnabled()).toBe(false);

    await send('touchStart', b);
    await send('touchMove', a);
    await send('touchStart', a, c);
    await send('touchMove', a, d);
    await send('touchEnd');
    await expect.poll(() => zoom.textContent()).not.toBe(before);
    expect(await undo.isEnabled()).toBe(false);
    await page.keyboard.press('Escape');
    await page.locator('.mask-editor').waitFor({ state: 'detached' });
    expect(errors).toEqual([]);
  });

  test('its controls are named, and there is room for it on a phone', async () => {
    await open();
    await page.setViewportSize({ width: 390, height: 844 });
    await expect
      .poll(async () => (await page.locator('.mask-stage').boundingBox())!.width)
      .toBeLessThanOrEqual(390);
    await page.evaluate(await readFile(axePath, 'utf8'));
    const found = await page.evaluate(async () => {
      const { violations } = await window.axe.run('.mask-editor');
      return violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
    });
    await shot('mask-phone');
    expect(found).toEqual([]);
    await page.keyboard.press('Escape');
    await page.setViewportSize({ width: 1280, height: 800 });
  });
});

/** The masked part of the picture drawn anew, and laid into the picture. */
const inpaint = {
  1: { class_type: 'LoadImage', inputs: { image: 'scene.png' } },
  2: { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: 'tiny-scenes.safetensors' } },
  3: {
    class_type: 'CLIPTextEncode',
    inputs: { clip: ['2', 1], text: 'a red circle on a blue background' },
  },
  4: { class_type: 'CLIPTextEncode', inputs: { clip: ['2', 1], text: '' } },
  5: { class_type: 'VAEEncode', inputs: { pixels: ['1', 0], vae: ['2', 2] } },
  6: { class_type: 'SetLatentNoiseMask', inputs: { samples: ['5', 0], mask: ['1', 1] } },
  7: {
    class_type: 'KSampler',
    inputs: {
      model: ['2', 0],
      positive: ['3', 0],
      negative: ['4', 0],
      latent_image: ['6', 0],
      seed: 7,
      steps: 8,
      cfg: 4,
      sampler_name: 'euler',
      scheduler: 'normal',
      denoise: 1,
    },
  },
  8: { class_type: 'VAEDecode', inputs: { samples: ['7', 0], vae: ['2', 2] } },
  9: {
    class_type: 'ImageCompositeMasked',
    inputs: {
      destination: ['1', 0],
      source: ['8', 0],
      mask: ['1', 1],
      x: 0,
      y: 0,
      resize_source: false,
    },
  },
  10: { class_type: 'SaveImage', inputs: { images: ['9', 0], filename_prefix: 'inpainted' } },
};
