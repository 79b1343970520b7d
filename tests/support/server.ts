/** A real server in a process of its own, for tests over HTTP and websockets. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { decodeFrame } from '../../engine/protocol.ts';
import type { BinaryFrame } from '../../engine/protocol.ts';
import { TYPESCRIPT } from '../../engine/threads.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

export interface ServerOptions {
  readonly flags?: readonly string[];
  /** An installation to start in (for restarts); a new temporary one when left out. */
  readonly base?: string;
  /** Folders of node packs that the installation has. */
  readonly packs?: readonly string[];
}

export interface TestServer {
  readonly url: string;
  readonly base: string;
  readonly process: ChildProcess;
  /** Everything it printed so far. */
  log(): string;
  readonly get: (path: string, init?: RequestInit) => Promise<Response>;
  json(path: string): Promise<any>; // eslint-disable-line @typescript-eslint/no-explicit-any -- JSON border
  post(path: string, body: unknown): Promise<Response>;
  /** Process ids of its engines. */
  engines(): Promise<number[]>;
  /** Ends it as a user would; the installation stays unless this server made it. */
  stop(): Promise<void>;
  /** Ends it without asking (SIGKILL); the installation stays. */
  kill(): Promise<void>;
}

/** The pack with ComfyUI's testing nodes. */
export const testingPack = join(root, 'tests/protocol/pack');

/** Starts a server on a free port; resolves when it answers. */
export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const base = options.base ?? mkdtempSync(join(tmpdir(), 'noodle-server-'));
  for (const pack of options.packs ?? []) link(pack, join(base, 'custom_nodes'));
  const child = spawn(
    process.execPath,
    [
      ...['--import', TYPESCRIPT, join(root, 'server.ts')],
      ...['--port', '0', '--base-directory', base, ...onTheProcessor(options.flags ?? [])],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], cwd: base },
  );
  let printed = '';
  const url = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      printed += chunk.toString();
      const found = /To see the GUI go to: (\S+)/.exec(printed)?.[1];
      if (found !== undefined) resolve(found);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('exit', (code) => reject(new Error(`the server ended (${code}): ${printed}`)));
  });
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill(signal);
      await once(child, 'exit');
    }
  };
  const get = (path: string, init?: RequestInit): Promise<Response> => fetch(url + path, init);
  return {
    url,
    base,
    process: child,
    log: () => printed,
    get,
    json: async (path) => (await get(path)).json(),
    post: (path, body) =>
      get(path, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) }),
    engines: () => childrenOf(child.pid!),
    stop: async () => {
      await end('SIGTERM');
      if (options.base === undefined) rmSync(base, { recursive: true, force: true });
    },
    kill: () => end('SIGKILL'),
  };
}

/** A machine's graphics card is no part of what tests are about, except where they name one. */
const onTheProcessor = (flags: readonly string[]): readonly string[] =>
  flags.includes('--device') ? flags : ['--device', 'cpu', ...flags];

function link(pack: string, folder: string): void {
  mkdirSync(folder, { recursive: true });
  symlinkSync(pack, join(folder, basename(pack)));
}

async function childrenOf(pid: number): Promise<number[]> {
  const ps = spawn('ps', ['-o', 'pid=,args=', '--ppid', String(pid)]);
  let text = '';
  ps.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await once(ps, 'close');
  return text
    .split('\n')
    .filter((line) => line.includes('worker/main.ts'))
    .map((line) => Number.parseInt(line, 10));
}

/** One received message, in a short form that reads well in expectations. */
export type Received =
  | { readonly type: string; readonly data: any } // eslint-disable-line @typescript-eslint/no-explicit-any -- JSON border
  | { readonly type: 'binary'; readonly frame: BinaryFrame | undefined };

/** Messages about assets come whenever the scan of the folders has news. */
export const isOfThePrompt = ({ type }: Received): boolean => !type.startsWith('assets.');

export interface Client {
  readonly sid: string;
  readonly socket: WebSocket;
  readonly messages: Received[];
  /** Resolves with the first message (old or new) that `test` accepts. */
  until(test: (message: Received) => boolean, timeout?: number): Promise<Received>;
  /** Resolves after the closing `executing` of a prompt. */
  finished(promptId: string, timeout?: number): Promise<void>;
  close(): Promise<void>;
}

/** Opens a websocket; `flags` are sent as the first message. */
export async function connect(
  server: Pick<TestServer, 'url'>,
  options: { sid?: string; flags?: object; path?: string; headers?: Record<string, string> } = {},
): Promise<Client> {
  const sid = options.sid ?? `client-${Math.random().toString(36).slice(2)}`;
  const address = `${server.url.replace('http', 'ws')}${options.path ?? '/ws'}?clientId=${sid}`;
  const socket = new WebSocket(address, { headers: options.headers });
  const messages: Received[] = [];
  const waiting = new Set<() => void>();
  socket.on('message', (data: Buffer, isBinary) => {
    messages.push(
      isBinary
        ? { type: 'binary', frame: decodeFrame(data) }
        : (JSON.parse(data.toString()) as Received),
    );
    for (const check of [...waiting]) check();
  });
  await once(socket, 'open');
  if (options.flags !== undefined) {
    socket.send(JSON.stringify({ type: 'feature_flags', data: options.flags }));
  }
  const until: Client['until'] = (test, timeout = 20_000) =>
    new Promise((resolve, reject) => {
      // Each message is looked at once: a long prompt sends thousands.
      let seen = 0;
      const check = (): void => {
        while (seen < messages.length && !test(messages[seen])) seen++;
        const found = messages[seen];
        if (found === undefined) return;
        clearTimeout(timer);
        waiting.delete(check);
        resolve(found);
      };
      const timer = setTimeout(() => {
        waiting.delete(check);
        const types = messages.map(({ type }) => type).join(', ');
        reject(new Error(`no such message within ${timeout} ms; came: ${types}`));
      }, timeout);
      waiting.add(check);
      check();
    });
  return {
    sid,
    socket,
    messages,
    until,
    finished: async (promptId, timeout) => {
      await until(
        (message) =>
          message.type === 'executing' &&
          'data' in message &&
          message.data.node === null && // eslint-disable-line @typescript-eslint/no-unsafe-member-access -- JSON border
          message.data.prompt_id === promptId, // eslint-disable-line @typescript-eslint/no-unsafe-member-access -- JSON border
        timeout,
      );
    },
    close: async () => {
      if (socket.readyState === WebSocket.CLOSED) return;
      socket.close();
      await once(socket, 'close');
    },
  };
}
