/** The page's files at the root of the server. */
import express from 'express';
import type { RequestHandler } from 'express';

/** The start page must never come from a cache: it names the current scripts. */
const FRESH = {
  'Cache-Control': 'no-store, must-revalidate',
  Pragma: 'no-cache',
  Expires: '0',
} as const;

/**
 * Serves the folder that `root` yields, which is asked for (and where needed built) with the first
 * request that no route took.
 */
export function servePage(root: () => Promise<string>): RequestHandler {
  let files: Promise<RequestHandler> | undefined;
  const open = async (): Promise<RequestHandler> =>
    express.static(await root(), {
      cacheControl: false,
      redirect: false,
      setHeaders: (res, path) => {
        if (/[\\/]index\.html$/.test(path)) res.set(FRESH);
      },
    });
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
