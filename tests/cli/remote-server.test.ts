import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { createServerRunner } from '../../cli/remote-server.ts';
import type { RunEvent } from '../../cli/runner.ts';

let server: Server;
let sockets: WebSocketServer;
let out: string;
let url: string;
/** What the fake server does with a posted prompt. */
let onPrompt: (socket: WebSocket) => unknown;
let history: unknown;
let requests: string[];

const body = async (request: IncomingMessage): Promise<string> => {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
};

beforeEach(async () => {
  out = mkdtempSync(join(tmpdir(), 'noodle-remote-'));
  requests = [];
  history = { p1: { outputs: {}, status: { status_str: 'success', messages: [] } } };
  server = createServer((request, response) => {
    void body(request).then((text) => {
      requests.push(`${request.method} ${request.url} ${text}`);
      const path = (request.url ?? '').split('?')[0];
      if (path === '/prompt') {
        const [socket] = sockets.clients;
        response.end(JSON.stringify(onPrompt(socket)));
      } else if (path === '/history/p1') response.end(JSON.stringify(history));
      else if (path === '/view') response.end('picture');
      else if (path === '/object_info') response.end('{"A": {"input": {}}}');
      else response.writeHead(200).end();
    });
  });
  sockets = new WebSocketServer({ server });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(() => {
  rmSync(out, { recursive: true, force: true });
  for (const client of sockets.clients) client.terminate();
  sockets.close();
  server.closeAllConnections();
  server.close();
});

const say = (socket: WebSocket, type: string, data: unknown): void =>
  socket.send(JSON.stringify({ type, data }));

const prompt = { 1: { class_type: 'A', inputs: { seed: 18446744073709551615n } } };
const run = (
  onEvent: (event: RunEvent) => void = () => undefined,
  signal = new AbortController().signal,
): ReturnType<ReturnType<typeof createServerRunner>['run']> =>
  createServerRunner({ url, out, token: 'secret-token' }).run(prompt, { signal, onEvent });

const finish = (socket: WebSocket): unknown => {
  say(socket, 'progress', { prompt_id: 'p1', node: '1', value: 1, max: 2 });
  say(socket, 'executing', { prompt_id: 'other', node: null });
  say(socket, 'executing', { prompt_id: 'p1', node: null });
  return { prompt_id: 'p1', number: 1, node_errors: {} };
};

describe('createServerRunner', () => {
  it('posts, follows and fetches the results without leaving the folder', async () => {
    onPrompt = finish;
    history = {
      p1: {
        outputs: {
          1: {
            images: [
              { filename: 'a.png', subfolder: 'x', type: 'output' },
              { filename: '../../a.png', subfolder: '', type: 'output' },
            ],
            text: ['hello'],
          },
          2: { images: [{ filename: 'preview.png', subfolder: '', type: 'temp' }] },
        },
        status: { status_str: 'success', messages: [] },
      },
    };
    const events: RunEvent[] = [];
    const result = await run((event) => events.push(event));
    expect(result).toMatchObject({ status: 'success', complaints: [], texts: ['hello'] });
    expect(events).toEqual([{ type: 'progress', nodeId: '1', value: 1, max: 2 }]);
    expect(readdirSync(out).sort()).toEqual(['a (1).png', 'a.png']);
    expect(readFileSync(result.files[0], 'utf8')).toBe('picture');
    expect(existsSync(join(out, '..', '..', 'a.png'))).toBe(false);
    expect(requests.find((line) => line.startsWith('POST /prompt'))).toContain(
      '18446744073709551615',
    );
  });

  it('tells validation errors', async () => {
    onPrompt = () => ({
      error: { type: 't', message: 'Prompt outputs failed validation', details: '' },
      node_errors: { 1: { errors: [{ message: 'Required input is missing', details: 'clip' }] } },
    });
    expect(await run()).toMatchObject({
      status: 'invalid',
      complaints: [{ nodeId: '1', text: 'Required input is missing: clip' }],
    });
  });

  it('tells failures', async () => {
    onPrompt = finish;
    history = {
      p1: {
        outputs: {},
        status: {
          status_str: 'error',
          messages: [['execution_error', { node_id: '1', exception_message: 'boom\n' }]],
        },
      },
    };
    expect(await run()).toMatchObject({
      status: 'error',
      complaints: [{ nodeId: '1', text: 'boom' }],
    });
  });

  it('interrupts on abort', async () => {
    const controller = new AbortController();
    history = {
      p1: { status: { status_str: 'error', messages: [['execution_interrupted', {}]] } },
    };
    onPrompt = (socket) => {
      setTimeout(() => controller.abort(), 20);
      setTimeout(() => finish(socket), 150);
      return { prompt_id: 'p1' };
    };
    expect((await run(undefined, controller.signal)).status).toBe('interrupted');
    expect(requests.some((line) => line.startsWith('POST /interrupt'))).toBe(true);
  });

  it('says when there is no server', async () => {
    const runner = createServerRunner({ url: '127.0.0.1:1', out });
    await expect(runner.objectInfo()).rejects.toThrow('cannot be reached');
    expect(() => createServerRunner({ url: 'http://', out })).toThrow('--server');
  });
});
