/**
 * Who may talk to the server at all: the same checks for every route and for the websocket upgrade.
 * A page of another site must not be able to drive a server on the visitor's own machine, whether it
 * asks across sites (Origin, Sec-Fetch-Site) or under a name of its own that it lets point here
 * (DNS rebinding: Host). docs/security.md tells the whole story.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';

export interface GuardOptions {
  /** Set when --enable-cors-header is in use: this origin (`*`: every one) is let in on purpose. */
  readonly corsOrigin?: string;
  readonly token?: string;
  /** Users by the token that makes a request theirs. */
  readonly userTokens?: ReadonlyMap<string, string>;
  /** Further names of this server, as clients and pages may write them; lower case. */
  readonly allowedHosts?: readonly string[];
}

export interface GuardedRequest {
  readonly headers: IncomingHttpHeaders;
  readonly url?: string;
}

/** The name of the cookie that carries the token. */
export const TOKEN_COOKIE = 'noodle_token';

export interface Refusal {
  readonly status: 401 | 403;
  /** For the one who reads the answer; empty where nobody of ours does. */
  readonly text: string;
}

export interface Guard {
  /** Why a request is refused, or undefined. */
  refuse(request: GuardedRequest): Refusal | undefined;
  /** The token when it came in the address: worth a cookie, so that the page's own requests pass. */
  tokenFromAddress(request: GuardedRequest): string | undefined;
  /** The user that the request's token belongs to; undefined for the token of everybody. */
  userOf(request: GuardedRequest): string | undefined;
}

/** The checks for these options. */
export function createGuard(options: GuardOptions): Guard {
  const { corsOrigin, token, userTokens = new Map<string, string>(), allowedHosts = [] } = options;
  const known = [
    ...(token === undefined ? [] : [{ digest: digest(token), user: undefined }]),
    ...[...userTokens].map(([text, user]) => ({ digest: digest(text), user })),
  ];
  const find = (given: string | undefined) =>
    given === undefined ? undefined : findEqual(known, digest(given));
  const entryOf = (request: GuardedRequest) =>
    find(bearerToken(request)) ??
    find(readCookie(request.headers.cookie, TOKEN_COOKIE)) ??
    find(addressToken(request));

  return {
    refuse: (request) => {
      const { headers } = request;
      if (!isAllowedOrigin(headers, { corsOrigin, allowedHosts })) return { status: 403, text: '' };
      if (known.length > 0) {
        return entryOf(request) === undefined ? { status: 401, text: NO_TOKEN } : undefined;
      }
      // Where a token is asked for, a rebound name gains nothing: the browser sends it no cookie.
      if (corsOrigin === '*' || isOurHost(headers.host, allowedHosts)) return undefined;
      return { status: 403, text: wrongHost(String(headers.host)) };
    },
    tokenFromAddress: (request) => {
      const given = addressToken(request);
      return find(given) === undefined ? undefined : given;
    },
    userOf: (request) => entryOf(request)?.user,
  };
}

const NO_TOKEN = 'This server needs its token: ?token=…, a cookie or a header.';
const wrongHost = (host: string): string =>
  `'${host}' is not known as a name of this server. If it is one, start the server with ` +
  '--allowed-hosts and that name.';

/**
 * Whether a request comes from the server's own pages, from a page that is let in on purpose, or
 * from no page at all.
 */
export function isAllowedOrigin(
  headers: IncomingHttpHeaders,
  { corsOrigin, allowedHosts = [] }: Pick<GuardOptions, 'corsOrigin' | 'allowedHosts'> = {},
): boolean {
  const { origin } = headers;
  if (corsOrigin === '*' || (corsOrigin !== undefined && origin === corsOrigin)) return true;
  // Pictures of a page that is let in come without its origin; they cannot be read or change a thing.
  if (headers['sec-fetch-site'] === 'cross-site' && corsOrigin === undefined) return false;
  if (origin === undefined) return true;
  const from = splitHost(/^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(origin)?.[1]);
  // `Origin: null` (sandboxed frames, files) is nobody's own page.
  if (from === undefined) return false;
  if (allowedHosts.includes(from.name)) return true;
  const host = splitHost(headers.host);
  if (host === undefined || from.name !== host.name) return false;
  return from.port === undefined || host.port === undefined || from.port === host.port;
}

/** Suffixes that the public name system gives to nobody. */
const PRIVATE_NAME = /\.(?:localhost|local|internal|lan|home\.arpa)$/;

/**
 * Whether a Host header names this server in a way that no page of another site can bring about:
 * by address, by a name without a dot or of a private suffix, or by one of `allowed`. Only a name
 * in the public name system can be pointed here by a stranger.
 */
export function isOurHost(header: string | undefined, allowed: readonly string[] = []): boolean {
  if (header === undefined) return true;
  const name = splitHost(header)?.name;
  if (name === undefined) return false;
  if (isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0 || !name.includes('.')) return true;
  return PRIVATE_NAME.test(name) || allowed.includes(name);
}

function splitHost(text: string | undefined): { name: string; port?: string } | undefined {
  const match = /^(\[[^\]]*\]|[^:]+)(?::(\d*))?$/.exec(text?.toLowerCase() ?? '');
  if (match === null) return undefined;
  return { name: match[1].replace(/\.$/, ''), port: match[2] || undefined };
}

const bearerToken = ({ headers }: GuardedRequest): string | undefined =>
  /^Bearer +(.+)$/i.exec(headers.authorization ?? '')?.[1];

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

/** The entry with this digest; every entry is compared, so that the time does not tell which. */
function findEqual<T extends { readonly digest: Buffer }>(
  entries: readonly T[],
  wanted: Buffer,
): T | undefined {
  let found: T | undefined;
  for (const entry of entries) if (timingSafeEqual(entry.digest, wanted)) found = entry;
  return found;
}
