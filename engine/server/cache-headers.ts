/** ComfyUI's cache headers, by request path and answer status. */
import type { RequestHandler } from 'express';

const CODE = /(\.(js|css)|\/index[^/]*\.json|^index[^/]*\.json)$/;
const IMAGE = /\.(jpe?g|png|ppm|bmp|pgm|tiff?|webp)$/i;

/** The Cache-Control of an answer, or undefined where there is no rule. */
export function cacheControl(path: string, status: number): string | undefined {
  if (CODE.test(path)) return 'no-cache';
  if (!IMAGE.test(path)) return undefined;
  if (status === 404) return 'public, max-age=3600';
  if ((status >= 200 && status <= 206) || status === 301 || status === 308) {
    return 'public, max-age=86400';
  }
  return status === 302 || status === 303 || status === 307 ? 'no-cache' : undefined;
}

/** Sets the header when the answer starts, unless a route set its own. */
export const cacheHeaders: RequestHandler = (req, res, next) => {
  // As it was asked for: a compressed file is found under another name.
  const { path } = req;
  const writeHead = res.writeHead.bind(res) as (...args: unknown[]) => typeof res;
  res.writeHead = ((...args: unknown[]) => {
    const value = cacheControl(path, Number(args[0]));
    if (value !== undefined && !res.hasHeader('Cache-Control')) res.set('Cache-Control', value);
    return writeHead(...args);
  }) as typeof res.writeHead;
  next();
};
