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
  await page.addInitScript(defineHandle);
  await page.goto(url);
  await page.waitForSelector('.top-bar');
  return { page, errors };
}

/** What `graphOf` tells about one node on the page. */
export interface ShownNode {
  readonly id: number | string;
  readonly type: string;
  readonly mode: number;
  readonly error: boolean;
  readonly errorFields: readonly string[];
}

interface ShownImage {
  readonly width: number;
  readonly height: number;
  readonly live: boolean;
}

declare global {
  interface Window {
    /** Made by `openPage` from the canvas's own handle, for tests only. */
    noodle: {
      nodes(): ShownNode[];
      imagesOf(id: number): ShownImage[];
      widget(id: number, name: string): string;
      setWidget(id: number, name: string, value: string): void;
      text(): string;
    };
  }
}

/** The nodes of the open graph. */
export const graphOf = (page: Page): Promise<{ nodes: ShownNode[] }> =>
  page.evaluate(() => ({ nodes: window.noodle.nodes() }));

/** Runs in the page: a reading handle over the canvas that litegraph leaves on its element. */
function defineHandle(): void {
  interface Widget {
    name: string;
    value: unknown;
    hasError?: boolean;
    images?: { source: { width: number; height: number }; live: boolean }[];
  }
  interface Node {
    id: number | string;
    type: string;
    mode: number;
    widgets?: Widget[];
    strokeStyles: { status?: () => { color?: string } | undefined };
  }
  interface Draft {
    window: string;
    time: number;
    workflow: string;
  }
  const graph = () => {
    const element = document.getElementById('graph') as
      (HTMLCanvasElement & { data?: { graph: { nodes: Node[] } } }) | null;
    return element?.data?.graph ?? { nodes: [] };
  };
  const node = (id: number | string) => graph().nodes.find((n) => String(n.id) === String(id));
  const widget = (id: number | string, name: string) =>
    node(id)?.widgets?.find((w) => w.name === name);
  window.noodle = {
    nodes: () =>
      graph().nodes.map((n) => ({
        id: n.id,
        type: n.type,
        mode: n.mode,
        error: n.strokeStyles.status?.call(n)?.color === '#f2555a',
        errorFields: (n.widgets ?? []).filter((w) => w.hasError === true).map((w) => w.name),
      })),
    imagesOf: (id) =>
      (node(id)?.widgets ?? [])
        .flatMap((w) => w.images ?? [])
        .map(({ source, live }) => ({ width: source.width, height: source.height, live })),
    widget: (id, name) => String(widget(id, name)?.value),
    setWidget: (id, name, value) => {
      const found = widget(id, name);
      if (found !== undefined) found.value = value;
    },
    text: () => {
      const window = sessionStorage.getItem('noodle.window');
      const drafts = Object.keys(localStorage)
        .filter((key) => key.startsWith('noodle.draft.'))
        .map((key) => JSON.parse(localStorage.getItem(key) ?? '{}') as Draft)
        .filter((draft) => draft.window === window)
        .sort((a, b) => b.time - a.time);
      return drafts[0]?.workflow ?? '';
    },
  };
}

/** Drops a file on the middle of the canvas. */
export async function dropFile(
  page: Page,
  file: { name: string; type: string; bytes: Buffer },
): Promise<void> {
  await page.evaluate(
    ({ name, type, base64 }) => {
      const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
      const data = new DataTransfer();
      data.items.add(new File([bytes], name, { type }));
      document.body.dispatchEvent(
        new DragEvent('drop', {
          dataTransfer: data,
          bubbles: true,
          cancelable: true,
          clientX: 640,
          clientY: 420,
        }),
      );
    },
    { name: file.name, type: file.type, base64: file.bytes.toString('base64') },
  );
}
