/**
 * Drawing the graph in a browser that draws in software: frames a second while the canvas is panned,
 * and the processor time of the page's main thread for a frame, which other work on the machine does
 * not change. Targets on two quiet cores: 60 frames at 500 nodes, 30 at 2 000.
 *
 *     node --import ./bin/typescript.js bench/editor/pan.ts [profile]
 *
 * With `profile` the functions that take the most time are listed for each case.
 */
import type { CDPSession, Page } from 'playwright-core';
import { startMockServer } from '../../tests/web/mock-server.ts';
import { dropFile, launch, openPage } from '../../tests/web/support/browser.ts';
import { buildWeb } from '../../web/build.mjs';

const FRAMES = 60;
const withProfile = process.argv.includes('profile');

/** A workflow of so many nodes in rows of chains: a loader, two prompts, sampler, decoder, output. */
function graphOf(count: number): string {
  const chain = [
    ['CheckpointLoaderSimple', 300, 110, ['tiny-scenes.safetensors']],
    ['CLIPTextEncode', 340, 150, ['a red circle on a blue background']],
    ['EmptyLatentImage', 300, 120, [512, 512, 1]],
    ['KSampler', 300, 280, [11, 'fixed', 20, 4, 'dpmpp_2m', 'karras', 1]],
    ['VAEDecode', 220, 60, []],
  ] as const;
  const across = Math.ceil(Math.sqrt(count / 1.6));
  const nodes = Array.from({ length: count }, (_, i) => {
    const [type, w, h, values] = chain[i % chain.length];
    const pos = [(i % across) * 400, Math.floor(i / across) * 340];
    return {
      id: i + 1,
      type,
      pos,
      size: [w, h],
      flags: {},
      order: i,
      mode: 0,
      widgets_values: values,
    };
  });
  const links: unknown[] = [];
  const connect = (from: number, slot: number, to: number, at: number, type: string) => {
    if (to <= count) links.push([links.length + 1, from, slot, to, at, type]);
  };
  for (let i = 1; i + 4 <= count; i += chain.length) {
    connect(i, 1, i + 1, 0, 'CLIP');
    connect(i, 0, i + 3, 0, 'MODEL');
    connect(i + 1, 0, i + 3, 1, 'CONDITIONING');
    connect(i + 2, 0, i + 3, 3, 'LATENT');
    connect(i + 3, 0, i + 4, 0, 'LATENT');
    connect(i, 2, i + 4, 1, 'VAE');
  }
  const withSlots = nodes.map((node) => {
    const own = links as [number, number, number, number, number, string][];
    const names: Record<string, string[]> = {
      CLIPTextEncode: ['clip'],
      KSampler: ['model', 'positive', 'negative', 'latent_image'],
      VAEDecode: ['samples', 'vae'],
    };
    const inputs = (names[node.type] ?? []).map((name, slot) => {
      const link = own.find((l) => l[3] === node.id && l[4] === slot);
      return { name, type: link?.[5] ?? '*', link: link?.[0] ?? null };
    });
    return { ...node, inputs };
  });
  return JSON.stringify({
    last_node_id: count,
    last_link_id: links.length,
    nodes: withSlots,
    links,
    groups: [],
    version: 0.4,
  });
}

interface Frames {
  readonly rate: number;
  readonly drawn: readonly number[];
  readonly visible: number;
}

/** Pans by a few pixels a frame at one zoom; in the page. */
async function pan(page: Page, scale: number): Promise<Frames> {
  return page.evaluate(
    async ([zoom, frames]) => {
      interface Canvas {
        ds: { scale: number; offset: [number, number] };
        visible_nodes: unknown[];
        setDirty(front: boolean, back: boolean): void;
        draw(): void;
      }
      const { data: canvas } = document.getElementById('graph') as unknown as { data: Canvas };
      canvas.ds.scale = zoom;
      canvas.ds.offset = [-100, 60];
      const draw = canvas.draw.bind(canvas);
      const drawn: number[] = [];
      canvas.draw = () => {
        const begin = performance.now();
        draw();
        drawn.push(performance.now() - begin);
      };
      const begin = performance.now();
      for (let i = 0; i < frames; i++) {
        // To and fro: what is in sight stays about the same.
        canvas.ds.offset[0] += (i % 30 < 15 ? -6 : 6) / zoom;
        canvas.ds.offset[1] += (i % 30 < 15 ? -2 : 2) / zoom;
        canvas.setDirty(true, true);
        await new Promise(requestAnimationFrame);
      }
      const rate = (1000 * frames) / (performance.now() - begin);
      canvas.draw = draw;
      return { rate, drawn: drawn.sort((a, b) => a - b), visible: canvas.visible_nodes.length };
    },
    [scale, FRAMES] as const,
  );
}

/** Seconds of processor time the page's main thread has used. */
async function threadTime(cdp: CDPSession): Promise<number> {
  const { metrics } = await cdp.send('Performance.getMetrics');
  return metrics.find(({ name }) => name === 'ThreadTime' || name === 'TaskDuration')?.value ?? 0;
}

async function profiled<T>(cdp: CDPSession, run: () => Promise<T>): Promise<T> {
  if (!withProfile) return run();
  await cdp.send('Profiler.enable');
  await cdp.send('Profiler.start');
  const result = await run();
  const { profile } = await cdp.send('Profiler.stop');
  const own = new Map<string, number>();
  const names = new Map(profile.nodes.map((n) => [n.id, n.callFrame]));
  for (const [i, id] of (profile.samples ?? []).entries()) {
    const frame = names.get(id);
    const name = `${frame?.functionName || '(anonymous)'}:${frame?.columnNumber ?? 0}`;
    own.set(name, (own.get(name) ?? 0) + (profile.timeDeltas?.[i] ?? 0));
  }
  const most = [...own].sort((a, b) => b[1] - a[1]).slice(0, 14);
  for (const [name, time] of most)
    console.log(`      ${name.padEnd(40)} ${(time / 1000).toFixed(0)} ms`);
  return result;
}

await buildWeb();
const server = await startMockServer();
const browser = await launch();
try {
  for (const count of [500, 2000]) {
    const { page } = await openPage(browser, server.url, { width: 1440, height: 900 });
    const bytes = Buffer.from(graphOf(count));
    await dropFile(page, { name: `${count}.json`, type: 'application/json', bytes });
    await page.waitForFunction((n) => window.noodle.nodes().length === n, count);
    const cdp = await page.context().newCDPSession(page);
    await cdp.send('Performance.enable', { timeDomain: 'threadTicks' });
    for (const scale of [1, 0.5, 0.36, 0.2, 0.1]) {
      await pan(page, scale); // what is made on first sight (text areas, measured texts) is no part of panning
      const before = await threadTime(cdp);
      const { rate, drawn, visible } = await profiled(cdp, () => pan(page, scale));
      const spent = (1000 * ((await threadTime(cdp)) - before)) / FRAMES;
      const middle = drawn[Math.floor(drawn.length / 2)];
      console.log(
        `${count} nodes at ${Math.round(scale * 100)}% (${visible} in sight): ` +
          `${rate.toFixed(0)} frames/s, drawing ${drawn[0].toFixed(1)} (${middle.toFixed(1)}) ms, ` +
          `main thread ${spent.toFixed(1)} ms a frame`,
      );
    }
    await page.context().close();
  }
} finally {
  await browser.close();
  await server.close();
}
