import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { doubleClick, drag, graphOf, opened, openPage, spotOf } from './browser.ts';
import type { BuiltPage } from './built-page.ts';

export interface MonkeyOptions {
  /** Another seed does other things. */
  readonly seed: number;
  readonly gestures: number;
  /** Milliseconds after which no further gesture is begun. */
  readonly time: number;
}

/**
 * A monkey at the graph: random gestures by mouse and keys, then a reload, then steps of undo and redo. Expects
 * that all tabs are after the reload what they were before, that what is undone and done again is the same, and
 * that the page complains of nothing. Returns how many gestures were made.
 */
export async function monkeyLosesNothing(
  stand: BuiltPage,
  options: MonkeyOptions,
): Promise<number> {
  const { page, errors } = await openPage(stand.browser, stand.server.url);
  const start = await live(page);
  const random = numbersFrom(options.seed);
  const done: string[] = [];
  const end = Date.now() + options.time;
  for (let i = 0; i < options.gestures && Date.now() < end; i++) {
    const gesture = gestures[Math.floor(random() * gestures.length)];
    done.push(gesture.name);
    await gesture(page, random);
  }
  // The last gesture may have left a box open, which is no part of the graph.
  await page.keyboard.press('Escape');
  const before = await allTabs(page);
  expect(before.join(), done.join(' ')).not.toBe(start);
  await page.reload();
  await opened(page);
  expect(await allTabs(page), done.join(' ')).toEqual(before);

  // What is undone and done again is the same.
  await type(page, random);
  const last = await live(page);
  for (let i = 0; i < 8; i++) await press(page, 'Control+z');
  for (let i = 0; i < 8; i++) await press(page, 'Control+y');
  expect(await live(page), done.join(' ')).toBe(last);
  expect(errors).toEqual([]);
  await page.context().close();
  return done.length;
}

/** A generator of numbers in 0..1, the same for the same seed (mulberry32). */
function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The graphs of all tabs, from left to right. */
async function allTabs(page: Page): Promise<string[]> {
  const graphs: string[] = [];
  const tabs = page.locator('.workflow-tab .name');
  for (let i = 0; i < (await tabs.count()); i++) {
    await tabs.nth(i).click();
    graphs.push(await live(page));
  }
  return graphs;
}

type Gesture = (page: Page, random: () => number) => Promise<void>;

const live = (page: Page): Promise<string> => page.evaluate(() => window.noodle.live());

const anyNode = async (page: Page, random: () => number): Promise<number | null> => {
  const { nodes } = await graphOf(page);
  return nodes.length === 0 ? null : Number(nodes[Math.floor(random() * nodes.length)].id);
};
const anyPlace = (random: () => number) => ({ x: 80 + 1100 * random(), y: 80 + 640 * random() });
const press = async (page: Page, chord: string): Promise<void> => {
  await page.locator('#graph').focus();
  await page.keyboard.press(chord);
};
const key = (chord: string): Gesture => {
  const gesture: Gesture = (page) => press(page, chord);
  Object.defineProperty(gesture, 'name', { value: chord });
  return gesture;
};
const type: Gesture = async (page, random) => {
  const fields = page.locator('textarea.node-text');
  const count = await fields.count();
  if (count === 0) return;
  const field = fields.nth(Math.floor(random() * count));
  const text = `words ${Math.floor(random() * 1e6)}`;
  await field.fill(text, { timeout: 1000 }).catch(() => undefined); // may lie under
};

const gestures: readonly Gesture[] = [
  async function move(page, random) {
    const id = await anyNode(page, random);
    if (id !== null) await drag(page, await spotOf(page, id, 'title'), anyPlace(random));
  },
  async function resize(page, random) {
    const id = await anyNode(page, random);
    if (id === null) return;
    const at = await spotOf(page, id, 'corner');
    await drag(page, at, { x: at.x + 90 * random() - 30, y: at.y + 90 * random() - 30 });
  },
  async function link(page, random) {
    const from = await anyNode(page, random);
    const to = await anyNode(page, random);
    if (from === null || to === null) return;
    const slot = Math.floor(random() * 3);
    const ends = await page.evaluate(
      ([a, b, i]) => {
        try {
          return [window.noodle.spot(a, 'output:0'), window.noodle.spot(b, `input:${i}`)];
        } catch {
          return null; // a node without such a socket
        }
      },
      [from, to, slot] as const,
    );
    if (ends !== null) await drag(page, ends[0], ends[1]);
    await page.keyboard.press('Escape'); // the search, where the link was dropped on nothing
  },
  async function click(page, random) {
    const id = await anyNode(page, random);
    if (id === null) return;
    const { x, y } = await spotOf(page, id, 'title');
    await page.mouse.click(x, y);
  },
  async function pan(page, random) {
    await drag(page, anyPlace(random), anyPlace(random));
  },
  async function zoom(page, random) {
    const { x, y } = anyPlace(random);
    await page.mouse.move(x, y);
    await page.mouse.wheel(0, 400 * random() - 200);
  },
  async function add(page, random) {
    await doubleClick(page, anyPlace(random));
    if ((await page.locator('.search-box').count()) > 0) await page.keyboard.press('Enter');
    await page.keyboard.press('Escape');
  },
  type,
  key('Control+z'),
  key('Control+y'),
  key('Control+m'),
  key('Control+b'),
  key('Alt+c'),
  key('p'),
  key('Control+g'),
  key('Delete'),
  key('.'),
  key('Shift+ArrowRight'),
  async function newTab(page, random) {
    // Few: the rest happens in them.
    if ((await page.locator('.workflow-tab').count()) > 3) return;
    if (random() < 0.5) return press(page, 'Shift+ArrowLeft');
    const search = page.locator('.search-shade'); // one that is still open
    if ((await search.count()) > 0) await search.click({ position: { x: 9, y: 600 } });
    await page.getByRole('button', { name: 'New workflow' }).click({ timeout: 2000 });
  },
  async function paste(page, random) {
    await key('Control+c')(page, random);
    await key('Control+v')(page, random);
  },
];
