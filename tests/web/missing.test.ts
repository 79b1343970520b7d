import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { dropFile, graphOf, noBrowser, spotOf } from './support/browser.ts';
import { useFreshPage } from './support/built-page.ts';

describe.skipIf(noBrowser !== null)('files of older pages and of other installations', () => {
  let page: Page;
  useFreshPage((fresh) => ({ page } = fresh));

  const open = async (name: string, bytes: Buffer): Promise<void> => {
    await dropFile(page, { name: `${name}.json`, type: 'application/json', bytes });
    await page.getByText(name, { exact: true }).first().waitFor();
  };
  const fixture = (name: string): Buffer =>
    readFileSync(new URL(`fixtures/${name}.json`, import.meta.url));
  const shot = (name: string) =>
    process.env.SHOTS ? page.screenshot({ path: `${process.env.SHOTS}/${name}.png` }) : undefined;
  const menuOf = async (id: number, item: string): Promise<void> => {
    const title = await spotOf(page, id, 'title');
    await page.mouse.click(title.x, title.y, { button: 'right' });
    await page.getByRole('menu').getByText(item, { exact: true }).click();
  };

  test('group nodes show their fields and become nodes or a subgraph', async () => {
    await open('group-and-missing', fixture('group-and-missing'));
    expect(await page.evaluate(() => window.noodle.widget(2, 'text'))).toBe('a red boat');
    expect(await page.evaluate(() => window.noodle.widget(2, 'text_1'))).toBe('a grey sky');
    expect(await page.locator('.workflow-tab[data-active=true] i').count()).toBe(0);
    await shot('group');
    await menuOf(2, 'Convert the group node to nodes');
    const encoders = async () =>
      (await graphOf(page)).nodes.filter(({ type }) => type === 'CLIPTextEncode').length;
    await expect.poll(encoders).toBe(2);
    await shot('group-as-nodes');
    await page.keyboard.press('Control+z');
    await expect.poll(encoders).toBe(0);
    await menuOf(2, 'Convert the group node to a subgraph');
    await expect
      .poll(() => page.evaluate(() => window.noodle.widget(2, 'text')))
      .toBe('a red boat');
    await shot('group-as-subgraph');
  });

  test('a click right after undo meets what is there, not what was drawn last', async () => {
    await open('group-and-missing', fixture('group-and-missing'));
    await menuOf(2, 'Convert the group node to nodes');
    const groups = async () =>
      (await graphOf(page)).nodes.filter(({ type }) => type.startsWith('workflow>')).length;
    await expect.poll(groups).toBe(0);
    await page.evaluate(() => {
      const graph = document.getElementById('graph') as unknown as {
        data: { pause_rendering: boolean };
      };
      graph.data.pause_rendering = true;
    });
    await page.keyboard.press('Control+z');
    await expect.poll(groups).toBe(1);
    await menuOf(2, 'Convert the group node to nodes');
  });

  test('missing nodes are listed with the way to each', async () => {
    await open('group-and-missing', fixture('group-and-missing'));
    const list = page.locator('.missing-list');
    expect(await list.locator('li > span').allTextContents()).toEqual([
      'A subgraph that this file does not contain',
      'SomePack Wave',
    ]);
    await list.getByRole('button', { name: 'Show node 3' }).click();
    const { x, y } = await spotOf(page, 3, 'title');
    const box = (await page.locator('#graph').boundingBox())!;
    expect(Math.abs(x - box.x - box.width / 2)).toBeLessThan(5);
    expect(Math.abs(y - box.y - box.height / 2)).toBeLessThan(160);
    await shot('missing');
  });

  test('missing models are told with folder and link; R finds one that arrived', async () => {
    const loader = (id: number, name: string, models: unknown[]) => ({
      id,
      type: 'CheckpointLoaderSimple',
      pos: [0, 140 * id],
      size: [315, 98],
      properties: { models },
      widgets_values: [name],
    });
    const model = (name: string) => ({
      name,
      url: `https://example.org/${name}?download=true`,
      directory: 'checkpoints',
    });
    const file = {
      nodes: [
        loader(1, 'absent.safetensors', [model('absent.safetensors')]),
        loader(2, 'tiny-scenes.safetensors', [model('tiny-scenes.safetensors')]),
        loader(3, 'noted.safetensors', []),
        { ...loader(4, 'unused.safetensors', [model('unused.safetensors')]), mode: 4 },
        {
          id: 5,
          type: 'Note',
          pos: [400, 0],
          size: [200, 100],
          widgets_values: ['from https://example.org/x/noted.safetensors'],
        },
      ],
      links: [],
      version: 0.4,
    };
    await open('wanting', Buffer.from(JSON.stringify(file)));
    const dialog = page.getByRole('dialog', { name: 'Missing models' });
    await dialog.waitFor();
    await shot('missing-models');
    expect(await dialog.locator('li strong').allTextContents()).toEqual([
      'absent.safetensors',
      'noted.safetensors',
    ]);
    // The file says it of the one, the input that wants it of the other.
    await expect(dialog.getByText('belongs into /models/checkpoints').count()).resolves.toBe(2);
    expect(
      await dialog.locator('a').evaluateAll((all) => all.map((a) => a.getAttribute('href'))),
    ).toEqual([
      'https://example.org/absent.safetensors?download=true',
      'https://example.org/x/noted.safetensors',
    ]);
    await page.keyboard.press('Escape');

    await page.route('**/object_info', async (route) => {
      const answer = await route.fetch();
      const text = (await answer.text()).replaceAll(
        '"tiny-scenes.safetensors"',
        '"tiny-scenes.safetensors", "absent.safetensors"',
      );
      await route.fulfill({ response: answer, body: text });
    });
    const choices = () =>
      page.evaluate(() => {
        const canvas = document.getElementById('graph') as unknown as {
          data: { graph: { nodes: { widgets: { choices: unknown[] }[] }[] } };
        };
        return canvas.data.graph.nodes[0].widgets[0].choices;
      });
    expect(await choices()).not.toContain('absent.safetensors');
    await page.keyboard.press('r');
    await page.getByText('All choices are up to date').waitFor();
    expect(await choices()).toContain('absent.safetensors');
    expect(await page.locator('.workflow-tab[data-active=true] i').count()).toBe(0);
  });
});
