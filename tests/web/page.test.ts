import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { parseJson } from '../../engine/workflow/lossless-json.ts';
import { objectInfo } from './fixtures/object-info.ts';
import type { MockServer } from './mock-server.ts';
import { doubleClick, dropFile, graphOf, noBrowser, openPage } from './support/browser.ts';
import { useBuiltPage } from './support/built-page.ts';
import { pngWithText } from './support/png-with-text.ts';

if (noBrowser !== null) console.warn(noBrowser); // eslint-disable-line no-console -- says why below is skipped

const example = (name: string): string =>
  readFileSync(new URL(`../../workflows/${name}.json`, import.meta.url), 'utf8');

describe.skipIf(noBrowser !== null)('the page', () => {
  const stand = useBuiltPage();
  let page: Page;
  let errors: string[];

  beforeAll(async () => {
    ({ page, errors } = await openPage(stand.browser, stand.server.url));
  });

  test('opens with the default workflow and without console errors', async () => {
    const graph = await graphOf(page);
    expect(graph.nodes.map((n) => n.type).sort()).toEqual(
      [
        'CLIPTextEncode',
        'CLIPTextEncode',
        'CheckpointLoaderSimple',
        'EmptyLatentImage',
        'KSampler',
        'SaveImage',
        'VAEDecode',
      ].sort(),
    );
    await expect(page.locator('textarea.node-text').count()).resolves.toBe(2);
    expect(stand.server.received[0]).toContain('"supports_preview_metadata":true');
    expect(errors).toEqual([]);
  });

  test('names the device that models run on, and what they take there', async () => {
    const name = page.locator('.device-names');
    await name.waitFor();
    expect(await name.textContent()).toBe('A graphics card');
    expect(await name.getAttribute('title')).toBe(
      'webgpu:0: A graphics card, fp16; models take 1.4 GiB of 7.5 GiB',
    );
  });

  test('the library lists every node of the server', async () => {
    await page.keyboard.press('n');
    await page.getByPlaceholder('Filter nodes').waitFor();
    const counts = await page.locator('.side-body > .category > summary > small').allTextContents();
    expect(counts.map(Number).reduce((sum, count) => sum + count, 0)).toBe(
      Object.keys(objectInfo).length,
    );
    await page.keyboard.press('n');
  });

  test('Ctrl Enter queues; progress, preview and the picture show in the nodes', async () => {
    stand.server.stepDelay = 40;
    await page.locator('#graph').focus();
    await page.keyboard.press('Control+Enter');
    await page.waitForFunction(
      () => document.querySelector('.run-status')?.textContent?.includes('%') === true,
    );
    await page.waitForFunction(() => /^\[\d+%\] KSampler/.test(document.title));
    await page.waitForFunction(() => window.noodle.imagesOf(3).some((i) => i.live));
    await page.waitForFunction(() => window.noodle.imagesOf(9).length === 1);
    const [image] = await page.evaluate(() => window.noodle.imagesOf(9));
    expect(image).toMatchObject({ width: 128, height: 128, live: false });
    await page.waitForFunction(() => window.noodle.imagesOf(3).length === 0);

    const [{ body }] = stand.server.prompts;
    const prompt = body.prompt as Record<string, { inputs: Record<string, unknown> }>;
    expect(prompt['3'].inputs).toMatchObject({ seed: 11, steps: 20, sampler_name: 'dpmpp_2m' });
    expect(body.client_id).toMatch(/^[0-9a-f-]{36}$/);
    expect(body).toHaveProperty('extra_data.extra_pnginfo.workflow.nodes');
    stand.server.stepDelay = 5;
  });

  test('the seed moved on after queueing, and undo brings it back', async () => {
    expect(await widgetValue(page, 3, 'seed')).not.toBe('11');
    await page.waitForTimeout(200);
    await page.locator('#graph').focus();
    await page.keyboard.press('Control+z');
    expect(await widgetValue(page, 3, 'seed')).toBe('11');
  });

  test('64-bit seeds reach the server digit for digit', async () => {
    await page.evaluate(() => window.noodle.setWidget(3, 'seed', '18446744073709551615'));
    await page.evaluate(() => window.noodle.setWidget(3, 'control_after_generate', 'fixed'));
    await queueAndWait(page, stand.server);
    const prompt = stand.server.prompts.at(-1)?.body.prompt as Record<
      string,
      { inputs: { seed: unknown } }
    >;
    expect(prompt['3'].inputs.seed).toBe(18446744073709551615n);
  });

  test('the history shows thumbnails, a lightbox and loads a workflow back', async () => {
    await page.getByRole('button', { name: 'Queue and history' }).click();
    await page.locator('.thumb').first().click();
    await page.locator('.lightbox img').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('.lightbox').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Load this workflow' }).last().click();
    await expect.poll(() => widgetValue(page, 3, 'seed')).toBe('11');
    await page.getByRole('button', { name: 'Close Queue' }).click();
  });

  test('a refused prompt marks the input and says what is wrong', async () => {
    await typeIntoFirstPrompt(page, 'reject this');
    await page.keyboard.press('Control+Enter');
    const panel = page.locator('.problem-panel');
    await panel.waitFor();
    await expect(panel.textContent()).resolves.toContain('Value 20000 bigger than max of 10000');
    const node = (await graphOf(page)).nodes.find((n) => n.id === 3);
    expect(node).toMatchObject({ error: true, errorFields: ['steps'] });
    await page.getByRole('button', { name: 'Dismiss' }).click();
    expect((await graphOf(page)).nodes.find((n) => n.id === 3)?.error).toBe(false);
  });

  test('a failure while running marks the node and shows the exception', async () => {
    await typeIntoFirstPrompt(page, 'explode please');
    await queueAndWait(page, stand.server);
    await expect(page.locator('.problem-panel').textContent()).resolves.toContain(
      'the sampler exploded on purpose',
    );
    expect((await graphOf(page)).nodes.find((n) => n.id === 3)?.error).toBe(true);
    await page.getByRole('button', { name: 'Dismiss' }).click();
  });

  test('cancel interrupts the run', async () => {
    await typeIntoFirstPrompt(page, 'a long run');
    stand.server.stepDelay = 120;
    await page.keyboard.press('Control+Enter');
    await page.waitForFunction(
      () => document.querySelector('.run-status')?.textContent?.includes('%') === true,
    );
    await page.getByRole('button', { name: 'Stop', exact: true }).click();
    await page.getByText('Cancelled').first().waitFor();
    expect(stand.server.requests).toContain('POST /interrupt');
    stand.server.stepDelay = 5;
  });

  test('a dropped picture with a workflow inside opens it', async () => {
    const png = await pngWithText([
      { key: 'prompt', text: '{}' },
      { key: 'workflow', text: example('hires-fix') },
    ]);
    await dropFile(page, { name: 'made-by-noodle.png', type: 'image/png', bytes: png });
    await page
      .locator('.workflow-tab[data-active=true]')
      .getByText('made-by-noodle', { exact: true })
      .waitFor();
    expect((await graphOf(page)).nodes).toHaveLength(11);
  });

  test('a picture with only an API prompt of use is laid out', async () => {
    const text = '{"1":{"class_type":"CLIPTextEncode","inputs":{"text":"hello"}}}';
    const png = await pngWithText([
      { key: 'prompt', text },
      { key: 'workflow', text: 'null' },
    ]);
    await dropFile(page, { name: 'api.png', type: 'image/png', bytes: png });
    await page
      .locator('.workflow-tab[data-active=true]')
      .getByText('api', { exact: true })
      .waitFor();
    expect(await widgetValue(page, 1, 'text')).toBe('hello');
  });

  test('a plain picture becomes an image node with the upload in it', async () => {
    const png = await pngWithText([]);
    await dropFile(page, { name: 'photo.png', type: 'image/png', bytes: png });
    await page.waitForFunction(() => window.noodle.nodes().some((n) => n.type === 'LoadImage'));
    const node = (await graphOf(page)).nodes.find((n) => n.type === 'LoadImage');
    await page.waitForFunction((id) => window.noodle.imagesOf(id).length === 1, Number(node?.id));
    expect(stand.server.uploads).toEqual(['photo.png']);
    expect(await widgetValue(page, Number(node?.id), 'image')).toBe('photo.png');
  });

  test('missing nodes are shown, named and saved as they were', async () => {
    const text = readFileSync(
      new URL('./fixtures/missing-nodes-big-seed.json', import.meta.url),
      'utf8',
    );
    await dropFile(page, {
      name: 'missing.json',
      type: 'application/json',
      bytes: Buffer.from(text),
    });
    const panel = page.locator('.problem-panel');
    await panel.waitFor();
    await expect(panel.textContent()).resolves.toContain('SomePack Loader');
    const saved = parseJson(await page.evaluate(() => window.noodle.text())) as {
      nodes: { widgets_values: unknown }[];
    };
    const before = parseJson(text) as { nodes: { widgets_values: unknown }[] };
    expect(saved.nodes.map((n) => n.widgets_values)).toEqual(
      before.nodes.map((n) => n.widgets_values),
    );
    await page.getByRole('button', { name: 'Dismiss' }).click();
  });

  test("packs' editor nodes are not missing", async () => {
    const types = ['SetNode', 'GetNode', 'Label (rgthree)', 'Fast Groups Muter (rgthree)'];
    const nodes = types.map((type, i) => ({
      ...{ id: i + 1, type, pos: [i * 200, 0], size: [140, 60], flags: {}, order: i, mode: 0 },
      ...{ inputs: [], outputs: [], properties: {}, widgets_values: ['latent'] },
    }));
    await dropFile(page, {
      name: 'variables.json',
      type: 'application/json',
      bytes: Buffer.from(JSON.stringify({ nodes, links: [], version: 0.4 })),
    });
    await page.waitForFunction(() => window.noodle.nodes().some((n) => n.type === 'SetNode'));
    expect(await page.locator('.problem-panel').count()).toBe(0);
  });

  test('a double click searches nodes and Enter adds one', async () => {
    await doubleClick(page, { x: 1000, y: 700 });
    await page.getByRole('textbox', { name: 'Search nodes' }).fill('empty latent image');
    await page.keyboard.press('Enter');
    const nodes = (await graphOf(page)).nodes;
    expect(nodes.some((n) => n.type === 'EmptyLatentImage')).toBe(true);
  });

  test('copy, paste, mute, bypass and delete work on the selection', async () => {
    const before = (await graphOf(page)).nodes.length;
    await page.locator('#graph').focus();
    await page.keyboard.press('Control+c');
    await page.keyboard.press('Control+v');
    expect((await graphOf(page)).nodes).toHaveLength(before + 1);
    await page.keyboard.press('Control+m');
    expect((await graphOf(page)).nodes.filter((n) => n.mode === 2)).toHaveLength(1);
    await page.keyboard.press('Control+b');
    expect((await graphOf(page)).nodes.filter((n) => n.mode === 4)).toHaveLength(1);
    await page.keyboard.press('Delete');
    expect((await graphOf(page)).nodes).toHaveLength(before);
    await page.keyboard.press('Control+a');
    await page.keyboard.press('Delete');
    expect((await graphOf(page)).nodes).toHaveLength(0);
    await page.waitForTimeout(200);
    await page.keyboard.press('Control+z');
    expect((await graphOf(page)).nodes).toHaveLength(before);
  });

  test('Ctrl S saves under a name, and the list of workflows opens it', async () => {
    await page.keyboard.press('Control+Shift+s');
    await page.getByRole('textbox', { name: 'Save workflow as' }).fill('my work');
    await page.keyboard.press('Enter');
    await page.getByText('Saved my work').waitFor();
    await page.getByRole('button', { name: 'Workflows', exact: true }).click();
    await page
      .locator('.side-panel')
      .getByRole('button', { name: 'my work', exact: true })
      .waitFor();
    await page.locator('.side-panel').getByRole('button', { name: 'Default' }).click();
    await page.waitForFunction(() => window.noodle.nodes().length === 7);
    await page.keyboard.press('w');
  });

  test('a lost connection comes back by itself', async () => {
    stand.server.dropSockets();
    await page.getByText('Connection lost').waitFor();
    await page.waitForFunction(() => document.querySelector('.connection') === null);
    await queueAndWait(page, stand.server);
    await page.waitForFunction(() => window.noodle.imagesOf(9).length === 1);
  });

  test('a part of the page that does not come is said, and comes after a reload', async () => {
    const parts = /assets\/models-panel/;
    await page.route(parts, (route) => route.abort());
    await page.getByRole('button', { name: 'Models', exact: true }).click();
    await page.getByText('could not be loaded: the server does not answer').waitFor();
    await page.unroute(parts);
    await page.getByRole('button', { name: 'Reload the page' }).click();
    await page.getByText('could not be loaded').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Models', exact: true }).click();
    await page.locator('.side-panel').getByText('Checkpoints').waitFor();
    await page.keyboard.press('m');
  });

  test('the work of the last visit is there after a reload', async () => {
    await typeIntoFirstPrompt(page, 'kept over a reload');
    await page.waitForTimeout(300);
    await page.reload();
    await page.waitForSelector('textarea.node-text');
    expect(await widgetValue(page, 6, 'text')).toBe('kept over a reload');
    // The refused prompt's 400, the cut connection and the part that did not come are logged by the browser itself.
    expect(errors.filter((e) => !/WebSocket|status of 400|ERR_FAILED/.test(e))).toEqual([]);
  });
});

const widgetValue = (page: Page, id: number, name: string): Promise<string> =>
  page.evaluate(([node, widget]) => window.noodle.widget(node, widget), [id, name] as const);

async function typeIntoFirstPrompt(page: Page, text: string): Promise<void> {
  const field = page.getByRole('textbox', { name: 'Positive prompt: text' });
  await field.fill(text);
  await page.locator('#graph').focus();
}

async function queueAndWait(page: Page, server: MockServer): Promise<void> {
  const before = server.finished();
  await page.locator('#graph').focus();
  await page.keyboard.press('Control+Enter');
  await expect.poll(() => server.finished(), { timeout: 10_000 }).toBeGreaterThan(before);
  await page.waitForTimeout(100);
}
