/** Somebody who wants no nodes: forms of saved workflows, on our server with the embedded checkpoint. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildWeb } from '../../web/build.mjs';
import { startServer, type TestServer } from '../support/server.ts';
import { launch, noBrowser } from '../web/support/browser.ts';

const models = fileURLToPath(new URL('../../models', import.meta.url));
const shots = process.env.SHOTS;

describe.skipIf(noBrowser !== null)('forms', () => {
  const base = mkdtempSync(join(tmpdir(), 'noodle-forms-'));
  let server: TestServer;
  let browser: Browser;
  let page: Page;
  const errors: string[] = [];

  beforeAll(async () => {
    await buildWeb();
    mkdirSync(join(base, 'models'));
    symlinkSync(join(models, 'checkpoints'), join(base, 'models', 'checkpoints'));
    server = await startServer({ base, flags: ['--preview-method', 'latent2rgb'] });
    browser = await launch();
    page = await (await browser.newContext({ viewport: { width: 1280, height: 860 } })).newPage();
    page.on('console', (message) => {
      if (message.type() === 'error') errors.push(message.text());
    });
    page.on('pageerror', (error) => errors.push(String(error)));
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    rmSync(base, { recursive: true, force: true });
  });

  const shoot = async (name: string): Promise<void> => {
    if (shots !== undefined) await page.screenshot({ path: join(shots, `${name}.png`) });
  };
  const open = async (path: string): Promise<void> => {
    await page.goto('about:blank');
    await page.goto(`${server.url}/ui/run${path}`);
  };
  /** What axe calls serious or worse. */
  const serious = async (): Promise<string[]> => {
    await page.evaluate(axe.source);
    return page.evaluate(async () => {
      const found = await (window as unknown as { axe: typeof axe }).axe.run();
      return found.violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
    });
  };
  const pictures = () => page.locator('.run-picture img');

  test('the list leads to a form, which makes a picture', async () => {
    await open('');
    await page.getByRole('link', { name: /Text to image/ }).waitFor();
    expect(await serious()).toEqual([]);
    await shoot('list');
    await page.getByRole('link', { name: /Text to image/ }).click();
    const prompt = page.getByLabel('What to draw');
    await prompt.fill('a blue square on a red background');
    expect(await serious()).toEqual([]);
    await page.getByLabel('Steps').last().fill('20');
    // Awaited from before on: a quick run shows it for a moment only.
    const forming = page.getByAltText('The picture as it forms').waitFor();
    await prompt.press('Control+Enter');
    await forming;
    await expect.poll(() => pictures().count(), { timeout: 20_000 }).toBe(1);
    await shoot('made');
    await page.getByRole('button', { name: /^Open Noodle/ }).click();
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    expect(errors).toEqual([]);
  });

  test('a run is repeated with its values and varied by its seed', async () => {
    const seed = page.getByLabel('Seed', { exact: true });
    const first = await seed.inputValue();
    await page.getByRole('button', { name: 'Again with another seed' }).click();
    await expect.poll(() => pictures().count(), { timeout: 20_000 }).toBe(2);
    expect(await seed.inputValue()).not.toBe(first);
    await page.getByRole('button', { name: 'Use these values' }).last().click();
    expect(await seed.inputValue()).toBe(first);
    expect(await page.getByRole('switch', { name: 'New for every run' }).isChecked()).toBe(false);
  });

  test('several at once, a grid over two fields, and a list', async () => {
    await page.getByLabel('Steps').last().fill('2');
    await page.getByText('More than one').click();
    await page.getByLabel('How many').fill('2');
    await page.getByRole('switch', { name: 'New for every run' }).check();
    await page.getByRole('button', { name: 'Run 2' }).click();
    await expect.poll(() => pictures().count(), { timeout: 20_000 }).toBe(4);
    await page.getByRole('button', { name: 'Grid' }).click();
    await page.getByLabel('Across: field').selectOption('Guidance');
    await page.getByLabel('Across: values').fill('2, 4');
    await page.getByLabel('Down: field').selectOption('Steps');
    await page.getByLabel('Down: values').fill('2..3');
    await page.getByRole('button', { name: 'Run 4' }).click();
    await expect.poll(() => pictures().count(), { timeout: 20_000 }).toBe(8);
    const grid = page.locator('.run-tiles[data-grid="true"] .run-tile footer');
    expect(await grid.first().innerText()).toContain('Guidance 2, Steps 2');
    await shoot('grid');
    await page.getByRole('button', { name: 'List' }).click();
    await page
      .getByLabel('Lines of the list')
      .fill('What to draw,Steps\n"a tree, green",2\na house,3');
    await page.getByRole('button', { name: 'Run 2' }).click();
    await expect.poll(() => pictures().count(), { timeout: 20_000 }).toBe(10);
    expect(errors).toEqual([]);
  });

  test('a link holds the values; what is wrong is said at its field', async () => {
    await open('/text-to-image#prompt=a%20green%20circle&seed=18446744073709551615&steps=99999999');
    expect(await page.getByLabel('What to draw').inputValue()).toBe('a green circle');
    expect(await page.getByLabel('Seed', { exact: true }).inputValue()).toBe(
      '18446744073709551615',
    );
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    const steps = page.locator('[aria-invalid="true"]');
    await steps.waitFor();
    expect(await page.locator('.form-error').innerText()).toContain('must be <= 10000');
    expect(await steps.evaluate((element) => element === document.activeElement)).toBe(true);
    errors.length = 0; // The refusal itself stands in the console.
  });

  test('a run that waits or runs can be cancelled, and the history is there again', async () => {
    // what earlier runs left may still be at work
    const cancel = page.getByRole('button', { name: 'Cancel', exact: true });
    await expect.poll(() => cancel.count(), { timeout: 60_000 }).toBe(0);
    await page.locator('[aria-invalid="true"]').fill('10000');
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.getByText('Cancelled', { exact: true }).waitFor({ timeout: 20_000 });
    await page.getByRole('button', { name: 'Back to the first values' }).click();
    await open('/text-to-image');
    await expect.poll(() => pictures().count()).toBe(10);
  });

  test('a batch goes on when its page is closed, is cancelled as a whole and run again', async () => {
    await server.post('/v1/queue/pause', {});
    await page.getByLabel('Steps').last().fill('1');
    await page.getByText('More than one').click();
    await page.getByLabel('How many').fill('3');
    await page.getByRole('button', { name: 'Run 3' }).click();
    const batch = page.locator('.run-batch').first();
    await batch.getByText('0 of 3').waitFor();
    // What another page started is followed too.
    await open('/text-to-image');
    await batch.getByText('0 of 3').waitFor();
    await batch.getByRole('button', { name: 'Cancel all' }).click();
    await batch.getByText('3 of 3').waitFor();
    await batch.getByRole('button', { name: 'Run the rest' }).click();
    await batch.getByText('0 of 3').waitFor();
    await open('/text-to-image');
    await batch.getByText('0 of 3').waitFor();
    await server.post('/v1/queue/resume', {});
    await expect.poll(() => batch.locator('.run-picture').count(), { timeout: 20_000 }).toBe(3);
    await shoot('batch');
    expect(errors).toEqual([]);
    await page.getByRole('button', { name: 'Back to the first values' }).click();
  });

  test('the form is edited: fewer fields, other names', async () => {
    await page.getByRole('button', { name: 'Edit the form' }).click();
    await page.getByLabel('Title').fill('Postcards');
    const row = page.locator('.builder-row', { hasText: 'What to draw' });
    await row.getByText('Details').click();
    await row.getByLabel('Label').fill('Your wish');
    await page.getByRole('checkbox', { name: /What to avoid/ }).uncheck();
    await page.getByRole('button', { name: 'Move Seed up' }).click();
    expect(await serious()).toEqual([]);
    await shoot('builder');
    await page.getByRole('button', { name: 'Save the form' }).click();
    await page.getByLabel('Your wish', { exact: true }).waitFor();
    expect(await page.getByRole('heading', { name: 'Postcards' }).count()).toBe(1);
    expect(await page.getByLabel('What to avoid').count()).toBe(0);
    const stored: unknown = await server.json('/v1/workflows/text-to-image');
    expect(stored).toMatchObject({ builtin: false });
    expect(stored).toHaveProperty('workflow.extra.linearData.inputs[0]', [2, 'text']);
  });

  test('a picture is dropped, painted on, and drawn anew', async () => {
    await open('/inpaint');
    const bytes = await sharp({
      create: { width: 128, height: 128, channels: 3, background: 'white' },
    })
      .png()
      .toBuffer();
    const file = join(base, 'mine.png');
    writeFileSync(file, bytes);
    await page.locator('input[type="file"]').first().setInputFiles(file);
    await expect
      .poll(() => page.getByLabel('Your picture', { exact: true }).first().inputValue())
      .toBe('mine.png');
    await page.getByRole('button', { name: 'Paint the mask' }).click();
    const canvas = page.locator('dialog canvas').last();
    const box = (await canvas.boundingBox())!;
    await page.mouse.move(box.x + box.width / 2 - 40, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width / 2 + 40, box.y + box.height / 2, { steps: 4 });
    await page.mouse.up();
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await expect
      .poll(() => page.getByLabel('Your picture', { exact: true }).first().inputValue(), {
        timeout: 10_000,
      })
      .toMatch(/^clipspace\//);
    await page.getByLabel('Steps').last().fill('4');
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await expect.poll(() => pictures().count(), { timeout: 20_000 }).toBe(1);
    await shoot('inpaint');
    expect(errors).toEqual([]);
  });
});
