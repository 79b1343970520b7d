/**
 * Who may talk to the server at all: the same checks for every route and for the websocket upgrade.
 * A page of another site must not be able to drive a server on the visitor's own machine.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isLoopback } from '../config.ts';

export interface GuardOptions {
  /** Set when --enable-cors-header is in use: other origins are let in on purpose. */
  readonly corsOrigin?: string;
  readonly token?: string;
}

export interface GuardedRequest {
  readonly headers: IncomingHttpHeaders;
  readonly url?: string;
}

/** The name of the cookie that carries the token. */
export const TOKEN_COOKIE = 'noodle_token';

export interface Guard {
  /** The status to refuse with, or undefined. */
  refuse(request: GuardedRequest): 401 | 403 | undefined;
  /** The token when it came in the address: worth a cookie, so that the page's own requests pass. */
  tokenFromAddress(request: GuardedRequest): string | undefined;
}

/** The checks for these options. */
export function createGuard({ corsOrigin, token }: GuardOptions): Guard {
  const expected = token === undefined ? undefined : digest(token);
  const isToken = (given: string | undefined): boolean =>
    given !== undefined && expected !== undefined && timingSafeEqual(digest(given), expected);
  return {
    refuse: (request) => {
      if (corsOrigin === undefined && !isSameOrigin(request.headers)) return 403;
      if (expected === undefined) return undefined;
      const { authorization = '', cookie } = request.headers;
      const bearer = /^Bearer +(.+)$/i.exec(authorization)?.[1];
      const known = [bearer, readCookie(cookie, TOKEN_COOKIE), addressToken(request)].some(isToken);
      return known ? undefined : 401;
    },
    tokenFromAddress: (request) => {
      const given = addressToken(request);
      return isToken(given) ? given : undefined;
    },
  };
}

/**
 * Whether a request comes from the server's own pages or from no page at all. Cross-site requests
 * are refused; where Host is loopback, Origin has to name the same host and port.
 */
export function isSameOrigin(headers: IncomingHttpHeaders): boolean {
  if (headers['sec-fetch-site'] === 'cross-site') return false;
  const { origin } = headers;
  const host = splitHost(headers.host);
  if (origin === undefined || host === undefined || !isLoopback(host.name)) return true;
  const from = splitHost(/^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(origin)?.[1]);
  // `Origin: null` (sandboxed frames, files) is nobody's own page.
  if (from === undefined) return false;
  if (from.name !== host.name) return false;
  return from.port === undefined || host.port === undefined || from.port === host.port;
}

function splitHost(text: string | undefined): { name: string; port?: string } | undefined {
  const match = /^(\[[^\]]*\]|[^:]+)(?::(\d*))?$/.exec(text?.toLowerCase() ?? '');
  return match === null ? undefined : { name: match[1], port: match[2] || undefined };
}

function addressToken({ url = '' }: GuardedRequest): string | undefined {
  const query = url.indexOf('?');
  return query < 0
    ? undefined
    : (new URLSearchParams(url.slice(query + 1)).get('token') ?? undefined);
}

function readCookie(header: string | undefined, name: string): string | undefined {
  for (const pair of header?.split(';') ?? []) {
    const [key, value] = pair.split('=', 2).map((part) => part.trim());
    if (key !== name || value === undefined) continue;
    try {
      return decodeURIComponent(value);
    } catch {
      return undefined;
    }
  }
  return undefined;
}

/** Equal lengths make the comparison's time say nothing. */
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
