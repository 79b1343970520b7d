import type { Browser } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';
import { buildWeb } from '../../../web/build.mjs';
import { startMockServer, type MockServer } from '../mock-server.ts';
import { launch } from './browser.ts';

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
