/** What opening and closing workflows leaves behind in the browser: nothing. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { dropFile, noBrowser, openPage } from '../web/support/browser.ts';
import { useBuiltPage } from '../web/support/built-page.ts';

/** Files that the editor saved: our examples and those of the tests. */
const files = ['../../workflows/', '../web/fixtures/'].flatMap((path) => {
  const folder = new URL(path, import.meta.url);
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return names
    .map((name) => ({ name, bytes: readFileSync(new URL(name, folder)) }))
    .filter(({ bytes }) => bytes.includes('"links"'));
});

describe.skipIf(noBrowser !== null)('the memory of a page', () => {
  const stand = useBuiltPage();

  test('is flat while fifty workflows are opened in turn', async () => {
    expect(files.length).toBeGreaterThan(9);
    stand.server.settings['Comfy.Workflow.ShowMissingModelsWarning'] = false;
    const { page, errors } = await openPage(stand.browser, stand.server.url);
    const session = await page.context().newCDPSession(page);
    const used = async (): Promise<number> => {
      await session.send('HeapProfiler.collectGarbage');
      return (await session.send('Runtime.getHeapUsage')).usedSize;
    };
    const tab = page.locator('.workflow-tab[data-active=true]');
    const openAndClose = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        const { name, bytes } = files[i % 10];
        await dropFile(page, { name, type: 'application/json', bytes });
        await tab.getByText(name.replace('.json', ''), { exact: true }).waitFor();
        await page.locator('#graph').focus();
        await page.keyboard.press('Alt+w');
        await tab.getByText('Untitled', { exact: true }).waitFor();
      }
    };
    await openAndClose(30); // some closed tabs are kept: as many, and the same, at both looks
    const before = await used();
    await openAndClose(50);
    expect((await used()) - before).toBeLessThan(1e6);
    expect(errors).toEqual([]);
    await page.context().close();
  });
});
