import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  type Received,
  type TestServer,
  connect,
  startServer,
  isOfThePrompt,
} from '../support/server.ts';

/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-call -- JSON from the wire */

const root = fileURLToPath(new URL('../../', import.meta.url));
let base: string;
let server: TestServer;
beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'noodle-picture-'));
  mkdirSync(join(base, 'models'));
  symlinkSync(join(root, 'models/checkpoints'), join(base, 'models/checkpoints'));
  server = await startServer({ base });
});
afterAll(async () => {
  await server?.stop();
  rmSync(base, { recursive: true, force: true });
});

/** The sample workflow of the embedded checkpoint. */
function workflow(seed: number, steps: number): Record<string, any> {
  const file = join(root, 'tests/golden/data/samples/02-red-circle.json');
  const prompt = JSON.parse(readFileSync(file, 'utf8')) as Record<string, any>;
  Object.assign(prompt['3'].inputs, { seed, steps });
  return prompt;
}

const submit = async (prompt: object, sid: string): Promise<string> => {
  const response = await server.post('/prompt', {
    prompt,
    client_id: sid,
    extra_data: { preview_method: 'latent2rgb' },
  });
  return ((await response.json()) as { prompt_id: string }).prompt_id;
};

/** What came from the first `progress` of a step on, in short. */
function steps(messages: readonly Received[]): string[] {
  const kinds = messages
    .filter(isOfThePrompt)
    .map((message) => ('frame' in message ? message.frame!.type : message.type));
  const first = kinds.indexOf('progress');
  const last = kinds.lastIndexOf('progress');
  return kinds.slice(kinds.lastIndexOf('progress_state', first), last + 2);
}

it('draws a picture and tells its steps: state, preview 4, progress', async () => {
  const client = await connect(server, { flags: { supports_preview_metadata: true } });
  const id = await submit(workflow(1, 2), client.sid);
  await client.finished(id, 30_000);
  const step = ['progress_state', 'previewWithMetadata', 'progress'];
  expect(steps(client.messages)).toEqual([...step, ...step, 'progress_state']);
  const preview: any = client.messages.find((message) => 'frame' in message);
  expect(preview.frame.metadata).toEqual({
    node_id: '3',
    prompt_id: id,
    display_node_id: '3',
    parent_node_id: null,
    real_node_id: '3',
    image_type: 'image/jpeg',
  });
  expect([...preview.frame.image.subarray(0, 3)]).toEqual([0xff, 0xd8, 0xff]);
  const { [id]: entry } = await server.json(`/history/${id}`);
  const [{ filename, type }] = entry.outputs['9'].images;
  const image = await server.get(`/view?filename=${filename}&type=${type}`);
  expect(image.headers.get('content-type')).toBe('image/png');
  await client.close();
}, 60_000);

it('sends plain previews after the progress they belong to', async () => {
  const client = await connect(server);
  await client.finished(await submit(workflow(2, 2), client.sid), 30_000);
  const step = ['progress_state', 'progress', 'preview'];
  expect(steps(client.messages)).toEqual([...step, ...step]);
  await client.close();
}, 60_000);

it('is interrupted in the middle of sampling, and answers meanwhile', async () => {
  const client = await connect(server);
  const id = await submit(workflow(3, 500), client.sid);
  await client.until(({ type }) => type === 'progress', 30_000);
  const waits: number[] = [];
  for (let i = 0; i < 20; i++) {
    const begin = performance.now();
    await server.json('/queue');
    waits.push(performance.now() - begin);
  }
  expect(waits.sort((a, b) => a - b)[10]).toBeLessThan(50);
  const begin = performance.now();
  await server.post('/interrupt', {});
  await client.finished(id);
  expect(performance.now() - begin).toBeLessThan(3000);
  const { status } = (await server.json(`/history/${id}`))[id];
  expect(status.messages.at(-1)[0]).toBe('execution_interrupted');
  await client.close();
}, 60_000);

const emptyImage = {
  class_type: 'EmptyImage',
  inputs: { width: 8, height: 8, batch_size: 1, color: 0 },
};

it('saves again what was deleted since', async () => {
  const client = await connect(server);
  const prompt = {
    1: emptyImage,
    2: { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'deleted' } },
  };
  const run = async (): Promise<string> => {
    const id = await submit(prompt, client.sid);
    await client.finished(id);
    const history: any = await server.json(`/history/${id}`);
    return join(base, 'output', history[id].outputs[2].images[0].filename);
  };
  const first = await run();
  expect(await run()).toBe(first);
  rmSync(first);
  expect(existsSync(await run())).toBe(true);
  await client.close();
});

it('sends the picture of each of two equal SaveImageWebsocket nodes', async () => {
  const client = await connect(server, { flags: { supports_preview_metadata: true } });
  const sender = { class_type: 'SaveImageWebsocket', inputs: { images: ['1', 0] } };
  const prompt = { 1: { ...emptyImage }, 2: sender, 3: sender };
  await client.finished(await submit(prompt, client.sid));
  const pictures = client.messages.filter(
    (message) => 'frame' in message && message.frame?.type === 'previewWithMetadata',
  );
  expect(pictures).toHaveLength(2);
  await client.close();
});
