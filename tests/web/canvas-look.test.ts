import { readdirSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { contrast } from '../../web/graph/color.ts';
import { colorsOf } from '../../web/graph/node-colors.ts';
import { setPalette, themes, themeSheet, type Palette } from '../../web/graph/palette.ts';
import { noBrowser, openPage, opened } from './support/browser.ts';
import { useBuiltPage } from './support/built-page.ts';

if (noBrowser !== null) console.warn(noBrowser); // eslint-disable-line no-console -- says why below is skipped

/** Which texts lie on which grounds. */
const texts: readonly (readonly [text: keyof Palette, grounds: readonly (keyof Palette)[]])[] = [
  [
    'text',
    [
      'canvas',
      'ground',
      'bar',
      'panel',
      'raised',
      'raisedHover',
      'node',
      'nodeTitle',
      'field',
      'fieldFill',
      'fieldButton',
      'missing',
      'missingTitle',
      'tip',
    ],
  ],
  ['textSoft', ['canvas', 'bar', 'panel', 'raised', 'raisedHover', 'node', 'field', 'missing']],
  ['textDim', ['canvas', 'ground', 'bar', 'panel', 'raised', 'raisedHover', 'node', 'field']],
  ['onAccent', ['accent', 'accentHover']],
  ['running', ['canvas', 'field']],
  ['bypass', ['canvas', 'node']],
  ['errorText', ['errorGround', 'panel', 'missing']],
  ['anchor', ['field', 'panel', 'ground']],
  ['note', ['noteGround']],
  ['warn', ['warnGround']],
];

describe.each(Object.entries(themes))('the %s theme', (name, colors) => {
  const cases = texts.flatMap(([text, grounds]) => grounds.map((ground) => ({ text, ground })));
  test.each(cases)('$text can be read on $ground', ({ text, ground }) => {
    expect(contrast(colors[text], colors[ground])).toBeGreaterThanOrEqual(4.5);
  });

  test('the edge of a node is seen on the canvas', () => {
    expect(contrast(colors.nodeBorder, colors.canvas)).toBeGreaterThanOrEqual(2);
  });

  test.each(['#533', '#353', '#a1309b', '#b58b2a', '#000', '#fff', '#3f5159', '#ff0'])(
    'texts can be read on a node that a file colours %s',
    (bgcolor) => {
      setPalette(name);
      const { title, body } = colorsOf({ color: '#232', bgcolor });
      expect(contrast(title, colors.text)).toBeGreaterThanOrEqual(4.5);
      expect(contrast(body, colors.textSoft)).toBeGreaterThanOrEqual(4.5);
    },
  );
});

test('the style sheet has every colour of every theme', () => {
  const sheet = themeSheet();
  expect(sheet).toContain("[data-theme='light'] {\n  color-scheme: light;");
  expect(sheet.match(/--node-title: #/g)).toHaveLength(3);
});

describe.skipIf(noBrowser !== null)('the canvas', () => {
  const stand = useBuiltPage();
  let page: Page;

  beforeAll(async () => {
    ({ page } = await openPage(stand.browser, stand.server.url));
  });

  test('no link of the default workflow runs behind a node', async () => {
    expect(await page.evaluate(hiddenLinks)).toEqual([]);
  });

  test('a theme chosen in the settings is drawn at once', async () => {
    const corner = () => page.evaluate(pixelOfCorner);
    expect(await corner()).toBe('22,23,27');
    await page.evaluate(() =>
      fetch('settings/Comfy.ColorPalette', { method: 'POST', body: '"light"' }),
    );
    await page.reload();
    await opened(page); // the next tests look at its graph
    await page.waitForFunction(() => document.documentElement.dataset.theme === 'light');
    await page.waitForFunction(() => getComputedStyle(document.body).color === 'rgb(29, 32, 38)');
    await expect.poll(corner).toBe('233,235,239');
  });

  test('names are readable on the canvas, and the program keeps its own', async () => {
    const names = await page.evaluate(() => {
      const canvas = (document.getElementById('graph') as unknown as Handle).data;
      const node = canvas.graph.nodes.find((n) => n.type === 'KSampler');
      return {
        shown: node?.widgets.map((w) => w.displayName),
        sockets: node?.inputs.map((i) => i.renderingLabel).slice(0, 4),
        kept: JSON.stringify(node?.serialize()),
      };
    });
    expect(names.shown).toEqual([
      'Seed',
      'After generate',
      'Steps',
      'CFG',
      'Sampler',
      'Scheduler',
      'Denoise',
    ]);
    expect(names.sockets).toEqual(['Model', 'Positive', 'Negative', 'Latent image']);
    expect(names.kept).toContain('"latent_image"');
    expect(names.kept).not.toContain('Latent image');
  });

  test('a preview does not push its node over the one below', async () => {
    stand.server.stepDelay = 60;
    await page.evaluate(() => {
      const { graph } = (document.getElementById('graph') as unknown as Handle).data;
      const sampler = graph.nodes.find((n) => n.type === 'KSampler');
      const below = graph.nodes.find((n) => n.type === 'EmptyLatentImage');
      if (sampler === undefined || below === undefined) throw new Error('no such nodes');
      below.pos = [sampler.pos[0], sampler.pos[1] + sampler.size[1] + 50];
    });
    const height = () =>
      page.evaluate(() => {
        const { graph } = (document.getElementById('graph') as unknown as Handle).data;
        return graph.nodes.find((n) => n.type === 'KSampler')?.size[1];
      });
    const before = await height();
    await page.locator('#graph').focus();
    await page.keyboard.press('Control+Enter');
    await page.waitForFunction(() => window.noodle.imagesOf(3).some((i) => i.live));
    expect(await height()).toBe(before);
    await page.waitForFunction(() => window.noodle.imagesOf(9).length === 1);
    stand.server.stepDelay = 5;
  });

  test('the font comes with the page', () => {
    const assets = readdirSync(new URL('../../web/dist/assets', import.meta.url));
    expect(assets.filter((name) => name.endsWith('.woff2'))).toHaveLength(1);
  });
});

interface Handle {
  readonly data: {
    readonly graph: {
      readonly links: Map<
        number,
        { origin_id: number; origin_slot: number; target_id: number; target_slot: number }
      >;
      readonly nodes: readonly ShownNode[];
    };
  };
}

interface ShownNode {
  readonly id: number;
  readonly type: string;
  readonly boundingRect: readonly number[];
  pos: number[];
  readonly size: readonly number[];
  readonly widgets: readonly { readonly displayName: string }[];
  readonly inputs: readonly { readonly renderingLabel: string }[];
  serialize(): unknown;
  getInputPos(slot: number): [number, number];
  getOutputPos(slot: number): [number, number];
}

/** In the page: links whose curve runs through a node that they do not belong to. */
function hiddenLinks(): string[] {
  const { graph } = (document.getElementById('graph') as unknown as Handle).data;
  const found: string[] = [];
  for (const link of graph.links.values()) {
    const from = graph.nodes.find((n) => n.id === link.origin_id);
    const to = graph.nodes.find((n) => n.id === link.target_id);
    if (from === undefined || to === undefined) continue;
    const [x0, y0] = from.getOutputPos(link.origin_slot);
    const [x1, y1] = to.getInputPos(link.target_slot);
    // As litegraph draws it: a curve that leaves and arrives level, by a quarter of the distance.
    const reach = Math.hypot(x1 - x0, y1 - y0) / 4;
    for (let t = 0; t <= 1; t += 0.01) {
      const [a, b, c, d] = [(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t ** 3];
      const x = a * x0 + b * (x0 + reach) + c * (x1 - reach) + d * x1;
      const y = (a + b) * y0 + (c + d) * y1;
      const over = graph.nodes.find(({ id, boundingRect: [left, top, w, h] }) => {
        return id !== from.id && id !== to.id && x > left && x < left + w && y > top && y < top + h;
      });
      if (over !== undefined) {
        found.push(`${from.type} to ${to.type} behind ${over.type}`);
        break;
      }
    }
  }
  return found;
}

/** In the page: the colour of the canvas in its corner. */
function pixelOfCorner(): string {
  const canvas = document.getElementById('graph') as HTMLCanvasElement;
  const data = canvas.getContext('2d')?.getImageData(2, canvas.height - 3, 1, 1).data ?? [];
  return Array.from(data).slice(0, 3).join(',');
}
