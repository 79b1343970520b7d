/** What few requests need is loaded by the first of them, so that the server starts without it. */
import type { RequestHandler } from 'express';

/** The handler that `load` makes, once, at the first request. */
export function lazily(load: () => Promise<RequestHandler>): RequestHandler {
  let loaded: Promise<RequestHandler> | undefined;
  return async (req, res, next) => {
    const handler = await (loaded ??= load());
    await handler(req, res, next);
  };
}
