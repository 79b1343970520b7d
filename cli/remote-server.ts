/** Runs prompts on a server (ours or ComfyUI) through its HTTP and WebSocket interface. */
import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { WebSocket } from 'ws';
import { NoodleError } from '../engine/errors.ts';
import { isFile, resolveInside } from '../engine/store/paths.ts';
import { writeFileAtomic } from '../engine/store/write.ts';
import { type Json, parseJson, stringifyJson } from '../engine/workflow/lossless-json.ts';
import type { ObjectInfo } from '../engine/workflow/types.ts';
import { failureComplaint, readMessage, validationComplaints } from './runner.ts';
import type { Complaint, RunResult, Runner } from './runner.ts';

export interface ServerOptions {
  readonly url: string;
  readonly token?: string;
  /** Folder for the results. */
  readonly out: string;
}

interface PromptAnswer {
  readonly prompt_id?: string;
  readonly error?: { message: string; details: string };
  readonly node_errors?: Record<string, { errors: { message: string; details: string }[] }>;
}

interface HistoryEntry {
  readonly outputs?: Record<string, Record<string, unknown>>;
  readonly status?: { status_str?: string; messages?: [string, Record<string, unknown>][] };
}

/** A runner for the server at `url`. Throws BAD_INPUT when that is no http(s) address. */
export function createServerRunner({ url, token, out }: ServerOptions): Runner {
  const base = readUrl(url);
  const clientId = randomUUID();
  const headers: Record<string, string> =
    token === undefined ? {} : { authorization: `Bearer ${token}` };

  const request = async (path: string, body?: string): Promise<Response> => {
    const address = new URL(path, base);
    try {
      return await fetch(address, { method: body === undefined ? 'GET' : 'POST', headers, body });
    } catch (cause) {
      const what = `${base.origin} cannot be reached: ${reasonOf(cause)}`;
      throw new NoodleError('UNSUPPORTED', { what }, { cause });
    }
  };
  const get = async (path: string): Promise<Response> => {
    const response = await request(path);
    if (!response.ok) {
      const what = `${base.origin}/${path} answered ${response.status} ${response.statusText}`;
      throw new NoodleError('UNSUPPORTED', { what });
    }
    return response;
  };

  return {
    objectInfo: async () => parseJson(await (await get('object_info')).text()) as ObjectInfo,

    async savedWorkflow(name) {
      const response = await request(`v1/workflows/${encodeURIComponent(name)}`);
      if (!response.ok) return undefined;
      const saved = parseJson(await response.text()) as { workflow: Json };
      return stringifyJson(saved.workflow);
    },

    async run(prompt, { workflow, signal, onEvent }) {
      const socket = new WebSocket(socketAddress(base, clientId), { headers });
      const watch = watchSocket(socket);
      try {
        await watch.open;
        const extra = workflow === undefined ? {} : { extra_pnginfo: { workflow } };
        const body = stringifyJson({ prompt, client_id: clientId, extra_data: extra });
        const answer = (await (await request('prompt', body)).json()) as PromptAnswer;
        const id = answer.prompt_id;
        const complaints = validationComplaints(answer.error, answer.node_errors ?? {});
        if (id === undefined) return { status: 'invalid', files: [], texts: [], complaints };
        const interrupt = (): void => {
          request('queue', stringifyJson({ delete: [id] }))
            .then(() => request('interrupt', stringifyJson({ prompt_id: id })))
            .catch(() => undefined);
          // A prompt that was still waiting says nothing when it is taken out of the queue.
          setTimeout(watch.stop, 5000).unref();
        };
        if (signal.aborted) interrupt();
        else signal.addEventListener('abort', interrupt, { once: true });
        await watch.until(id, (event, data) => {
          const known = readMessage(event, data);
          if (known !== undefined) onEvent(known);
        });
        const history = (await (await get(`history/${id}`)).json()) as Record<string, HistoryEntry>;
        const entry = history[id] ?? {};
        const shown = await download(entry, get, out);
        const read = readStatus(entry, signal.aborted);
        return { ...read, ...shown, complaints: [...read.complaints, ...complaints] };
      } finally {
        socket.terminate();
      }
    },

    close: async () => undefined,
  };
}

function readUrl(url: string): URL {
  try {
    const base = new URL(/^https?:\/\//i.test(url) ? url : `http://${url}`);
    if (!base.pathname.endsWith('/')) base.pathname += '/';
    return base;
  } catch (cause) {
    const details = {
      subject: '--server',
      expected: 'an address such as 127.0.0.1:8188',
      got: url,
    };
    throw new NoodleError('BAD_INPUT', details, { cause });
  }
}

function socketAddress(base: URL, clientId: string): URL {
  const address = new URL(`ws?clientId=${clientId}`, base);
  address.protocol = base.protocol === 'https:' ? 'wss:' : 'ws:';
  return address;
}

/** The server's messages; those that come before the prompt's id is known are kept. */
function watchSocket(socket: WebSocket): {
  open: Promise<void>;
  until(id: string, tell: (event: string, data: Record<string, unknown>) => void): Promise<void>;
  stop: () => void;
} {
  const early: [string, Record<string, unknown>][] = [];
  let take = (event: string, data: Record<string, unknown>): void => void early.push([event, data]);
  let stop = (): void => undefined;
  let fail = (_: Error): void => undefined;
  socket.on('message', (data, isBinary) => {
    if (isBinary) return; // previews
    try {
      const message = JSON.parse((data as Buffer).toString('utf8')) as {
        type?: unknown;
        data?: Record<string, unknown>;
      };
      if (typeof message.type === 'string') take(message.type, message.data ?? {});
    } catch {
      // Not for us.
    }
  });
  const lost = (why: string): NoodleError =>
    new NoodleError('UNSUPPORTED', { what: `the server's websocket ${why}` });
  const open = new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', (error) => {
      reject(lost(`cannot be opened: ${error.message}`));
      fail(lost(`failed: ${error.message}`));
    });
  });
  return {
    open,
    stop: () => stop(),
    until: (id, tell) =>
      new Promise<void>((resolve, reject) => {
        stop = resolve;
        fail = reject;
        socket.once('close', () => reject(lost('was closed before the workflow ended')));
        take = (event, data) => {
          if (data.prompt_id !== id) return;
          tell(event, data);
          // The last word about a prompt, also after errors.
          if (event === 'executing' && data.node === null) resolve();
        };
        for (const [event, data] of early.splice(0)) take(event, data);
      }),
  };
}

function readStatus(
  { status }: HistoryEntry,
  aborted: boolean,
): { status: RunResult['status']; complaints: Complaint[] } {
  const messages = status?.messages ?? [];
  const find = (event: string): Record<string, unknown> | undefined =>
    messages.find(([name]) => name === event)?.[1];
  if (find('execution_interrupted') !== undefined || (status === undefined && aborted)) {
    return { status: 'interrupted', complaints: [] };
  }
  const failure = find('execution_error');
  return {
    status: status?.status_str === 'success' ? 'success' : 'error',
    complaints: failure === undefined ? [] : [failureComplaint(failure)],
  };
}

/** Fetches saved files (previews where nothing was saved); their names are the server's, so checked. */
async function download(
  { outputs = {} }: HistoryEntry,
  get: (path: string) => Promise<Response>,
  out: string,
): Promise<{ files: string[]; texts: string[] }> {
  const texts: string[] = [];
  const found: { filename: string; subfolder: string; type: string }[] = [];
  for (const ui of Object.values(outputs)) {
    for (const [key, items] of Object.entries(ui)) {
      for (const item of Array.isArray(items) ? (items as unknown[]) : []) {
        if (key === 'text' && typeof item === 'string') texts.push(item);
        const { filename, subfolder = '', type } = (item ?? {}) as Record<string, unknown>;
        if (typeof filename !== 'string' || typeof subfolder !== 'string') continue;
        if (type === 'output' || type === 'temp') found.push({ filename, subfolder, type });
      }
    }
  }
  const saved = found.filter(({ type }) => type === 'output');
  const files: string[] = [];
  for (const file of saved.length > 0 ? saved : found) {
    const response = await get(`view?${new URLSearchParams(file).toString()}`);
    mkdirSync(out, { recursive: true });
    const path = freePath(out, basename(file.filename.replaceAll('\\', '/')));
    writeFileAtomic(path, Buffer.from(await response.arrayBuffer()), { exclusive: true });
    files.push(path);
  }
  return { files, texts };
}

function freePath(out: string, name: string): string {
  const ending = extname(name);
  const stem = name.slice(0, name.length - ending.length);
  for (let n = 0; ; n++) {
    const path = resolveInside(out, n === 0 ? name : `${stem} (${n})${ending}`);
    if (!isFile(path)) return path;
  }
}

const reasonOf = (error: unknown): string => {
  const { cause, message } = error as Error;
  return cause instanceof Error && cause.message !== '' ? cause.message : message;
};
