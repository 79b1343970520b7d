/** Requests to every route there is, with odd parameters, bodies and headers, or no HTTP at all. */
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Random } from './random.ts';
import { mutateBytes } from './random.ts';
import { oddText, oddValue } from './values.ts';

export interface Route {
  readonly method: string;
  /** With `:name`, `*name` or `{name}` for what varies. */
  readonly path: string;
}

const FOLDERS = ['../../engine/server/comfy/', '../../engine/server/v1/routes/'];

/** The routes as they stand in the source, so that a new one is tried without a word here. */
export function routeTable(): Route[] {
  return FOLDERS.flatMap((folder) => {
    const root = fileURLToPath(new URL(folder, import.meta.url));
    return readdirSync(root).flatMap((name) => {
      const text = readFileSync(root + name, 'utf8');
      const plain = [...text.matchAll(/router\.(\w+)\(\s*'(\/[^']*)'/g)].flatMap(
        ([, method, path]) =>
          ['', '/api'].map((prefix) => ({ method: method.toUpperCase(), path: prefix + path })),
      );
      const typed = [...text.matchAll(/method: '(\w+)',\s*path: '(\/[^']*)'/g)].map(
        ([, method, path]) => ({ method: method.toUpperCase(), path }),
      );
      return [...plain, ...typed];
    });
  });
}

export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body?: string | Uint8Array;
}

/** What a place in a path or a query is filled with: things that exist, and things that do not. */
export type Names = readonly string[];

const QUERY = [
  ...['filename', 'type', 'subfolder', 'preview', 'channel', 'dir', 'recurse', 'split', 'path'],
  ...['full_info', 'overwrite', 'max_items', 'offset', 'limit', 'status', 'sort_by', 'sort_order'],
  ...['workflow_id', 'after', 'order', 'sort', 'include_tags', 'exclude_tags', 'tags_all', 'hash'],
  ...['tags_any', 'name_contains', 'prefix', 'include_zero', 'token', 'job', 'types', 'q'],
  ...['cursor', 'client_id', 'clientId', 'metadata_filter', 'category', 'search', 'folder'],
];
const WORDS = [
  ...['output', 'input', 'temp', 'true', 'false', '1', '0', '20', 'webp;50', 'jpeg', 'rgba', 'a'],
  ...['pending', 'completed', 'created_at', 'desc', 'asc', '.', 'loras', 'checkpoints', 'default'],
];
const BODY_KEYS = [
  ...['prompt', 'prompt_id', 'client_id', 'number', 'front', 'extra_data', 'delete', 'clear'],
  ...['unload_models', 'free_memory', 'username', 'clientId', 'enabled', 'job_ids', 'tags', 'name'],
  ...['partial_execution_targets', 'workflow', 'inputs', 'hash', 'user_metadata', 'roots', 'url'],
  ...['webhook', 'priority', 'position', 'preview_id', 'mime_type'],
];

/** A request to one of the routes. */
export function routeRequest(random: Random, routes: readonly Route[], names: Names): HttpRequest {
  const route = random.pick(routes);
  const name = (): string =>
    random.pick([() => random.pick(names), () => random.pick(WORDS), () => oddText(random)])();
  const path = route.path.replace(/\{\w+\}|:\w+|\*\w+/g, (part) => {
    const text = name();
    return random.chance(0.2) ? text.replace(/[\s#?]/g, '') : encode(text, part.startsWith('*'));
  });
  const query = Array.from({ length: random.pick([0, 0, 1, 2, 5]) }, () => {
    const key = random.chance(0.9) ? random.pick(QUERY) : oddText(random);
    return `${encode(key)}=${encode(name())}`;
  });
  const method = random.chance(0.05)
    ? random.pick(['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH', 'TRACE', 'PROPFIND'])
    : route.method;
  return {
    method,
    path: printable(query.length === 0 ? path : `${path}?${query.join('&')}`),
    headers: headers(random),
    ...(['GET', 'HEAD', 'TRACE'].includes(method) ? {} : { body: body(random) }),
  };
}

/** A path of bytes that HTTP allows and no route expects. */
export function pathRequest(random: Random): HttpRequest {
  const piece = (): string =>
    random.pick([
      ...[
        '/',
        '//',
        '/.',
        '/..',
        '/%2e%2e',
        '/%2f',
        '/%5c',
        '/%00',
        '/%ff',
        '/%',
        '/%zz',
        '/;',
        '/:',
      ],
      ...[
        '/api',
        '/api/',
        '/view',
        '/userdata',
        '/ws',
        '/index.html',
        '/assets',
        '/extensions',
        '?',
      ],
      ...['/v1', '/internal', '&', '=', '[', ']', '\\', '*', '/templates', '/docs', '/favicon.svg'],
    ]);
  let path = '/';
  for (let i = random.int(0, 6); i > 0; i--) path += piece();
  if (random.chance(0.05)) path += 'a'.repeat(random.int(1000, 20_000));
  return { method: 'GET', path, headers: headers(random) };
}

/** Bytes that are hardly HTTP. */
export function wireBytes(random: Random): Buffer {
  const request = random.pick([
    'GET /queue HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
    'POST /prompt HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}',
    'POST /queue HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n',
    'GET http://localhost/queue HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
    'GET /ws?clientId=fuzz HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n' +
      'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    'OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n',
    'GET /queue HTTP/1.0\r\n\r\n',
    'CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  ]);
  return mutateBytes(random, Buffer.from(request));
}

/** What a client sends behind a good handshake: frames, whole and broken. */
export function webSocketBytes(random: Random): Buffer {
  const handshake = Buffer.from(
    `GET ${random.pick(['/ws', '/api/ws'])}?clientId=${random.pick(['fuzz', '', '%00', 'x'.repeat(500)])} ` +
      'HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
  );
  const frames = Array.from({ length: random.int(0, 4) }, () => {
    const text = random.chance(0.5)
      ? JSON.stringify({ type: 'feature_flags', data: plain(oddValue(random)) })
      : oddText(random);
    return frame(random, Buffer.from(text));
  });
  const sent = Buffer.concat(frames);
  return Buffer.concat([handshake, random.chance(0.5) ? mutateBytes(random, sent) : sent]);
}

/** A masked text frame, or one with odd flags. */
function frame(random: Random, payload: Buffer): Buffer {
  const first = random.pick([0x81, 0x81, 0x81, 0x82, 0x01, 0x00, 0x88, 0x89, 0x8a, 0xf1, 0x83]);
  const size = Buffer.alloc(payload.length < 126 ? 1 : 3);
  if (payload.length < 126) size[0] = 0x80 | payload.length;
  else {
    size[0] = 0xfe;
    size.writeUInt16BE(Math.min(payload.length, 65535), 1);
  }
  const masked = payload.subarray(0, 65535).map((byte, i) => byte ^ [1, 2, 3, 4][i % 4]);
  return Buffer.concat([Buffer.from([first]), size, Buffer.from([1, 2, 3, 4]), masked]);
}

function headers(random: Random): Record<string, string> {
  const all: Record<string, string> = {
    'Content-Type': random.pick(['application/json', 'text/plain', 'multipart/form-data', 'x']),
    'Comfy-User': random.pick(['default', '__x', '..', 'a b']),
    Range: random.pick(['bytes=0-', 'bytes=5-1', 'bytes=-5', 'bytes=0-0,2-3', 'x']),
    'If-None-Match': random.pick(['*', '"x"', '']),
    'Accept-Encoding': random.pick(['gzip', 'br', 'identity', '*;q=0']),
    'Sec-Fetch-Dest': random.pick(['image', 'document', 'x']),
    Cookie: random.pick(['noodle_token=%', 'a=b; =; ;', 'x']),
    Authorization: random.pick(['Bearer x', 'Bearer', 'Basic eDp5', ' ']),
    'Comfy-Usage-Source': random.pick(['x', '"', 'é']),
    'Idempotency-Key': random.pick(['a', 'b', '', '"'.repeat(300)]),
    Accept: random.pick(['text/event-stream', '*/*', 'x/x']),
    'Last-Event-ID': random.pick(['0', '-1', 'x', '99999999999999999999']),
    Origin: random.pick(['null', 'https://evil.example', 'x']),
  };
  return Object.fromEntries(Object.entries(all).filter(() => random.chance(0.06)));
}

function body(random: Random): string {
  const kind = random.int(0, 5);
  if (kind === 0) return '';
  if (kind === 1) return oddText(random);
  if (kind === 2) return write(oddValue(random));
  const members = Array.from({ length: random.int(0, 4) }, () => [
    random.chance(0.9) ? random.pick(BODY_KEYS) : oddText(random),
    random.chance(0.3) ? random.chance(0.5) : oddValue(random),
  ]);
  return write(Object.fromEntries(members));
}

/** JSON as Python would send it: bigints, NaN and endless numbers as they are. */
export function write(value: unknown): string {
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return String(value);
  if (Array.isArray(value)) return `[${Array.from(value, write).join(',')}]`;
  if (value !== null && typeof value === 'object') {
    const members = Object.entries(value).map(
      ([key, item]) => `${JSON.stringify(key)}:${write(item)}`,
    );
    return `{${members.join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}

const plain = (value: unknown): unknown => JSON.parse(write(value).replace(/-?Infinity|NaN/g, '0'));

function encode(text: string, keepSlashes = false): string {
  const wellFormed = Buffer.from(text).toString();
  const encoded = encodeURIComponent(wellFormed);
  return keepSlashes ? encoded.replaceAll('%2F', '/') : encoded;
}

/** Node's own client refuses other bytes in a path. */
const printable = (text: string): string => text.replace(/[^\x21-\x7e]/g, '');
