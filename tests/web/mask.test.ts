/** The mask editor: its painting in numbers, and with a real server as an artist uses it. */
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
import { beginEdit, coloured, faded, inverted, towards } from '../../web/mask/edit.ts';
import { isOpaque } from '../../web/mask/files.ts';
import { createHistory } from '../../web/mask/history.ts';
import { createLayer, type Layer } from '../../web/mask/layer.ts';
import {
  everything,
  flood,
  polygon,
  rectangle,
  segment,
  type Shape,
} from '../../web/mask/shapes.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { drag, dropFile, launch, noBrowser, openPage, spotOf } from './support/browser.ts';

const shots = process.env.SHOTS;
const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

declare global {
  interface Window {
    axe: typeof axe;
  }
}

const grey = (channels: 3 | 4) => ({
  create: { width: 16, height: 16, channels, background: { r: 90, g: 90, b: 90, alpha: 0.5 } },
});

/** Rows of a small layer as text: '.' nothing, '#' all, digits tenths in between. */
const drawn = ({ width, height, data }: Layer): string[] =>
  Array.from({ length: height }, (_, y) =>
    Array.from({ length: width }, (_, x) => {
      const value = data[y * width + x];
      return value === 0 ? '.' : value === 255 ? '#' : String(Math.floor((value / 255) * 10));
    }).join(''),
  );

function painted(layer: Layer, shape: Shape, value = 255): Layer {
  const edit = beginEdit(layer, towards(value));
  edit.paint(shape);
  edit.done();
  return layer;
}

describe('shapes', () => {
  test('a hard stroke is a capsule', () => {
    const stroke = segment({ x: 2.5, y: 2.5, radius: 1 }, { x: 6.5, y: 2.5, radius: 1 }, 1);
    expect(drawn(painted(createLayer(9, 5, 1), stroke))).toEqual([
      '.........',
      '.0555550.',
      '.5#####5.',
      '.0555550.',
      '.........',
    ]);
  });

  test('a rectangle, whichever corner it begins at', () => {
    const expected = ['....', '.##.', '.##.', '....'];
    expect(drawn(painted(createLayer(4, 4, 1), rectangle(3, 3, 1, 1)))).toEqual(expected);
    expect(drawn(painted(createLayer(4, 4, 1), rectangle(0.6, 1.2, 3.4, 2.9)))).toEqual(expected);
  });

  test('an outline that crosses itself', () => {
    const bow = polygon([
      [0, 0],
      [6, 6],
      [6, 0],
      [0, 6],
    ]);
    expect(drawn(painted(createLayer(6, 6, 1), bow))).toEqual([
      '.....#',
      '#...##',
      '##.###',
      '##.###',
      '#...##',
      '.....#',
    ]);
  });

  test('what hangs together is filled, across turns', () => {
    const walls = createLayer(7, 5, 1);
    for (const [x, y] of [
      [1, 0],
      [1, 1],
      [1, 2],
      [1, 3],
      [3, 4],
      [3, 3],
      [3, 2],
      [3, 1],
      [5, 0],
      [5, 1],
      [5, 2],
      [5, 3],
      [5, 4],
    ]) {
      walls.data[y * 7 + x] = 255;
    }
    expect(drawn(painted(createLayer(7, 5, 1), flood(walls, 0, 0, 10)))).toEqual([
      '#.###..',
      '#.#.#..',
      '#.#.#..',
      '#.#.#..',
      '###.#..',
    ]);
  });

  test('colours that are near enough count as one', () => {
    const row = createLayer(4, 1, 4);
    row.data.set([10, 0, 0, 255, 20, 0, 0, 255, 40, 0, 0, 255, 20, 0, 0, 255]);
    expect(drawn(painted(createLayer(4, 1, 1), flood(row, 0, 0, 10)))).toEqual(['##..']);
  });
});

describe('edits', () => {
  test('a stroke that crosses itself is no stronger there', () => {
    const layer = createLayer(300, 4, 1);
    const edit = beginEdit(layer, towards(255), 0.5);
    edit.paint(rectangle(0, 0, 300, 2));
    edit.paint(rectangle(0, 1, 300, 4));
    expect([...new Set(layer.data)]).toEqual([128]);
  });

  test('every step can be taken back and done again, over tiles', () => {
    const layer = createLayer(600, 300, 1);
    const history = createHistory();
    const states = [Buffer.from(layer.data)];
    for (const shape of [
      rectangle(10, 10, 590, 290),
      segment({ x: 0, y: 0, radius: 40 }, { x: 599, y: 299, radius: 9 }, 0.5),
    ]) {
      const edit = beginEdit(layer, towards(states.length === 1 ? 255 : 0));
      edit.paint(shape);
      history.add(edit.done());
      states.push(Buffer.from(layer.data));
    }
    history.undo();
    expect(states[1].equals(Buffer.from(layer.data))).toBe(true);
    history.undo();
    expect(states[0].equals(Buffer.from(layer.data))).toBe(true);
    expect(history.undo()).toBeNull();
    history.redo();
    history.redo();
    expect(states[2].equals(Buffer.from(layer.data))).toBe(true);
    expect(history.canRedo).toBe(false);
  });

  test('the oldest steps go when memory is short, the last one stays', () => {
    const layer = createLayer(256, 256, 1);
    const history = createHistory(100_000);
    for (const blend of [inverted, inverted, inverted]) {
      const edit = beginEdit(layer, blend);
      edit.paint(everything(layer));
      history.add(edit.done());
    }
    expect(history.undo()).not.toBeNull();
    expect(history.undo()).toBeNull();
    expect(layer.data.every((v) => v === 0)).toBe(true);
  });

  test('paint lies over paint, and is taken away', () => {
    const layer = createLayer(1, 1, 4);
    const paint = (blend: Parameters<typeof beginEdit>[1], opacity: number): void => {
      const edit = beginEdit(layer, blend, opacity);
      edit.paint(everything(layer));
      edit.done();
    };
    paint(coloured([200, 100, 0]), 0.5);
    expect([...layer.data]).toEqual([200, 100, 0, 128]);
    paint(coloured([0, 0, 200]), 0.5);
    // 0.5 of blue over what is left of the half-covered orange.
    expect([...layer.data]).toEqual([67, 33, 133, 192]);
    paint(faded, 0.5);
    expect([...layer.data]).toEqual([67, 33, 133, 96]);
  });
});

test.each([
  ['a JPEG', sharp(grey(3)).jpeg(), true],
  ['a PNG of colours', sharp(grey(3)).png(), true],
  ['a PNG with alpha', sharp(grey(4)).png(), false],
  ['a WebP', sharp(grey(3)).webp(), false],
])('%s is opaque for sure: %#', async (_name, picture, expected) => {
  expect(isOpaque(await picture.toBuffer())).toBe(expected);
});

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
