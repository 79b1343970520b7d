import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildWeb } from '../../web/build.mjs';
import { type TestServer, startServer } from '../support/server.ts';
import { launch, noBrowser, openPage, spotOf } from './support/browser.ts';

const packs = ['labels', 'show-text', 'answers', 'broken'];
const folder = new URL('fixtures/packs/', import.meta.url).pathname;

interface Workflow {
  readonly nodes: readonly object[];
}
interface PackPage {
  readonly app: {
    loadGraphData(data: Workflow): Promise<void>;
    queuePrompt(number: number, count: number): Promise<boolean>;
    graphToPrompt(): Promise<{ output: Record<string, { inputs: Record<string, unknown> }> }>;
    readonly graph: {
      readonly nodes: readonly {
        readonly color?: string;
        readonly title: string;
        readonly properties: Record<string, unknown>;
        readonly widgets?: readonly { readonly name: string; readonly value: unknown }[];
      }[];
    };
  };
  readonly testAnswers: { heard: unknown[][]; changes: unknown[]; system: string };
}

const workflow: Workflow = {
  nodes: [
    { id: 1, type: 'TestShowText', pos: [100, 200], size: [300, 200], widgets_values: ['a word'] },
    { id: 2, type: 'TestDial', pos: [500, 200], size: [300, 200] },
  ],
};

describe.skipIf(noBrowser !== null)('page scripts of node packs', () => {
  let base: string;
  let server: TestServer;
  let browser: Browser;
  let page: Page;
  let errors: string[];
  const hosts = new Set<string>();

  beforeAll(async () => {
    await buildWeb();
    base = mkdtempSync(join(tmpdir(), 'noodle-page-'));
    mkdirSync(join(base, 'custom_nodes'));
    for (const pack of packs) symlinkSync(join(folder, pack), join(base, 'custom_nodes', pack));
    server = await startServer({ base });
    browser = await launch();
    const given = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    given.on('request', (request) => hosts.add(new URL(request.url()).host));
    ({ page, errors } = await openPage(given.context(), server.url, undefined, given));
    // The first workflow asks for a model that this installation has not.
    await page.getByRole('dialog', { name: 'Missing models' }).waitFor();
    await page.keyboard.press('Escape');
    await page.evaluate(
      (data) => (window as unknown as PackPage).app.loadGraphData(data),
      workflow,
    );
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    rmSync(base, { recursive: true, force: true });
  });

  const nodeOf = (id: number) =>
    page.evaluate((index) => {
      const {
        color,
        title,
        properties,
        widgets = [],
      } = (window as unknown as PackPage).app.graph.nodes[index];
      const fields = widgets.map(({ name, value }) => [name, value]);
      return { color, title, properties, fields };
    }, id - 1);
  const answers = () => page.evaluate(() => (window as unknown as PackPage).testAnswers);

  test('those that fail are named and cost the page nothing', async () => {
    const toasts = page.locator('.toast[data-kind="error"]');
    const texts = await toasts.allTextContents();
    expect(
      texts.some((text) => text.includes('test.throws failed in setup: broken on purpose')),
    ).toBe(true);
    expect(texts.some((text) => text.includes('/extensions/broken/missing.js'))).toBe(true);
    expect(errors.filter((e) => !/broken|nothing.js|404/.test(e))).toEqual([]);
  });

  test('hooks see node classes, nodes and workflows', async () => {
    expect(await page.locator('#labels-mark').textContent()).toContain('labels are on');
    expect(await nodeOf(1)).toMatchObject({ color: '#123456', properties: { seen: true } });
    expect((await answers()).system).not.toBe('');
  });

  test('a pack puts its entries into the menus of nodes and of the canvas', async () => {
    const { x, y } = await spotOf(page, 1, 'title');
    await page.mouse.click(x, y, { button: 'right' });
    await page.getByText('Label it', { exact: true }).click();
    // Its drawing fails from now on; the node is drawn all the same, and who failed is said.
    await expect
      .poll(() => page.locator('.toast').allTextContents())
      .toContainEqual(
        expect.stringContaining('test.labels failed in onDrawForeground: drawing broke'),
      );
    expect((await nodeOf(1)).title).toBe('Labelled');
    await page.mouse.click(300, 150, { button: 'right' });
    await page.getByText('Label all', { exact: true }).waitFor();
    await page.keyboard.press('Escape');
    await page.mouse.click(900, 150);
  });

  test('fields, elements and values of packs go into the prompt, outputs and events come back', async () => {
    await page.locator('.test-dial').click();
    await page.keyboard.press('Control+Enter');
    await expect
      .poll(async () => (await nodeOf(1)).fields, { timeout: 15_000 })
      .toEqual([
        ['source', 'a word'],
        ['text', 'a word'],
        ['text', 'again'],
      ]);
    await expect.poll(() => page.locator('textarea[aria-label$=": text"]').count()).toBe(2);
    await expect.poll(async () => (await answers()).heard).toContainEqual(['turned', 'south']);
    expect((await answers()).heard).toContainEqual(['executing', '2']);
    const [entry] = Object.values(
      (await server.json('/history')) as Record<string, { prompt: unknown[] }>,
    );
    expect(entry.prompt[2]).toMatchObject({ 2: { inputs: { dial: 'south', computed: 'quiet' } } });
  });

  test('settings, commands and keys of packs stand beside our own', async () => {
    await page.keyboard.press('Shift+F8');
    await expect.poll(() => page.title()).toBe('42');
    await page.keyboard.press('Control+,');
    const dialog = page.getByRole('dialog', { name: 'Settings' });
    await dialog.getByRole('button', { name: 'Answers' }).click();
    await dialog.getByLabel('Say it loud').check();
    await expect.poll(async () => (await answers()).changes).toEqual([false, true]);
    await expect.poll(() => server.json('/settings/Test.Loud')).toBe(true);
    await dialog.getByRole('button', { name: 'Node packs' }).click();
    await dialog.getByRole('spinbutton').fill('7');
    await dialog.getByRole('spinbutton').press('Enter');
    await expect.poll(() => server.json('/settings/Test.Size')).toBe(7);
    await page.keyboard.press('Escape');
    const { output } = await page.evaluate(() =>
      (window as unknown as PackPage).app.graphToPrompt(),
    );
    expect(output['2'].inputs.computed).toBe('loud!');
  });

  test('nothing was asked of another host', () => {
    expect([...hosts]).toEqual([new URL(server.url).host]);
  });
});
