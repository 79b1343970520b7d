import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import sharp from 'sharp';
import { WebSocketServer, type WebSocket } from 'ws';
import { encodeFrame, type MessageData } from '../../engine/protocol.ts';
import { parseJson, stringifyJson, toPlain } from '../../engine/workflow/lossless-json.ts';
import { objectInfo } from './fixtures/object-info.ts';
import {
  executionOrder,
  explosion,
  type HistoryEntry,
  jobOf,
  progressOf,
  type PromptNode,
  uiOf,
} from './mock-runs.ts';
import { modelAnswer } from './support/mock-models.ts';
import { listed, userFile } from './support/user-files.ts';

/** What `/object_info` answers, written once: every page asks for it. */
const descriptions = stringifyJson(objectInfo);

/** A prompt the page posted, as the server read it. */
export interface PostedPrompt {
  readonly id: string;
  readonly body: Record<string, unknown>;
}

export interface MockServer {
  readonly url: string;
  readonly prompts: readonly PostedPrompt[];
  readonly uploads: readonly string[];
  /** Requests by path, e.g. how often /interrupt was called. */
  readonly requests: readonly string[];
  /** What was saved into the user's folder, by path. */
  readonly saved: ReadonlyMap<string, string>;
  /** What the user has set; shared by all pages. */
  readonly settings: Record<string, unknown>;
  /** Text frames the pages sent over their sockets. */
  readonly received: readonly string[];
  /** Milliseconds between the steps of a run; a high one leaves time to look. */
  stepDelay: number;
  dropSockets(): void;
  /** How many runs have ended, however they ended. */
  finished(): number;
  close(): Promise<void>;
}

const root = new URL('../../', import.meta.url).pathname;
const dist = join(root, 'web/dist');
const types: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.webp': 'image/webp',
};

/**
 * A stand-in for the server with scripted runs, so that the page's behaviour can be tested without
 * models: a prompt text with "reject" is refused with node errors, one with "explode" fails while
 * it runs, all others run with progress, previews and a picture.
 */
export async function startMockServer(): Promise<MockServer> {
  const prompts: PostedPrompt[] = [];
  const uploads: string[] = [];
  const requests: string[] = [];
  const received: string[] = [];
  const sockets = new Map<string, WebSocket>();
  const device = {
    id: 'webgpu:0',
    name: 'A graphics card',
    precision: 'fp16',
    memory_used: 1.5e9,
    memory_budget: 8e9,
  };
  const history: Record<string, unknown> = {};
  const settings: Record<string, unknown> = {};
  const saved = new Map<string, string>();
  let waiting: PostedPrompt[] = [];
  let interrupted = false;
  let ended = 0;
  let worker: Promise<void> = Promise.resolve();
  const state = { stepDelay: 5, closing: false };
  const pause = () => new Promise((resolve) => setTimeout(resolve, state.stepDelay));

  const http = createServer((request, response) => {
    void handle(request, response).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  });
  const wss = new WebSocketServer({ server: http });
  wss.on('connection', (socket, request) => {
    const sid = new URL(request.url ?? '/', 'http://x').searchParams.get('clientId') ?? '';
    sockets.set(sid, socket);
    socket.on('message', (data: Buffer) => received.push(data.toString()));
    send(socket, 'status', { status: { exec_info: { queue_remaining: waiting.length } }, sid });
  });

  const send = <T extends keyof MessageData>(socket: WebSocket, type: T, data: MessageData[T]) => {
    if (socket.readyState === socket.OPEN) socket.send(JSON.stringify({ type, data }));
  };
  const tellAll = (): void => {
    for (const socket of sockets.values()) {
      send(socket, 'status', { status: { exec_info: { queue_remaining: waiting.length } } });
    }
  };

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://x');
    const path = decodeURIComponent(url.pathname);
    requests.push(`${request.method} ${path}`);
    const text = (body: string, status = 200): void => {
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(body);
    };
    const json = (data: unknown, status?: number): void => text(stringifyJson(data), status);
    if (path === '/object_info') return text(descriptions);
    if (path === '/ui/workflows/') {
      const names = readdirSync(join(root, 'workflows')).filter((n) => n.endsWith('.json'));
      return json(names.map((n) => n.replace('.json', '')));
    }
    if (path.endsWith('.json/picture')) {
      const name = path.split('/').at(-2)?.replace('.json', '.webp') ?? '';
      return file(join(root, 'workflows/pictures', name));
    }
    if (path.startsWith('/ui/workflows/')) return file(join(root, 'workflows', path.slice(14)));
    if (path === '/prompt') return acceptPrompt(await bodyOf(request), json);
    if (path === '/v1/queue') {
      const jobs = waiting.map(({ id }) => jobOf(id, 'pending'));
      const counts = { paused: false, pending_count: Math.max(0, jobs.length - 1) };
      return json({ ...counts, running: jobs.slice(0, 1), pending: jobs.slice(1) });
    }
    if (path === '/v1/jobs') {
      return json({
        jobs: Object.entries(history)
          .map(([id, entry]) => jobOf(id, 'completed', entry as HistoryEntry))
          .reverse(),
      });
    }
    if (path.startsWith('/history/')) {
      const id = path.slice('/history/'.length);
      return json(id in history ? { [id]: history[id] } : {});
    }
    if (path === '/interrupt') interrupted = true;
    if (path === '/queue') waiting = waiting.slice(0, 1);
    if (path === '/history') for (const key of Object.keys(history)) delete history[key];
    if (path === '/settings' && request.method === 'GET') return json(settings);
    if (path.startsWith('/settings/')) {
      settings[decodeURIComponent(path.slice('/settings/'.length))] = JSON.parse(
        (await bodyOf(request)).toString(),
      ) as unknown;
      return json({});
    }
    if (path === '/extensions') return json([]);
    if (path === '/internal/logs/raw') {
      return json({ entries: [{ t: '2026-11-27T08:00:00.000Z', m: 'Ready\n' }], size: null });
    }
    if (path === '/internal/logs/subscribe') {
      const { clientId } = JSON.parse((await bodyOf(request)).toString()) as { clientId: string };
      const entries = [{ t: '2026-11-27T08:00:01.000Z', m: 'WARNING: a line that came live\n' }];
      const socket = sockets.get(clientId);
      if (socket !== undefined) send(socket, 'logs', { entries, size: null });
      return json({});
    }
    const models = modelAnswer(path);
    if (models !== undefined) return json(models);
    if (path === '/v1/system') return json({ devices: [device] });
    if (path === '/v1/outputs') return json({ outputs: [], total: 0, next_cursor: null });
    const isPicture = path === '/view' || path === '/v1/outputs/thumbnail';
    if (isPicture || path.startsWith('/experiment/models/preview/')) {
      const image = url.searchParams.get('filename') ?? url.searchParams.get('path') ?? '';
      response.writeHead(200, { 'Content-Type': 'image/png' });
      response.end(await picture(image.length * 40, 128));
      return;
    }
    if (path === '/upload/image') {
      const name = /filename="([^"]+)"/.exec((await bodyOf(request)).toString('latin1'))?.[1] ?? '';
      uploads.push(name);
      return json({ name, subfolder: '', type: 'input' });
    }
    if (path === '/v2/userdata') return json(listed(saved));
    if (path.startsWith('/userdata/')) {
      const answer = userFile(saved, url, request.method ?? '', await bodyOf(request));
      return void response.writeHead(answer.status).end(answer.text);
    }
    if (request.method === 'POST') return void response.end();
    return file(join(dist, path === '/' ? 'index.html' : path));

    function file(name: string): void {
      if (!existsSync(name)) return void response.writeHead(404).end();
      response.writeHead(200, {
        'Content-Type': types[extname(name)] ?? 'application/octet-stream',
        'Content-Security-Policy':
          "default-src 'self' blob: data:; style-src 'self' 'unsafe-inline'",
      });
      response.end(readFileSync(name));
    }
  }

  function acceptPrompt(raw: Buffer, json: (data: unknown, status?: number) => void): void {
    const body = toPlain(parseJson(raw.toString())) as Record<string, unknown>;
    const id = `00000000-0000-4000-8000-${String(prompts.length + 1).padStart(12, '0')}`;
    const posted = { id, body };
    prompts.push(posted);
    const nodes = Object.entries(body.prompt as Record<string, PromptNode>);
    const rejected = nodes.find(([, n]) => String(n.inputs.text).includes('reject'));
    if (rejected !== undefined) {
      const sampler = nodes.find(([, n]) => n.class_type === 'KSampler')?.[0] ?? rejected[0];
      return json(
        {
          error: {
            type: 'prompt_outputs_failed_validation',
            message: 'Prompt outputs failed validation',
            details: '',
            extra_info: {},
          },
          node_errors: {
            [sampler]: {
              errors: [
                {
                  type: 'value_bigger_than_max',
                  message: 'Value 20000 bigger than max of 10000',
                  details: 'steps',
                  extra_info: { input_name: 'steps' },
                },
              ],
              dependent_outputs: ['9'],
              class_type: 'KSampler',
            },
          },
        },
        400,
      );
    }
    waiting.push(posted);
    json({ prompt_id: id, number: prompts.length, node_errors: {} });
    tellAll();
    worker = worker.then(() => run(posted));
  }

  async function run({ id, body }: PostedPrompt): Promise<void> {
    if (!waiting.some((p) => p.id === id) || state.closing) return;
    const sid = String(body.client_id);
    const tell = <T extends keyof MessageData>(type: T, data: MessageData[T]): void => {
      const socket = sockets.get(sid);
      if (socket) send(socket, type, data);
    };
    const prompt = body.prompt as Record<string, PromptNode>;
    const outputs: Record<string, unknown> = {};
    interrupted = false;
    const start = Date.now();
    tell('execution_start', { prompt_id: id, timestamp: start });
    tell('execution_cached', { nodes: [], prompt_id: id, timestamp: start });
    let failure: [string, Record<string, unknown>] | null = null;
    for (const nodeId of executionOrder(prompt)) {
      if (state.closing) return;
      const node = prompt[nodeId];
      tell('executing', { node: nodeId, display_node: nodeId, prompt_id: id });
      if (node.class_type === 'KSampler') {
        const exploding = Object.values(prompt).some((n) =>
          String(n.inputs.text).includes('explode'),
        );
        failure = exploding ? ['execution_error', explosion(id, nodeId)] : await sample(nodeId);
        if (failure !== null) break;
      }
      const ui = uiOf(node, prompts.length);
      if (ui !== null) {
        outputs[nodeId] = ui;
        tell('executed', {
          node: nodeId,
          display_node: nodeId,
          output: ui as never,
          prompt_id: id,
        });
      }
      await pause();
    }
    const end: [string, Record<string, unknown>] = failure ?? [
      'execution_success',
      { prompt_id: id, timestamp: Date.now() },
    ];
    tell(end[0] as 'execution_success', end[1] as never);
    history[id] = {
      prompt: [prompts.length, id, prompt, body.extra_data, Object.keys(outputs)],
      outputs,
      status: {
        status_str: failure === null ? 'success' : 'error',
        completed: failure === null,
        messages: [['execution_start', { prompt_id: id, timestamp: start }], end],
      },
      meta: {},
    };
    waiting = waiting.filter((p) => p.id !== id);
    ended++;
    tellAll();
    tell('executing', { node: null, prompt_id: id });

    async function sample(nodeId: string): Promise<[string, Record<string, unknown>] | null> {
      const steps = 8;
      for (let value = 1; value <= steps; value++) {
        await pause();
        if (interrupted) {
          const data = { prompt_id: id, node_id: nodeId, node_type: 'KSampler', executed: [] };
          return ['execution_interrupted', { ...data, timestamp: Date.now() }];
        }
        tell('progress_state', {
          prompt_id: id,
          nodes: { [nodeId]: progressOf(id, nodeId, value, steps) },
        });
        const metadata = {
          node_id: nodeId,
          prompt_id: id,
          display_node_id: nodeId,
          parent_node_id: null,
          real_node_id: nodeId,
          image_type: 'image/png' as const,
        };
        const image = new Uint8Array(await picture(value * 30, 64));
        sockets.get(sid)?.send(encodeFrame({ type: 'previewWithMetadata', metadata, image }));
        tell('progress', { value, max: steps, prompt_id: id, node: nodeId });
      }
      return null;
    }
  }

  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    prompts,
    uploads,
    requests,
    saved,
    settings,
    received,
    get stepDelay() {
      return state.stepDelay;
    },
    set stepDelay(ms: number) {
      state.stepDelay = ms;
    },
    finished: () => ended,
    dropSockets: () => {
      for (const socket of sockets.values()) socket.terminate();
    },
    close: async () => {
      state.closing = true;
      for (const socket of sockets.values()) socket.terminate();
      wss.close();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

/** A disc on a coloured ground, as PNG. */
function picture(hue: number, size: number): Promise<Buffer> {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}">
    <rect width="100%" height="100%" fill="hsl(${(hue + 200) % 360} 70% 45%)"/>
    <circle cx="50%" cy="50%" r="30%" fill="hsl(${hue % 360} 80% 55%)"/></svg>`;
  return sharp(Buffer.from(svg)).png().toBuffer();
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
