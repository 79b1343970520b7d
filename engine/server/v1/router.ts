/** The table of routes as express sees it: checked requests in, JSON or problems out. */
import { Router } from 'express';
import type { Request, Response } from 'express';
import type { Log } from '../../log.ts';
import { type Json, parseJson, stringifyJson } from '../../workflow/lossless-json.ts';
import { bodyBytes } from '../answer.ts';
import { isObject } from '../job-view.ts';
import { ownerOf } from '../user.ts';
import type { Api } from './api.ts';
import { ProblemError, isPublicApi, problemOf, sendProblem } from './problem.ts';
import type { Answer, Call, Route } from './route.ts';
import { checkBody, checkParameters, plain } from './validate.ts';

/** Routes for these rows, and problems for what is left of /v1. */
export function createRouter(routes: readonly Route[], api: Api): Router {
  const router = Router({ caseSensitive: true });
  const pathOf = (address: string): string => address.replace(/\{(\w+)\}/g, ':$1');
  for (const row of routes) {
    router[row.method](pathOf(row.path), async (req, res) => {
      try {
        send(req, res, await row.run(readCall(req, res, row, api), api));
      } catch (error) {
        answerError(req, res, error, api.log);
      }
    });
  }
  // After all of them: an address may stand for a row with a parameter as well as for one without.
  for (const address of new Set(routes.map(({ path }) => path))) {
    const rows = routes.filter((row) => row.path === address);
    router.all(pathOf(address), (req, res, next) => {
      if (!isPublicApi(req)) return next();
      const allow = rows.map(({ method }) => method.toUpperCase()).join(', ');
      res.set('Allow', allow);
      const detail = `${req.method} is not known here; there is ${allow}.`;
      sendProblem(res, { status: 405, code: 'method_not_allowed', detail });
    });
  }
  router.all(['/v1', '/v1/*rest'], (_req, res) => {
    const detail = 'There is nothing at this address; /v1/openapi.json tells what there is.';
    sendProblem(res, { status: 404, code: 'not_found', detail });
  });
  return router;
}

function readCall(
  req: Request,
  res: Response,
  row: Route,
  { users }: Api,
): Call<unknown, unknown, unknown> {
  const raw = row.body === undefined ? {} : readBody(req);
  const body = plain(raw);
  const params = row.params === undefined ? {} : checkParameters(row.params, req.params);
  const query =
    row.query === undefined
      ? {}
      : checkParameters(row.query, req.query as Record<string, string | string[]>);
  if (row.body !== undefined) checkBody(row.body, body);
  const gone = new AbortController();
  res.once('close', () => gone.abort());
  return {
    params,
    query,
    body,
    raw,
    base: baseOf(req),
    signal: gone.signal,
    header: (name) => req.get(name),
    owner: ownerOf(res, users),
  };
}

function readBody(req: Request): { [key: string]: Json } {
  const refuse = (code: string, detail: string): ProblemError =>
    new ProblemError({ status: 400, code, detail });
  if (/^multipart\//i.test(req.get('content-type') ?? '')) {
    const detail = 'The body should be JSON, not a form.';
    throw new ProblemError({ status: 415, code: 'unsupported_media_type', detail });
  }
  let value: Json;
  try {
    value = parseJson(bodyBytes(req).toString('utf8'));
  } catch (error) {
    throw refuse('bad_json', `The body is no JSON: ${(error as Error).message}`);
  }
  if (!isObject(value)) throw refuse('validation_failed', 'The body should be a JSON object.');
  return value;
}

/** The address as the client wrote it; a host that could not stand in one is left out. */
function baseOf(req: Request): string {
  const host = req.get('host') ?? '';
  return /^[\w.:[\]-]+$/.test(host) ? `${req.protocol}://${host}` : '';
}

function send(req: Request, res: Response, answer: Answer): void {
  if ('stream' in answer) return answer.stream(req, res);
  res.set('Cache-Control', 'no-store');
  if ('text' in answer) {
    res.set('Content-Type', answer.mediaType).send(Buffer.from(answer.text));
    return;
  }
  res
    .status(answer.status)
    .set({ ...answer.headers, 'Content-Type': 'application/json; charset=utf-8' })
    .send(Buffer.from(stringifyJson(answer.body)));
}

function answerError(req: Request, res: Response, error: unknown, log: Log): void {
  if (res.headersSent) {
    res.destroy();
    return;
  }
  const problem = problemOf(error);
  if (problem !== undefined) return sendProblem(res, problem);
  log('ERROR', `${req.method} ${req.path}: ${(error as Error).stack ?? String(error)}`);
  const detail = 'The server got itself in trouble; its log says more.';
  sendProblem(res, { status: 500, code: 'internal', detail });
}
