/** The page's files at the root of the server. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import express from 'express';
import type { RequestHandler } from 'express';

/** The start page must never come from a cache: it names the current scripts. */
const FRESH = {
  'Cache-Control': 'no-store, must-revalidate',
  Pragma: 'no-cache',
  Expires: '0',
} as const;

/** Pages of forms: the list of all, and each under its name. */
const FORMS = /^\/ui\/run(\/[^/]*)?\/?$/;

/**
 * The page of forms as it is answered at `path`; its own addresses begin at the server's root, however
 * deep it is asked for. Undefined where the folder holds a page that has none.
 */
async function formsPage(root: string, path: string): Promise<string | undefined> {
  const html = await readFile(join(root, 'run.html'), 'utf8').catch(() => undefined);
  const up = '../'.repeat(path.split('/').length - 2);
  return html?.replace('<head>', `<head><base href="${up}" />`);
}

/**
 * Serves the folder that `root` yields, which is asked for (and where needed built) with the first
 * request that no route took.
 */
export function servePage(root: () => Promise<string>): RequestHandler {
  let files: Promise<RequestHandler> | undefined;
  const open = async (): Promise<RequestHandler> => {
    const folder = await root();
    const serveFiles = express.static(folder, {
      cacheControl: false,
      redirect: false,
      setHeaders: (res, path) => {
        if (/[\\/]index\.html$/.test(path)) res.set(FRESH);
      },
    });
    return async (req, res, next) => {
      const page = FORMS.test(req.path) ? await formsPage(folder, req.path) : undefined;
      if (page === undefined) return void serveFiles(req, res, next);
      res.set({ ...FRESH, 'Content-Type': 'text/html; charset=utf-8' });
      res.send(page);
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
