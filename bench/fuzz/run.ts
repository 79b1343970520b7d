/** Runs a number of seeded hostile requests against a real server and says what went wrong. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseJson } from '../../engine/workflow/lossless-json.ts';
import { type TestServer, startServer } from '../../tests/support/server.ts';
import { modelPrompt, pictures, upload } from './files.ts';
import { type ObjectInfo, createPrompts, mutate } from './prompts.ts';
import { createRandom } from './random.ts';
import {
  type HttpRequest,
  pathRequest,
  routeRequest,
  routeTable,
  webSocketBytes,
  wireBytes,
  write,
} from './routes.ts';

export interface FuzzOptions {
  readonly seed: number;
  readonly count: number;
  /** The request to begin with, to see one again. */
  readonly first?: number;
  /** At once. */
  readonly parallel?: number;
  readonly onProgress?: (done: number, megabytes: () => number) => void;
}

export interface FuzzReport {
  /** One line for everything that must not happen. */
  readonly problems: readonly string[];
  readonly byKind: Readonly<Record<string, number>>;
  readonly byStatus: Readonly<Record<string, number>>;
  readonly accepted: number;
  readonly engineDeaths: readonly string[];
  /** Megabytes of the server: after warming up, and at the end. */
  readonly memory: { readonly start: number; readonly end: number };
  readonly seconds: number;
}

/** Milliseconds that any one answer may take. */
const DEADLINE = 10_000;
/** Megabytes that the server may have grown by. */
const GROWTH = 100;
const KINDS = { prompt: 42, route: 26, upload: 8, model: 7, path: 6, wire: 6, socket: 5 } as const;
type Kind = keyof typeof KINDS;
const TOTAL: number = Object.values(KINDS).reduce((a: number, b) => a + b, 0);

const root = fileURLToPath(new URL('../../', import.meta.url));
const checkpoint = join(root, 'models/checkpoints/tiny-scenes.safetensors');

/** Starts a server, sends `count` requests and stops it; resolves with what was seen. */
export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const { seed, count, first = 0, parallel = 4 } = options;
  const base = mkdtempSync(join(tmpdir(), 'noodle-fuzz-'));
  mkdirSync(join(base, 'models', 'checkpoints'), { recursive: true });
  symlinkSync(checkpoint, join(base, 'models/checkpoints/tiny-scenes.safetensors'));
  await placePictures(base);
  const flags = ['--max-upload-size', '4', '--interrupt-grace', '2', '--threads', '1'];
  const server = await startServer({ base, flags });
  const started = performance.now();
  const run = await prepare(server, base, seed);
  try {
    const warm = first + Math.max(Math.floor(count * 0.2), 100);
    let start = Infinity;
    let next = first;
    const work = async (): Promise<void> => {
      while (next < first + count && run.problems.length < 20 && isUp(server)) {
        const index = next++;
        await run.one(index);
        if (index === warm) start = residentMegabytes(server);
        if (index % 40 === 39) await run.tidy();
        options.onProgress?.(index - first + 1, () => residentMegabytes(server));
      }
    };
    await Promise.all(Array.from({ length: parallel }, work));
    await run.drain();
    const engineDeaths = await run.deaths();
    const end = await settledMegabytes(server, start + GROWTH);
    if (end > start + GROWTH) run.problems.push(`the server grew from ${start} to ${end} MB`);
    if (!isUp(server)) run.problems.push(`the server ended:\n${server.log().slice(-3000)}`);
    return {
      ...run,
      engineDeaths,
      memory: { start, end },
      seconds: (performance.now() - started) / 1000,
      accepted: run.accepted(),
    };
  } finally {
    run.agent.destroy();
    await server.stop();
    rmSync(base, { recursive: true, force: true });
  }
}

/** Good files under the names that uploads replace and prompts load. */
async function placePictures(base: string): Promise<void> {
  const seeds = await pictures();
  for (const folder of ['input', 'output']) {
    mkdirSync(join(base, folder));
    for (let i = 0; i < 10; i++) {
      writeFileSync(join(base, folder, `fuzz-${i}.png`), seeds[i % seeds.length]);
    }
  }
}

const isUp = ({ process: { exitCode, signalCode } }: TestServer): boolean =>
  exitCode === null && signalCode === null;

async function prepare(server: TestServer, base: string, seed: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  const info = (await server.json('/object_info')) as ObjectInfo;
  const prompts = createPrompts(info);
  const seeds = await pictures();
  const routes = routeTable();
  const problems: string[] = [];
  const byKind: Record<string, number> = {};
  const byStatus: Record<string, number> = {};
  /** Ids of prompts that were taken, until they are dropped. */
  const taken: string[] = [];
  let accepted = 0;

  const http = async (what: string, sent: HttpRequest | FormRequest): Promise<void> => {
    const answer = await send(server, agent, sent);
    byStatus[answer.status] = (byStatus[answer.status] ?? 0) + 1;
    const problem = judge(sent.path, answer);
    if (problem !== undefined) {
      const shown = `${sent.method} ${sent.path.slice(0, 300)} ${describe(sent.body)}`;
      await sleep(50);
      problems.push(`${what}: ${shown} -> ${problem}\n${server.log().slice(-600)}`);
    }
    if (answer.status === 200 && /^(\/api)?\/prompt$/.test(sent.path) && sent.method === 'POST') {
      accepted++;
      taken.push((parseJson(answer.body) as { prompt_id: string }).prompt_id);
    }
  };
  const wire = async (what: string, bytes: Buffer): Promise<void> => {
    const text = await exchange(server, bytes);
    if (text === undefined)
      problems.push(`${what}: no answer and no end: ${bytes.toString('latin1')}`);
    else if (text !== '' && !/^HTTP\/1\.1 [1-4]\d\d /.test(text)) {
      problems.push(`${what}: ${bytes.toString('latin1')} -> ${text.slice(0, 200)}`);
    }
  };
  const submit = (prompt: unknown): HttpRequest => {
    const body = write({ prompt, client_id: 'fuzz' });
    return { method: 'POST', path: '/prompt', headers: {}, body };
  };

  const one = async (index: number): Promise<void> => {
    const random = createRandom(seed, index);
    let at = random.int(1, TOTAL);
    const kind = (Object.keys(KINDS) as Kind[]).find((name) => (at -= KINDS[name]) <= 0)!;
    byKind[kind] = (byKind[kind] ?? 0) + 1;
    const what = `#${index} ${kind}`;
    switch (kind) {
      case 'prompt':
        return http(what, submit(mutate(random, prompts.graph(random))));
      case 'model':
        return http(what, submit(modelPrompt(random, base, checkpoint)));
      case 'upload':
        return http(what, { method: 'POST', ...upload(random, seeds) });
      case 'route': {
        const names = ['tiny-scenes.safetensors', 'fuzz-1.png', 'SaveImage', ...taken.slice(-3)];
        return http(what, routeRequest(random, routes, names));
      }
      case 'path':
        return http(what, pathRequest(random));
      case 'wire':
        return wire(what, wireBytes(random));
      case 'socket':
        return wire(what, webSocketBytes(random));
    }
  };

  const post = (path: string, body = '{}') =>
    send(server, agent, { method: 'POST', path, headers: {}, body });
  /** Drops what waits and stops what runs: some prompts would take minutes. */
  const tidy = async (): Promise<void> => {
    await post('/v1/queue/resume');
    await post('/queue', '{"clear": true}');
    await post('/interrupt');
    taken.splice(0, taken.length - 5);
  };
  /** Every prompt must come to an end by itself or by an interrupt. */
  const drain = async (): Promise<void> => {
    for (let i = 0; i < 100 && isUp(server); i++) {
      if (i % 20 === 0) await tidy();
      const { body } = await send(server, agent, { method: 'GET', path: '/prompt', headers: {} });
      if (body.includes('"queue_remaining": 0')) return sleep(500);
      await sleep(200);
    }
    problems.push('the queue never became empty');
  };
  /** What the log says of engines that ended; each must have cost one prompt, and that is told. */
  const deaths = async (): Promise<string[]> => {
    const lines = server.log().match(/.*(?:engine.* ended|not interrupted in time).*/g) ?? [];
    for (const line of lines) {
      const id = /[0-9a-f]{8}-[0-9a-f-]{27}/.exec(line)?.[0];
      const path = `/history/${id}`;
      const { body } = await send(server, agent, { method: 'GET', path, headers: {} });
      if (!body.includes('"status_str"')) problems.push(`an end that is not reported: ${line}`);
    }
    return lines;
  };
  return { one, tidy, drain, deaths, problems, byKind, byStatus, agent, accepted: () => accepted };
}

function describe(body: HttpRequest['body'] | FormData): string {
  if (body instanceof FormData) {
    return [...body]
      .map(([key, value]) => `${key}=${typeof value === 'string' ? value : value.name}`)
      .join('&');
  }
  return typeof body === 'string' ? body.slice(0, 600) : '';
}

interface FormRequest {
  readonly method: 'POST';
  readonly path: string;
  readonly body: FormData;
}

interface Answer {
  /** 0 for none. */
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly error?: string;
}

async function send(
  server: TestServer,
  agent: Agent,
  sent: HttpRequest | FormRequest,
): Promise<Answer> {
  if (sent.body instanceof FormData) return sendForm(server, sent as FormRequest);
  const { hostname, port } = new URL(server.url);
  const { method, path, headers, body } = sent as HttpRequest;
  return new Promise((resolve) => {
    const fail = (error: string): void => resolve({ status: 0, type: '', body: '', error });
    let outgoing;
    try {
      outgoing = request({ host: hostname, port, method, path, headers, agent });
    } catch {
      // What Node's client refuses to send at all.
      return resolve({ status: 400, type: '', body: '' });
    }
    const timer = setTimeout(() => {
      fail(`no answer within ${DEADLINE} ms`);
      outgoing.destroy();
    }, DEADLINE);
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      // A connection that was kept may end in the instant it is used again: that is HTTP's way.
      if (error.code === 'ECONNRESET' && outgoing.reusedSocket) resolve(send(server, agent, sent));
      // A head over the limit is answered and cut off before all of it was sent.
      else if (error.code === 'ECONNRESET' && path.length > 8000) {
        resolve({ status: 431, type: '', body: '' });
      } else fail(error.message);
    });
    outgoing.on('close', () => clearTimeout(timer));
    outgoing.on('response', (response) => {
      const type = response.headers['content-type'] ?? '';
      const status = response.statusCode ?? 0;
      if (type.startsWith('text/event-stream')) {
        resolve({ status, type, body: '' });
        return outgoing.destroy();
      }
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const packed = response.headers['content-encoding'] !== undefined;
        resolve({ status, type: packed ? '' : type, body: Buffer.concat(chunks).toString() });
      });
    });
    outgoing.end(body);
  });
}

async function sendForm(server: TestServer, { path, body }: FormRequest): Promise<Answer> {
  try {
    const signal = AbortSignal.timeout(DEADLINE);
    const response = await fetch(server.url + path, { method: 'POST', body, signal });
    const type = response.headers.get('content-type') ?? '';
    return { status: response.status, type, body: await response.text() };
  } catch (error) {
    const { message, cause } = error as Error;
    return { status: 0, type: '', body: '', error: `${message} ${String(cause)}` };
  }
}

/** What is wrong with an answer. */
function judge(path: string, { status, type, body, error }: Answer): string | undefined {
  if (error !== undefined) return error;
  // Not ready is an answer of its own kind.
  if (status === 503 && path.startsWith('/readyz')) return undefined;
  if (status < 200 || status > 499) return `${status} ${body.slice(0, 300)}`;
  if (body !== '' && /^application\/(problem\+)?json/.test(type)) {
    try {
      parseJson(body);
    } catch (cause) {
      return `${status} with JSON that is none (${String(cause)}): ${body.slice(0, 200)}`;
    }
  }
  return undefined;
}

/** Sends bytes and waits for a first answer or the end; undefined when neither comes. */
function exchange({ url }: TestServer, bytes: Buffer): Promise<string | undefined> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    let text = '';
    const end = (value: string | undefined): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(value);
    };
    // A request that is not complete has no answer yet: then the end of ours must bring its end.
    const quiet = setTimeout(() => socket.end(), 150);
    const timer = setTimeout(() => end(text || undefined), DEADLINE);
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      clearTimeout(quiet);
      setTimeout(() => end(text), 30);
    });
    socket.on('error', () => end(text));
    socket.on('close', () => end(text));
    socket.write(bytes);
  });
}

/** Memory once it is below `enough`, or what it is after the idle times of what may give some back. */
async function settledMegabytes(server: TestServer, enough: number): Promise<number> {
  for (let i = 0; i < 40 && residentMegabytes(server) > enough; i++) await sleep(1000);
  return residentMegabytes(server);
}

/** Memory of the server's process; 0 where the system does not tell. */
function residentMegabytes({ process: { pid } }: TestServer): number {
  try {
    const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Math.round(Number(kilobytes) / 1024);
  } catch {
    return 0;
  }
}
