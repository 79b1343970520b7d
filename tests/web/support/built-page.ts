import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, type TestContext } from 'vitest';
import { buildWeb } from '../../../web/build.mjs';
import { startMockServer, type MockServer } from '../mock-server.ts';
import { launch, openPage } from './browser.ts';

/** What tests of the page stand on. */
export interface BuiltPage {
  browser: Browser;
  server: MockServer;
}

/** The built page on a mock server and a browser, while the tests of the block that calls this run. */
export function useBuiltPage(): BuiltPage {
  const stand = {} as BuiltPage; // filled before the first test
  beforeAll(async () => {
    await buildWeb();
    stand.server = await startMockServer();
    stand.browser = await launch();
  });
  afterAll(async () => {
    await stand.browser?.close();
    await stand.server?.close();
  });
  return stand;
}

/** A visitor who was never here, with one window open. */
export interface FreshPage {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What any window of the visitor complained of so far. */
  readonly errors: string[];
}

/**
 * As `useBuiltPage`, and every test has a fresh visitor, which `take` gets before it. After it nothing may
 * stand among the visitor's errors but `answers`: statuses of the server that the browser logs as errors.
 */
export function useFreshPage(take: (fresh: FreshPage) => void, answers = /^$/): BuiltPage {
  const stand = useBuiltPage();
  let fresh: FreshPage;
  beforeEach(async () => {
    const context = await stand.browser.newContext({ viewport: { width: 1280, height: 800 } });
    context.setDefaultTimeout(15_000);
    const errors: string[] = [];
    context.on('console', (message) => {
      if (message.type() === 'error') errors.push(message.text());
    });
    context.on('weberror', (error) => errors.push(String(error.error())));
    const { page } = await openPage(context, stand.server.url);
    fresh = { context, page, errors };
    take(fresh);
  });
  afterEach(async ({ task }) => {
    await shotOfFailure(fresh.page, task);
    await fresh.context.close();
    expect(fresh.errors.filter((error) => !answers.test(error))).toEqual([]);
  });
  return stand;
}

/** What a test saw last when it failed, where `SHOTS` names a folder for pictures. */
async function shotOfFailure(page: Page, task: TestContext['task']): Promise<void> {
  const folder = process.env.SHOTS;
  if (folder === undefined || task.result?.state !== 'fail') return;
  const name = task.name.replace(/\W+/g, '-').slice(0, 80);
  await page.screenshot({ path: join(folder, `failed-${name}.png`) }).catch(() => undefined);
}
