/** The page at /docs in a real browser: made from the document, and from nothing else. */
import { type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestServer, startServer, testingPack } from '../support/server.ts';
import { launch, noBrowser } from './support/browser.ts';

describe.skipIf(noBrowser !== null)('the page of the API', () => {
  let server: TestServer;
  let browser: Browser;
  let page: Page;
  const requests: string[] = [];
  const errors: string[] = [];
  beforeAll(async () => {
    [server, browser] = await Promise.all([startServer({ packs: [testingPack] }), launch()]);
    page = await browser.newPage();
    page.on('request', (request) => requests.push(request.url()));
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
    page.on('pageerror', (error) => errors.push(String(error)));
    await page.goto(`${server.url}/docs#getQueue`);
    await page.waitForSelector('#operations:not([aria-busy])');
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  const operation = (id: string) => page.locator(`details#${id}`);

  it('lists every operation and opens the one that the address names', async () => {
    const document = (await server.json('/v1/openapi.json')) as { paths: Record<string, object> };
    const count = Object.values(document.paths).flatMap((methods) => Object.keys(methods)).length;
    expect(await page.locator('details.operation').count()).toBe(count);
    expect(await operation('getQueue').getAttribute('open')).not.toBeNull();
  });

  it('sends what its form says and shows the answer', async () => {
    const view = operation('runWorkflow');
    await view.locator('summary').first().click();
    await view.getByRole('button', { name: 'Try it' }).click();
    const result = view.locator('.result');
    await expect.poll(() => result.textContent(), { timeout: 20_000 }).toContain('"completed"');
    expect(await result.textContent()).toContain('POST /v1/workflows/run → 200 OK');
    const job = operation('getJob');
    await job.locator('summary').first().click();
    await job.locator('input[name=id]').fill('no such/job');
    await job.getByRole('button', { name: 'Try it' }).click();
    await expect.poll(() => job.locator('.result').textContent()).toContain('"job_unknown"');
    expect(requests.at(-1)).toContain('/v1/jobs/no%20such%2Fjob');
  });

  it('shows events as they come, until it is told to stop', async () => {
    const view = operation('streamEvents');
    await view.locator('summary').first().click();
    await view.getByRole('button', { name: 'Try it' }).click();
    await expect.poll(() => view.locator('pre').textContent()).toContain('event: queue');
    await view.getByRole('button', { name: 'Stop' }).click();
    await expect.poll(() => view.getByRole('button', { name: 'Stop' }).isHidden()).toBe(true);
  });

  it('asks nobody but this server, and breaks no rule of its policy', () => {
    expect(
      requests.filter((url) => !url.startsWith(`${server.url}/`) && !url.startsWith('data:')),
    ).toEqual([]);
    // The answer 404 that was asked for above is the only thing that the browser complains of.
    expect(errors.filter((text) => !text.includes('404'))).toEqual([]);
  });
});
