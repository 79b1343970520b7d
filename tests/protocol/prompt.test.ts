import { once } from 'node:events';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Client,
  type TestServer,
  connect,
  startServer,
  testingPack,
  isOfThePrompt,
} from '../support/server.ts';

/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-return, @typescript-eslint/no-unsafe-call -- JSON from the wire */

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ packs: [testingPack] });
});
afterAll(() => server?.stop());

/** One picture saved to temp, in `value`'s grey. */
const picture = (value = 0.5) => ({
  1: {
    class_type: 'StubConstantImage',
    inputs: { value, height: 8, width: 8, batch_size: 1 },
  },
  2: { class_type: 'PreviewImage', inputs: { images: ['1', 0] } },
});

const sleeper = (seconds: number, value = 0.5) => ({
  ...picture(value),
  3: { class_type: 'TestSleep', inputs: { value: ['1', 0], seconds } },
  2: { class_type: 'PreviewImage', inputs: { images: ['3', 0] } },
});

async function submit(body: object, client?: Client): Promise<string> {
  const response = await server.post('/prompt', { client_id: client?.sid, ...body });
  const answer: any = await response.json();
  expect(answer).toMatchObject({ node_errors: {} });
  return answer.prompt_id;
}

/** Message types, with the node where one is named. */
const story = (client: Client): string[] =>
  client.messages.filter(isOfThePrompt).map((message) => {
    if (!('data' in message)) return message.type;
    const { type, data } = message;
    if (type === 'status') return `status ${data.status.exec_info.queue_remaining}`;
    if (type === 'executing') return `executing ${data.node}`;
    if (type === 'executed') return `executed ${data.node}`;
    if (type === 'progress_state') {
      const [id, node]: any = Object.entries(data.nodes).at(-1);
      return `state ${id} ${node.state}`;
    }
    return type;
  });

describe('one prompt', () => {
  it('tells its story in the order of the specification', async () => {
    const client = await connect(server);
    const id = await submit({ prompt: picture(0.25) }, client);
    await client.finished(id);
    expect(story(client)).toEqual([
      'status 0',
      'status 1',
      'status 1',
      'execution_start',
      'execution_cached',
      'state 1 running',
      'executing 1',
      'state 1 finished',
      'state 2 running',
      'executing 2',
      'executed 2',
      'state 2 finished',
      'execution_success',
      'status 0',
      'executing null',
    ]);
    const [hello] = client.messages;
    expect(hello).toEqual({
      type: 'status',
      data: { status: { exec_info: { queue_remaining: 0 } }, sid: client.sid },
    });
    await client.close();
  });

  it.each([undefined, { supports_preview_metadata: true }])(
    'hands pictures over the websocket, client flags %j',
    async (flags) => {
      const client = await connect(server, { flags });
      const prompt = {
        1: { ...picture(0.2)[1], inputs: { value: 0.2, height: 8, width: 8, batch_size: 2 } },
        2: { class_type: 'SaveImageWebsocket', inputs: { images: ['1', 0] } },
      };
      // The second time nothing but this node runs: it is never taken from a cache.
      for (const _ of [1, 2]) {
        client.messages.length = 0;
        await client.finished(await submit({ prompt }, client));
        const frames = client.messages.flatMap((message) =>
          'frame' in message ? [message.frame!] : [],
        );
        expect(frames.map(({ type }) => type)).toEqual(
          Array(2).fill(flags === undefined ? 'preview' : 'previewWithMetadata'),
        );
        for (const frame of frames as any[]) {
          expect(frame.imageType ?? frame.metadata.image_type).toBe('image/png');
          const { info, data } = await sharp(frame.image)
            .raw()
            .toBuffer({ resolveWithObject: true });
          expect(info).toMatchObject({ width: 8, height: 8, channels: 3 });
          expect(new Set(data)).toEqual(new Set([51]));
        }
      }
      await client.close();
    },
  );

  it('has its whole history before the closing message', async () => {
    const client = await connect(server);
    const id = await submit({ prompt: picture(0.3), extra_data: { note: 1 } }, client);
    await client.finished(id);
    const { [id]: entry } = await server.json(`/history/${id}`);
    expect(Object.keys(entry)).toEqual(['prompt', 'outputs', 'status', 'meta']);
    const [number, promptId, prompt, extraData, outputs] = entry.prompt;
    expect(number).toBeTypeOf('number');
    expect(promptId).toBe(id);
    expect(prompt['1'].inputs).toEqual({ value: 0.3, height: 8, width: 8, batch_size: 1 });
    expect(extraData).toMatchObject({ note: 1, client_id: client.sid });
    expect(outputs).toEqual(['2']);
    expect(entry.outputs['2'].images[0]).toMatchObject({ type: 'temp', subfolder: '' });
    expect(entry.meta['2']).toEqual({
      node_id: '2',
      display_node: '2',
      parent_node: null,
      real_node_id: '2',
    });
    expect(entry.status).toMatchObject({ status_str: 'success', completed: true });
    expect(entry.status.messages.map(([event]: [string]) => event)).toEqual([
      'execution_start',
      'execution_cached',
      'execution_success',
    ]);
    const file = entry.outputs['2'].images[0].filename;
    expect((await server.get(`/view?filename=${file}&type=temp`)).status).toBe(200);
    await client.close();
  });

  it('shows cached outputs again, without running them', async () => {
    const client = await connect(server);
    for (const _ of [1, 2]) {
      client.messages.length = 0;
      await client.finished(await submit({ prompt: picture(0.75) }, client));
    }
    expect(story(client)).toEqual([
      'status 1',
      'status 1',
      'execution_start',
      'execution_cached',
      'executed 2',
      'state 2 finished',
      'execution_success',
      'status 0',
      'executing null',
    ]);
    await client.close();
  });

  it('keeps 64-bit integers and 5.0 through the whole server', async () => {
    const prompt = `{"1": {"class_type": "StubInt", "inputs": {"value": 7}}, "2": {"class_type": "PreviewAny", "inputs": {"source": ["1", 0], "seed": 18446744073709551615, "cfg": 5.0}}}`;
    const response = await server.post('/prompt', `{"prompt": ${prompt}, "number": 3}`);
    const text = await response.text();
    expect(text).toContain('"number": 3.0');
    const id: string = JSON.parse(text).prompt_id;
    await expect
      .poll(async () => (await server.get(`/history/${id}`)).text(), { timeout: 10_000 })
      .toContain('"seed": 18446744073709551615, "cfg": 5.0');
  });
});

/** Kinds of messages that came, without those about the files at hand, which go to everybody. */
const typesOf = (client: Client): string[] =>
  [...new Set(client.messages.map(({ type }) => type))]
    .filter((type) => !type.startsWith('assets.'))
    .sort();

describe('who hears of a prompt', () => {
  it('sends progress of a prompt without a client to all, and nothing else', async () => {
    const client = await connect(server);
    const id = await submit({ prompt: sleeper(0.05, 0.11) });
    await expect
      .poll(async () => Object.keys(await server.json(`/history/${id}`)), { timeout: 10_000 })
      .toEqual([id]);
    await client.until(({ type }) => type === 'status');
    const types = typesOf(client);
    expect(types).toEqual(['progress', 'progress_state', 'status']);
    await client.close();
  });

  it("keeps a client's messages from others", async () => {
    const [mine, other] = await Promise.all([connect(server), connect(server)]);
    await mine.finished(await submit({ prompt: sleeper(0.05, 0.12) }, mine));
    expect(typesOf(other)).toEqual(['status']);
    await Promise.all([mine.close(), other.close()]);
  });

  it('answers feature flags once, as the first message', async () => {
    const client = await connect(server, { flags: { supports_preview_metadata: true } });
    const answer: any = await client.until(({ type }) => type === 'feature_flags');
    expect(answer.data).toEqual(await server.json('/features'));
    expect(answer.data).toMatchObject({
      supports_preview_metadata: true,
      max_upload_size: 104857600,
    });
    client.socket.send('{"type": "feature_flags", "data": {}}');
    await submit({ prompt: picture(0.13) }, client);
    await client.until((m) => m.type === 'execution_success');
    expect(client.messages.filter(({ type }) => type === 'feature_flags')).toHaveLength(1);
    await client.close();
  });

  it('tells a client that comes back what is running; its old socket stays open and hears no more', async () => {
    const first = await connect(server);
    const id = await submit({ prompt: sleeper(1.5, 0.14) }, first);
    await first.until((m) => m.type === 'executing' && 'data' in m && m.data.node === '3');
    const second = await connect(server, { sid: first.sid });
    await second.until(({ type }) => type === 'executing');
    const pong = once(first.socket, 'pong'); // comes behind all that was sent before
    first.socket.ping();
    await pong;
    const heard = first.messages.length;
    await second.finished(id);
    expect(first.socket.readyState).toBe(first.socket.OPEN);
    expect(first.messages).toHaveLength(heard);
    const [hello, now] = second.messages;
    expect(hello).toMatchObject({ type: 'status', data: { sid: first.sid } });
    expect(now).toEqual({ type: 'executing', data: { node: '3' } });
    await Promise.all([first.close(), second.close()]);
  });
});

describe('interrupt', () => {
  it('stops the running prompt, tells everybody concerned, and runs the next', async () => {
    const client = await connect(server);
    const id = await submit({ prompt: sleeper(30, 0.21) }, client);
    const next = await submit({ prompt: picture(0.22) }, client);
    await client.until((m) => m.type === 'executing' && 'data' in m && m.data.node === '3');
    expect((await server.post('/interrupt', { prompt_id: 'another' })).status).toBe(200);
    expect((await server.json('/queue')).queue_running).toHaveLength(1);
    const before = Date.now();
    expect((await server.post('/interrupt', '')).status).toBe(200);
    await client.finished(id);
    expect(Date.now() - before).toBeLessThan(3000);
    await client.finished(next);
    const { [id]: entry } = await server.json(`/history/${id}`);
    expect(entry.status).toMatchObject({ status_str: 'error', completed: false });
    expect(entry.status.messages.at(-1)[0]).toBe('execution_interrupted');
    await client.close();
  });

  it('does nothing to the next prompt when nothing runs', async () => {
    await server.post('/interrupt', {});
    const client = await connect(server);
    const id = await submit({ prompt: picture(0.23) }, client);
    await client.finished(id);
    expect((await server.json(`/history/${id}`))[id].status.status_str).toBe('success');
    await client.close();
  });
});

describe('the order of nodes', () => {
  it('is the sent one in queue, history and files, whatever the ids look like', async () => {
    const save = (prefix: string): string =>
      `{"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "${prefix}"}}`;
    const inputs = '{"width": 8, "height": 8, "batch_size": 1, "color": 0}';
    const prompt =
      `{"12": ${save('a')}, "9": ${save('b')}, ` +
      `"1": {"class_type": "EmptyImage", "inputs": ${inputs}}}`;
    const client = await connect(server);
    const response = await server.post(
      '/prompt',
      `{"client_id": "${client.sid}", "prompt": ${prompt}, "extra_data": {"extra_pnginfo": {"5": 1, "4": {"3": 1, "2": 1}}}}`,
    );
    const { prompt_id: id }: any = await response.json();
    await client.finished(id);
    const history = await (await server.get(`/history/${id}`)).text();
    expect(history).toContain(prompt);
    expect(history).toContain('{"5": 1, "4": {"3": 1, "2": 1}}');
    expect(history.match(/"(12|9)": \{"images"/g)).toEqual(['"12": {"images"', '"9": {"images"']);
    expect(history).toContain('["12", "9"]');
    const jobs = await (await server.get(`/api/jobs/${id}`)).text();
    expect(jobs).toContain(prompt);
    const [file] = JSON.parse(history)[id].outputs[9].images;
    const png = await (await server.get(`/view?type=output&filename=${file.filename}`)).text();
    expect(png).toContain(prompt);
    expect(png.indexOf('tEXt5')).toBeLessThan(png.indexOf('tEXt4'));
    await client.close();
  });
});

describe('errors of nodes', () => {
  it('are told with the node, and the prompt ends', async () => {
    const client = await connect(server);
    const id = await submit(
      {
        prompt: {
          ...picture(0.31),
          3: { class_type: 'TestSyncError', inputs: { value: ['1', 0] } },
          2: { class_type: 'PreviewImage', inputs: { images: ['3', 0] } },
        },
      },
      client,
    );
    await client.finished(id);
    const error: any = await client.until(({ type }) => type === 'execution_error');
    expect(error.data).toMatchObject({ prompt_id: id, node_id: '3', node_type: 'TestSyncError' });
    expect(error.data.exception_message).toMatch(/Intentional sync execution error for testing\n$/);
    const { status } = (await server.json(`/history/${id}`))[id];
    expect(status).toMatchObject({ status_str: 'error', completed: false });
    await client.close();
  });
});
