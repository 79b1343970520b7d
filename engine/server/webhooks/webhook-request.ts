/** One POST to an address that a client named, with every check that this needs. */
import { createHmac } from 'node:crypto';
import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import { type RequestOptions, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { type Socket, connect as connectTcp, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { NoodleError } from '../../errors.ts';
import { refusedAddress } from './address-guard.ts';

export interface PostOptions {
  readonly allowPrivate: boolean;
  /** Milliseconds for everything. */
  readonly timeout?: number;
  /** All addresses of a name. */
  readonly resolve?: (hostname: string) => Promise<readonly LookupAddress[]>;
}

/**
 * Checks what can be told of an address without asking the network; throws WEBHOOK_ADDRESS for
 * other schemes, credentials and refused IP addresses.
 */
export function checkWebhookUrl(text: string, allowPrivate: boolean): URL {
  const refuse = (reason: string): NoodleError =>
    new NoodleError('WEBHOOK_ADDRESS', { url: text, reason });
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw refuse('not an address');
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw refuse('not http or https');
  if (url.username !== '' || url.password !== '') throw refuse('it holds credentials');
  const reason = literalRefusal(url, allowPrivate);
  if (reason !== undefined) throw refuse(reason);
  return url;
}

/**
 * Posts JSON and answers with the status; redirects are not followed and the answer is not read.
 * Throws WEBHOOK_ADDRESS when one of the addresses behind the name is refused, else what the network
 * says.
 */
export async function postWebhook(
  text: string,
  body: string,
  headers: Readonly<Record<string, string>>,
  { allowPrivate, timeout = 10_000, resolve = resolveName }: PostOptions,
): Promise<number> {
  const url = checkWebhookUrl(text, allowPrivate);
  const signal = AbortSignal.timeout(timeout);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const addresses = isIP(host) ? [{ address: host, family: isIP(host) }] : await resolve(host);
  const reason = addresses
    .map(({ address }) => refusedAddress(address, allowPrivate))
    .find((found) => found !== undefined);
  if (reason !== undefined || addresses.length === 0) {
    throw new NoodleError('WEBHOOK_ADDRESS', { url: text, reason: reason ?? 'it has no address' });
  }
  let failure: unknown;
  for (const { address } of addresses.slice(0, MOST_ADDRESSES)) {
    try {
      return await send(url, address, body, { headers, signal, allowPrivate });
    } catch (error) {
      if (error instanceof NoodleError || signal.aborted) throw error;
      failure = error;
    }
  }
  throw failure;
}

/** Addresses of one name that are tried. */
const MOST_ADDRESSES = 3;

function send(
  url: URL,
  address: string,
  body: string,
  {
    headers,
    signal,
    allowPrivate,
  }: { headers: Readonly<Record<string, string>>; signal: AbortSignal; allowPrivate: boolean },
): Promise<number> {
  const isTls = url.protocol === 'https:';
  const port = Number(url.port) || (isTls ? 443 : 80);
  // The checked address is the one that is connected to: the name is not looked up a second time.
  const createConnection = (): Socket => {
    const name = url.hostname.replace(/^\[|\]$/g, '');
    const socket = isTls
      ? connectTls({ host: address, port, ...(isIP(name) ? {} : { servername: name }) })
      : connectTcp({ host: address, port });
    socket.prependOnceListener('connect', () => {
      const reason = refusedAddress(socket.remoteAddress ?? '', allowPrivate);
      if (reason !== undefined) {
        socket.destroy(new NoodleError('WEBHOOK_ADDRESS', { url: url.href, reason }));
      }
    });
    return socket;
  };
  const options: RequestOptions = {
    // No agent: with one, even `false`, node would ignore createConnection and look the name up itself.
    method: 'POST',
    signal,
    createConnection,
    host: url.hostname,
    port,
    path: url.pathname + url.search,
    headers: {
      ...headers,
      Host: url.host,
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Length': Buffer.byteLength(body),
      'User-Agent': 'noodle-webhook/1',
      Connection: 'close',
    },
  };
  return new Promise((settle, reject) => {
    const request = (isTls ? httpsRequest : httpRequest)(options, (response) => {
      settle(response.statusCode ?? 0);
      response.destroy();
    });
    request.on('error', reject);
    request.end(body);
  });
}

/**
 * Headers of the Standard Webhooks convention: `webhook-signature` is `v1,` and the base64 of the
 * HMAC-SHA256 over `id.timestamp.body`. A secret `whsec_…` holds its key as base64.
 */
export function signedHeaders(
  { id, seconds, secret }: { id: string; seconds: number; secret?: string },
  body: string,
): Record<string, string> {
  const headers = { 'webhook-id': id, 'webhook-timestamp': String(seconds) };
  if (secret === undefined) return headers;
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : secret;
  const signature = createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64');
  return { ...headers, 'webhook-signature': `v1,${signature}` };
}

function literalRefusal(url: URL, allowPrivate: boolean): string | undefined {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host)) return refusedAddress(host, allowPrivate);
  // Names that mean this machine whatever the resolver says (RFC 6761).
  const isLocal = /(^|\.)localhost\.?$/i.test(host);
  return isLocal && !allowPrivate ? `${host} is this machine` : undefined;
}

const resolveName = (hostname: string): Promise<LookupAddress[]> =>
  new Promise((settle, reject) => {
    systemLookup(hostname, { all: true }, (error, addresses) => {
      if (error) reject(error);
      else settle(addresses);
    });
  });
