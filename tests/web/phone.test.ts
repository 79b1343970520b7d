/** The page in a hand: 390 × 844 points, touch. */
import { join } from 'node:path';
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { noBrowser } from './support/browser.ts';
import { useBuiltPage } from './support/built-page.ts';

const shots = process.env.SHOTS;

describe.skipIf(noBrowser !== null)('on a phone', () => {
  const stand = useBuiltPage();
  let page: Page;
  const errors: string[] = [];

  beforeAll(async () => {
    const context = await stand.browser.newContext({
      viewport: { width: 390, height: 844 },
      hasTouch: true,
      isMobile: true,
      deviceScaleFactor: 2,
    });
    page = await context.newPage();
    page.on('console', (message) => {
      if (message.type() === 'error') errors.push(message.text());
    });
    page.on('pageerror', (error) => errors.push(String(error)));
    await page.goto(stand.server.url);
    await page.locator('.phone-queue-button').waitFor();
  });
  afterAll(() => page?.context().close());

  const shoot = async (name: string): Promise<void> => {
    if (shots !== undefined) await page.screenshot({ path: join(shots, `${name}.png`) });
  };
  /** Visible controls that reach out of the window, or are too small for a finger. */
  const misplaced = (): Promise<string[]> =>
    page.evaluate(() =>
      [...document.querySelectorAll<HTMLElement>('button, a, input, select, textarea, h1')]
        .filter((element) => element.checkVisibility() && !element.closest('.phone-strip'))
        .flatMap((element) => {
          const { left, right, height } = element.getBoundingClientRect();
          const isOut = left < -0.5 || right > window.innerWidth + 0.5;
          const isSmall = element.matches('button, select') && height > 0 && height < 43.5;
          const name = element.getAttribute('aria-label') ?? element.textContent ?? '';
          return isOut || isSmall ? [`${element.tagName} ${name.slice(0, 40)}`] : [];
        }),
    );
  const scrolls = (): Promise<boolean> =>
    page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);

  test('the open workflow is a form, and nothing is out of reach', async () => {
    await page.locator('.phone-form textarea').first().waitFor();
    expect(await misplaced()).toEqual([]);
    expect(await scrolls()).toBe(false);
    await page.evaluate(axe.source);
    const serious = await page.evaluate(async () => {
      const found = await (window as unknown as { axe: typeof axe }).axe.run();
      return found.violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
    });
    expect(serious).toEqual([]);
    await shoot('phone-form');
  });

  test('what is filled in is queued, and stays in the workflow', async () => {
    await page.locator('.phone-form textarea').first().tap();
    await page.locator('.phone-form textarea').first().fill('a cat in the rain');
    await page.locator('.phone-queue-button').tap();
    await expect.poll(() => stand.server.prompts.length).toBe(1);
    expect(JSON.stringify(stand.server.prompts[0].body.prompt)).toContain('a cat in the rain');
    await page.getByRole('button', { name: 'Open the newest picture' }).waitFor();
    await shoot('phone-made');
    await page.reload();
    await expect
      .poll(() => page.locator('.phone-form textarea').first().inputValue())
      .toBe('a cat in the rain');
  });

  test('panels take the whole width', async () => {
    for (const name of ['Gallery', 'Workflows', 'Queue']) {
      await page.locator('.phone-foot nav').getByRole('button', { name }).tap({ timeout: 8000 });
      await page.locator('.side-panel').waitFor();
      expect((await page.locator('.side-panel').boundingBox())?.width).toBe(390);
      expect(await scrolls()).toBe(false);
      await shoot(`phone-${name.toLowerCase()}`);
    }
    await page.locator('.phone-foot nav').getByRole('button', { name: 'Form' }).tap();
    await page.locator('.phone-form').waitFor();
    expect(errors).toEqual([]);
  });

  test('the graph is looked at with a finger, and not changed', async () => {
    await page.getByRole('button', { name: 'Graph' }).tap();
    const view = () =>
      page.evaluate(() => {
        interface Handle {
          ds: { scale: number; offset: [number, number] };
          graph: { nodes: { pos: number[] }[] };
        }
        const { data } = document.getElementById('graph') as unknown as { data: Handle };
        const nodes = data.graph.nodes.map(({ pos }) => [...pos]);
        return { scale: data.ds.scale, x: data.ds.offset[0], nodes };
      });
    const before = await view();
    await shoot('phone-graph');
    const session = await page.context().newCDPSession(page);
    const touch = (type: string, points: [number, number][]) =>
      session.send('Input.dispatchTouchEvent', {
        type: type as 'touchStart',
        touchPoints: points.map(([x, y], id) => ({ x, y, id })),
      });
    await touch('touchStart', [
      [150, 400],
      [250, 400],
    ]);
    await touch('touchMove', [
      [100, 400],
      [300, 400],
    ]);
    await touch('touchEnd', []);
    const after = await view();
    expect(after.scale / before.scale).toBeGreaterThan(1.5);
    expect(after.nodes).toEqual(before.nodes);
    await touch('touchStart', [[150, 400]]);
    await touch('touchMove', [[250, 400]]);
    await touch('touchEnd', []);
    expect((await view()).x).toBeGreaterThan(after.x);
    expect(await misplaced()).toEqual([]);
    await page.locator('.phone-foot nav').getByRole('button', { name: 'Form' }).click();
    await page.locator('.phone-form').waitFor();
    expect(errors).toEqual([]);
  });
});
