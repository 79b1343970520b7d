/** The page's files at the root of the server. */
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import express from 'express';
import type { RequestHandler, Response } from 'express';

/** The start page must never come from a cache: it names the current scripts. */
const FRESH = {
  'Cache-Control': 'no-store, must-revalidate',
  Pragma: 'no-cache',
  Expires: '0',
} as const;

/** Pages beside the editor, by their addresses: forms (the list of all, and each under its name), training. */
const PAGES: readonly (readonly [RegExp, file: string])[] = [
  [/^\/ui\/run(\/[^/]*)?\/?$/, 'run.html'],
  [/^\/ui\/train\/?$/, 'train.html'],
];

/**
 * The page that is answered at `path`; its own addresses begin at the server's root, however deep it is
 * asked for. Undefined where there is none, or the folder holds a page that has none.
 */
async function pageAt(root: string, path: string): Promise<string | undefined> {
  const file = PAGES.find(([address]) => address.test(path))?.[1];
  if (file === undefined) return undefined;
  const html = await readFile(join(root, file), 'utf8').catch(() => undefined);
  const up = '../'.repeat(path.split('/').length - 2);
  return html?.replace('<head>', `<head><base href="${up}" />`);
}

/** Of our page: what changes gets another name, so a browser never asks twice. */
const HASHED = /[\\/]assets[\\/][^\\/]+-[\w-]{8}\.\w+$/;
const FOREVER = 'public, max-age=31536000, immutable';

/** Encodings that files may lie there in already, best first, by what their names end with. */
const ENCODINGS = { br: '.br', gzip: '.gz' } as const;
type Encoding = keyof typeof ENCODINGS;
const encodings = Object.keys(ENCODINGS) as Encoding[];

/**
 * Serves the folder that `root` yields, which is asked for (and where needed built) with the first
 * request that no route took. Of our own page (`isOwn`) the files in `assets` keep their hashed
 * names for ever; of any, a file that lies there compressed (`x.js.br`, `x.js.gz`) is sent so.
 */
export function servePage(
  root: () => Promise<string>,
  { isOwn }: { isOwn: boolean },
): RequestHandler {
  let files: Promise<RequestHandler> | undefined;
  const open = async (): Promise<RequestHandler> => {
    const folder = await root();
    const serve = express.static(folder, {
      cacheControl: false,
      redirect: false,
      setHeaders: (res, path) => setHeaders(res, path, isOwn),
    });
    const compressed = compressedIn(folder);
    return async (req, res, next) => {
      const page = await pageAt(folder, req.path);
      if (page !== undefined) {
        res.set({ ...FRESH, 'Content-Type': 'text/html; charset=utf-8' });
        res.send(page);
        return;
      }
      if (encodings.some((encoding) => compressed.has(req.path + ENCODINGS[encoding]))) {
        res.vary('Accept-Encoding');
        const best = encodings.find((encoding) => req.acceptsEncodings(encoding) !== false);
        const path = best === undefined ? '' : req.path + ENCODINGS[best];
        if (compressed.has(path)) req.url = path;
      }
      void serve(req, res, next);
    };
  };
  return async (req, res, next) => {
    if (req.method !== 'GET' && req.method !== 'HEAD') return next();
    // ComfyUI answers the page under /api/ too.
    if (req.path === '/api/' || req.path === '/api') req.url = '/';
    // A page that could not be built is tried again with the next request.
    files ??= open().catch((error: unknown) => {
      files = undefined;
      throw error;
    });
    const serve = await files;
    await serve(req, res, next);
  };
}

function setHeaders(res: Response, path: string, isOwn: boolean): void {
  if (/[\\/]index\.html$/.test(path)) res.set(FRESH);
  const encoding = encodings.find((each) => path.endsWith(ENCODINGS[each]));
  const name = encoding === undefined ? path : path.slice(0, -ENCODINGS[encoding].length);
  if (isOwn && HASHED.test(name)) res.set('Cache-Control', FOREVER);
  if (encoding === undefined) return;
  res.set('Content-Encoding', encoding);
  res.type(/\.\w+$/.exec(name)?.[0] ?? 'application/octet-stream');
}

/** Addresses of the files that lie in a folder compressed. */
function compressedIn(folder: string): ReadonlySet<string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const addresses = names.map((name) => encodeURI(`/${name.replaceAll('\\', '/')}`));
  return new Set(
    addresses.filter((name) => encodings.some((encoding) => name.endsWith(ENCODINGS[encoding]))),
  );
}
