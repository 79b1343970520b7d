/** Answers in ComfyUI's form: Python-style JSON, empty bodies, and one error shape for all routes. */
import type { Request, RequestHandler, Response } from 'express';
import { NoodleError } from '../errors.ts';
import { Float, type Json, parseJson, stringifyJson } from '../workflow/lossless-json.ts';

/** Sends a value as Python's json.dumps would write it. */
export function sendJson(res: Response, value: unknown, status = 200): void {
  sendJsonText(res, stringifyJson(value), status);
}

/** Sends JSON text as it is. */
export function sendJsonText(res: Response, text: string, status = 200): void {
  res.status(status).set('Content-Type', 'application/json; charset=utf-8').send(Buffer.from(text));
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

/**
 * The members of a JSON object body; throws BAD_INPUT for another body, unless `lenient`, which
 * takes whatever cannot be read as `{}`.
 */
export function bodyFields(
  req: Request,
  { lenient = false }: { lenient?: boolean } = {},
): { readonly [key: string]: Json | undefined } {
  try {
    const body = bodyJson(req);
    if (
      typeof body === 'object' &&
      body !== null &&
      !Array.isArray(body) &&
      !(body instanceof Float)
    ) {
      return body;
    }
    throw new NoodleError('BAD_INPUT', {
      subject: 'request body',
      expected: 'a JSON object',
      got: Array.isArray(body) ? 'a list' : typeof body,
    });
  } catch (error) {
    if (lenient) return {};
    throw error;
  }
}

/** A list of ids in a body; anything else names none. */
export function idList(value: Json | undefined): string[] {
  if (!Array.isArray(value)) return [];
  return value.filter((id) => typeof id === 'string' || typeof id === 'number').map(String);
}

/** A query parameter as an integer; undefined when absent, BAD_INPUT when it is none. */
export function queryInteger(req: Request, name: string): number | undefined {
  const text = queryText(req, name)?.trim();
  if (text === undefined) return undefined;
  if (!/^[+-]?\d{1,15}$/.test(text)) {
    throw new NoodleError('BAD_INPUT', { subject: name, expected: 'an integer', got: text });
  }
  return Number(text);
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
