/**
 * An artist's whole walk on one page of our own server, by mouse and keys: from an empty canvas to a painted-over
 * picture, saved work, a crashed tab and a killed server. Each part has tests of its own; here all of it has to
 * hold one after another.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BrowserContext, Page } from 'playwright-core';
import sharp from 'sharp';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startServer } from '../support/server.ts';
import {
  doubleClick,
  drag,
  dropFile,
  graphOf,
  noBrowser,
  opened,
  openPage,
  spotOf,
} from '../web/support/browser.ts';
import { useRealPage } from '../web/support/real-page.ts';

const shots = process.env.SHOTS;

describe.skipIf(noBrowser !== null)('an artist', () => {
  // The page finds the server again after a restart.
  const flags = [
    ...['--port', String(20_000 + (process.pid % 12_000))],
    ...['--preview-method', 'latent2rgb'],
  ];
  const stand = useRealPage({ flags });
  let context: BrowserContext;
  let page: Page;
  /** Ids of the nodes that the artist made. */
  const made: Record<string, number> = {};

  beforeAll(async () => {
    context = await stand.browser.newContext({ viewport: { width: 1920, height: 1080 } });
    context.setDefaultTimeout(20_000);
    ({ page } = await openPage(context, stand.server.url));
  });

  const shot = async (name: string): Promise<void> => {
    if (shots !== undefined) await page.screenshot({ path: join(shots, `${name}.png`) });
  };
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') await shot(`failed-${task.name.slice(0, 12)}`);
  });

  const at = (node: string, part: string) => spotOf(page, made[node], part);
  const live = () => page.evaluate(() => window.noodle.live());
  const types = async () => (await graphOf(page)).nodes.map(({ type }) => type).sort();
  const imagesOf = (node: string) => page.evaluate((id) => window.noodle.imagesOf(id), made[node]);
  const click = async (node: string, part = 'title', button: 'left' | 'right' = 'left') => {
    const { x, y } = await at(node, part);
    await page.mouse.click(x, y, { button });
  };
  const connect = async (from: string, output: number, to: string, input: number) =>
    drag(page, await at(from, `output:${output}`), await at(to, `input:${input}`));
  /** Types into the search that is open, takes the first node found, and calls it `name`. */
  const choose = async (words: string, name: string): Promise<void> => {
    const before = new Set((await graphOf(page)).nodes.map(({ id }) => id));
    await page.locator('.search-field input:focus').waitFor();
    await page.keyboard.type(words);
    await page.keyboard.press('Enter');
    await page.locator('.search-box').waitFor({ state: 'detached' });
    const fresh = (await graphOf(page)).nodes.filter(({ id }) => !before.has(id));
    expect(fresh).toHaveLength(1);
    made[name] = Number(fresh[0].id);
  };
  const add = async (words: string, name: string, x: number, y: number): Promise<void> => {
    await doubleClick(page, { x, y });
    await choose(words, name);
  };
  /** Drops a link on the empty canvas and takes the first node that the search finds for it. */
  const extend = async (
    from: string,
    slot: string,
    words: string,
    name: string,
    x: number,
    y: number,
  ) => {
    await drag(page, await at(from, slot), { x, y });
    await choose(words, name);
  };
  const menuOf = async (node: string, ...entries: string[]): Promise<void> => {
    await click(node, 'title', 'right');
    for (const entry of entries) {
      await page.getByRole('menu').getByText(entry, { exact: true }).click();
    }
  };
  /** Types a number into a field of a node. */
  const setNumber = async (node: string, field: string, value: string): Promise<void> => {
    await doubleClick(page, await at(node, `widget:${field}`));
    await page.locator('.field-editor:focus').waitFor();
    await page.keyboard.press('Control+a');
    await page.keyboard.type(value);
    await page.keyboard.press('Enter');
    expect(
      await page.evaluate(
        ([id, name]) => window.noodle.widget(Number(id), name),
        [String(made[node]), field],
      ),
    ).toBe(value);
  };
  const saved = async () =>
    readdirSync(join(stand.base, 'output'))
      .filter((name) => name.endsWith('.png'))
      .sort();
  const queue = async (): Promise<void> => {
    await page.locator('#graph').focus();
    await page.keyboard.press('Control+Enter');
  };

  type Pixels = (x: number, y: number) => number[];
  const pixelsOf = async (file: string): Promise<Pixels> => {
    const image = sharp(join(stand.base, 'output', file)).removeAlpha();
    const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
    return (x, y) => [...data.subarray(3 * (info.width * y + x)).subarray(0, 3)];
  };
  /** Queues, waits for what is saved, and returns its pixels. */
  const newPicture = async (): Promise<Pixels> => {
    const before = await saved();
    await queue();
    await expect.poll(saved, { timeout: 30_000 }).toHaveLength(before.length + 1);
    await page.locator('.run-title').waitFor({ state: 'detached' });
    return pixelsOf((await saved()).at(-1)!);
  };
  const front = (name: string) =>
    page.locator('.workflow-tab[data-active=true]').getByText(name, { exact: true });
  const tabs = (from: Page = page) => from.locator('.workflow-tab .name > span').allTextContents();

  test('builds text to image from an empty canvas', async () => {
    await page.getByRole('button', { name: 'New workflow' }).click();
    expect(await types()).toEqual([]);
    await add('load checkpoint', 'model', 80, 330);
    await add('clip text encode', 'positive', 440, 150);
    await add('clip text encode', 'negative', 440, 430);
    await add('empty latent image', 'latent', 440, 700);
    await shot('four');
    await extend('model', 'output:0', 'ksampler', 'sampler', 920, 200);
    await connect('model', 1, 'positive', 0);
    await connect('model', 1, 'negative', 0);
    await connect('positive', 0, 'sampler', 1);
    await connect('negative', 0, 'sampler', 2);
    await connect('latent', 0, 'sampler', 3);
    await shot('sampler');
    await extend('sampler', 'output:0', 'vae decode', 'decode', 1300, 140);
    await connect('model', 2, 'decode', 1);
    await extend('decode', 'output:0', 'save image', 'save', 1650, 140);
    await setNumber('latent', 'width', '128');
    await setNumber('latent', 'height', '128');
    const prompts = page.locator('textarea.node-text');
    await prompts.first().fill('a red circle on a blue background');
    await shot('built');
  });

  test('queues it, cancels it, and gets the picture the next time', async () => {
    await setNumber('sampler', 'steps', '2000');
    await setNumber('sampler', 'seed', '11');
    await queue();
    await expect
      .poll(() => imagesOf('sampler'), { timeout: 30_000 })
      .toMatchObject([{ live: true }]);
    await page.getByRole('button', { name: 'Stop', exact: true }).click();
    await page.getByText('Cancelled').first().waitFor();
    await setNumber('sampler', 'steps', '20');
    await queue();
    await expect
      .poll(() => imagesOf('save'), { timeout: 30_000 })
      .toEqual([{ width: 128, height: 128, live: false }]);
    await shot('picture');
  });

  test('takes a move and a link back and does them again', async () => {
    const before = await live();
    const from = await at('negative', 'title');
    await drag(page, from, { x: from.x, y: from.y + 30 });
    const moved = await live();
    expect(moved).not.toBe(before);
    await connect('positive', 0, 'sampler', 2);
    const linked = await live();
    expect(linked).not.toBe(moved);
    await page.keyboard.press('Control+z');
    expect(await live()).toBe(moved);
    await page.keyboard.press('Control+z');
    expect(await live()).toBe(before);
    await page.keyboard.press('Control+y');
    await page.keyboard.press('Control+y');
    expect(await live()).toBe(linked);
    await page.keyboard.press('Control+z');
    expect(await live()).toBe(moved);
  });

  test('makes a subgraph of a selection, and nodes of it again', async () => {
    const before = await types();
    await click('positive');
    await page.keyboard.down('Shift');
    await click('negative');
    await page.keyboard.up('Shift');
    await page.keyboard.press('Control+Shift+e');
    await expect.poll(types).toHaveLength(before.length - 1);
    const subgraph = (await graphOf(page)).nodes.find(({ type }) => /^[\da-f-]{36}$/.test(type));
    made.subgraph = Number(subgraph?.id);
    await shot('subgraph');
    await queue();
    await page.locator('.run-title').waitFor();
    await page.locator('.run-title').waitFor({ state: 'detached' });
    await menuOf('subgraph', 'Unpack subgraph');
    await expect.poll(types).toEqual(before);
    await shot('unpacked');
  });

  test('bypasses a node in the middle of a link and brings it back', async () => {
    const [from, to] = [await at('decode', 'output:0'), await at('save', 'input:0')];
    await page.mouse.click((from.x + to.x) / 2, (from.y + to.y) / 2);
    await page.locator('.litecontextmenu').getByText('Add node', { exact: true }).click();
    await choose('invert image', 'invert');
    await shot('inverted');
    const mode = async () => (await graphOf(page)).nodes.find((n) => n.id === made.invert)?.mode;
    await click('invert');
    await page.keyboard.press('Control+b');
    expect(await mode()).toBe(4);
    const [, , cornerBlue] = (await newPicture())(4, 4);
    expect(cornerBlue).toBeGreaterThan(128);
    await page.keyboard.press('Control+b');
    expect(await mode()).toBe(0);
    expect((await newPicture())(4, 4)[2]).toBeLessThan(128);
    await shot('bypass');
    await page.keyboard.press('Delete');
    expect(await types()).not.toContain('ImageInvert');
    await connect('decode', 0, 'save', 0);
    await newPicture();
  });

  test('paints a mask on the picture and has only that part drawn anew', async () => {
    const nodes = (await graphOf(page)).nodes.map(({ id }) => id);
    await menuOf('save', 'Send to', 'New Load Image node');
    await page.waitForFunction(() => window.noodle.nodes().some((n) => n.type === 'LoadImage'));
    made.image = Number((await graphOf(page)).nodes.find(({ id }) => !nodes.includes(id))?.id);
    await expect.poll(() => imagesOf('image')).toHaveLength(1);
    // To where there is room.
    const title = await at('image', 'title');
    await drag(page, title, { x: 1100, y: 560 });
    await menuOf('image', 'Open in mask editor');
    const stage = page.locator('.mask-stage canvas');
    await stage.waitFor();
    await page.keyboard.press('r');
    const box = (await stage.boundingBox())!;
    const middle = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
    await drag(
      page,
      { x: middle.x - 300, y: middle.y - 300 },
      { x: middle.x + 300, y: middle.y + 300 },
    );
    await shot('mask');
    await page.locator('.mask-editor').getByRole('button', { name: 'Save', exact: true }).click();
    await page.locator('.mask-editor').waitFor({ state: 'detached' });
    const value = () => page.evaluate((id) => window.noodle.widget(id, 'image'), made.image);
    expect(await value()).toMatch(/^clipspace\//);

    await add('vae encode', 'encode', 1450, 560);
    await connect('image', 0, 'encode', 0);
    await connect('model', 2, 'encode', 1);
    await add('set latent noise mask', 'noise mask', 1450, 760);
    await connect('encode', 0, 'noise mask', 0);
    await connect('image', 1, 'noise mask', 1);
    await connect('noise mask', 0, 'sampler', 3);
    await page.locator('textarea.node-text').first().fill('a yellow star on a blue background');
    const before = pixelsOf((await saved()).at(-1)!);
    const after = newPicture();
    await shot('inpaint');
    const [was, is] = await Promise.all([before, after]);
    const apart = (x: number, y: number) =>
      Math.max(...is(x, y).map((v, i) => Math.abs(v - was(x, y)[i])));
    expect(apart(64, 64)).toBeGreaterThan(60);
    for (const [x, y] of [
      [4, 4],
      [123, 4],
      [4, 123],
      [123, 123],
    ])
      expect(apart(x, y)).toBeLessThan(40);
  });

  test('opens the workflow of that picture in a tab of its own', async () => {
    const nodes = await types();
    const name = (await saved()).at(-1)!;
    const bytes = readFileSync(join(stand.base, 'output', name));
    await dropFile(page, { name, type: 'image/png', bytes });
    await front(name.replace('.png', '')).waitFor();
    expect(await types()).toEqual(nodes);
    expect(await tabs()).toEqual(['Untitled', 'Untitled 2', name.replace('.png', '')]);
  });

  test('saves, renames, and is asked before another workflow is replaced', async () => {
    const saveAs = async (name: string): Promise<void> => {
      await page.keyboard.press('Control+Shift+s');
      await page.getByRole('textbox', { name: 'Save workflow as' }).fill(name);
      await page.keyboard.press('Enter');
    };
    const files = () => readdirSync(join(stand.base, 'user/default/workflows'));
    await saveAs('star');
    await front('star').waitFor();
    await front('star').dblclick();
    await page.getByRole('textbox', { name: 'Rename workflow' }).fill('yellow star');
    await page.keyboard.press('Enter');
    await front('yellow star').waitFor();
    expect(files()).toEqual(['yellow star.json']);
    const first = readFileSync(join(stand.base, 'user/default/workflows/yellow star.json'), 'utf8');

    await page.locator('.workflow-tab .name').nth(1).click();
    await front('Untitled 2').waitFor();
    await page.locator('#graph').focus();
    await saveAs('yellow star');
    await page.getByText('There is already a workflow called yellow star').waitFor();
    await shot('question');
    await page.keyboard.press('Escape');
    await page.locator('dialog[open]').waitFor({ state: 'detached' });
    expect(readFileSync(join(stand.base, 'user/default/workflows/yellow star.json'), 'utf8')).toBe(
      first,
    );
    await saveAs('inpainting');
    await front('inpainting').waitFor();
    expect(files().sort()).toEqual(['inpainting.json', 'yellow star.json']);
  });

  test('has all of it again after the tab crashed, and other work in another window', async () => {
    await page.locator('textarea.node-text').nth(1).fill('clouds');
    await page.locator('.workflow-tab[data-active=true] i').waitFor();
    const shown = await live();
    const names = await tabs();
    const session = await context.newCDPSession(page);
    const crashed = page.waitForEvent('crash');
    void session.send('Page.crash').catch(() => undefined);
    await crashed;
    ({ page } = await openPage(context, stand.server.url));
    expect(await tabs()).toEqual(names);
    expect(await live()).toBe(shown);

    const { page: second } = await openPage(context, stand.server.url);
    expect(await tabs(second)).toEqual(['Untitled']);
    await second.locator('textarea.node-text').first().fill('a green boat');
    await second.locator('.workflow-tab[data-active=true] i').waitFor();
    await second.reload();
    await opened(second);
    expect(await second.locator('textarea.node-text').first().inputValue()).toBe('a green boat');
    await second.close();
    await page.reload();
    await opened(page);
    expect(await live()).toBe(shown);
  });

  test('sees at once that the server died in mid-run, and gets the picture from the next one', async () => {
    await page.locator('#graph').focus();
    await setNumber('sampler', 'steps', '80');
    const before = await saved();
    await queue();
    await expect
      .poll(() => imagesOf('sampler'), { timeout: 30_000 })
      .toMatchObject([{ live: true }]);
    await stand.server.kill();
    await page.getByText('Connection lost').waitFor({ timeout: 3000 });
    expect(await page.locator('.run-title').count()).toBe(0);
    await shot('killed');
    stand.server = await startServer({ base: stand.base, flags });
    await page.locator('.connection').waitFor({ state: 'detached' });
    await expect.poll(saved, { timeout: 120_000 }).toHaveLength(before.length + 1);
    await expect.poll(() => imagesOf('save')).toMatchObject([{ live: false }]);
    await shot('recovered');
  });
});
