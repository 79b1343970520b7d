import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';
import { buildWeb } from '../../../web/build.mjs';
import { startServer, type ServerOptions, type TestServer } from '../../support/server.ts';
import { launch } from './browser.ts';

/** What tests of the page on a real server stand on. */
export interface RealPage {
  /** The installation, which has the bundled checkpoint. */
  readonly base: string;
  /** A test that ends it puts another one here. */
  server: TestServer;
  browser: Browser;
}

export interface RealPageOptions extends Omit<ServerOptions, 'base'> {
  /** Puts what else the installation has into its folder, before the server starts. */
  readonly prepare?: (base: string) => void | Promise<void>;
}

const checkpoints = fileURLToPath(new URL('../../../models/checkpoints', import.meta.url));

/**
 * The built page on our server with the bundled checkpoint, in an installation of its own, and a browser, while
 * the tests of the block that calls this run.
 */
export function useRealPage({ prepare, ...options }: RealPageOptions = {}): RealPage {
  const base = mkdtempSync(join(tmpdir(), 'noodle-page-'));
  const stand = { base } as RealPage; // filled before the first test
  beforeAll(async () => {
    await buildWeb();
    mkdirSync(join(base, 'models'));
    symlinkSync(checkpoints, join(base, 'models', 'checkpoints'));
    await prepare?.(base);
    stand.server = await startServer({ base, ...options });
    stand.browser = await launch();
  });
  afterAll(async () => {
    await stand.browser?.close();
    await stand.server?.stop();
    rmSync(base, { recursive: true, force: true });
  });
  return stand;
}
