import { existsSync } from 'node:fs';
import { chromium, type Browser, type Page } from 'playwright-core';

const path = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';

/** Why browser tests are skipped here, or null when a Chromium is at hand. */
export const noBrowser: string | null = existsSync(path)
  ? null
  : `no Chromium at ${path}: set CHROMIUM_PATH to run the web tests`;

export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: path,
    args: ['--no-sandbox', '--disable-gpu', '--force-color-profile=srgb'],
  });
}

/** A fresh page at the address; `errors` collects console errors and uncaught exceptions. */
export async function openPage(
  browser: Browser,
  url: string,
  viewport = { width: 1280, height: 800 },
): Promise<{ page: Page; errors: string[] }> {
  const context = await browser.newContext({ viewport });
  const page = await context.newPage();
  const errors: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  page.on('pageerror', (error) => errors.push(String(error)));
  await page.goto(url);
  await page.waitForSelector('.top-bar');
  return { page, errors };
}
