import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { searchNodes } from '../../web/graph/search.ts';
import { objectInfo } from './fixtures/object-info.ts';
import { doubleClick, drag, noBrowser, spotOf } from './support/browser.ts';
import { useFreshPage } from './support/built-page.ts';

if (noBrowser !== null) console.warn(noBrowser); // eslint-disable-line no-console -- says why below is skipped

const find = (text: string, accepts?: Parameters<typeof searchNodes>[2]): string[] =>
  searchNodes(objectInfo, text, accepts, 400).map(({ type }) => type);

describe('searching nodes', () => {
  test.each([
    ['ksampler', 'KSampler'],
    ['ks', 'KSampler'],
    ['vae dec', 'VAEDecode'],
    ['vd', 'VAEDecode'],
    ['load chk', 'CheckpointLoaderSimple'],
    ['ksmplr', 'KSampler'],
    ['image', 'LoadImage'],
    ['lora', 'LoraLoader'],
    ['controlnet', 'ControlNetApplyAdvanced'],
    ['empty lat', 'EmptyLatentImage'],
    ['primitive', 'PrimitiveNode'],
  ])('%s finds %s first', (text, type) => {
    expect(find(text)[0]).toBe(type);
  });

  test('letters without an order find nothing', () => {
    expect(find('zqxj')).toEqual([]);
  });

  test('a dropped link is offered a reroute, and a primitive where it is a value', () => {
    expect(find('', { type: 'LATENT', side: 'input' })).toContain('Reroute');
    expect(find('', { type: 'LATENT', side: 'input' })).not.toContain('PrimitiveNode');
    expect(find('', { type: 'INT', side: 'output' })).toContain('PrimitiveNode');
    const through = find('', { type: 'LATENT', side: 'both' });
    expect(through).toContain('KSampler');
    expect(through).not.toContain('VAEDecode');
  });
});

describe.skipIf(noBrowser !== null)('the search on the canvas', () => {
  let page: Page;
  useFreshPage((fresh) => ({ page } = fresh));

  const nodes = () =>
    page.evaluate(() =>
      (document.getElementById('graph') as unknown as Handle).data.graph.nodes.map(
        ({ id, type, pos, size }) => ({ id, type, x: pos[0], y: pos[1], w: size[0], h: size[1] }),
      ),
    );
  const links = () =>
    page.evaluate(() =>
      [...(document.getElementById('graph') as unknown as Handle).data.graph.links.values()].map(
        (l) => `${l.origin_id}.${l.origin_slot}-${l.target_id}.${l.target_slot}`,
      ),
    );
  const box = () => page.locator('.search-box');
  const choose = async (text: string) => {
    await box().waitFor();
    await page.waitForFunction(
      () => document.activeElement?.matches('.search-field input') === true,
    );
    await page.keyboard.type(text);
    await page.keyboard.press('Enter');
    await box().waitFor({ state: 'hidden' });
  };

  test('shows the node beforehand, and what was added lately first', async () => {
    await doubleClick(page, { x: 900, y: 700 });
    await page.waitForFunction(
      () => document.activeElement?.matches('.search-field input') === true,
    );
    await page.keyboard.type('upscale latent');
    await expect
      .poll(() => page.locator('.node-preview header').textContent())
      .toBe('Upscale Latent');
    expect(await page.locator('.preview-row .socket').first().textContent()).toBe('Samples');
    await page.keyboard.press('Enter');
    await doubleClick(page, { x: 620, y: 720 });
    const first = page.locator('.search-results button').first();
    await first.waitFor();
    expect(await first.textContent()).toContain('Upscale Latent');
    expect(await first.textContent()).toContain('recent');
  });

  test('a node dropped left of an input lies left of it and is connected', async () => {
    const width = await page.evaluate(() => {
      const { data } = document.getElementById('graph') as unknown as Handle;
      const node = data.graph.nodes.find((n) => n.type === 'EmptyLatentImage');
      const box = (document.getElementById('graph') as HTMLElement).getBoundingClientRect();
      const [x, y] = node?.getInputPos(0) ?? [0, 0];
      return {
        x: box.left + (x + data.ds.offset[0]) * data.ds.scale,
        y: box.top + (y + data.ds.offset[1]) * data.ds.scale,
      };
    });
    await drag(page, width, { x: width.x - 80, y: width.y + 30 });
    await box().waitFor();
    expect(await page.locator('.type-chip').textContent()).toBe('Int');
    await choose('primitive');
    const all = await nodes();
    const made = all.find((n) => n.type === 'PrimitiveNode');
    const target = all.find((n) => n.type === 'EmptyLatentImage');
    expect((made?.x ?? 0) + (made?.w ?? 0)).toBeLessThan(target?.x ?? 0);
    expect(await links()).toContain(`${made?.id}.0-5.0`);
  });

  test('the chip of a dropped link can be taken away', async () => {
    const latent = await spotOf(page, 3, 'output:0');
    await drag(page, latent, { x: latent.x + 40, y: latent.y + 220 });
    await box().waitFor();
    const before = await page.locator('.search-results button').count();
    await page.locator('.type-chip').click();
    expect(await page.locator('.search-results button').count()).toBeGreaterThan(before);
    await page.keyboard.press('Escape');
  });

  test('a node is put into a link from the mark in its middle', async () => {
    const [a, b] = [await spotOf(page, 8, 'output:0'), await spotOf(page, 9, 'input:0')];
    await page.mouse.click((a.x + b.x) / 2, (a.y + b.y) / 2);
    const menu = page.locator('.litecontextmenu');
    await menu.waitFor();
    await page.waitForFunction(() => document.activeElement?.matches('.litecontextmenu') === true);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await choose('invert image');
    const made = (await nodes()).find((n) => n.type === 'ImageInvert');
    expect(await links()).toEqual(
      expect.arrayContaining([`8.0-${made?.id}.0`, `${made?.id}.0-9.0`]),
    );
    expect(await links()).not.toContain('8.0-9.0');
    await page.keyboard.press('Control+z');
    expect(await links()).toContain('8.0-9.0');
  });

  test('context menus work by keyboard and close by Escape', async () => {
    const { x, y } = await spotOf(page, 5, 'title');
    await page.mouse.click(x, y);
    await page.keyboard.press('Shift+F10');
    const menus = page.locator('.litecontextmenu');
    await page.waitForFunction(() => document.activeElement?.matches('.litecontextmenu') === true);
    await page.keyboard.press('c');
    await page.keyboard.press('ArrowRight');
    expect(await menus.count()).toBe(2);
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('No colour');
    await page.keyboard.press('Escape');
    expect(await menus.count()).toBe(1);
    await page.keyboard.press('Escape');
    expect(await menus.count()).toBe(0);
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('graph');
  });

  test('pasting again never lies on what was pasted, over text areas too', async () => {
    const { x, y } = await spotOf(page, 5, 'title');
    await page.mouse.click(x, y);
    await page.keyboard.press('Control+c');
    await page.locator('textarea.node-text').first().hover();
    for (let i = 0; i < 3; i++) await page.keyboard.press('Control+v');
    const places = (await nodes()).map((n) => `${Math.round(n.x / 10)},${Math.round(n.y / 10)}`);
    expect(places).toHaveLength(10);
    expect(new Set(places).size).toBe(10);
  });

  test('fitting leaves room for the panel that is open', async () => {
    await page.keyboard.press('n');
    await page.locator('.side-panel').waitFor();
    await page.locator('#graph').focus();
    await page.keyboard.press('.');
    const panel = await page.locator('.side-panel').boundingBox();
    const { x } = await spotOf(page, 4, 'corner');
    const left = await page.evaluate(() => {
      const { data } = document.getElementById('graph') as unknown as Handle;
      const box = (document.getElementById('graph') as HTMLElement).getBoundingClientRect();
      return (
        box.left +
        (Math.min(...data.graph.nodes.map((n) => n.pos[0])) + data.ds.offset[0]) * data.ds.scale
      );
    });
    expect(left).toBeGreaterThan((panel?.x ?? 0) + (panel?.width ?? 0));
    expect(x).toBeGreaterThan(left);
  });
});

interface Handle {
  readonly data: {
    readonly graph: {
      readonly nodes: readonly {
        id: number;
        type: string;
        pos: number[];
        size: number[];
        getInputPos(slot: number): [number, number];
      }[];
      readonly links: Map<
        number,
        { origin_id: number; origin_slot: number; target_id: number; target_slot: number }
      >;
    };
    readonly ds: { scale: number; offset: number[] };
  };
}
