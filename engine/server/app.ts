/**
 * The HTTP side as a ladder; a request climbs it from the top, and each rung may answer.
 *
 *  1. security headers, and the Cache-Control rules for whatever is answered; what faces leave open to all
 *  2. origin, host name, token (security.ts; the websocket upgrade asks the same guard); who asks (user.ts)
 *  3. OPTIONS is answered; a client that changes too much in too short a time is held up
 *  4. compression, when it is asked for
 *  5. the body, as bytes, up to the upload limit; forms are read by the upload routes themselves
 *  6. the routes of the faces
 *  7. the page's files
 *  8. what is left: 404 for reading, 405 for everything else; errors in one shape
 */
import express from 'express';
import type { ErrorRequestHandler, Express, Request, RequestHandler, Response } from 'express';
import { NoodleError } from '../errors.ts';
import type { Log } from '../log.ts';
import { sendEmpty, sendError, sendText } from './answer.ts';
import { cacheHeaders } from './cache-headers.ts';
import type { Face, Refuse } from './face.ts';
import { lazily } from './lazily.ts';
import { rateLimit } from './rate-limit.ts';
import { type Guard, TOKEN_COOKIE } from './security.ts';
import { identify } from './user.ts';

export interface AppOptions {
  readonly guard: Guard;
  readonly corsOrigin?: string;
  readonly offline: boolean;
  /** Set when the page is not ours. */
  readonly webRoot?: string;
  readonly compressResponses: boolean;
  /** Bytes. */
  readonly maxUploadSize: number;
  /** Changing requests a minute that one client may send; 0 sets no limit. */
  readonly rateLimit: number;
  readonly faces: readonly Face[];
  /** The page: everything that no route took. */
  readonly page: RequestHandler;
  readonly log: Log;
}

/** The express application; see the ladder above. */
export function createApp(options: AppOptions): Express {
  const { guard, corsOrigin, maxUploadSize, rateLimit: perMinute, faces, page, log } = options;
  const refuse: Refuse = (req, res, refusal, plainly) => {
    if (!faces.some((face) => face.refuse?.(req, res, refusal))) plainly();
  };
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.set('query parser', 'simple');
  app.set('case sensitive routing', true);

  app.use(securityHeaders(options), cacheHeaders);
  if (corsOrigin !== undefined) app.use(corsHeaders(corsOrigin));
  for (const handler of faces.flatMap(({ open = [] }) => open)) app.use(handler);
  app.use(admit(guard, refuse));
  app.use(identify((req) => guard.userOf(req)));
  app.use((req, res, next) => (req.method === 'OPTIONS' ? sendEmpty(res) : next()));
  app.use(rateLimit({ perMinute, refuse }));
  if (options.compressResponses) {
    app.use(lazily(async () => (await import('compression')).default({ filter: isCompressible })));
  }
  app.use(
    express.raw({
      limit: Math.floor(maxUploadSize),
      type: (req) => !/^multipart\//i.test(req.headers['content-type'] ?? ''),
    }),
  );
  for (const { at, router } of faces.flatMap(({ routes }) => routes)) {
    if (at !== 'api') app.use(router);
    if (at !== 'root') app.use('/api', router);
  }
  app.use(page);
  app.use((req, res) => {
    if (req.method === 'GET' || req.method === 'HEAD') sendEmpty(res, 404);
    else sendText(res, 405, '405: Method Not Allowed');
  });
  app.use(answerError(maxUploadSize, refuse, log));
  return app;
}

/** Content-Security-Policy as one line. */
const policy = (rules: Readonly<Record<string, string>>): string =>
  Object.entries(rules)
    .map(([name, value]) => `${name} ${value}`)
    .join('; ');

const CLOSED = { 'object-src': "'none'", 'base-uri': "'self'", 'frame-ancestors': "'self'" };

/** For our own page, always: no script but its files, nothing from other hosts. */
export const OWN_PAGE_POLICY = policy({
  'default-src': "'self'",
  'script-src': "'self'",
  'style-src': "'self' 'unsafe-inline'",
  'img-src': "'self' data: blob:",
  'media-src': "'self' data: blob:",
  'font-src': "'self' data:",
  'form-action': "'self'",
  ...CLOSED,
});

/** For a page from outside (--front-end-root), which we did not write: `hosts` it may reach. */
const foreignPagePolicy = (hosts: string): string =>
  policy({
    'default-src': `'self'${hosts}`,
    'script-src': `'self' 'unsafe-inline' 'unsafe-eval' blob:${hosts}`,
    'style-src': `'self' 'unsafe-inline'${hosts}`,
    'img-src': `'self' data: blob:${hosts}`,
    'media-src': `'self' data: blob:${hosts}`,
    'font-src': `'self' data:${hosts}`,
    'connect-src': `'self' data: blob:${hosts}${hosts && ' wss:'}`,
    'worker-src': `'self' blob:`,
    ...CLOSED,
  });

/** What every answer carries: no sniffing, no foreign frames, a policy for what runs. */
function securityHeaders({ offline, webRoot, corsOrigin }: AppOptions): RequestHandler {
  const headers: Record<string, string> = {
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'SAMEORIGIN',
    'Referrer-Policy': 'same-origin',
    'Content-Security-Policy':
      webRoot === undefined ? OWN_PAGE_POLICY : foreignPagePolicy(offline ? '' : ' https:'),
  };
  // Pictures in pages of other sites: browsers check nothing else for addresses in a local network.
  if (corsOrigin === undefined) headers['Cross-Origin-Resource-Policy'] = 'same-site';
  return (_req, res, next) => {
    res.set(headers);
    next();
  };
}

function corsHeaders(origin: string): RequestHandler {
  return (_req, res, next) => {
    res.set('Access-Control-Allow-Origin', origin);
    res.set('Access-Control-Allow-Methods', 'POST, GET, DELETE, PUT, OPTIONS, PATCH');
    res.set('Access-Control-Allow-Headers', 'Content-Type, Authorization');
    res.set('Access-Control-Allow-Credentials', 'true');
    next();
  };
}

/** Asks the guard; a token that came in the address is kept as a cookie for the page's requests. */
function admit(guard: Guard, refuse: Refuse): RequestHandler {
  return (req, res, next) => {
    const { status, text = '' } = guard.refuse(req) ?? {};
    // A preflight request carries no credentials; it is answered empty further down.
    if (status === 401 && req.method === 'OPTIONS') return next();
    if (status !== undefined) {
      if (status === 401) res.set('WWW-Authenticate', 'Bearer');
      const code = status === 401 ? 'unauthorized' : 'forbidden';
      const message = text || 'Other sites may not ask this.';
      return refuse(req, res, { status, code, message }, () =>
        text ? sendText(res, status, text) : sendEmpty(res, status),
      );
    }
    const token = guard.tokenFromAddress(req);
    if (token !== undefined) {
      res.cookie(TOKEN_COOKIE, token, { httpOnly: true, sameSite: 'strict', secure: req.secure });
    }
    next();
  };
}

/** JSON and text, and only as gzip or deflate, as in ComfyUI. */
function isCompressible(req: Request, res: Response): boolean {
  const type = String(res.getHeader('Content-Type') ?? '');
  const accepted = String(req.headers['accept-encoding'] ?? '');
  return /^(application\/json|text\/plain)/.test(type) && accepted.includes('gzip');
}

function answerError(maxUploadSize: number, refuse: Refuse, log: Log): ErrorRequestHandler {
  return (error: unknown, req, res, next) => {
    if (res.headersSent) return next(error);
    if (error instanceof NoodleError && error.status < 500) {
      const { code, message, status } = error;
      return sendError(res, status, { type: code.toLowerCase(), message });
    }
    // What express and its body reader throw carries the status it means.
    const { status = 500, stack } = error as Error & { status?: number };
    const message =
      status === 413
        ? `Maximum request body size ${Math.floor(maxUploadSize)} exceeded.`
        : (error as Error).message;
    if (status < 500) {
      const code = status === 413 ? 'too_large' : 'bad_request';
      return refuse(req, res, { status, code, message }, () => sendText(res, status, message));
    }
    log('ERROR', `${req.method} ${req.path}: ${stack ?? message}`);
    sendText(res, 500, '500 Internal Server Error\n\nServer got itself in trouble');
  };
}
