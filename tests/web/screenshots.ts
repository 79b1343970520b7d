/**
 * `npm run screenshots`: makes the pictures of the README from a real server with the embedded
 * checkpoint: the page while a picture forms, the page with the result, and a sheet of pictures; and
 * one of every part of the page, into temp/screenshots, to be looked at.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { connect, startServer } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';
import { launch, noBrowser, openPage } from './support/browser.ts';
import { buildWeb } from '../../web/build.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const images = join(root, 'docs/images');

const PROMPTS = [
  'a red circle on a blue background',
  'a yellow star on a purple background',
  'a small house on grass, a tree',
  'a boat on the sea',
  'three balloons in the sky',
  'a cat face on a pink background',
  'a green triangle on white and black stripes',
  'a moon in a night sky',
];

if (noBrowser !== null) throw new Error(noBrowser);
await buildWeb();
mkdirSync(images, { recursive: true });
const base = mkdtempSync(join(tmpdir(), 'noodle-screenshots-'));
mkdirSync(join(base, 'models'));
symlinkSync(join(root, 'models/checkpoints'), join(base, 'models/checkpoints'));
const server = await startServer({ base, flags: ['--preview-method', 'auto'] });
try {
  await photographPage(server);
  await drawSheet(server);
  await photographParts(server);
} finally {
  await server.stop();
  rmSync(base, { recursive: true, force: true });
}

/** The editor at work, and with its result. */
async function photographPage({ url }: TestServer): Promise<void> {
  const browser = await launch();
  const { page } = await openPage(browser, url, { width: 1440, height: 820 });
  await page.waitForTimeout(500);
  // The first run opens the sessions; the photograph is of a later one, under way.
  await page.keyboard.press('Control+Enter');
  await page.waitForTimeout(4000);
  await page.screenshot({ path: join(images, 'editor.png') });
  await page.keyboard.press('Control+Enter');
  await page.waitForTimeout(350);
  await page.screenshot({ path: join(images, 'sampling.png') });
  await page.waitForTimeout(2500);
  await browser.close();
}

/** Every part of the page, as somebody would come to it. */
async function photographParts({ url }: TestServer): Promise<void> {
  const folder = join(root, 'temp/screenshots');
  mkdirSync(folder, { recursive: true });
  const browser = await launch();
  const { page } = await openPage(browser, url, { width: 1440, height: 900 });
  const shot = async (name: string): Promise<void> => {
    await page.waitForTimeout(900); // what is loaded when it is opened
    await page.screenshot({ path: join(folder, `${name}.png`) });
  };
  const keys = async (...chords: string[]): Promise<void> => {
    for (const chord of chords) await page.keyboard.press(chord);
  };
  for (const [key, name] of [
    ['q', 'queue'],
    ['a', 'gallery'],
    ['w', 'workflows'],
    ['n', 'nodes'],
    ['m', 'models'],
  ]) {
    await keys(key);
    await shot(name);
    await keys(key);
  }
  await page.mouse.dblclick(760, 800);
  await page.keyboard.type('sampl');
  await shot('search');
  await keys('Escape', 'Control+k');
  await shot('palette');
  await keys('Escape', 'Control+,');
  await shot('settings');
  await keys('Escape', '?');
  await shot('keys');
  await keys('Escape', 'Control+a');
  await shot('selection');
  await keys('Control+Shift+e');
  await shot('subgraph');
  await keys('Control+z', 'Alt+m');
  for (let i = 0; i < 9; i++) await keys('Alt+-');
  await shot('far');
  for (const theme of ['light', 'contrast']) {
    await fetch(new URL('settings/Comfy.ColorPalette', url), {
      method: 'POST',
      body: JSON.stringify(theme),
    });
    await page.reload();
    await keys('.');
    await shot(theme);
  }
  await fetch(new URL('settings/Comfy.ColorPalette', url), { method: 'POST', body: '"dark"' });
  for (const [path, name] of [
    ['ui/run', 'forms'],
    ['ui/run/text-to-image', 'form'],
    ['ui/run/inpaint', 'form-inpaint'],
  ]) {
    await page.goto(new URL(path, url).href);
    await shot(name);
  }
  await page.setViewportSize({ width: 390, height: 844 });
  await shot('form-phone');
  await page.goto(url);
  await shot('phone');
  await browser.close();
}

/** One picture for each prompt, in a sheet. */
async function drawSheet(server: TestServer): Promise<void> {
  const client = await connect(server);
  const workflow = readFileSync(join(root, 'tests/golden/data/samples/02-red-circle.json'), 'utf8');
  const cells = [];
  for (const [i, text] of PROMPTS.entries()) {
    const prompt = JSON.parse(workflow) as Record<string, { inputs: Record<string, unknown> }>;
    prompt['6'].inputs.text = text;
    prompt['3'].inputs.seed = 20 + i;
    const answer = await server.post('/prompt', { prompt, client_id: client.sid });
    const { prompt_id: id } = (await answer.json()) as { prompt_id: string };
    await client.finished(id);
    const history = (await server.json(`/history/${id}`)) as Record<
      string,
      { outputs: Record<string, { images: { filename: string }[] }> }
    >;
    const { filename } = history[id].outputs['9'].images[0];
    const picture = await server.get(`/view?filename=${filename}`);
    cells.push({
      input: Buffer.from(await picture.arrayBuffer()),
      left: (i % 4) * 136 + 8,
      top: Math.floor(i / 4) * 136 + 8,
    });
  }
  await client.close();
  await sharp({ create: { width: 552, height: 280, channels: 3, background: '#18191d' } })
    .composite(cells)
    .png({ palette: true })
    .toFile(join(images, 'pictures.png'));
}
