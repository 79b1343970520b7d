/** The public API on a real server; every answer is held against the document the server publishes. */
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type PublicApi, openPublicApi, picture, sleeper } from '../support/public-api.ts';
import { type TestServer, connect, startServer, testingPack } from '../support/server.ts';

/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-return, @typescript-eslint/no-unsafe-call -- JSON from the wire */

let server: TestServer;
let api: PublicApi;

beforeAll(async () => {
  server = await startServer({ packs: [testingPack], flags: ['--allow-private-webhooks'] });
  api = await openPublicApi(server);
  await vi.waitFor(async () => expect((await server.get('/readyz')).status).toBe(200), 20_000);
});
afterAll(() => server?.stop());

const call = (method: string, path: string, body?: unknown) => api.call(method, path, body);
const run = (body: object) => call('POST', '/v1/workflows/run', body);

const statusOf = async (id: string): Promise<string> =>
  (await call('GET', `/v1/jobs/${id}`)).json.status;
const isRunning = (id: string) =>
  expect.poll(() => statusOf(id), { timeout: 10_000 }).toBe('in_progress');

describe('running a workflow', () => {
  it('waits for the finished job with its outputs', async () => {
    const { status, json } = await run({
      workflow: picture(),
      inputs: { '1.value': 0.125 },
      wait: 20,
    });
    expect(status).toBe(200);
    expect(json).toMatchObject({ status: 'completed', error: null, warnings: [], progress: null });
    const [output] = json.outputs;
    expect(output).toMatchObject({
      node_id: '2',
      kind: 'images',
      directory: 'temp',
      media_type: 'image/png',
    });
    const file = await fetch(output.url);
    expect(file.headers.get('content-type')).toBe('image/png');
    const detail = await call('GET', `/v1/jobs/${json.id}?include=prompt`);
    expect(detail.json.prompt['1'].inputs.value).toBe(0.125);
  });

  it('answers at once without waiting, and when the time is over', async () => {
    const first = await run({ prompt: sleeper(1, 0.31), wait: 0.2 });
    const second = await run({ prompt: picture(0.32) });
    expect([first.status, second.status]).toEqual([202, 202]);
    expect(first.json.status).toBe('in_progress');
    expect(second.json.status).toBe('pending');
    expect(second.headers.get('location')).toBe(`/v1/jobs/${second.json.id}`);
    await expect.poll(() => statusOf(second.json.id), { timeout: 10_000 }).toBe('completed');
  });

  it('converts what the editor saves, and saves that with the picture', async () => {
    const workflow = {
      ...{ id: 'wf-1', version: 0.4, last_node_id: 2, last_link_id: 1 },
      nodes: [
        {
          ...{ id: 1, type: 'EmptyImage', pos: [0, 0], size: [1, 1], mode: 0, order: 0, flags: {} },
          outputs: [{ name: 'IMAGE', type: 'IMAGE', links: [1] }],
          ...{ properties: {}, widgets_values: ['wide', 8, 1, 255] },
        },
        {
          ...{ id: 2, type: 'SaveImage', pos: [0, 0], size: [1, 1], mode: 0, order: 1, flags: {} },
          inputs: [{ name: 'images', type: 'IMAGE', link: 1 }],
          ...{ properties: {}, widgets_values: ['editor'] },
        },
      ],
      links: [[1, 1, 0, 2, 0, 'IMAGE']],
    };
    const { json } = await run({
      workflow,
      inputs: { 'EmptyImage.height': 24, '1.width': 16 },
      wait: 20,
    });
    expect(json).toMatchObject({ status: 'completed', workflow_id: 'wf-1' });
    expect(json.warnings).toEqual([expect.stringMatching(/node 1 \(EmptyImage\)/)]);
    expect(json.outputs[0]).toMatchObject({ directory: 'output', filename: 'editor_00001_.png' });
    const bytes = Buffer.from(await (await fetch(json.outputs[0].url)).arrayBuffer());
    expect([bytes.readUInt32BE(16), bytes.readUInt32BE(20)]).toEqual([16, 24]);
    expect(bytes.toString('latin1')).toContain('"id": "wf-1"');
    expect(await call('GET', '/v1/jobs?workflow_id=wf-1')).toMatchObject({ json: { total: 1 } });
  });

  it('takes the body of a /prompt as a workflow, and says where in it a mistake is', async () => {
    const extra_data = { extra_pnginfo: { workflow: { id: 'wf-2', nodes: [], links: [] } } };
    const { json } = await run({ workflow: { prompt: picture(0.36), extra_data }, wait: 20 });
    expect(json).toMatchObject({ status: 'completed', workflow_id: 'wf-2' });
    const wrong = await run({ workflow: { prompt: { 1: { class_type: 'PreviewImage' } } } });
    expect(wrong.status).toBe(400);
    expect(wrong.json.errors[0].pointer).toBe('/workflow/prompt/1/inputs/images');
  });

  it('keeps 64-bit seeds and 5.0', async () => {
    const text = `{"prompt": {"1": {"class_type": "StubInt", "inputs": {"value": 7}}, "2": {"class_type": "PreviewAny", "inputs": {"source": ["1", 0], "cfg": 5.0}}}, "inputs": {"2.seed": 18446744073709551615}, "wait": 20}`;
    const { json } = await call('POST', '/v1/workflows/run', text);
    const history = await (await server.get(`/history/${json.id}`)).text();
    expect(history).toContain('"cfg": 5.0, "seed": 18446744073709551615');
    expect(json.outputs[0]).toMatchObject({ kind: 'text', text: '7' });
  });

  it('tells the websocket of the client', async () => {
    const client = await connect(server);
    const { json } = await run({ prompt: picture(0.33), client_id: client.sid, id: 'my-own-id' });
    expect(json).toMatchObject({ id: 'my-own-id', client_id: client.sid });
    await client.finished('my-own-id');
    await client.close();
  });

  it('reports failed jobs with the node', async () => {
    const prompt = {
      ...picture(0.34),
      3: { class_type: 'TestSyncError', inputs: { value: ['1', 0] } },
      2: { class_type: 'PreviewImage', inputs: { images: ['3', 0] } },
    };
    const { status, json } = await run({ prompt, wait: 20 });
    expect(status).toBe(200);
    expect(json).toMatchObject({
      status: 'failed',
      outputs: [],
      error: { node_id: '3', node_type: 'TestSyncError' },
    });
    expect(json.error.message).toBe('Intentional sync execution error for testing');
  });

  it.each([
    ['nothing to run', {}, 'validation_failed', '/workflow'],
    ['no workflow', { workflow: { nodes: 3 } }, 'validation_failed', '/workflow'],
    ['no prompt', { prompt: { 1: {} } }, 'validation_failed', '/prompt'],
    ['an unknown member', { prompt: picture(), webook: {} }, 'validation_failed', '/webook'],
    [
      'a missing input',
      { workflow: { 1: { class_type: 'PreviewImage' } } },
      'prompt_outputs_failed_validation',
      '/workflow/1/inputs/images',
    ],
    [
      'an unknown class',
      { prompt: { 1: { class_type: 'Nope', inputs: {} } } },
      'missing_node_type',
      undefined,
    ],
    [
      'an unknown node to change',
      { prompt: picture(), inputs: { '7.x': 1 } },
      'bad_input',
      undefined,
    ],
    [
      'a webhook to nowhere',
      { prompt: picture(), webhook: { url: 'http://169.254.169.254/' } },
      'webhook_address',
      undefined,
    ],
    ['an endless number', { prompt: picture(), number: 'x' }, 'validation_failed', '/number'],
  ])('refuses %s', async (_, body, code, pointer) => {
    const { status, json } = await run(body);
    expect(status).toBe(400);
    expect(json).toMatchObject({ type: `urn:noodle:problem:${code}`, code, status: 400 });
    if (pointer !== undefined) {
      expect(json.errors.map((error: { pointer: string }) => error.pointer)).toContain(pointer);
    }
  });

  it('refuses what is no JSON, saying where', async () => {
    const { json } = await call('POST', '/v1/workflows/run', '{"prompt": nix}');
    expect(json).toMatchObject({ code: 'bad_json', detail: expect.stringMatching(/position 11/) });
    expect((await call('POST', '/v1/workflows/run', '[]')).json.code).toBe('validation_failed');
    expect((await call('POST', '/v1/workflows/run', '')).json.code).toBe('bad_json');
  });

  it('leaves out outputs that cannot run, and says so', async () => {
    const prompt = { ...picture(0.35), 9: { class_type: 'PreviewImage', inputs: {} } };
    const { status, json } = await run({ prompt, wait: 20 });
    expect(status).toBe(200);
    expect(json.rejected_outputs).toEqual([
      expect.objectContaining({
        node_id: '9',
        input: 'images',
        pointer: '/prompt/9/inputs/images',
      }),
    ]);
  });
});

describe('jobs and the queue', () => {
  it('pauses, orders, cancels and goes on', async () => {
    expect((await call('POST', '/v1/queue/pause')).json).toMatchObject({ paused: true });
    const ids: string[] = [];
    for (const value of [0.41, 0.42, 0.43, 0.44]) {
      ids.push((await run({ prompt: picture(value) })).json.id);
    }
    const order = async (): Promise<string[]> =>
      (await call('GET', '/v1/queue')).json.pending.map(({ id }: { id: string }) => id);
    expect(await order()).toEqual(ids);
    const [a, b, c, d] = ids;
    expect((await call('PATCH', `/v1/queue/${d}`, { front: true })).json).toMatchObject({
      position: 0,
    });
    const last = (await call('PATCH', `/v1/queue/${a}`, { number: 1e6 })).json;
    expect(last).toMatchObject({ number: 1e6, position: 3 });
    expect((await call('PATCH', `/v1/queue/${a}`, { before: d })).json.position).toBe(0);
    expect((await call('PATCH', `/v1/queue/${a}`, { before: null })).json.position).toBe(3);
    expect(await order()).toEqual([d, b, c, a]);
    expect((await call('GET', `/v1/jobs/${c}`)).json).toMatchObject({
      status: 'pending',
      position: 2,
    });
    expect((await call('DELETE', `/v1/jobs/${b}`)).json).toEqual({ id: b, status: 'cancelled' });
    const back = await call('POST', `/v1/jobs/${b}/restore`);
    expect(back.json).toMatchObject({ id: b, position: 1 });
    expect((await call('POST', '/v1/jobs/nobody/restore')).status).toBe(404);
    expect((await call('DELETE', `/v1/jobs/${b}`)).json).toEqual({ id: b, status: 'cancelled' });
    expect((await call('DELETE', `/v1/jobs/${b}`)).status).toBe(404);
    expect((await call('GET', '/v1/queue?limit=1')).json).toMatchObject({
      pending_count: 3,
      pending: [{ id: d }],
    });
    expect((await call('PATCH', `/v1/queue/${b}`, { front: true })).status).toBe(404);
    expect((await call('PATCH', `/v1/queue/${a}`, {})).status).toBe(400);
    expect((await call('POST', '/v1/workflows/run', { prompt: picture(), id: a })).json.code).toBe(
      'duplicate_prompt_id',
    );
    expect((await call('POST', '/v1/queue/resume')).json).toMatchObject({ paused: false });
    await expect.poll(() => statusOf(a), { timeout: 10_000 }).toBe('completed');
    const done = (await call('GET', '/v1/jobs?status=completed&limit=3&sort=created')).json;
    expect(done.jobs).toHaveLength(3);
    expect((await call('PATCH', `/v1/queue/${a}`, { front: true })).json.code).toBe('not_waiting');
    expect((await call('DELETE', `/v1/jobs/${a}`)).json.code).toBe('job_finished');
  });

  it('stops a running job', async () => {
    const { id } = (await run({ prompt: sleeper(30, 0.45) })).json;
    await isRunning(id);
    expect((await call('POST', `/v1/jobs/${id}/retry`)).json.code).toBe('job_active');
    const { status, json } = await call('DELETE', `/v1/jobs/${id}`);
    expect([status, json.status]).toEqual([202, 'cancelling']);
    await expect.poll(() => statusOf(id), { timeout: 10_000 }).toBe('cancelled');
    expect((await call('GET', '/v1/jobs?status=cancelled')).json.jobs[0].id).toBe(id);
  });

  it('answers whoever waits for a job that is dropped', async () => {
    await call('POST', '/v1/queue/pause');
    const waiting = run({ prompt: picture(0.46), id: 'dropped', wait: 20 });
    await expect.poll(async () => (await call('GET', '/v1/jobs/dropped')).status).toBe(200);
    await call('DELETE', '/v1/jobs/dropped');
    expect(await waiting).toMatchObject({
      status: 200,
      json: { id: 'dropped', status: 'cancelled' },
    });
    await call('POST', '/v1/queue/resume');
  });

  it('runs a finished job again', async () => {
    const first = (await run({ prompt: picture(0.47), extra_data: { note: 5 }, wait: 20 })).json;
    const { status, json } = await call('POST', `/v1/jobs/${first.id}/retry`);
    expect(status).toBe(202);
    expect(json.id).not.toBe(first.id);
    await expect.poll(() => statusOf(json.id), { timeout: 10_000 }).toBe('completed');
    const again = (await call('GET', `/v1/jobs/${json.id}?include=prompt`)).json;
    expect(again.prompt).toEqual(JSON.parse(JSON.stringify(picture(0.47))));
    expect(again.extra_data).toMatchObject({ note: 5 });
    expect((await call('POST', '/v1/jobs/nope/retry')).status).toBe(404);
  });

  it('pages', async () => {
    const { json } = await call('GET', '/v1/jobs?limit=2&order=asc&status=completed,failed');
    expect(json.jobs).toHaveLength(2);
    expect(json.next).toContain('offset=2');
    const next = await call('GET', new URL(json.next).pathname + new URL(json.next).search);
    expect(next.json.jobs[0].created_at >= json.jobs[1].created_at).toBe(true);
    expect(next.json.total).toBe(json.total);
    expect((await call('GET', '/v1/jobs?limit=1000')).status).toBe(400);
  });
});

describe('what there is', () => {
  it('lists nodes and models, and tells of the system', async () => {
    const nodes = (await call('GET', '/v1/nodes?q=ksampler')).json;
    expect(nodes.nodes.map(({ name }: { name: string }) => name)).toContain('KSampler');
    const one = await call('GET', '/v1/nodes/KSampler');
    expect(one.json).toMatchObject({ name: 'KSampler', output: ['LATENT'] });
    expect((await call('GET', '/v1/nodes/Nope')).status).toBe(404);
    const inside = (await call('GET', '/v1/nodes?category=sampling')).json;
    expect(inside.total).toBeGreaterThan(0);
    const { folders } = (await call('GET', '/v1/models')).json;
    expect(folders.map(({ name }: { name: string }) => name)).toContain('checkpoints');
    expect((await call('GET', '/v1/models/checkpoints')).json).toEqual({
      folder: 'checkpoints',
      files: [],
    });
    expect((await call('GET', '/v1/models/nope')).status).toBe(404);
    expect((await call('GET', '/v1/system')).json.engines).toEqual({
      total: 1,
      ready: 1,
      restarts: 0,
    });
    const { devices } = (await call('GET', '/v1/devices')).json;
    expect(devices[0]).toMatchObject({ id: 'cpu', engines: [{ state: 'idle', job_id: null }] });
    expect((await call('GET', '/healthz')).json).toEqual({ status: 'ok' });
    expect((await call('GET', '/readyz')).json).toEqual({ status: 'ready', reasons: [] });
    expect((await call('GET', '/v1/openapi.json')).json).toEqual(api.document);
  });

  it('counts for Prometheus', async () => {
    await server.get('/no/such/page/at-all');
    const text = (await call('GET', '/metrics')).json as string;
    expect(text).toMatch(/^noodle_jobs\{status="completed"\} [1-9]/m);
    expect(text).toMatch(/^noodle_jobs_finished_total\{status="failed"\} 1$/m);
    expect(text).toMatch(/^noodle_engines_ready 1$/m);
    expect(text).toMatch(
      /duration_seconds_count\{method="GET",route="\/v1\/jobs\/:id",status="200"\} \d+/,
    );
    expect(text).toMatch(/^nodejs_eventloop_lag_seconds /m);
    expect(text).toMatch(/^process_resident_memory_bytes /m);
    expect(text).not.toContain('no/such');
  });

  it('is not found under /api, and tells what is missing', async () => {
    expect((await server.get('/api/v1/jobs')).status).toBe(404);
    expect((await server.get('/docs/KSampler/en.md')).status).toBe(404);
    const unknown = await server.get('/v1/nope');
    expect(unknown.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    const wrong = await server.get('/v1/queue', { method: 'PUT' });
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'GET']);
    expect(await wrong.json()).toMatchObject({ code: 'method_not_allowed' });
  });
});

describe('the event stream', () => {
  it('tells the story of a job, and again after a reconnect', async () => {
    const all = await api.follow('/v1/events');
    const { id } = (await run({ prompt: sleeper(0.3, 0.51) })).json;
    const one = await api.follow(`/v1/events?job=${id}`);
    await expect.poll(one.names, { timeout: 10_000 }).toContain('finished');
    expect(new Set(all.names())).toEqual(
      new Set(['queue', 'started', 'progress', 'executed', 'finished']),
    );
    expect(one.names()[0]).toBe('job');
    expect(one.names()).not.toContain('queue');
    const finished = one.events.at(-1)!;
    expect(api.isA('Job', finished.data)).toBe(true);
    expect(finished.data).toMatchObject({ id, status: 'completed' });
    expect((await fetch(finished.data.outputs[0].url)).status).toBe(200);
    const started = all.events.find(({ event }) => event === 'started')!;
    const again = await api.follow('/v1/events', { 'Last-Event-ID': started.id! });
    await expect.poll(again.names).toEqual(['executed', 'finished', 'queue']);
    const lost = await api.follow('/v1/events?last_event_id=other.1');
    await expect.poll(lost.names).toEqual(['gap', 'queue']);
    for (const stream of [all, one, again, lost]) stream.stop();
    expect((await call('GET', '/v1/events?job=nope')).status).toBe(404);
    await expect
      .poll(async () => (await call('GET', '/metrics')).json as string)
      .toMatch(/^noodle_event_streams 0$/m);
  });
});

describe('webhooks', () => {
  it('are posted when the job has finished', async () => {
    const received: { headers: Record<string, any>; body: string }[] = [];
    const receiver = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        received.push({ headers: request.headers, body });
        response.writeHead(204).end();
      });
    });
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
    const { id } = (await run({ prompt: picture(0.61), webhook: { url, secret: 'acht Zeichen' } }))
      .json;
    await expect.poll(() => received.length, { timeout: 10_000 }).toBe(1);
    receiver.close();
    const [{ headers, body }] = received;
    const { type, job } = JSON.parse(body);
    expect(type).toBe('job.finished');
    expect(api.isA('Job', job)).toBe(true);
    expect(job).toMatchObject({ id, status: 'completed' });
    expect((await fetch(job.outputs[0].url)).status).toBe(200);
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
    const signature = createHmac('sha256', 'acht Zeichen').update(signed).digest('base64');
    expect(headers['webhook-signature']).toBe(`v1,${signature}`);
    await expect
      .poll(async () => (await call('GET', '/metrics')).json as string)
      .toMatch(/^noodle_webhooks_waiting 0$/m);
  });
});

it('every operation of the document was called with success (but for those with tests of their own)', () => {
  const own = ['Library', 'Forms', 'Batches', 'Outputs', 'Training'];
  expect(api.uncalled((tag) => !own.includes(tag))).toEqual([]);
});
