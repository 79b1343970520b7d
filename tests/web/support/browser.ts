import { existsSync } from 'node:fs';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';

const path = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';

/** Why browser tests are skipped here, or null when a Chromium is at hand. */
export const noBrowser: string | null = existsSync(path)
  ? null
  : `no Chromium at ${path}: set CHROMIUM_PATH to run the web tests`;

/** How the browser is started. */
export const browserOptions = {
  executablePath: path,
  args: ['--no-sandbox', '--disable-gpu', '--force-color-profile=srgb'],
};

export const launch = (): Promise<Browser> => chromium.launch(browserOptions);

/** A page at the address, of a fresh visitor or of a context's; `errors` collects console errors and uncaught exceptions. */
export async function openPage(
  browser: Browser | BrowserContext,
  url: string,
  viewport = { width: 1280, height: 800 },
  given?: Page,
): Promise<{ page: Page; errors: string[] }> {
  const context = 'newContext' in browser ? await browser.newContext({ viewport }) : browser;
  const page = given ?? (await context.newPage());
  const errors: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  page.on('pageerror', (error) => errors.push(String(error)));
  await page.addInitScript(defineHandle);
  await page.goto(url);
  await opened(page);
  return { page, errors };
}

/** Waits until the page shows a workflow, and after a reload all of its tabs: then there is a safety copy of it. */
export async function opened(page: Page): Promise<void> {
  await page.waitForFunction(() => {
    const window = sessionStorage.getItem('noodle.window');
    const keys = Object.keys(localStorage).filter((key) => key.startsWith('noodle.draft.'));
    return keys.some((key) => localStorage.getItem(key)?.includes(`"window":"${window}"`));
  });
  await page.waitForSelector('.workflow-tab[data-active=true], .phone-form', { state: 'attached' });
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
      /** Which of its pictures a node shows alone; null while it shows all. */
      opened(id: number): number | null;
      /** The names of a node's fields, in order. */
      fields(id: number): string[];
      widget(id: number, name: string): string;
      /** A value as it is, for those that are no texts. */
      json(id: number, name: string): unknown;
      /** How many pictures a node shows to be compared. */
      compared(id: number): number;
      setWidget(id: number, name: string, value: string): void;
      /** The newest safety copy of this window. */
      text(): string;
      /** The graph on the canvas itself, as JSON that does not tell which node lies in front. */
      live(): string;
      /** Where on the page a part of a node is: 'title', 'corner', 'input:0', 'output:0', 'widget:seed', 'picture:2'. */
      spot(id: number, part: string): { x: number; y: number };
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
    y: number;
    hasError?: boolean;
    pictures?: unknown[];
    opened?: number | null;
    imageAt?(x: number, y: number): number | null;
    images?: { source: { width: number; height: number }; live: boolean }[];
  }
  interface Node {
    id: number | string;
    type: string;
    mode: number;
    pos: [number, number];
    size: [number, number];
    getInputPos(slot: number): [number, number];
    getOutputPos(slot: number): [number, number];
    widgets?: Widget[];
    strokeStyles: { status?: () => { color?: string } | undefined };
  }
  interface Draft {
    window: string;
    time: number;
    workflow: string;
  }
  interface Stored {
    nodes: { id: unknown; order?: number }[];
    links: unknown[][];
    groups: unknown[];
  }
  interface Canvas {
    graph: { nodes: Node[]; serialize(): Stored };
    ds: { scale: number; offset: [number, number] };
  }
  const element = () =>
    document.getElementById('graph') as (HTMLCanvasElement & { data?: Canvas }) | null;
  const graph = () => element()?.data?.graph ?? { nodes: [] };
  /** Keys in one order: a loaded node lists its own another way than a new one. */
  const sorted = (value: unknown): unknown => {
    if (typeof value === 'bigint') return `${value}n`;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  };
  const textOf = (value: unknown): string =>
    JSON.stringify(value, (_, inner: unknown) => sorted(inner));
  const node = (id: number | string) => graph().nodes.find((n) => String(n.id) === String(id));
  const widget = (id: number | string, name: string) =>
    node(id)?.widgets?.find((w) => w.name === name);
  /** A point of the graph that lies well inside a picture of a node. */
  const inPicture = ({ pos, size, widgets = [] }: Node, index: number): [number, number] => {
    const view = widgets.find((w) => w.imageAt !== undefined);
    for (let y = 4; y < size[1]; y += 8) {
      for (let x = 4; x < size[0]; x += 8) {
        if (view?.imageAt?.(x, y) === index && view.imageAt(x + 8, y + 8) === index) {
          return [pos[0] + x + 4, pos[1] + y + 4];
        }
      }
    }
    throw new Error(`picture ${index} is not in sight`);
  };
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
    opened: (id) => node(id)?.widgets?.find((w) => w.opened !== undefined)?.opened ?? null,
    fields: (id) => (node(id)?.widgets ?? []).map(({ name }) => name),
    widget: (id, name) => String(widget(id, name)?.value),
    json: (id, name) => widget(id, name)?.value,
    compared: (id) =>
      node(id)
        ?.widgets?.map(({ pictures }) => pictures?.filter(Boolean).length ?? 0)
        .find((count) => count > 0) ?? 0,
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
    live: () => {
      const stored = element()?.data?.graph.serialize();
      const { nodes = [], links = [], groups = [] } = stored ?? {};
      const plain = nodes.map(({ order: _order, ...item }) => item);
      return textOf({
        nodes: plain.sort((a, b) => Number(a.id) - Number(b.id)),
        links: links.sort((a, b) => Number(a[0]) - Number(b[0])),
        groups,
      });
    },
    spot: (id, part) => {
      const found = node(id);
      const canvas = element();
      if (found === undefined || !canvas?.data) throw new Error(`no node ${id}`);
      const { ds } = canvas.data;
      const [kind, slot = '0'] = part.split(':');
      const [x, y] =
        kind === 'input'
          ? found.getInputPos(Number(slot))
          : kind === 'output'
            ? found.getOutputPos(Number(slot))
            : kind === 'corner'
              ? [found.pos[0] + found.size[0] - 4, found.pos[1] + found.size[1] - 4]
              : kind === 'widget'
                ? [found.pos[0] + found.size[0] / 2, found.pos[1] + (widget(id, slot)?.y ?? 0) + 10]
                : kind === 'picture'
                  ? inPicture(found, Number(slot))
                  : [found.pos[0] + found.size[0] / 2, found.pos[1] - 14];
      const box = canvas.getBoundingClientRect();
      return {
        x: box.left + (x + ds.offset[0]) * ds.scale,
        y: box.top + (y + ds.offset[1]) * ds.scale,
      };
    },
  };
}

/** Drags with the mouse from one place to another (or by so much), like a hand does. */
export async function drag(
  page: Page,
  from: { x: number; y: number },
  to: { x: number; y: number },
): Promise<void> {
  await page.mouse.move(from.x, from.y);
  await page.mouse.down();
  await page.mouse.move((from.x + to.x) / 2, (from.y + to.y) / 2, { steps: 3 });
  await page.mouse.move(to.x, to.y, { steps: 3 });
  await page.mouse.up();
}

/** A double click as a hand makes it: the second one a moment after the first, which litegraph asks for. */
export const doubleClick = (page: Page, { x, y }: { x: number; y: number }): Promise<void> =>
  page.mouse.dblclick(x, y, { delay: 15 });

/** Where a part of a node is on the page: 'title', 'corner', 'input:0', 'output:0'. */
export const spotOf = (page: Page, id: number, part: string): Promise<{ x: number; y: number }> =>
  page.evaluate(([node, what]) => window.noodle.spot(node, what), [id, part] as const);

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
