/** Answers in ComfyUI's form: Python-style JSON, empty bodies, and one error shape for all routes. */
import type { Request, RequestHandler, Response } from 'express';
import { NoodleError } from '../errors.ts';
import { type Json, parseJson, stringifyJson } from '../workflow/lossless-json.ts';

/** Sends a value as Python's json.dumps would write it. */
export function sendJson(res: Response, value: unknown, status = 200): void {
  res
    .status(status)
    .set('Content-Type', 'application/json; charset=utf-8')
    .send(Buffer.from(stringifyJson(value)));
}

/** A status with a zero-length body. */
export function sendEmpty(res: Response, status = 200): void {
  res.status(status).end();
}

/** A plain text answer, as aiohttp's `web.Response(text=…)`. */
export function sendText(res: Response, status: number, text: string): void {
  res.status(status).set('Content-Type', 'text/plain; charset=utf-8').send(text);
}

/** An error object as POST /prompt answers it: `{"error": {type, message, details, extra_info}}`. */
export function sendError(
  res: Response,
  status: number,
  error: { type: string; message: string; details?: string },
): void {
  const { type, message, details = '' } = error;
  sendJson(res, { error: { type, message, details, extra_info: {} }, node_errors: {} }, status);
}

/** The raw request body: routes that take bytes or JSON put `rawBody(limit)` before themselves. */
export function bodyBytes(req: Request): Buffer {
  return Buffer.isBuffer(req.body) ? req.body : Buffer.alloc(0);
}

/** The request body as JSON, whatever its content type says; throws BAD_INPUT naming the position. */
export function bodyJson(req: Request): Json {
  try {
    return parseJson(bodyBytes(req).toString('utf8'));
  } catch (error) {
    throw new NoodleError(
      'BAD_INPUT',
      { subject: 'request body', expected: 'JSON', got: (error as Error).message },
      { cause: error },
    );
  }
}

/** A query parameter that must be given at most once; undefined when absent. */
export function queryText(req: Request, name: string): string | undefined {
  const value = req.query[name];
  return typeof value === 'string' ? value : undefined;
}

/** Runs an async handler; what it throws goes to the error middleware (express 5 does so itself). */
export const handler =
  (run: (req: Request, res: Response) => void | Promise<void>): RequestHandler =>
  (req, res) =>
    run(req, res);
