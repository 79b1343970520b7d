import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { align, distribute } from '../../web/graph/align.ts';
import { placeInLayers, type Box } from '../../web/graph/layers.ts';
import { doubleClick, noBrowser, spotOf } from './support/browser.ts';
import { useFreshPage } from './support/built-page.ts';

if (noBrowser !== null) console.warn(noBrowser); // eslint-disable-line no-console -- says why below is skipped

const box = (x: number, y: number, w: number, h: number) => {
  const boundingRect = new Float64Array([x, y, w, h]);
  return {
    boundingRect,
    move(dx: number, dy: number) {
      boundingRect[0] += dx;
      boundingRect[1] += dy;
    },
  };
};
const places = (boxes: readonly { boundingRect: Float64Array }[]) =>
  boxes.map(({ boundingRect: [x, y] }) => [x, y]);

describe('lining up', () => {
  const three = () => [box(0, 0, 10, 10), box(50, 30, 30, 20), box(200, 100, 20, 40)] as never[];

  test.each([
    [
      'left',
      [
        [0, 0],
        [0, 30],
        [0, 100],
      ],
    ],
    [
      'right',
      [
        [210, 0],
        [190, 30],
        [200, 100],
      ],
    ],
    [
      'top',
      [
        [0, 0],
        [50, 0],
        [200, 0],
      ],
    ],
    [
      'middle',
      [
        [0, 65],
        [50, 60],
        [200, 50],
      ],
    ],
  ] as const)('align %s', (how, expected) => {
    const boxes = three();
    align(boxes, how);
    expect(places(boxes)).toEqual(expected);
  });

  test('equal gaps leave the outer two where they are', () => {
    const boxes = three();
    distribute(boxes, 'across');
    expect(places(boxes)).toEqual([
      [0, 0],
      [90, 30],
      [200, 100],
    ]);
  });
});

describe('layers', () => {
  test('every link goes to the right and nothing overlaps, circles or not', () => {
    const keys = Array.from({ length: 40 }, (_, i) => ({ i }));
    const boxes = new Map<object, Box>(
      keys.map((key, i) => [key, { x: 0, y: 0, w: 100 + (i % 5) * 30, h: 40 + (i % 7) * 25 }]),
    );
    const links = keys.slice(1).flatMap((key, i) => {
      const from = keys[Math.floor(i / 3)];
      return i % 4 === 0
        ? [
            [from, key],
            [keys[Math.floor(i / 2)], key],
          ]
        : [[from, key]];
    }) as [object, object][];
    placeInLayers(boxes, links);
    for (const [from, to] of links) {
      const [a, b] = [boxes.get(from) as Box, boxes.get(to) as Box];
      if (from !== to) expect(a.x + a.w).toBeLessThan(b.x);
    }
    const all = [...boxes.values()];
    for (const a of all) {
      for (const b of all) {
        const over = a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
        expect(over).toBe(a === b);
      }
    }
    const [one, two] = [{}, {}];
    const circle = new Map<object, Box>([one, two].map((k) => [k, { x: 0, y: 0, w: 9, h: 9 }]));
    placeInLayers(circle, [
      [one, two],
      [two, one],
    ]);
    expect(circle.get(one)?.x).not.toBe(circle.get(two)?.x);
  });
});

describe.skipIf(noBrowser !== null)('tools of the canvas', () => {
  let page: Page;
  useFreshPage((fresh) => ({ page } = fresh));
  const positive = 6;
  const negative = 7;

  const state = () =>
    page.evaluate(() => {
      const { graph, ds } = (document.getElementById('graph') as unknown as Handle).data;
      return {
        nodes: graph.nodes.map(({ id, pos, mode, size }) => ({
          id,
          x: pos[0],
          y: pos[1],
          mode,
          size: [...size],
        })),
        groups: graph.groups.map(({ title }) => title),
        view: [ds.scale, ...ds.offset],
      };
    });
  const nodeAt = async (id: number) => (await state()).nodes.find((n) => n.id === id);
  const click = async (id: number, part = 'title') => {
    const { x, y } = await spotOf(page, id, part);
    await page.mouse.click(x, y);
  };
  const selectBoth = async () => {
    await click(positive);
    await page.keyboard.down('Shift');
    await click(negative);
    await page.keyboard.up('Shift');
    await page.locator('.toolbox').waitFor();
  };

  test('the toolbox bypasses, colours and deletes what is selected, each one undo step', async () => {
    await selectBoth();
    await page.getByRole('button', { name: 'Bypass' }).click();
    expect((await nodeAt(positive))?.mode).toBe(4);
    await page.getByRole('button', { name: 'Colour' }).click();
    await page.getByRole('menuitem', { name: 'blue', exact: true }).click();
    await page.getByRole('button', { name: 'Delete the selection' }).click();
    expect((await state()).nodes).toHaveLength(5);
    await page.locator('.toolbox').waitFor({ state: 'hidden' });
    await page.keyboard.press('Control+z');
    expect((await state()).nodes).toHaveLength(7);
    await page.keyboard.press('Control+z');
    await page.keyboard.press('Control+z');
    expect((await nodeAt(positive))?.mode).toBe(0);
  });

  test('nodes are lined up from the toolbox and moved by arrow keys', async () => {
    const before = await nodeAt(positive);
    await click(negative);
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowDown');
    expect(await nodeAt(negative)).toMatchObject({ x: 350, y: 410 });
    await selectBoth();
    await page.getByRole('button', { name: 'Align' }).click();
    await page.getByRole('menuitem', { name: 'Align left edges' }).click();
    expect((await nodeAt(negative))?.x).toBe(before?.x);
  });

  test('a group asks for its name; its title renames, its inside opens the search', async () => {
    await selectBoth();
    await page.keyboard.press('Control+g');
    const editor = page.locator('.field-editor');
    await editor.waitFor();
    await page.waitForFunction(() => document.activeElement?.className === 'field-editor');
    await page.keyboard.type('Prompts');
    await page.keyboard.press('Enter');
    expect((await state()).groups).toEqual(['Prompts']);
    const { x, y } = await spotOf(page, positive, 'title');
    const [scale] = (await state()).view;
    await doubleClick(page, { x, y: y - 30 * scale });
    await editor.waitFor();
    await page.keyboard.press('Escape');
    const below = await spotOf(page, negative, 'title');
    await doubleClick(page, { x: below.x, y: below.y - 30 * scale });
    await page.locator('.search-box').waitFor();
    await page.keyboard.press('Escape');
  });

  test('the map moves the view, and the lock keeps nodes where they are', async () => {
    await page.keyboard.press('Alt+m');
    const map = page.locator('.minimap');
    await map.waitFor();
    const { view } = await state();
    await map.click({ position: { x: 20, y: 75 } });
    expect((await state()).view[1]).toBeGreaterThan(view[1]);
    await page.keyboard.press('.');
    await page.getByRole('button', { name: 'Lock the canvas' }).click();
    const before = await nodeAt(negative);
    const at = await spotOf(page, negative, 'title');
    await page.mouse.move(at.x, at.y);
    await page.mouse.down();
    await page.mouse.move(at.x + 80, at.y + 40, { steps: 4 });
    await page.mouse.up();
    expect(await nodeAt(negative)).toEqual(before);
    await page.getByRole('button', { name: 'Lock the canvas' }).click();
  });

  test('arranging leaves no node on another', async () => {
    await page.locator('#graph').focus();
    await page.keyboard.press('Alt+l');
    const { nodes } = await state();
    for (const a of nodes) {
      for (const b of nodes) {
        const apart =
          a.x + a.size[0] <= b.x ||
          b.x + b.size[0] <= a.x ||
          a.y + a.size[1] <= b.y - 30 ||
          b.y + b.size[1] <= a.y - 30;
        expect(apart || a.id === b.id, `${a.id} and ${b.id}`).toBe(true);
      }
    }
  });
});

interface Handle {
  readonly data: {
    readonly graph: {
      readonly nodes: readonly { id: number; pos: number[]; size: number[]; mode: number }[];
      readonly groups: readonly { title: string }[];
    };
    readonly ds: { scale: number; offset: number[] };
  };
}
