/**
 * The gallery with many files: how long the server takes to list them and to search their prompts, and what
 * opening and scrolling to the end costs the page (time, processor time of its main thread, memory).
 *
 *     node --import ./bin/typescript.js bench/editor/gallery.ts [COUNT]
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CDPSession, Page } from 'playwright-core';
import { pngWithText } from '../../tests/web/support/png-with-text.ts';
import { startServer } from '../../tests/support/server.ts';
import { launch, openPage } from '../../tests/web/support/browser.ts';
import { buildWeb } from '../../web/build.mjs';

const count = Number(process.argv[2] ?? 5000);

const timed = async <T>(run: () => Promise<T>): Promise<[ms: number, result: T]> => {
  const begin = performance.now();
  const result = await run();
  return [Math.round(performance.now() - begin), result];
};

/** Small pictures with prompts of their own, in ten folders. */
async function makePictures(folder: string): Promise<void> {
  for (let i = 0; i < count; i++) {
    const prompt = { 1: { class_type: 'CLIPTextEncode', inputs: { text: `a boat, number ${i}` } } };
    const below = join(folder, `day ${i % 10}`);
    if (i < 10) mkdirSync(below, { recursive: true });
    writeFileSync(
      join(below, `picture_${String(i).padStart(5, '0')}_.png`),
      await pngWithText([{ key: 'prompt', text: JSON.stringify(prompt) }]),
    );
  }
}

async function metrics(cdp: CDPSession): Promise<{ busy: number; heap: number; nodes: number }> {
  await cdp.send('HeapProfiler.collectGarbage');
  const all = (await cdp.send('Performance.getMetrics')).metrics;
  const value = (name: string): number => all.find((m) => m.name === name)?.value ?? 0;
  return {
    busy: 1000 * value('ThreadTime'),
    heap: value('JSHeapUsedSize') / 2 ** 20,
    nodes: value('Nodes'),
  };
}

/** Scrolls by whole windows until the last file is in sight; the steps it took. */
async function scrollToEnd(page: Page): Promise<number> {
  return page.evaluate(async (last) => {
    const grid = document.querySelector('.gallery-grid') as HTMLElement;
    let steps = 0;
    while (grid.querySelector(`[data-index="${last}"]`) === null) {
      const before = grid.scrollTop;
      grid.scrollTop += grid.clientHeight;
      await new Promise(requestAnimationFrame);
      if (grid.scrollTop !== before) steps++;
    }
    return steps;
  }, count - 1);
}

await buildWeb();
const base = mkdtempSync(join(tmpdir(), 'noodle-gallery-'));
await makePictures(join(base, 'output'));
const server = await startServer({ base });
const browser = await launch();
try {
  // No model is there, and nobody here wants to hear of it.
  await server.post('/settings/Comfy.Workflow.ShowMissingModelsWarning', false);
  const list = (query = ''): Promise<unknown> => server.json(`/v1/outputs?limit=120${query}`);
  const [first] = await timed(() => list());
  const [again] = await timed(() => list());
  const [search] = await timed(() => list('&q=number%2042'));
  const [searchAgain] = await timed(() => list('&q=number%2043'));
  console.log(
    `${count} files: listed in ${first} ms, again ${again} ms; searched in ${search} ms, again ${searchAgain} ms`,
  );
  const { page } = await openPage(browser, server.url, { width: 1440, height: 900 });
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Performance.enable', { timeDomain: 'threadTicks' });
  const before = await metrics(cdp);
  const [opening] = await timed(async () => {
    await page.getByRole('button', { name: 'Gallery', exact: true }).click();
    await page.locator('.gallery-cell img').first().waitFor();
  });
  const opened = await metrics(cdp);
  console.log(
    `opened in ${opening} ms (main thread ${(opened.busy - before.busy).toFixed(0)} ms), heap +${(opened.heap - before.heap).toFixed(1)} MiB`,
  );
  const [scrolling, steps] = await timed(() => scrollToEnd(page));
  const after = await metrics(cdp);
  console.log(
    `scrolled to the end in ${scrolling} ms, ${steps} steps of a window: main thread ` +
      `${((after.busy - opened.busy) / steps).toFixed(1)} ms a step, heap +${(after.heap - opened.heap).toFixed(1)} MiB, ` +
      `${after.nodes - opened.nodes} more nodes in the document`,
  );
} finally {
  await browser.close();
  await server.stop();
  rmSync(base, { recursive: true, force: true });
}
