/** Requests that ask for more than their share: they cost an error, never the server. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPictures } from '../../engine/media/picture-thread.ts';
import { type TestServer, connect, startServer } from '../support/server.ts';
import { raw, rawBytes } from './raw.ts';

/* eslint-disable @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-return, @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-call -- JSON from the wire */

let base: string;
let server: TestServer;
beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'noodle-limits-'));
  mkdirSync(join(base, 'output'), { recursive: true });
  server = await startServer({ base, flags: ['--max-upload-size', '2'] });
});
afterAll(async () => {
  await server?.stop();
  rmSync(base, { recursive: true, force: true });
});

/** The server answers at once, and it is the one that was started. */
async function expectAlive(): Promise<void> {
  expect((await raw(server, '/prompt')).status).toBe(200);
  expect(server.process.exitCode).toBeNull();
}

/** A PNG of these sizes whose data is all zeros, however few bytes `rows` of them are. */
function png(width: number, height: number, rows = height): Buffer {
  const chunk = (type: string, data: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const frame = Buffer.alloc(8);
    frame.writeUInt32BE(data.length, 0);
    frame.writeUInt32BE(crc32(body) >>> 0, 4);
    return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 6], 8);
  const data = deflateSync(Buffer.alloc((width * 4 + 1) * rows));
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', data),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** The end of a prompt, from its history. */
async function outcome(prompt: object): Promise<{ status: string; message: string }> {
  const sent = await server.post('/prompt', { prompt });
  expect(sent.status).toBe(200);
  const { prompt_id: id } = (await sent.json()) as { prompt_id: string };
  const read = async () => (await server.json(`/history/${id}`))[id]?.status;
  await expect.poll(read, { timeout: 25_000 }).toBeDefined();
  const { status_str: status, messages } = await read();
  return { status, message: String(messages.at(-1)[1].exception_message ?? '') };
}

describe('pictures that unpack to more than they say', () => {
  const form = (bytes: Uint8Array, fields: Record<string, string> = {}): FormData => {
    const data = new FormData();
    data.set('image', new Blob([Buffer.from(bytes)]), 'bomb.png');
    for (const [name, value] of Object.entries(fields)) data.set(name, value);
    return data;
  };

  it.each([
    ['100 000 x 100 000', 100_000, 100_000],
    ['2^31-1 x 1', 2 ** 31 - 1, 1],
    ['60 000 x 60 000', 60_000, 60_000],
    ['0 x 0', 0, 0],
  ])('are refused by the size in their header: %s', async (_, width, height) => {
    const bytes = png(width, height, 0);
    writeFileSync(join(base, 'output', 'bomb.png'), bytes);
    expect((await raw(server, '/view?filename=bomb.png&preview=webp')).status).toBe(415);
    expect((await raw(server, '/view?filename=bomb.png&channel=rgb')).status).toBe(415);
    const original_ref = '{"filename": "bomb.png"}';
    const body = form(png(8, 8), { original_ref });
    expect((await server.get('/upload/mask', { method: 'POST', body })).status).toBe(400);
    const stored = await server.get('/upload/image', { method: 'POST', body: form(bytes) });
    const { name } = (await stored.json()) as { name: string };
    const { status, message } = await outcome({
      1: { class_type: 'LoadImage', inputs: { image: name } },
      2: { class_type: 'PreviewImage', inputs: { images: ['1', 0] } },
    });
    expect([status, message]).toEqual([
      'error',
      expect.stringMatching(/its size is|more than we decode/),
    ]);
    await expectAlive();
  });

  it('never keep the server from answering', async () => {
    writeFileSync(join(base, 'output', 'large.png'), png(4000, 4000));
    const view = raw(server, '/view?filename=large.png&channel=rgb');
    let longest = 0;
    let done = false;
    void view.then(() => (done = true));
    while (!done) {
      const start = performance.now();
      await raw(server, '/prompt');
      longest = Math.max(longest, performance.now() - start);
    }
    expect((await view).status).toBe(200);
    expect(longest).toBeLessThan(500);
  });

  it('are given up after a time, and the next is served', async () => {
    const pictures = createPictures({ timeout: 400, idle: 100 });
    const slow = png(8000, 8000);
    await expect(pictures.view(slow, { channel: 'rgb' })).rejects.toThrow(/longer than 0.4 s/);
    await expect(pictures.view(Buffer.from('x'), {})).rejects.toThrow(/Invalid image file/);
    const patient = createPictures({ idle: 100 });
    expect((await patient.view(png(4, 4), { channel: 'a' })).mime).toBe('image/png');
  });
});

describe('requests that are too much', () => {
  it('of parts, fields and files', async () => {
    // A good picture: but for the rest, it would be taken.
    const picture = (data: FormData): void => data.append('image', new Blob([png(2, 2)]), 'a.png');
    const forms: [string, (data: FormData) => void][] = [
      ['5000 fields', (data) => times(5000, (i) => data.append(`f${i}`, 'x'))],
      ['one field 5000 times', (data) => times(5000, () => data.append('type', 'input'))],
      ['a long field', (data) => data.append('x', 'x'.repeat(1_500_000))],
      ['1000 files', (data) => times(1000, () => data.append('image', new Blob([png(2, 2)]), 'a'))],
      ['a file under another name', (data) => data.append('file', new Blob([png(2, 2)]), 'a')],
    ];
    for (const [name, fill] of forms) {
      const body = new FormData();
      fill(body);
      picture(body);
      const { status } = await server.get('/upload/image', { method: 'POST', body });
      expect([400, 413], name).toContain(status);
    }
    const large = new FormData();
    large.set('image', new Blob([Buffer.alloc(3_000_000)]), 'a.png');
    const tooLarge = await server.get('/upload/image', { method: 'POST', body: large });
    expect(tooLarge.status).toBe(413);
    for (const body of [
      '',
      '--b',
      '--b\r\n\r\n',
      '--b\r\nContent-Disposition: form-data\r\n\r\nx',
    ]) {
      const headers = { 'Content-Type': 'multipart/form-data; boundary=b' };
      const answer = await raw(server, '/upload/image', { method: 'POST', headers, body });
      expect(answer.status).toBe(400);
    }
    await expectAlive();
  });

  it('of headers', async () => {
    const many = Array.from({ length: 5000 }, (_, i) => `X-${i}: 1\r\n`).join('');
    const flood = await rawBytes(server, `GET /queue HTTP/1.1\r\nHost: localhost\r\n${many}\r\n`);
    expect(flood).toMatch(/^HTTP\/1\.1 431/);
    const long = `GET /queue HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`;
    expect(await rawBytes(server, long)).toMatch(/^HTTP\/1\.1 431/);
    const smuggled =
      'POST /queue HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n' +
      'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /history HTTP/1.1\r\nHost: localhost\r\n\r\n';
    expect(await rawBytes(server, smuggled)).toMatch(/^HTTP\/1\.1 400[^]*$/);
    await expectAlive();
  });

  it('of depth', async () => {
    const deep = (open: string, close: string, n: number): string =>
      `${open.repeat(n)}1${close.repeat(n)}`;
    for (const n of [600, 100_000]) {
      for (const value of [deep('[', ']', n), deep('{"a":', '}', n)]) {
        for (const body of [
          value,
          `{"prompt": ${value}}`,
          `{"prompt": {}, "extra_data": ${value}}`,
        ]) {
          const answer = await raw(server, '/prompt', { method: 'POST', body });
          expect(answer.status).toBe(400);
        }
        expect((await raw(server, '/settings', { method: 'POST', body: value })).status).toBe(400);
      }
    }
    const client = await connect(server);
    client.socket.send(deep('[', ']', 100_000));
    await expectAlive();
    await client.close();
  });

  it('of nodes in one chain', async () => {
    const nodes: Record<string, object> = {
      0: { class_type: 'StringTrim', inputs: { string: 'x', mode: 'Both' } },
    };
    for (let i = 1; i < 10_000; i++) {
      nodes[i] = { class_type: 'StringTrim', inputs: { string: [String(i - 1), 0], mode: 'Both' } };
    }
    nodes.end = { class_type: 'PreviewAny', inputs: { source: ['9999', 0] } };
    const { status } = await server.post('/prompt', { prompt: nodes });
    expect([200, 400]).toContain(status);
    await server.post('/queue', { clear: true });
    await server.post('/interrupt', {});
    await expectAlive();
  });

  it('of time for a pattern', async () => {
    const inputs = { string: `${'a'.repeat(60)}!`, regex_pattern: '^(a+)+$' };
    const { status, message } = await outcome({
      1: { class_type: 'RegexReplace', inputs: { ...inputs, replace: 'x' } },
      2: { class_type: 'PreviewAny', inputs: { source: ['1', 0] } },
    });
    expect(status).toBe('error');
    expect(message).toMatch(/pattern .* took longer than 5 s/);
  });
});

describe('keys that name the prototype', () => {
  const keys = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf'];
  const polluted = '{"polluted": "yes", "toString": "yes"}';

  it('stay data in settings', async () => {
    for (const key of keys) {
      const body = `{"${key}": ${polluted}}`;
      expect((await raw(server, '/settings', { method: 'POST', body })).status).toBe(200);
      const single = { method: 'POST', body: polluted };
      expect((await raw(server, `/settings/${key}`, single)).status).toBe(200);
      expect((await raw(server, '/settings')).body).toContain(`"${key}": {"polluted": "yes"`);
      expect((await raw(server, `/settings/${key}`)).body).toBe(polluted);
    }
    expect((await raw(server, '/settings/polluted')).body).toBe('null');
    expect((await raw(server, '/settings/isPrototypeOf')).body).toBe('null');
  });

  it('stay data in prompts', async () => {
    const node = '{"class_type": "PreviewAny", "inputs": {"source": "x"}}';
    for (const key of keys) {
      for (const prompt of [
        `{"${key}": ${node}}`,
        `{"1": ${node}, "${key}": ${polluted}}`,
        `{"1": {"class_type": "${key}", "inputs": {}}}`,
        `{"1": {"class_type": "PreviewAny", "inputs": {"source": "x", "${key}": ["1", 0]}}}`,
        `{"1": {"class_type": "PreviewAny", "inputs": {"source": ["${key}", 0]}}}`,
        `{"1": {"class_type": "PreviewAny", "inputs": {"source": "x"}, "${key}": ${polluted}}}`,
      ]) {
        const extra = `{"${key}": ${polluted}, "extra_pnginfo": {"${key}": ${polluted}}}`;
        const body = `{"prompt": ${prompt}, "extra_data": ${extra}, "${key}": ${polluted}}`;
        const answer = await raw(server, '/prompt', { method: 'POST', body });
        expect([200, 400], body).toContain(answer.status);
      }
    }
    const idle = async () => (await server.json('/prompt')).exec_info.queue_remaining;
    await expect.poll(idle, { timeout: 15_000 }).toBe(0);
    const history = Object.values<object>(await server.json('/history'));
    expect(history.length).toBeGreaterThan(6);
    expect(Object.keys(await server.json('/features'))).not.toContain('polluted');
    expect(await server.json('/object_info/__proto__')).toEqual({});
    expect(await server.json('/object_info/constructor')).toEqual({});
    await expectAlive();
  });
});

function times(count: number, run: (i: number) => void): void {
  for (let i = 0; i < count; i++) run(i);
}
